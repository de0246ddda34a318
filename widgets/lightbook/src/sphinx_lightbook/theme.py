"""Mends what is broken in a default Jupyter Book's pages, a function a fault.

Each fault was seen with sphinx-book-theme 1.3, pydata-sphinx-theme 0.17, Sphinx 7.4 and myst-nb 1.4.
"""

from __future__ import annotations

import functools
import html
import re
from pathlib import Path
from typing import Any, cast

from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.config import Config
from sphinx.environment import BuildEnvironment

from sphinx_lightbook.pages import add_to_head, edit_each_page

SCRIPT = "lightbook-theme.js"
SEARCH_SCRIPT = "lightbook-search.js"
STYLE = "lightbook-theme.css"


def setup(app: Sphinx) -> None:
    """Mend the book theme; a book with another theme is left alone."""
    if app.config.html_theme != "sphinx_book_theme":
        return
    show_one_navigation_button(app.config)
    app.connect("builder-inited", add_script)
    app.connect("builder-inited", copy_notebook_style)
    app.connect("builder-inited", leave_epub_alone)
    app.connect("env-get-outdated", delete_pages_without_source)
    app.connect("env-updated", write_navigation_anew)
    app.connect("html-page-context", add_search_script)
    app.connect("html-page-context", drop_repeated_scripts, priority=900)
    edit_each_page(app, functools.partial(mend_page, app))


# By configuration -------------------------------------------------------------------------------------------


def show_one_navigation_button(config: Config) -> None:
    """Empty the header that pydata-sphinx-theme 0.17 fills unasked.

    Fault: `navbar_persistent` defaults to the search field, so the header that the book theme hides has a
    second `.primary-toggle`. The scripts find that one first, and the visible buttons do nothing: on a phone
    neither navigation nor contents open, on a desktop the sidebar does not close.
    """
    config.html_theme_options.setdefault("navbar_persistent", [])


def add_script(app: Sphinx) -> None:
    """Add the script and the style for what only the browser can mend, such as Escape."""
    if app.builder.format == "html":
        app.config.html_static_path.append(str(Path(__file__).parent / "static" / "theme"))
        app.add_js_file(SCRIPT, defer="defer")
        app.add_css_file(STYLE)


