"""A strict Content-Security-Policy for each page, and no referrer for the sites it links to.

A page may load from its own site only, and run only scripts that are files of the site or that were in the
page when it was built. The theme's `onclick` attributes become listeners. A page on which the author's own
scripts need more gets no policy, and the report says why.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from sphinx.application import Sphinx

from sphinx_lightbook.icons import SCRIPT as FONT_AWESOME
from sphinx_lightbook.pages import edit_each_page
from sphinx_lightbook.rewriting import WEB_BUILDERS, Page, Site, add_step
from sphinx_lightbook.tags import Tag, edit_tags, named, tags
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

# Own pages learn where a reader came from, other sites do not.
REFERRER = '<meta name="referrer" content="same-origin" />'

_EVAL = re.compile(
    r"""(?<![\w$.])(?:eval\s*\(|new\s+Function\b|Function\s*\(\s*["'`])|set(?:Timeout|Interval)\(\s*["'`]"""
)
_MAKES_STYLES = re.compile(r"createElement\(\s*[\"'`]style[\"'`]|<style\b")


def setup(app: Sphinx) -> None:
    """Take the theme's handlers out as pages are made, and add the policy when all are written."""
    app.connect("builder-inited", add_script)
    edit_each_page(app, lambda page, context: name_actions(page))
    add_step(app, Policy(app.config.lightbook_catalogue["search"]["found"]))


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

    def __init__(self, found: str) -> None:
        self.found = found

    def prepare(self, site: Site) -> None:
        """Look at the scripts that run, for what a strict policy would break."""
        say_rule_as_function(site, self.found)
        self.site = site
        self.needs: dict[str, tuple[bool, bool]] = {}
        self.rules: dict[str, bool] = {}
        self.refused: dict[str, str] = {}
        for page in site.pages.values():
            reason = self._reason(page)
            if reason:
                self.refused[page.name] = reason
        if self.refused:
            name, reason = min(self.refused.items())
            more = f" and {len(self.refused) - 1} more" if len(self.refused) > 1 else ""
            site.notes.append(f"without a policy: {name}{more} ({reason})")

    def _reason(self, page: Page) -> str | None:
        """Why a page gets no policy."""
        if page.facts["handlers"]:
            return f"its {page.facts['handlers'][0]} attribute runs a script"
        if page.facts["foreign"]:
            return f"it asks {page.facts['foreign'][0]}"
        for path in self._files(page):
            if self._needs(path)[0]:
                return f"{path} makes scripts from text"
        if any(_EVAL.search(script["inline"] or "") for script in page.facts["scripts"]):
            return "a script in it makes scripts from text"
        return None

    def _files(self, page: Page) -> list[str]:
        """The script files of a page that can run."""
        named: list[str] = page.facts["named_scripts"]
        idle = {FONT_AWESOME} & self.site.dropped
        # It makes a script from the plural rule of a translation, and from nothing else.
        inline = (script["inline"] or "" for script in page.facts["scripts"])
        if not any(self._makes_rule(path) for path in named if path != DOCTOOLS) and not any(
            MAKES_RULE in text for text in inline
        ):
            idle.add(DOCTOOLS)
        return [path for path in named if path not in idle]

    def _makes_rule(self, path: str) -> bool:
        """Whether a script has the rule of a translation made."""
        if path not in self.rules:
            self.rules[path] = MAKES_RULE in (self.site.text(path) or "")
        return self.rules[path]

    def _needs(self, path: str) -> tuple[bool, bool]:
        """Whether a script makes scripts from text, and whether it makes style sheets."""
        if path not in self.needs:
            text = self.site.text(path) or ""
            self.needs[path] = bool(_EVAL.search(text)), bool(_MAKES_STYLES.search(text))
        return self.needs[path]

    def state(self, page: Page) -> object:
        """What its scripts need."""
        return [self.refused.get(page.name), self._makes_styles(page)]

    def _makes_styles(self, page: Page) -> bool:
        inline = (script["inline"] or "" for script in page.facts["scripts"])
        return any(self._needs(path)[1] for path in self._files(page)) or any(
            _MAKES_STYLES.search(text) for text in inline
        )

    def edit(self, page: Page, html: str) -> str:
        """Put referrer and policy at the start of the head."""
        metas = "" if 'name="referrer"' in html[: html.find("</head>")] else REFERRER
        if page.name not in self.refused and 'http-equiv="Content-Security-Policy"' not in html:
            policy = policy_of(html, self._makes_styles(page))
            metas = f'<meta http-equiv="Content-Security-Policy" content="{policy}" />\n    {metas}'
        return re.sub(r"(<head\b[^>]*>)", lambda match: f"{match[1]}\n    {metas}", html, count=1)


def policy_of(html: str, makes_styles: bool = False) -> str:
    """The policy for a page, with the hashes of what is in it.

    Args:
        html: the page as it is published.
        makes_styles: whether scripts add style sheets to it.
    """
    policy: dict[str, list[str]] = {name: list(sources) for name, sources in POLICY.items()}
    for tag in tags(html, named("script", "style")):
        if tag.runs and "src" not in tag.attributes:
            policy["script-src"].append(_hash(tag.inner))
        elif tag.name == "style" and not makes_styles:
            policy["style-src-elem"].append(_hash(tag.inner))
    if makes_styles:
        policy["style-src-elem"].append("'unsafe-inline'")
    return "; ".join(f"{name} {' '.join(dict.fromkeys(sources))}" for name, sources in policy.items())


def _hash(text: str) -> str:
    # As a browser sees it: lines end with a line feed.
    digest = hashlib.sha256(text.replace("\r\n", "\n").replace("\r", "\n").encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
