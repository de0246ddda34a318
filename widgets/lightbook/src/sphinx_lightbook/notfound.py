"""A page for an address that is none: 404.html, which a host shows whatever the address was."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder

from sphinx_lightbook.pages import edit_each_page
from sphinx_lightbook.words import fill

NAME = "404"
# A place in the page is found without leaving the address that the reader came by.
STAY = (
    f"<script>for (const link of document.querySelectorAll('a[href^=\"{NAME}.html#\"]')) "
    "link.href = location.href.split('#')[0] + link.hash;</script>\n"
)


def setup(app: Sphinx) -> None:
    """Write the page with Sphinx's other pages that are nobody's source."""
    app.connect("html-collect-pages", write_page)
    edit_each_page(app, lambda page, context: stand_anywhere(app, page, context))


def write_page(app: Sphinx) -> list[Any]:
    """Write 404.html at the site's root, unless the author has one."""
    if app.builder.name in {"html", "dirhtml"} and NAME not in app.env.found_docs:
        builder = cast(StandaloneHTMLBuilder, app.builder)
        start = builder.get_relative_uri(NAME, app.config.root_doc)
        words = app.config.lightbook_catalogue["notFound"]
        context = {"title": html.escape(words["title"]), "body": _body(start, words), "pageurl": None}
        builder.handle_page(NAME, context, outfilename=str(Path(app.outdir) / f"{NAME}.html"))
    return []


def _body(start: str, words: Mapping[str, str]) -> str:
    said = {key: html.escape(text) for key, text in words.items()}
    link = f'<a class="reference internal" href="{html.escape(start)}">{said["start"]}</a>'
    onward = fill(said["onward"], start=link)
    return f"<section><h1>{said['title']}</h1><p>{said['text']}</p><p>{onward}</p></section>"


def stand_anywhere(app: Sphinx, page: str, context: dict[str, Any]) -> str:
    """Let the page's relative addresses start at the book's root, not where the reader is.

    The root is the path of `html_baseurl`, else that of the host.
    """
    if context.get("pagename") != NAME or app.builder.name not in {"html", "dirhtml"}:
        return page
    if app.builder.name == "dirhtml":
        if NAME in app.env.found_docs:
            return page  # it is 404/index.html, which no host shows for another address
        # Sphinx takes the page for one that stands in a folder of its own.
        page = re.sub(r'="\.\./', '="./', page)
    # A link to a place in another file is no skip link to assistive technology: it needs a landmark.
    skip = html.escape(app.config.lightbook_catalogue["notFound"]["skip"])
    page = page.replace(
        '<div id="pst-skip-link" ', f'<div id="pst-skip-link" role="navigation" aria-label="{skip}" ', 1
    )
    # An address of a place in the page would be one in the book's root; without scripts, to this file.
    page = re.sub(r'(<a\b[^>]*? href=")#(?=[^"])', rf"\g<1>{NAME}.html#", page)
    page = page.replace("</body>", f"{STAY}</body>", 1)
    base = html.escape(urlsplit(app.config.html_baseurl or "/").path.rstrip("/") + "/")
    return re.sub(r'(<meta charset="[^"]*" ?/?>)', rf'\1<base href="{base}" />', page, count=1)
