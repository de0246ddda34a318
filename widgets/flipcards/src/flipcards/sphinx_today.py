"""The Today page: every card of the book in one place, for the front end to ask those that are due."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

from flipcards import sphinx as cards

logger = logging.getLogger(__name__)


class flipcards_today(nodes.General, nodes.Element):
    """Where the front end shows what is due, and what was learned; then the cards of every deck."""


class flipcards_deck(nodes.General, nodes.Element):
    """The cards of one deck, under its title."""


def deck_files(app: Sphinx) -> list[Path]:
    """The files that `flipcards_decks` names, each once, in order."""
    folder = Path(app.srcdir)
    return sorted({file for pattern in app.config.flipcards_decks for file in folder.glob(pattern)})


class TodayDirective(SphinxDirective):
    """Gathers the cards of all decks in `flipcards_decks` from their pages: ```{flipcards-today}```."""

    option_spec: ClassVar = {}

    def run(self) -> list[nodes.Node]:
        """One node with the cards of all decks."""
        files = deck_files(self.env.app)
        gathered(self.env)[self.env.docname] = [str(file) for file in files]
        if not files:
            logger.warning(
                "flipcards-today finds no deck: name the book's decks in flipcards_decks",
                location=self.get_location(),
                type="flipcards",
                subtype="today",
            )
        # A search for words of a card leads to its own page.
        self.env.metadata[self.env.docname].setdefault("nosearch", "")
        today = flipcards_today()
        page = Path(self.env.doc2path(self.env.docname)).parent
        for file in files:
            path = Path(os.path.relpath(file, page)).as_posix()
            for section in cards.deck_nodes(
                self.env, self.state.document, path, line=self.lineno, home=False, many=False
            ):
                today += flipcards_deck("", section, title=section["title"])
        return [today]


# --- events ----------------------------------------------------------------------------------------


def gathered(env: BuildEnvironment) -> dict[str, list[str]]:
    """Page -> the deck files that it gathered when it was read."""
    if not hasattr(env, "flipcards_gathered"):
        # Sphinx lets extensions keep what they gather on the environment; its type cannot know the names.
        env.flipcards_gathered = {}  # type: ignore[attr-defined]
    return env.flipcards_gathered  # type: ignore[attr-defined,no-any-return]


def _purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    gathered(env).pop(docname, None)


def _merge(app: Sphinx, env: BuildEnvironment, docnames: Iterable[str], other: BuildEnvironment) -> None:
    for docname in docnames:
        if docname in gathered(other):
            gathered(env)[docname] = gathered(other)[docname]


def _outdated(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """The pages whose decks are others than before: one came, one went. Edits are noted as dependencies."""
    files = [str(file) for file in deck_files(app)]
    return [page for page, known in gathered(env).items() if known != files and page not in removed]


def captions(env: BuildEnvironment) -> dict[str, str]:
    """Page -> the caption of the part of the book that it is in."""
    found: dict[str, str] = {}
    for page, children in sorted(env.toctree_includes.items()):
        if children:
            for toctree in env.get_doctree(page).findall(addnodes.toctree):
                for name in toctree["includefiles"]:
                    if toctree.get("caption"):
                        found.setdefault(name, toctree["caption"])
    return found


def _pages_in_order(env: BuildEnvironment) -> Iterator[str]:
    """The pages as a reader turns them, from the first."""
    seen: set[str] = set()
    todo = [env.config.root_doc]
    while todo:
        page = todo.pop()
        if page not in seen:
            seen.add(page)
            yield page
            todo += reversed(env.toctree_includes.get(page, []))


def _describe(app: Sphinx, document: nodes.document, docname: str) -> None:
    """Name on each section its own page and the part of the book, by which a reader can choose cards."""
    found_here = list(document.findall(flipcards_today))
    if not found_here:
        return
    domain = app.env.get_domain("flipcards")
    assert isinstance(domain, cards.FlipcardsDomain)
    homes, parts = domain.homes(), captions(app.env)
    order = {page: place for place, page in enumerate(_pages_in_order(app.env))}

    def place(deck: Any) -> int:
        found = (order.get(homes.get(card["card"], "")) for card in deck.findall(cards.flipcard))
        return min((number for number in found if number is not None), default=len(order))

    for today in found_here:
        today[:] = sorted(today.children, key=place)  # new cards come in the order of the book
        for section in today.findall(cards.flipcards):
            found = list(section.findall(cards.flipcard))
            pages = {homes[card["card"]] for card in found if card["card"] in homes}
            # Mostly all cards of a deck are on one page, which is then said once.
            for node in [section] if len(pages) == 1 else found:
                page = next(iter(pages)) if node is section else homes.get(node["card"])
                if page is not None:
                    node["page"] = app.env.titles[page].astext()
                    node["part"] = parts.get(page, "")


class NoToday(SphinxPostTransform):
    """Where nothing runs, nothing can be said of today: the cards are on their own pages."""

    default_priority = 4  # before the cards are written plainly

    def run(self, **kwargs: Any) -> None:
        """Take the gathered cards out."""
        if self.app.builder.format != "html" or self.app.builder.name == "epub":
            words = self.app.config.flipcards_catalogue
            for today in list(self.document.findall(flipcards_today)):
                today.replace_self(nodes.paragraph(text=words("cards.todayElsewhere")))


# --- HTML ------------------------------------------------------------------------------------------


def _visit_today(self: HTML5Translator, node: nodes.Element) -> None:
    self.body.append(self.starttag(node, "div", CLASS="flipcards flipcards-today"))
    words = self.config.flipcards_catalogue
    self.body.append(f"<noscript><p>{self.encode(words('cards.todayNoScript'))}</p></noscript>\n</div>\n")
    title = self.encode(words("cards.allCards"))
    self.body.append(f'<div class="flipcards-decks"><p class="rubric">{title}</p>\n')


def _visit_deck(self: HTML5Translator, node: nodes.Element) -> None:
    number = sum(1 for _ in node.findall(cards.flipcard))
    count = self.encode(self.config.flipcards_catalogue("cards.count", count=number))
    title = self.encode(node["title"])
    self.body.append(self.starttag(node, "details", CLASS="flipcards-deck"))
    self.body.append(f'<summary>{title} <span class="flipcards-deck-count">{count}</span></summary>\n')
    node["begins_at"] = len(self.body)


def waiting(deck: str, ids: Iterable[str]) -> str:
    """Wrap the HTML of a deck so that it is text where scripts run, which a browser reads in no time.

    The front end takes it from there when the reader or a session wants one of these cards.

    Raises:
        ValueError: The HTML has a `<noscript>`. It would end this one, and what follows would be markup.
    """
    if re.search("</?noscript", deck, re.IGNORECASE):
        raise ValueError("the cards hold a <noscript>; take it out, for they are put into one")
    return f'<noscript data-cards="{html.escape(" ".join(ids))}">\n{deck}</noscript>\n'


def _depart_deck(self: HTML5Translator, node: nodes.Element) -> None:
    deck = "".join(self.body[node["begins_at"] :])
    del self.body[node["begins_at"] :]
    try:
        self.body.append(waiting(deck, (card["card"] for card in node.findall(cards.flipcard))))
    except ValueError as error:
        raise ExtensionError(f"{node['title']}: {error}") from error
    self.body.append("</details>\n")


def _depart_today(self: HTML5Translator, node: nodes.Element) -> None:
    self.body.append("</div>\n")


def setup(app: Sphinx) -> None:
    """Register the directive and what it needs; `flipcards.sphinx` calls this."""
    app.add_node(flipcards_today, html=(_visit_today, _depart_today))
    app.add_node(flipcards_deck, html=(_visit_deck, _depart_deck))
    app.add_directive("flipcards-today", TodayDirective)
    app.add_post_transform(NoToday)
    app.connect("env-purge-doc", _purge)
    app.connect("env-merge-info", _merge)
    app.connect("env-get-outdated", _outdated)
    app.connect("doctree-resolved", _describe)
