"""Edits the HTML of each page after its template has made it and before it is written."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

from sphinx.application import Sphinx

Edit = Callable[[str, dict[str, Any]], str]


def edit_each_page(app: Sphinx, edit: Edit) -> None:
    """Pass every page of an HTML builder through `edit`.

    Args:
        app: the application; its builder must not be inited yet.
        edit: gets the page's HTML and the template's context, returns the HTML to write. It runs in the
            process that writes the page, so what it stores elsewhere is lost in a parallel build.
    """

    def wrap(app: Sphinx) -> None:
        if app.builder.format != "html":
            return
        templates = app.builder.templates
        render = templates.render

        def render_and_edit(template: str, context: dict[str, Any]) -> str:
            html: str = render(template, context)
            return edit(html, context) if "</head>" in html else html

        templates.render = render_and_edit

    app.connect("builder-inited", wrap, priority=900)


def add_to_head(html: str, tags: str) -> str:
    """The page with `tags` at the end of its head."""
    return html.replace("</head>", f"{tags}</head>", 1)


def absolute_address(app: Sphinx, pagename: str) -> str:
    """The address at which a page is published; `html_baseurl` must be set.

    Sphinx leaves spaces and other letters as they are in a book of folders.
    """
    uri = app.builder.get_target_uri(pagename).partition("#")[0]
    return posixpath.join(app.config.html_baseurl, quote(unquote(uri)))
