"""A strict Content-Security-Policy for each page, and no referrer for the sites it links to.

A page may load from its own site only, and run only scripts that are files of the site or that were in the
page when it was built. The theme's `onclick` attributes become listeners. A page on which the author's own
scripts need more gets no policy, and the report says why.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from sphinx.application import Sphinx

from sphinx_lightbook.icons import SCRIPT as FONT_AWESOME
from sphinx_lightbook.pages import edit_each_page
from sphinx_lightbook.remote import Request, requests_of_script, requests_of_stylesheet
from sphinx_lightbook.rewriting import WEB_BUILDERS, Page, Site, add_step, digest
from sphinx_lightbook.scripts import BOOTSTRAP, KNOWN, SEARCH_INDEX
from sphinx_lightbook.tags import Tag, edit_tags, file_named, named, tags
from sphinx_lightbook.translations import MAKES_RULE, say_rule_as_function

OWN = Path(__file__).parent / "static" / "policy"
SCRIPT = "lightbook-policy.js"
DOCTOOLS = "_static/doctools.js"
ACTIONS = {"window.print()": "print", "printPdf(this)": "print", "toggleFullScreen()": "full-screen"}

# To some browsers a page opened from a disk has no self. A page of a server can load no such address anyway.
SELF = "'self' file:"
POLICY = {
    "default-src": [SELF],
    "script-src": [SELF],
    "style-src-elem": [SELF],
    "style-src-attr": ["'unsafe-inline'"],
    "style-src": [SELF, "'unsafe-inline'"],  # for browsers that do not know the two above
    "img-src": [SELF, "data:", "blob:"],
    "font-src": [SELF, "data:"],
    "media-src": [SELF, "data:", "blob:"],
    "worker-src": [SELF, "blob:"],
    "base-uri": [SELF],
}

# What may come from the hosts that the author lets pages ask: what is shown, and what scripts read.
SHOWN = (
    "img-src",
    "media-src",
    "font-src",
    "style-src",
    "style-src-elem",
    "connect-src",
    "frame-src",
    "object-src",
)

# Own pages learn where a reader came from, other sites do not.
REFERRER = '<meta name="referrer" content="same-origin" />'

# What makes a script of a text. Each begins with a word, for that is found fast. What a script calls them by
# other than these names cannot be foreseen.
_GLOBALS = ("window", "self", "globalThis", "top", "parent")


def _global(name: str) -> str:
    """A pattern of a name that is that of the browser's, not of some object's."""
    ways = "|".join(rf"(?<={scope}{dot}{name})" for scope in _GLOBALS for dot in (r"\.", r"\?\."))
    return rf"{name}\b(?:(?<![\w$.]{name})|{ways})"


_CALLED = r"\s*(?:(?:\?\.\s*)?\(|\.\s*(?:call|apply|bind)\b)"
_MAKES_SCRIPTS = [
    re.compile(pattern)
    for pattern in (
        _global("eval") + _CALLED,
        # By another name, and `(0, eval)(…)`.
        r"eval\b(?:(?<=[=(,]eval)|(?<=[=(,]\seval)|(?<=window\.eval)|(?<=globalThis\.eval))\s*[;,)\n]",
        r"""eval["'`]\s*\]""",
        _global("Function") + _CALLED,
        r"Function\b(?<=new\sFunction)",
        r"Function\b(?:(?<==Function)|(?<==\sFunction))\s*[;,\n]",
        *(_global(f"{kind}Function") + _CALLED for kind in ("Async", "Generator", "AsyncGenerator")),
        r"""Function["'`]\s*\]""",
        r"Reflect\.construct\(\s*Function\b",
        r"""\.constructor\s*\(\s*["'`]""",
        r"""setTimeout\s*\(\s*["'`]""",
        r"""setInterval\s*\(\s*["'`]""",
        r"""setAttribute\s*\(\s*["'`]on[a-zA-Z]""",
        r"""write(?:ln)?\(\s*["'`][^"'`]{0,100}<script(?![^>]*\ssrc\b)""",
        r"""javascript:(?<=["'`=\s]javascript:)(?!SphinxHighlight\.|void\b)[\w$(]""",
    )
]
_HANDLER = re.compile(r"""\son[a-zA-Z]{3,20}\s*=\s*\\?["'`]""")  # in HTML of a script
_SCRIPT_TAG = re.compile(r"""createElement(?:NS)?\([^)]{0,60}["'`]script["'`]\s*\)""")
_NAME_BEFORE = re.compile(r"([\w$]+)\s*=\s*[\w$.]*$")
_FILLED = r"(?<![\w$.]){}\.(?:(?:text|textContent|innerText|innerHTML)\s*=(?!=)|append(?:Child)?\()"
_MAKES_STYLES = re.compile(r"createElement(?:NS)?\([^)]*[\"'`]style[\"'`]|<style\b")
_COMPILES = re.compile(r"\bWebAssembly\b")
# A script file that a script loads. A worker's is none: the policy of a page does not bind it.
_LOADS = re.compile(
    r"""(?P<worker>Worker\s*\([^"'`]{0,40})?["'`](?P<address>[^"'`\s]{1,200}\.m?js)(?:[?#][^"'`\s]*)?["'`]"""
)
# Data that must be named by its hash like a script.
_DATA = {"importmap", "speculationrules"}


