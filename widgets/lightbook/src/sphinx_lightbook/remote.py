"""What a page, a style sheet or a script would ask other hosts for, read from its text alone."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
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
_LOADING = {"src", "srcset", "poster", "background", "imagesrcset", "attributionsrc"}
# The same, of some tags only. A link or a form asks only when the reader follows or sends it.
_LOADING_OF = {
    "link": {"href"},
    "object": {"data", "codebase"},
    "base": {"href"},
    "image": {"href", "xlink:href"},
    "use": {"href", "xlink:href"},
    "feimage": {"href", "xlink:href"},
    "script": {"href", "xlink:href"},  # of SVG
    "animate": {"from", "to", "values"},
    "set": {"to"},
    "a": {"ping"},
    "area": {"ping"},
}
_LISTS = {"srcset", "imagesrcset", "ping", "attributionsrc", "values"}
# Attributes of SVG that are declarations of style.
_STYLES = {"style", "fill", "stroke", "filter", "mask", "clip-path", "cursor"}
_STYLES |= {"marker", "marker-start", "marker-mid", "marker-end"}
# Relations of a <link> that load nothing.
_STATEMENTS = {"alternate", "author", "bookmark", "canonical", "help", "index", "license", "me"}
_STATEMENTS |= {"expect", "next", "prev", "search"}

# Strings are kept: what looks like a comment in one is none.
_CSS_COMMENT = re.compile(r"""("(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+')|/\*.*?(?:\*/|\Z)""", re.DOTALL)
_CSS_NAMESPACE = re.compile(r"@namespace\b[^;{}]*;", re.IGNORECASE)  # a name that is never asked for
_CSS_URL = re.compile(
    r"""url\(\s*["']?\s*(?P<url>(?:https?:)?//[^\s"')]+)"""
    r"""|@import\s*["'](?P<import>(?:https?:)?//[^"']+)"""
    r"""|\b(?P<function>image-set|cross-fade|image|src)\("""
    r"""(?P<arguments>(?:[^()"']|"[^"\n]*"|'[^'\n]*'|\([^()]*\))*+)""",
    re.IGNORECASE,
)
_CSS_STRING = re.compile(r"""(?<!url\()["']\s*((?:https?:)?//[^"'\s]+)""", re.IGNORECASE)

