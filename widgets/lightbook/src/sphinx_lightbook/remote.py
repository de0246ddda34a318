"""What a page or a style sheet would ask other hosts for, read from its text alone."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from html.parser import HTMLParser
from urllib.parse import urlsplit

# Comments, scripts and style sheets, tags. A regular expression is ten times as fast as a parser, and nearly
# every tag of a book asks nobody. The few that may name an address are then parsed.
_ATTRIBUTES = r"""(?:=\s*(?:"[^"]*"|'[^']*')|[^>])*+"""
_TOKEN = re.compile(
    rf"""<!--.*?(?:-->|\Z)
    | (?P<start> <(?P<name>script|style)(?=[\s/>]){_ATTRIBUTES}> ) (?P<text>.*?) </(?P=name)\b
    | (?P<tag> <[a-z]{_ATTRIBUTES}> )""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_SUSPECT = re.compile(r"//|\\|&|https?:|wss?:", re.IGNORECASE)
# With another scheme or host. Browsers read a backslash as a slash and do without the slashes of a scheme.
_ADDRESS = re.compile(r"(?:https?:|wss?:|[/\\]{2})[^\s\"'<>)]+", re.IGNORECASE)

# Attributes from which a browser loads while it shows the page, whatever the tag.
_LOADING = {"src", "srcset", "poster", "background", "imagesrcset"}
# The same, of some tags only. A link or a form asks only when the reader follows or sends it.
_LOADING_OF = {
    "link": {"href"},
    "object": {"data", "codebase"},
    "base": {"href"},
    "image": {"href", "xlink:href"},
    "use": {"href", "xlink:href"},
    "feimage": {"href", "xlink:href"},
    "a": {"ping"},
    "area": {"ping"},
}
_LISTS = {"srcset", "imagesrcset", "ping"}
# Relations of a <link> that load nothing.
_STATEMENTS = {"alternate", "author", "bookmark", "canonical", "help", "index", "license", "me"}
_STATEMENTS |= {"expect", "next", "prev", "search"}

_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_CSS_URL = re.compile(
    r"""url\(\s*["']?\s*(?P<url>(?:https?:)?//[^\s"')]+)"""
    r"""|@import\s+["'](?P<import>(?:https?:)?//[^"']+)""",
    re.IGNORECASE,
)
# In a script, whose run nobody can foresee: an address that is imported, asked or set as a source, and one
# whose name is that of a script, style sheet or font.
_SCRIPT_URL = re.compile(
    r"""(?:\bimport\s*\(?|\bfrom|\b(?:fetch|sendBeacon|importScripts|WebSocket|EventSource)\s*\("""
    r"""|\.(?:src|href)\s*=)\s*["'`](?P<used>(?:https?:|wss?:)?//[^\s"'`]+)"""
    r"""|["'`](?P<named>(?:https?:)?//[^\s"'`]+?\.(?:m?js|css|wasm|woff2?)(?:[?#][^\s"'`]*)?)["'`]""",
    re.IGNORECASE,
)
_RUNS = {"", "module", "text/javascript", "application/javascript", "importmap"}


@dataclass(frozen=True)
class Request:
    """One thing a page would ask another host for."""

    tag: str  # as an author would name it: `<img src>`, `<script>`, `url()`
    url: str

    @property
    def host(self) -> str:
        """The host asked, in lower case, without a port."""
        rest = re.sub(r"^(?:[a-z]+:)?/*", "//", self.url.replace("\\", "/"), flags=re.IGNORECASE)
        return urlsplit(rest).hostname or ""

    def to_dict(self) -> dict[str, str]:
        """As JSON."""
        return asdict(self)


def requests_of_page(html: str) -> list[Request]:
    """What a browser would ask other hosts for in showing an HTML page, in its order, each once."""
    found: list[Request] = []
    for token in _TOKEN.finditer(html):
        tag = token["start"] or token["tag"]
        if tag and _SUSPECT.search(tag):
            found += _requests_of_tag(tag)
        if not token["text"]:
            continue
        if token["name"].lower() == "style":
            found += [Request("<style>", request.url) for request in requests_of_stylesheet(token["text"])]
        elif _parse(tag)[1].get("type", "").lower() in _RUNS:
            found += [Request("<script>", url) for url in _addresses_in_script(token["text"])]
    return list(dict.fromkeys(found))


def requests_of_stylesheet(css: str) -> list[Request]:
    """What a browser would ask other hosts for because of a style sheet, each once."""
    found = []
    for match in _CSS_URL.finditer(_CSS_COMMENT.sub("", css)):
        found.append(Request("url()", match["url"]) if match["url"] else Request("@import", match["import"]))
    return list(dict.fromkeys(found))


def _addresses_in_script(script: str) -> list[str]:
    return [match["used"] or match["named"] for match in _SCRIPT_URL.finditer(script)]


@functools.lru_cache(maxsize=1 << 13)  # the pages of a book have most of their tags in common
def _requests_of_tag(text: str) -> tuple[Request, ...]:
    return tuple(_find_requests(*_parse(text)))


def _find_requests(tag: str, attributes: dict[str, str]) -> Iterator[Request]:
    if tag == "link" and set(attributes.get("rel", "").lower().split()) <= _STATEMENTS:
        return
    for name, value in attributes.items():
        if name in _LOADING or name in _LOADING_OF.get(tag, ()):
            parts = re.split(r"[\s,]+", value) if name in _LISTS else [re.sub(r"[\t\r\n]", "", value).strip()]
            yield from (Request(f"<{tag} {name}>", part) for part in parts if _ADDRESS.match(part))
        elif name == "style":
            yield from (Request(f"<{tag} style>", request.url) for request in requests_of_stylesheet(value))
        elif name == "srcdoc":
            yield from (Request(f"<{tag} srcdoc>", request.url) for request in requests_of_page(value))
        elif tag == "meta" and name == "content" and attributes.get("http-equiv", "").lower() == "refresh":
            yield from (Request("<meta http-equiv=refresh>", url) for url in _ADDRESS.findall(value))


class _OneTag(HTMLParser):
    """Reads the first tag it is fed."""

    tag = ""
    attributes: dict[str, str]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep name and attributes; HTMLParser has decoded the entities."""
        self.tag, self.attributes = tag, {name: value or "" for name, value in attrs}


def _parse(text: str) -> tuple[str, dict[str, str]]:
    parser = _OneTag()
    parser.attributes = {}
    parser.feed(text)
    return parser.tag, parser.attributes