class Needs(NamedTuple):
    """What scripts do that a policy must allow."""

    scripts: bool = False  # make scripts from text
    styles: bool = False  # make style sheets
    wasm: bool = False  # compile WebAssembly


def setup(app: Sphinx) -> None:
    """Take the theme's handlers out as pages are made, and add the policy when all are written."""
    app.connect("builder-inited", add_script)
    edit_each_page(app, lambda page, context: name_actions(page))
    hosts = [host.lower() for host in app.config.lightbook_allow_hosts]
    add_step(app, Policy(app.config.lightbook_catalogue["search"]["found"], hosts))


def add_script(app: Sphinx) -> None:
    """Add the script that does what the theme's handlers did."""
    if app.builder.name in WEB_BUILDERS:
        app.config.html_static_path.append(str(OWN))
        app.add_js_file(SCRIPT, defer="defer")


_ONCLICK = re.compile("onclick", re.IGNORECASE)


def name_actions(page: str) -> str:
    """The page with the theme's `onclick` attributes as names of actions."""
    if "onclick" not in page:
        return page

    def edit(tag: Tag) -> str | None:
        action = ACTIONS.get(tag.attributes.get("onclick", "").strip().rstrip(";"))
        if not action:
            return None
        return tag.whole(tag.with_attributes({"onclick": None, "data-lightbook-click": action}))

    return edit_tags(page, edit, _ONCLICK.search)


class Policy:
    """The step."""

    name = "policy"

    def __init__(self, found: str, hosts: Iterable[str] = ()) -> None:
        self.found = found
        self.hosts = frozenset(hosts)

    def prepare(self, site: Site) -> None:
        """Look at the scripts that run, for what a strict policy would break."""
        say_rule_as_function(site, self.found)
        self.site = site
        self.needs: dict[str, Needs] = {}
        # Many pages have the same scripts in them.
        self.needs_of = functools.cache(needs_of)
        self.addresses = functools.cache(addresses_loaded)
        self.rules: dict[str, bool] = {}
        self.files: dict[str, list[str]] = {}
        self.asked: dict[str, list[Request]] = {}
        self.refused: dict[str, str] = {}
        for page in site.pages.values():
            reason = self._reason(page)
            if reason:
                self.refused[page.name] = reason
        for reason in dict.fromkeys(self.refused.values()):
            name, *others = sorted(name for name, other in self.refused.items() if other == reason)
            more = f" and {len(others)} more" if others else ""
            site.notes.append(f"without a policy: {name}{more} ({reason})")

    def _reason(self, page: Page) -> str | None:
        """Why a page gets no policy."""
        if page.facts["handlers"]:
            return f"its {page.facts['handlers'][0]} attribute runs a script"
        if page.facts["embedded"]:
            return f"the address in its {page.facts['embedded'][0]} is a content of its own"
        if page.facts["foreign_scripts"]:
            return f"nobody here can read the script that it runs of {page.facts['foreign_scripts'][0]}"
        for path in self._files(page):
            for request in self._asked(path):
                if request.runs:
                    return f"nobody here can read the script that {path} runs of {request.host}"
            if self._needs(path).scripts:
                return f"{path} makes scripts from text"
        if any(self.needs_of(text).scripts for text in _inline(page)):
            return "a script in it makes scripts from text"
        return None

    def _files(self, page: Page) -> list[str]:
        """The script files of a page that can run, with those that they load."""
        if page.name in self.files:
            return self.files[page.name]
        named: list[str] = page.facts["named_scripts"]
        idle = {FONT_AWESOME} & self.site.dropped
        # It makes a script from the plural rule of a translation, and from nothing else.
        if not any(self._makes_rule(path) for path in named if path != DOCTOOLS) and not any(
            MAKES_RULE in text for text in _inline(page)
        ):
            idle.add(DOCTOOLS)
        found = dict.fromkeys(path for path in named if path not in idle)
        waiting = [path for path in found if path not in KNOWN and path not in {BOOTSTRAP, SEARCH_INDEX}]
        loaded = [path for text in _inline(page) for path in self._loaded(text, page.name)]
        while waiting or loaded:
            for path in loaded:
                if path not in found and path not in idle:
                    found[path] = None
                    waiting.append(path)
            loaded = []
            if waiting:
                path = waiting.pop()
                loaded = self._loaded(self.site.text(path) or "", path, page.name)
        self.files[page.name] = list(found)
        return self.files[page.name]

    def _loaded(self, text: str, *bases: str) -> list[str]:
        """The script files of the site that a script may load, named as seen from one of the files."""
        paths = {file_named(address, base) for address in self.addresses(text) for base in bases}
        return sorted(path for path in paths if path and self.site.exists(path))

    def _makes_rule(self, path: str) -> bool:
        """Whether a script has the rule of a translation made."""
        if path not in self.rules:
            self.rules[path] = MAKES_RULE in (self.site.text(path) or "")
        return self.rules[path]

    def _needs(self, path: str) -> Needs:
        """What a script file does."""
        if path not in self.needs:
            self.needs[path] = needs_of(self.site.text(path) or "")
        return self.needs[path]

    def _asked(self, path: str) -> list[Request]:
        """What a script file or a style sheet asks other hosts for; those of the theme ask nobody."""
        if path not in self.asked:
            find = requests_of_stylesheet if path.endswith(".css") else requests_of_script
            is_known = path in KNOWN or path in {BOOTSTRAP, FONT_AWESOME, SEARCH_INDEX}
            text = "" if is_known else self.site.text(path) or ""

            def make() -> bytes:
                return json.dumps([request.to_dict() for request in find(text)]).encode()

            made = self.site.cached("asked", [find.__name__, digest(text.encode())], make)
            self.asked[path] = [Request(**request) for request in json.loads(made)]
        return self.asked[path]

    def _hosts(self, page: Page) -> list[str]:
        """The hosts that a page may ask, in the author's settings, and those that it would ask."""
        sheets = [sheet["path"] for sheet in page.facts["sheets"] if sheet["path"]]
        asked = {request.host for path in (*self._files(page), *sheets) for request in self._asked(path)}
        return sorted(self.hosts | asked.union(page.facts["foreign"]))

    def state(self, page: Page) -> object:
        """What its scripts need, and the hosts."""
        return [self.refused.get(page.name), *self._all_needs(page), self._hosts(page)]

    def _all_needs(self, page: Page) -> Needs:
        each = [*map(self._needs, self._files(page)), *map(self.needs_of, _inline(page))]
        return Needs(*(any(need) for need in zip(*each, strict=True))) if each else Needs()

    def edit(self, page: Page, html: str) -> str:
        """Put referrer and policy at the start of the head."""
        metas = "" if 'name="referrer"' in html[: html.find("</head>")] else REFERRER
        if page.name not in self.refused and 'http-equiv="Content-Security-Policy"' not in html:
            policy = policy_of(html, self._all_needs(page), self._hosts(page))
            metas = f'<meta http-equiv="Content-Security-Policy" content="{policy}" />\n    {metas}'
        return re.sub(r"(<head\b[^>]*>)", lambda match: f"{match[1]}\n    {metas}", html, count=1)