# In a script, whose run nobody can foresee: an address that is written where it is asked for.
_URL = r"""["'`]\s*(?P<url>(?:https?:|wss?:)?//[^\s"'`\\]+)"""
_CALLS = [
    (name, re.compile(pattern.replace("URL", _URL), re.IGNORECASE))
    for name, pattern in (
        ("import", r"\bimport\s*(?:\(\s*)?(?:/\*[^*]*\*/\s*)?URL"),
        ("import", r"\bfrom\s*URL"),
        ("importScripts()", r"\bimportScripts\s*\([^)]{0,300}?URL"),
        ("Worker()", r"\bnew\s+(?:Shared)?Worker\s*\(\s*(?:new\s+U[R]L\s*\(\s*)?URL"),
        ("fetch()", r"\bfetch\s*(?:\?\.\s*)?\(\s*(?:new\s+U[R]L\s*\(\s*)?URL"),
        ("Request()", r"\bnew\s+Request\s*\(\s*URL"),
        ("sendBeacon()", r"\bsendBeacon\s*(?:\?\.\s*)?\(\s*URL"),
        ("WebSocket()", r"\bWebSocket\s*\(\s*URL"),
        ("WebTransport()", r"\bWebTransport\s*\(\s*URL"),
        ("EventSource()", r"\bEventSource\s*\(\s*URL"),
        ("Audio()", r"\bnew\s+Audio\s*\(\s*URL"),
        ("open()", r"\.open\s*\(\s*[\"'`](?:get|head|post|put|patch|delete|options)[\"'`]\s*,\s*URL"),
        (".src", r"\.(?:src|srcset|poster)\s*=\s*URL"),
        (".src", r"\[\s*[\"'`](?:src|srcset|poster)[\"'`]\s*\]\s*=\s*URL"),
        (".src", r"\bcreateElement(?:NS)?\([^()]*\)\s*,\s*\{[^{}]{0,300}?\b(?:src|href)\s*:\s*URL"),
        (
            "setAttribute()",
            r"\bsetAttribute(?:NS)?\s*\((?:[^,()]{0,60},)?\s*[\"'`](?:src|srcset|poster|data)[\"'`]\s*,\s*URL",
        ),
        ("ajax()", r"\bajax\s*\(\s*(?:\{[^{}]{0,300}?\burl\s*:\s*)?URL"),
        ("get()", r"(?:\$|\bjQuery)\.(?:get|post|getJSON|getScript)\s*\(\s*URL"),
        ("axios()", r"\baxios(?:\.\w+)?\s*\(\s*URL"),
        ("d3", r"\bd3\.(?:csv|tsv|json|text|xml|html|svg|image|blob|buffer)\s*\(\s*URL"),
        ("url()", r"(?-i:url)\(\s*(?P<url>(?:https?:)?//[^\s\"'`)\\]+)"),
        ("url()", r"[\"'`:]\s*(?-i:url)\(\s*\\?URL"),
    )
]
# The same for a tag that loads by `href`. Of a link it is asked for only when the reader follows it.
_HREF = re.compile(
    rf"""(?:\.href\s*=|\bsetAttribute(?:NS)?\s*\((?:[^,()]{{0,60}},)?\s*["'`](?:xlink:)?href["'`]\s*,)\s*{_URL}""",
    re.IGNORECASE,
)
_LOADS_BY_HREF = re.compile(r"""createElement(?:NS)?\([^()]*["'`](?:link|image|use|feImage|base)["'`]""")
_TAG_IN_SCRIPT = re.compile(
    r"<(?:img|script|iframe|frame|video|audio|source|track|embed|object|link|image|use)\b[^<>]{0,600}>",
    re.IGNORECASE,
)
_LIKE_AN_ADDRESS = re.compile(r"""(?:https?:|wss?:|["'`(=]\s?)//[^\s/*]""", re.IGNORECASE)
_BEFORE, _AFTER = 700, 700  # characters, more than any of the patterns
_RUNNING = {"import", "importScripts()", "Worker()"}
_MAY_RUN = {".src", "setAttribute()", "get()", "ajax()"}  # unless the address tells that it is data
_DATA_FILE = re.compile(
    r"\.(?:png|jpe?g|gif|svg|webp|avif|ico|mp[34]|webm|og[gav]|wav|pdf)(?:[?#]|$)", re.IGNORECASE
)
# In a page's own script also an address whose name is that of a script, style sheet or font.
_NAMED = re.compile(
    r"""["'`](?P<url>(?:https?:)?//[^\s"'`]+?\.(?:m?js|css|wasm|woff2?)(?:[?#][^\s"'`]*)?)["'`]""",
    re.IGNORECASE,
)
_RUNS = {"", "module", "text/javascript", "application/javascript"}
_RUNS |= {"text/ecmascript", "application/ecmascript", "application/x-javascript", "text/jscript"}
# Data from which a browser loads.
_RULES = {"importmap", "speculationrules"}
_STRING = re.compile(r"""["](?P<url>(?:https?:)?//[^\s"\\]+)["]""", re.IGNORECASE)
_XML_STYLESHEET = re.compile(r"""<\?xml-stylesheet\b[^>]*?\bhref=["'](?P<url>(?:https?:)?//[^"']+)""")


@dataclass(frozen=True)
class Request:
    """One thing a page would ask another host for."""

    tag: str  # as an author would name it: `<img src>`, `<script>`, `url()`
    url: str
    line: int = field(default=0, compare=False)  # of a script file
    runs: bool = field(default=False, compare=False)  # what is asked for may be a script

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
            continue
        kind = _parse(tag)[1].get("type", "").strip().lower()
        if kind in _RUNS:
            found += [
                replace(request, tag="<script>") for request in _requests_of_inline_script(token["text"])
            ]
        elif kind in _RULES:
            urls = (match["url"] for match in _STRING.finditer(token["text"]))
            found += [Request(f"<script type={kind}>", url, runs=kind == "importmap") for url in urls]
    return list(dict.fromkeys(found))


def requests_of_drawing(svg: str) -> list[Request]:
    """What a browser would ask other hosts for in showing an SVG, each once."""
    sheets = [Request("<?xml-stylesheet href>", match["url"]) for match in _XML_STYLESHEET.finditer(svg)]
    return sheets + requests_of_page(svg)


def requests_of_stylesheet(css: str) -> list[Request]:
    """What a browser would ask other hosts for because of a style sheet, each once."""
    found: list[Request] = []
    css = _CSS_COMMENT.sub(lambda match: match[1] or " ", css)
    _find_in_css(_CSS_NAMESPACE.sub("", css), found)
    return list(dict.fromkeys(found))


