"""What a page's head says about it: to search engines, to who shares a link, to assistive technology."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from sphinx_lightbook.pages import absolute_address, edit_each_page

WEB_BUILDERS = {"html", "dirhtml", "singlehtml"}
LONGEST_DESCRIPTION = 160  # characters; more is cut off by those who show it


def setup(app: Sphinx) -> None:
    """Say it by each page's context, mend the rest in its HTML."""
    app.connect("html-page-context", name_address, priority=900)
    app.connect("html-page-context", describe, priority=901)
    edit_each_page(app, mend_head)


def name_address(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Let the canonical address be the one that links lead to.

    Fault: Sphinx takes the name of the page's file, in a book of folders too, and leaves spaces as they are.
    """
    if context.get("pageurl") and app.builder.name in WEB_BUILDERS:
        context["pageurl"] = absolute_address(app, pagename)


def describe(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Add a description and Open Graph's properties, where the author has not.

    Addresses have to be absolute there: without `html_baseurl` a page has none.
    """
    if app.builder.name not in WEB_BUILDERS:
        return
    given = context.get("metatags") or ""
    title = _plain(context.get("title") or "")
    book = _plain(context.get("docstitle") or app.config.project)
    description = (
        _given_description(given)
        or (first_words(doctree) if doctree is not None else "")
        or (f"{title}: {book}" if title and title != book else book)
    )
    wanted = {
        ("name", "description"): description,
        ("property", "og:title"): title or book,
        ("property", "og:type"): "website" if pagename == app.config.root_doc else "article",
        ("property", "og:site_name"): book,
        ("property", "og:description"): description,
        ("property", "og:url"): context.get("pageurl"),
    }
    context["metatags"] = given + "".join(
        f'\n<meta {kind}="{name}" content="{html.escape(content)}" />'
        for (kind, name), content in wanted.items()
        if content and f'"{name}"' not in given
    )


def _plain(text: str) -> str:
    """The text of a piece of HTML."""
    return html.unescape(re.sub(r"<[^>]*>", "", text)).strip()


def _given_description(metatags: str) -> str:
    for tag in re.findall(r"<meta\b[^>]*>", metatags):
        content = re.search(r'\bcontent="([^"]*)"', tag)
        if 'name="description"' in tag and content:
            return html.unescape(content[1])
    return ""


def first_words(doctree: nodes.document) -> str:
    """The first sentences of a page's own text, as many as fit a description; "" where there are none."""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.document | nodes.section):
            text = re.sub(r"\s+", " ", "".join(_texts(paragraph))).strip()
            if len(text) > 1:
                return _cut(text)
    return ""


def _texts(node: nodes.Node) -> Iterator[str]:
    """The texts inside, without formulas."""
    if isinstance(node, nodes.Text):
        yield node.astext()
    elif not isinstance(node, nodes.math | nodes.raw | nodes.comment):
        for child in node.children:
            yield from _texts(child)


def _cut(text: str) -> str:
    if len(text) <= LONGEST_DESCRIPTION:
        return text
    sentences = re.match(rf".{{40,{LONGEST_DESCRIPTION}}}[.!?](?=\s)", text)
    if sentences:
        return sentences[0]
    return text[: LONGEST_DESCRIPTION - 1].rpartition(" ")[0].rstrip(",;:–—- ") + "…"


# In a page's HTML -------------------------------------------------------------------------------------------


def mend_head(page: str, context: dict[str, Any]) -> str:
    """All mends of a page's head."""
    return write_language_as_html_does(keep_one_viewport(page))


def keep_one_viewport(page: str) -> str:
    """Keep the first of the tags about the viewport.

    Fault: Sphinx, docutils and the theme write one each.
    """
    head, end, rest = page.partition("</head>")
    first, *others = re.split(r'(?=<meta name="viewport")', head)
    if others:
        kept, *dropped = others
        others = [kept, *(re.sub(r'^<meta name="viewport"[^>]*>\n?', "", part) for part in dropped)]
    return first + "".join(others) + end + rest


def write_language_as_html_does(page: str) -> str:
    """Write `pt-BR`, where Sphinx has `pt_BR`: browsers and screen readers know no other form."""
    return re.sub(
        r'(<html\b[^>]*? lang=")(\w+)"',
        lambda match: f'{match[1]}{match[2].replace("_", "-")}"',
        page,
        count=1,
    )
