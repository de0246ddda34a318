"""The list of all pages, which stands on each of them, is made once a build and not once a page.

Sphinx resolves it for each page anew, which takes much of the time of a book of many pages. Without folding,
two pages' lists differ in two things only: addresses are relative to the page, and the way to the page itself
is marked. The first pages' lists are compared with Sphinx's own; where one differs, Sphinx makes all of them.
"""

from __future__ import annotations

import functools
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.writers.html5 import HTML5Translator

BUILDERS = {"html", "dirhtml"}
COMPARED = 5  # pages of each kind of list

_MARK = "lightbook-page-"  # stands for an address, with the number of its page
_TAG = re.compile(
    rf'<a class="reference internal" href="{_MARK}(?P<page>\d+)-(?P<anchor>[^"]*)">|</?(?:ul|li)\b[^>]*>'
)
_ITEM = re.compile(r'<li class="toctree-l\d+">')
_ESCAPES = HTML5Translator.special_characters

Toctree = Callable[..., str]


def setup(app: Sphinx) -> None:
    """Let templates have the list from here."""
    lists = Lists(app)
    app.connect("html-page-context", lists.offer, priority=400)


class Lists:
    """The lists of one build, by what the template asks for."""

    def __init__(self, app: Sphinx) -> None:
        self.app = app
        self.known: dict[str, PageList | None] = {}
        self.first: dict[str, dict[str, str]] = {}  # Sphinx's own lists of the first pages

    def offer(
        self, app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
    ) -> None:
        """Put this in the place of the template's `toctree`."""
        if app.builder.name in BUILDERS and "toctree" in context:
            context["toctree"] = functools.partial(self.toctree, pagename, context["toctree"])

    def toctree(self, pagename: str, sphinx: Toctree, **kwargs: Any) -> str:
        """What Sphinx's own would return for the page."""
        if kwargs.get("collapse", True):  # then a page's list has what others' have not
            return sphinx(**kwargs)
        key = json.dumps(kwargs, sort_keys=True, default=str)
        first = self.first.setdefault(key, {})
        if len(first) < COMPARED:  # an edited page and those of every build are done sooner by Sphinx
            first[pagename] = sphinx(**kwargs)
            return first[pagename]
        if key not in self.known:
            pages = self._read(kwargs)
            same = pages and all(pages.of(name) in {None, own} for name, own in first.items())
            self.known[key] = pages if same else None
        pages = self.known[key]
        made = pages.of(pagename) if pages else None
        return sphinx(**kwargs) if made is None else made

    def _read(self, kwargs: dict[str, Any]) -> PageList | None:
        try:
            return read_list(self.app, kwargs)
        except Exception:  # another version of Sphinx; a fault of the book it tells itself
            return None


class _Marks:
    """In the place of the builder: gives marks for addresses, and knows what they stand for."""

    def __init__(self, builder: StandaloneHTMLBuilder) -> None:
        self.tags = builder.tags
        self.pages: list[str] = []

    def get_relative_uri(self, from_: str, to: str, typ: str | None = None) -> str:
        """The mark of a page."""
        self.pages.append(to)
        return f"{_MARK}{len(self.pages) - 1}-"


@dataclass
class PageList:
    """The list as it is for no page, in pieces."""

    builder: StandaloneHTMLBuilder
    pieces: list[str]
    links: dict[int, tuple[str, str]]  # the page and the anchor of a piece that is a link
    ways: dict[str, list[int]]  # the pieces to be marked on a page
    twice: set[str]  # pages that are in it more than once

    def of(self, pagename: str) -> str | None:
        """The list for a page; None where only Sphinx can tell."""
        if pagename in self.twice:
            return None
        pieces = self.pieces.copy()
        for place, (page, anchor) in self.links.items():
            address = self.builder.get_relative_uri(pagename, page).translate(_ESCAPES) + anchor
            pieces[place] = f'<a class="reference internal" href="{address or "#"}">'
        for place in self.ways.get(pagename, []):
            marked = _with_current(pieces[place])
            if marked is None:
                return None
            pieces[place] = marked
        return "".join(pieces)


def _with_current(tag: str) -> str | None:
    """The tag as it is on the way to the page that is shown; None for one of another form."""
    if tag == "<ul>":
        return '<ul class="current">'
    if _ITEM.fullmatch(tag):
        return f'{tag[:-2]} current">'
    if tag.startswith("<a "):
        return tag.replace('class="', 'class="current ', 1)
    return None


def read_list(app: Sphinx, kwargs: dict[str, Any]) -> PageList | None:
    """The list for these arguments of the template's `toctree`; None where it has none or another form."""
    from sphinx.environment.adapters.toctree import global_toctree_for_doc

    builder = cast(StandaloneHTMLBuilder, app.builder)
    marks = _Marks(builder)
    given = {"includehidden": False, **{k: v for k, v in kwargs.items() if (k, v) != ("maxdepth", "")}}
    tree = global_toctree_for_doc(app.env, "", cast(Any, marks), **given)
    if not isinstance(tree, nodes.Element):
        return None
    html = builder.render_partial(tree)["fragment"]
    pieces: list[str] = []
    links: dict[int, tuple[str, str]] = {}
    ways: dict[str, list[int]] = {}
    seen: Counter[str] = Counter()
    open_: list[int] = []
    end = 0
    for match in _TAG.finditer(html):
        pieces += [html[end : match.start()], match[0]]
        end, place = match.end(), len(pieces) - 1
        if match["page"]:
            page, anchor = marks.pages[int(match["page"])], match["anchor"]
            links[place] = page, anchor
            if not anchor:
                seen[page] += 1
                ways[page] = [*open_, place]
        elif match[0].startswith("</"):
            if not open_:
                return None
            open_.pop()
        else:
            open_.append(place)
    pieces.append(html[end:])
    if len(links) != html.count(_MARK):
        return None
    return PageList(builder, pieces, links, ways, {page for page, times in seen.items() if times > 1})