def _find_in_css(css: str, found: list[Request]) -> None:
    for match in _CSS_URL.finditer(css):
        if match["url"]:
            found.append(Request("url()", match["url"]))
        elif match["import"]:
            found.append(Request("@import", match["import"]))
        else:
            name = f"{match['function'].lower()}()"
            found += [Request(name, url) for url in _CSS_STRING.findall(match["arguments"])]
            _find_in_css(match["arguments"], found)


def requests_of_script(script: str) -> list[Request]:
    """What a script file would ask other hosts for, each once, with its line.

    Only what is written as it is asked for is found: no address that is a text like any other, none that is
    put together, and none in a comment.
    """
    found = [
        replace(request, line=script.count("\n", 0, place) + 1)
        for place, request in _find_in_script(script, hrefs=bool(_LOADS_BY_HREF.search(script)))
        if not _in_comment(script, place) and "${" not in request.host
    ]
    return list(dict.fromkeys(sorted(found, key=lambda request: request.line)))


def _requests_of_inline_script(script: str) -> list[Request]:
    found = [request for _, request in _find_in_script(script, hrefs=True)]
    return found + [Request("", match["url"], runs=True) for match in _NAMED.finditer(script)]


def _find_in_script(script: str, *, hrefs: bool) -> Iterator[tuple[int, Request]]:
    """Where a script asks, and for what.

    Args:
        script: its text.
        hrefs: whether what gets an `href` loads it.
    """
    for start, end in _around_addresses(script):
        for name, pattern in _CALLS:
            for match in pattern.finditer(script, start, end):
                may_run = name in _MAY_RUN and not _DATA_FILE.search(match["url"])
                runs = may_run or name in _RUNNING
                yield match.start(), Request(name, match["url"], runs=runs)
        if hrefs:
            for match in _HREF.finditer(script, start, end):
                yield match.start(), Request(".href", match["url"])
        for match in _TAG_IN_SCRIPT.finditer(script, start, end):
            tag = match[0].replace("\\", "")
            if _SUSPECT.search(tag):
                yield from ((match.start(), request) for request in _requests_of_tag(tag))


def _around_addresses(script: str) -> Iterator[tuple[int, int]]:
    """The parts of a script that may ask: most of a large one names nobody."""
    start = end = 0
    for match in _LIKE_AN_ADDRESS.finditer(script):
        if match.start() > end:
            if end:
                yield start, end
            start = max(0, match.start() - _BEFORE)
        end = match.end() + _AFTER
    if end:
        yield start, end


def _in_comment(script: str, place: int) -> bool:
    """Whether a place is in a comment; where quotes are in the way, it is not."""
    before = script[script.rfind("\n", 0, place) + 1 : place]
    if re.match(r"\s*(?://|/\*|\*\s)", before) and "*/" not in before:
        return True
    for match in re.finditer(r"(?<![:\\])//|/\*(?!.*\*/)", before):
        if not any(before.count(quote, 0, match.start()) % 2 for quote in "\"'`"):
            return True
    start = script.rfind("/*", 0, place)
    opens_a_line = not script[script.rfind("\n", 0, start) + 1 : start].strip()
    return start > script.rfind("*/", 0, place) and opens_a_line


@functools.lru_cache(maxsize=1 << 13)  # the pages of a book have most of their tags in common
def _requests_of_tag(text: str) -> tuple[Request, ...]:
    return tuple(_find_requests(*_parse(text)))


def _find_requests(tag: str, attributes: dict[str, str]) -> Iterator[Request]:
    tag = tag.rpartition(":")[2]  # `svg:image`
    if tag == "link" and set(attributes.get("rel", "").lower().split()) <= _STATEMENTS:
        return
    for name, value in attributes.items():
        if name in _LOADING or name in _LOADING_OF.get(tag, ()):
            parts = (
                re.split(r"[\s,;]+", value) if name in _LISTS else [re.sub(r"[\t\r\n]", "", value).strip()]
            )
            runs = tag == "script"
            yield from (Request(f"<{tag} {name}>", part, runs=runs) for part in parts if _ADDRESS.match(part))
        elif name in _STYLES:
            yield from (Request(f"<{tag} {name}>", request.url) for request in requests_of_stylesheet(value))
        elif name == "srcdoc":
            for request in requests_of_page(value):
                yield replace(request, tag=f"<{tag} srcdoc>")
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
