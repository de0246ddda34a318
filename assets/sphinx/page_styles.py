"""Style sheets that one page alone needs, so that no other page loads them."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

OF_A_PAGE = {"chapters/overview": "cover.css", "chapters/cheat-sheet": "cheat-sheet.css"}


def _add_style(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    if pagename in OF_A_PAGE:
        app.add_css_file(OF_A_PAGE[pagename])


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("html-page-context", _add_style)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
