"""Beside each deck of a site a package for Anki, made with the book."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

from flipcards import __version__
from flipcards.anki_write import export_anki
from flipcards.deck import Card, Deck, DeckError
from flipcards.sphinx import FlipcardsDomain, flipcards

logger = logging.getLogger(__name__)

FOLDER = "_downloads"  # Sphinx's own for files to take along
_NOT_SITES = {"applehelp", "devhelp", "epub", "htmlhelp", "qthelp", "singlehtml"}


def _is_site(app: Sphinx) -> bool:
    return isinstance(app.builder, StandaloneHTMLBuilder) and app.builder.name not in _NOT_SITES


def _names(env: BuildEnvironment) -> dict[str, str]:
    """The package of each deck that is at home on a page, by the deck's path; below `FOLDER`."""
    domain = env.get_domain("flipcards")
    assert isinstance(domain, FlipcardsDomain)
    decks = {
        deck.shown_as: deck.name
        for docname in domain.pages
        for deck, home in domain.data["decks"][docname]
        if home
    }
    taken: dict[str, str] = {}
    for path, name in sorted(decks.items()):
        number, free = 1, name
        while free in taken:
            number += 1
            free = f"{name}-{number}"
        taken[free] = path
    return {path: f"anki/{name}.apkg" for name, path in taken.items()}


class Packages:
    """Links to the packages, and writes those whose pages are written: what they show is the same."""

    def __init__(self) -> None:
        self.stale: set[str] = set()

    def begin(self, app: Sphinx) -> None:
        """Forget the last build."""
        self.stale.clear()

    def offer(self, app: Sphinx, document: nodes.document, docname: str) -> None:
        """Put a link below the last section of each deck that is at home on a page."""
        if not (_is_site(app) and app.config.flipcards_anki):
            return
        names, words = _names(app.env), app.config.flipcards_catalogue
        sections = document.findall(flipcards)
        last = {section["path"]: section for section in sections if section["home"]}
        for path, section in last.items():
            self.stale.add(path)
            link = addnodes.download_reference("", words("cards.anki"), filename=names[path])
            paragraph = nodes.paragraph("", "", link, classes=["flipcards-export"])
            section.parent.insert(section.parent.index(section) + 1, paragraph)

    def write(self, app: Sphinx, exception: Exception | None) -> None:
        """Write the packages: all whose deck a written page shows, and any that is missing."""
        if exception is not None or not (_is_site(app) and app.config.flipcards_anki):
            return
        folder = Path(app.outdir) / FOLDER
        for path, name in _names(app.env).items():
            target = folder / name
            if path not in self.stale and target.exists():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                deck = Deck.load(Path(app.srcdir) / path, shown_as=path)
                export_anki(
                    [deck],
                    target,
                    parent=app.config.project,
                    page_url=_address(app),
                    words=app.config.flipcards_catalogue,
                    force=True,
                )
            except DeckError as error:
                logger.warning("no package for Anki: %s", error, type="flipcards", subtype="anki")


def _address(app: Sphinx) -> Callable[[Deck, Card], str] | None:
    """Where a card is published; nowhere without `html_baseurl`."""
    base = app.config.html_baseurl
    if not base:
        return None
    domain = app.env.get_domain("flipcards")
    assert isinstance(domain, FlipcardsDomain)
    homes = domain.homes()

    def address(deck: Deck, card: Card) -> str:
        if card.id not in homes:
            return ""
        page = quote(app.builder.get_target_uri(homes[card.id]), safe="/#%")
        return f"{base.rstrip('/')}/{page}#card-{card.id}"

    return address


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension; `flipcards.sphinx` does it."""
    packages = Packages()
    app.add_config_value("flipcards_anki", True, "html", bool)
    app.connect("builder-inited", packages.begin)
    app.connect("doctree-resolved", packages.offer)
    # Before others look at what the site consists of.
    app.connect("build-finished", packages.write, priority=100)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