def add_search_script(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Add the script that mends searches where there are any: on the search page, or as the reader types."""
    as_you_type = app.config.html_theme_options.get("search_as_you_type")
    if app.builder.format == "html" and (templatename == "search.html" or as_you_type):
        app.add_js_file(SEARCH_SCRIPT, defer="defer")


def copy_notebook_style(app: Sphinx) -> None:
    """Bring myst-nb's style sheet into the book before pages are written.

    Fault: myst-nb copies it at the end, and Sphinx adds a digest to the address of a file that is there. So
    the first build and a later one write different pages.
    """
    if "myst_nb" in app.extensions and app.builder.format == "html":
        from myst_nb.sphinx_ext import add_global_html_resources

        (Path(app.outdir) / "_static").mkdir(parents=True, exist_ok=True)
        add_global_html_resources(app, None)


def leave_epub_alone(app: Sphinx) -> None:
    """Take the themes' handlers out of an EPUB, which has a theme of its own.

    Fault: the book theme adds launch buttons to it too, looks for the repository in the options of the other
    theme, and ends the build with a TypeError.
    """
    if app.builder.name == "epub":
        for listeners in list(app.events.listeners.values()):
            for listener in list(listeners):
                if listener.handler.__module__.startswith(("sphinx_book_theme", "pydata_sphinx_theme")):
                    app.disconnect(listener.id)


def delete_pages_without_source(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """Delete the page of a source that is gone.

    Fault: it stays, is published, and the navigation of the other pages goes on naming it.
    """
    if app.builder.name in {"html", "dirhtml"}:
        builder = cast(StandaloneHTMLBuilder, app.builder)
        for docname in removed:
            Path(builder.get_outfilename(docname)).unlink(missing_ok=True)
    app.lightbook_removed = set(removed)  # type: ignore[attr-defined]  # ours, kept on the app
    return []


def write_navigation_anew(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Write every page again when a source is gone; none is read again for that."""
    return sorted(env.found_docs) if getattr(app, "lightbook_removed", None) else []


def drop_repeated_scripts(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Keep one of each script.

    Fault: a script without a file that an extension adds before pages are read comes twice, and a second
    `const` of the same name is an error that stops the script.
    """
    scripts = context["script_files"]
    # They differ in their priority, and in no file being None or empty.
    kept = {(str(script.filename or ""), *sorted(script.attributes.items())): script for script in scripts}
    scripts[:] = kept.values()


# In a page's HTML -------------------------------------------------------------------------------------------


def mend_page(app: Sphinx, page: str, context: dict[str, Any]) -> str:
    """All mends of a page's HTML."""
    page = choose_colours_without_a_script(page)
    page = choose_colours_before_painting(page)
    page = paint_header_whole(page)
    page = name_icon(page)
    page = make_sidebar_a_landmark(page, app.config.html_title)
    page = name_search_button_by_its_text(page)
    page = name_colour_button_once(page)
    page = name_code_summary_by_its_text(page)
    page = make_references_items_of_their_list(page)
    page = call_empty_headers_cells(page)
    return name_chevrons(page)


def choose_colours_without_a_script(page: str) -> str:
    """Write a theme into the page: the book's, else light.

    Fault: without JavaScript there is none, so some colours are those of the theme's own framework. A badge
    is white on a blue of contrast 3.04. A script of the head chooses anew before anything is painted.
    """
    theme = "dark" if 'data-default-mode="dark"' in page else "light"
    return re.sub(
        r"<html\b(?![^>]*\sdata-theme=)([^>]*?)\s*>", rf'<html\1 data-theme="{theme}">', page, count=1
    )


_COLOURS = """<script data-cfasync="false">
    (function (data) {
      let mode = null;
      try { mode = localStorage.getItem("mode"); } catch { /* storage is blocked */ }
      data.mode = mode || "auto";
      data.theme = data.mode !== "auto" ? data.mode
        : matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    })(document.documentElement.dataset);
  </script>"""


def choose_colours_before_painting(page: str) -> str:
    """Set mode and theme to values the style sheet knows.

    Fault: without a default both are empty at first. The page is painted without the theme's colours, white
    also in the dark, and the console shows an error about an invalid mode.
    """
    if 'data-default-mode=""' not in page:
        return page
    return re.sub(
        r'<script data-cfasync="false">.*?</script>', lambda _: _COLOURS, page, count=1, flags=re.DOTALL
    )


_AFTER_HEADER = "jb-print-docs-body"  # what comes next to the header, and is for paper


def paint_header_whole(page: str) -> str:
    """Let the browser paint nothing before it has read the header.

    Fault: a busy one paints the header half read. Its buttons are set from the right, so each that follows
    moves those before it.
    """
    if f'id="{_AFTER_HEADER}"' not in page:
        return page
    return add_to_head(page, f'<link rel="expect" href="#{_AFTER_HEADER}" blocking="render" />\n')


def name_icon(page: str) -> str:
    """Say that there is no icon.

    Fault: without one a browser asks for /favicon.ico, and shows an error that there is none.
    """
    head = page[: page.find("</head>")]
    if re.search(r'<link\b[^>]*\brel="(?:shortcut )?icon"', head):
        return page
    return add_to_head(page, '<link rel="icon" href="data:," />\n')


def make_sidebar_a_landmark(page: str, title: str) -> str:
    """Give the sidebar a role and the book's title as its name.

    Fault (axe: region): the logo is in no landmark.
    """
    name = html.escape(re.sub(r"<[^>]*>", "", title))
    return page.replace(
        '<div id="pst-primary-sidebar" ',
        f'<div id="pst-primary-sidebar" role="complementary" aria-label="{name}" ',
        1,
    )


def name_search_button_by_its_text(page: str) -> str:
    """Let the search button be called what it shows.

    Fault (axe: label-content-name-mismatch): it shows "Search Ctrl+K" and is called "Search". The keys are
    hidden from the name, for who speaks to the computer says "search".
    """
    page = re.sub(r'(<button class="btn search-button-field[^>]*?) aria-label="[^"]*"', r"\1", page)
    return page.replace(
        '<span class="search-button__kbd-shortcut">',
        '<span class="search-button__kbd-shortcut" aria-hidden="true">',
    )


def name_colour_button_once(page: str) -> str:
    """Take the names off the icons of the colour button.

    Fault (axe: label-content-name-mismatch): the button is called "Color mode", the icon in it "System
    Settings".
    """
    return re.sub(r'(<i class="theme-switch [^>]*?)\s+title="[^"]*">', r'\1 aria-hidden="true">', page)


def name_code_summary_by_its_text(page: str) -> str:
    """Let the control that shows code be called what it shows.

    Fault (axe: label-content-name-mismatch): "Show code cell source" is called "Toggle hidden content".
    """
    return page.replace('<summary aria-label="Toggle hidden content">', "<summary>")


def make_references_items_of_their_list(page: str) -> str:
    """Give the entries of a bibliography the role that their list asks for.

    Fault (axe: aria-deprecated-role, aria-required-children): docutils gives them `doc-biblioentry`, which
    ARIA has dropped, and a list of such has no items.
    """
    return page.replace('role="doc-biblioentry"', 'role="listitem"')


_EMPTY_HEADER = re.compile(
    r"<script\b.*?</script>|<th\b(?![^>]*\srole=)([^>]*)>((?:\s|</?p>)*)</th>", re.DOTALL | re.IGNORECASE
)


def call_empty_headers_cells(page: str) -> str:
    """Give a header of a table that has no words the role of a plain cell.

    Fault (axe: empty-table-header): the corner above the names of rows is a header of nothing. Data frames
    have one, and so have tables in Markdown.
    """

    def call(match: re.Match[str]) -> str:
        return match[0] if match[1] is None else f'<th{match[1]} role="cell">{match[2]}</th>'

    return _EMPTY_HEADER.sub(call, page) if "<th" in page else page


def name_chevrons(page: str) -> str:
    """Name the control that opens a chapter's sections after the chapter.

    Fault (axe: summary-name): it has an icon and no name.
    """
    return re.sub(
        r'(<a class="[^"]*reference internal"[^>]*>)(.*?)(</a><details[^>]*><summary)(?=>)',
        lambda match: f'{match[1]}{match[2]}{match[3]} aria-label="{_text(match[2])}"',
        page,
    )


def _text(inner: str) -> str:
    """The text of a piece of HTML, for an attribute."""
    return html.escape(html.unescape(re.sub(r"<[^>]*>", "", inner)).strip())