def _inline(page: Page) -> list[str]:
    """The scripts that stand in a page."""
    return [script["inline"] for script in page.facts["scripts"] if script["inline"]]


def addresses_loaded(script: str) -> list[str]:
    """The addresses of script files that a script may load."""
    return [match["address"] for match in _LOADS.finditer(script) if not match["worker"]]


def needs_of(script: str) -> Needs:
    """What a script does that a policy must allow, as far as its text shows it."""
    return Needs(
        makes_scripts(script),
        bool(_MAKES_STYLES.search(script)),
        bool(_COMPILES.search(script)),
    )


def makes_scripts(script: str) -> bool:
    """Whether a script makes a script of a text, be it a handler or a tag."""
    if any(pattern.search(script) for pattern in _MAKES_SCRIPTS):
        return True
    for match in _HANDLER.finditer(script):
        before = script[max(0, match.start() - 300) : match.start()]
        if re.search(r"<[a-zA-Z][^<>]*$", before):
            return True
    for match in _SCRIPT_TAG.finditer(script):
        name = _NAME_BEFORE.search(script[max(0, match.start() - 60) : match.start()])
        after = script[match.end() : match.end() + 500]
        if name and re.search(_FILLED.format(re.escape(name[1])), after):
            return True
    return False


def policy_of(html: str, needs: Needs | None = None, hosts: Iterable[str] = ()) -> str:
    """The policy for a page, with the hashes of what is in it.

    Args:
        html: the page as it is published.
        needs: what its scripts do.
        hosts: the other hosts that it may ask, for what is shown and what scripts read.
    """
    needs = needs or Needs()
    policy: dict[str, list[str]] = {name: list(sources) for name, sources in POLICY.items()}
    for tag in tags(html, named("script", "style")):
        data = tag.name == "script" and tag.attributes.get("type", "").strip().lower() in _DATA
        if (tag.runs or data) and "src" not in tag.attributes:
            policy["script-src"].append(_hash(tag.inner))
        elif tag.name == "style" and not needs.styles:
            policy["style-src-elem"].append(_hash(tag.inner))
    if needs.styles:
        policy["style-src-elem"].append("'unsafe-inline'")
    if needs.wasm:
        policy["script-src"].append("'wasm-unsafe-eval'")
    for host in hosts:
        for name in SHOWN:
            # Of any port, and by https too.
            policy.setdefault(name, [SELF]).append(f"http://{host}:*")
        policy["connect-src"].append(f"ws://{host}:*")
    return "; ".join(f"{name} {' '.join(dict.fromkeys(sources))}" for name, sources in policy.items())


def _hash(text: str) -> str:
    # As a browser sees it: lines end with a line feed.
    digest = hashlib.sha256(text.replace("\r\n", "\n").replace("\r", "\n").encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
