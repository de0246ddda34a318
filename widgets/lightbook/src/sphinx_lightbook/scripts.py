"""One deferred script a page, of what the page uses, instead of a dozen that hold up its painting.

Only scripts that are known are merged: those of Sphinx, of the book theme and of the extensions that Jupyter
Book loads. Any other stays where it is. If one of those that run at once names something that a merged script
defines, then all scripts of that page stay as they are.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from sphinx_lightbook.rewriting import Facts, Page, Site, add_step, digest
from sphinx_lightbook.tags import Tag, address_of, edit_tags, file_named, named
from sphinx_lightbook.translations import TRANSLATIONS, say_rule_as_function, translations_of

OWN = Path(__file__).parent / "static" / "scripts"
OPTIONS = "_static/documentation_options.js"
DOCTOOLS = "_static/doctools.js"
BOOTSTRAP = "_static/scripts/bootstrap.js"
CLIPBOARD = "_static/clipboard.min.js"
COPY_BUTTONS = "_static/copybutton.js"
SEARCH_INDEX = "searchindex.js"

# In the place of the index's own tag: where something is searched, the index is on its way before the merged
# script runs, which loads it; where nothing is, it is not loaded.
PRELOAD_INDEX = (
    '<script data-index="{}">if (new URLSearchParams(location.search).get("q")) document.head.append('
    'Object.assign(document.createElement("link"), '
    '{{rel: "preload", as: "script", href: document.currentScript.dataset.index}}))</script>'
)


# On a page of many elements a script that looks through all of them is a task of its own.
IN_A_TASK = "(document.all.length>2e3?setTimeout:f=>f())(()=>{{{}}})"

# Of `flipcards`. In another language than English its words stand in a script of their own, to run before it.
FLIPBOOK = "_static/flipbook.js"
FLIPBOOK_WORDS = "_static/flipcards-words.js"


@dataclass(frozen=True)
class Part:
    """A script that may become part of the merged one."""

    path: str
    used: Callable[[Facts], bool] = lambda facts: True  # by a page
    alone: bool = True  # defines nothing for others: a fault in it stops no other
    searching: bool = False  # looks through the whole page many times
    defines: tuple[str, ...] = ()


def _has(*words: str) -> Callable[[Facts], bool]:
    return lambda facts: not set(words).isdisjoint(facts["words"])


def _toggles(facts: Facts) -> bool:
    """Whether something on a page opens and closes by `sphinx_togglebutton`."""
    selector = _settings(facts).get("togglebuttonSelector", "").strip("'\"")
    return facts["toggles"] or selector != ".toggle, .admonition.dropdown"


def _settings(facts: Facts) -> dict[str, str]:
    """The values that inline scripts of a page set."""
    return dict(setting for script in facts["scripts"] if (setting := _setting(script["inline"] or "")))


def _searches(facts: Facts) -> bool:
    """Whether a page shows results, or searches while the reader types."""
    settings = _settings(facts)
    pagename = settings.get("DOCUMENTATION_OPTIONS.pagename", "").strip("'\"")
    return pagename == "search" or settings.get(_AS_YOU_TYPE) == "true"


# In the order in which they run.
PARTS = [
    Part(OPTIONS, alone=False, defines=("DOCUMENTATION_OPTIONS",)),
    Part(DOCTOOLS, alone=False, defines=("Documentation", "_ready", "_")),
    Part("_static/sphinx_highlight.js", alone=False, defines=("SphinxHighlight",)),
    Part(TRANSLATIONS, alone=False),
    Part(CLIPBOARD, used=_has(".highlight"), alone=False, defines=("ClipboardJS",)),
    Part(COPY_BUTTONS, used=_has(".highlight"), alone=False),
    Part("_static/togglebutton.js", used=_toggles, alone=False),
    Part("_static/design-tabs.js", used=_has(".sd-tab-set"), alone=False),
    Part("_static/searchtools.js", used=_searches, alone=False, defines=("Search", "Scorer")),
    Part("_static/language_data.js", used=_searches, alone=False, defines=("Stemmer", "stopwords")),
    Part(
        "_static/scripts/sphinx-book-theme.js", searching=True, defines=("toggleFullScreen", "initThebeSBT")
    ),
    Part("_static/lightbook-theme.js"),
    Part("_static/lightbook-search.js", used=_searches),
    Part("_static/lightbook-math.js"),
    Part("_static/lightbook-policy.js"),
    Part("_static/lightbook-offline.js"),
    Part("_static/scripts/pydata-sphinx-theme.js", searching=True),
    Part(FLIPBOOK),
]
KNOWN = {part.path: part for part in PARTS}
DEFINED = re.compile(
    r"(?<![\w$.])(?:"
    + "|".join(re.escape(name) for part in PARTS for name in part.defines if name != "_")
    + r")\b"
)

# Sphinx's scripts leave work for when the page is there. A deferred script runs shortly before: then too, the
# work must wait for the scripts after it.
_READY = re.compile(r"""document\.readyState\s*!==\s*["']loading["']""")

# Inline scripts that set one value, for the merged script to set.
_SETTING = re.compile(
    r"""\s*(?:(?:let|var|const)\s+)?
    (DOCUMENTATION_OPTIONS\.\w+|toggleHintShow|toggleHintHide|toggleOpenOnPrint|togglebuttonSelector)
    \s*=\s* ('[^'\\]*'|"[^"\\]*"|true|false|null|\d+) \s*;?\s*""",
    re.VERBOSE,
)
_PAGENAME = "DOCUMENTATION_OPTIONS.pagename"
_AS_YOU_TYPE = "DOCUMENTATION_OPTIONS.search_as_you_type"
# The search page's own, which gives its field the focus. The merged script does it.
_FOCUS = re.compile(
    r"\s*//[^\n]*\n\s*let searchInput = document\.querySelector\(\"form\.bd-search input\"\);"
    r"\s*if \(searchInput\) \{\s*searchInput\.focus\(\);\s*searchInput\.select\(\);[^}]*\}\s*"
)


def _setting(inline: str) -> tuple[str, str] | None:
    match = _SETTING.fullmatch(inline)
    return (match[1], match[2]) if match else None


def setup(app: Sphinx) -> None:
    """Merge the scripts when the site is written."""
    add_step(app, Scripts(app.config.lightbook_catalogue["search"]["found"]))


@dataclass
class Plan:
    """What becomes of a page's scripts."""

    bundle: str  # path of the merged script
    attributes: dict[str, str]  # of its tag
    merged: set[str]  # scripts that it stands for, and those that the page does not use
    pagename: str
    late_bootstrap: bool
    late_index: bool  # whether the search index is loaded by the merged script


class Scripts:
    """The step."""

    name = "scripts"

    def __init__(self, found: str) -> None:
        self.found = found

    def prepare(self, site: Site) -> None:
        """Decide for each page, and make the merged scripts."""
        self.translations = translations_of(site, self.found)
        say_rule_as_function(site, self.found)
        self.plans: dict[str, Plan | None] = {}
        self._bundles: dict[str, str | None] = {}
        self._naming: dict[str, bool] = {}
        self.used: set[str] = set()
        self.unused: set[str] = set()  # by some page
        for page in site.pages.values():
            self.plans[page.name] = self._plan(site, page)
            if self.plans[page.name] is None:
                self.used.update(page.facts["named_scripts"])
        site.dropped |= self.unused - self.used

    def state(self, page: Page) -> object:
        """The page's plan."""
        plan = self.plans[page.name]
        return plan and [
            plan.bundle,
            plan.attributes,
            sorted(plan.merged),
            plan.late_bootstrap,
            plan.late_index,
        ]

    def _plan(self, site: Site, page: Page) -> Plan | None:
        scripts = page.facts["scripts"]
        paths = [script["path"] for script in scripts]
        if OPTIONS not in paths or any(path and not site.exists(path) for path in paths if path in KNOWN):
            return None
        others = [_text(site, script) for script in scripts if not _is_known(script)]
        at_once = [
            _text(site, script)
            for script in scripts
            if not _is_known(script) and not {"defer", "async"} & set(script["attributes"])
            and script["attributes"].get("type") != "module"
        ]  # fmt: skip
        if any(text is None or self._names_ours(text) for text in at_once):
            return None
        settings = _settings(page.facts)
        late = BOOTSTRAP in paths and _may_wait(page.facts, others)
        apart = {FLIPBOOK} if FLIPBOOK_WORDS in paths else set()
        used = [
            part
            for part in PARTS
            if part.path in paths
            and part.path not in apart
            and (part.used(page.facts) or any(self._names_ours(text or "") for text in others))
        ]
        pagename = settings.pop(_PAGENAME, "''").strip("'\"")
        attributes: dict[str, str] = {"data-pagename": pagename}
        for script in scripts:
            if script["path"] in {part.path for part in used}:
                attributes |= {k: v for k, v in script["attributes"].items() if k.startswith("data-")}
        small_copy = not any(text is None or "ClipboardJS" in text for text in others)
        speaking = tuple(text for text in others if text and "Documentation" in text)
        parts = [part.path for part in used]
        key = json.dumps([parts, settings, late, small_copy, speaking], sort_keys=True)
        if key not in self._bundles:
            self._bundles[key] = self._bundle(
                site, used, settings, late=late, small_copy=small_copy, speaking=speaking
            )
        text = self._bundles[key]
        if text is None:
            return None
        bundle = f"_static/lightbook-{digest(text.encode())[:6]}.js"
        site.make(bundle, text.encode())
        merged = {path for path in paths if path in KNOWN} - apart
        if any(part.path == "_static/searchtools.js" for part in used):
            self.used.add(SEARCH_INDEX)
        else:
            merged.add(SEARCH_INDEX)
        self.unused |= merged - {part.path for part in used}
        self.used |= {part.path for part in used}
        late_index = pagename == "search" and settings.get(_AS_YOU_TYPE) != "true"
        return Plan(bundle, attributes, merged, pagename, late, late_index)

    def _names_ours(self, text: str) -> bool:
        """Whether a script names what a merged one defines."""
        if text not in self._naming:
            self._naming[text] = DEFINED.search(text) is not None
        return self._naming[text]

    def _bundle(
        self,
        site: Site,
        used: list[Part],
        settings: dict[str, str],
        *,
        late: bool,
        small_copy: bool,
        speaking: tuple[str, ...],
    ) -> str | None:
        texts = []
        small_copy = small_copy and COPY_BUTTONS in {part.path for part in used}
        for part in used:
            text = site.text(part.path) or ""
            if part.path == CLIPBOARD and small_copy:
                text = (OWN / "copy.js").read_text("utf-8")
            if part.path == TRANSLATIONS and self.translations and not speaking:
                said = "".join(site.text(other.path) or "" for other in used if other is not part)
                text = self.translations.of_those_in(said).script()
            if part.path == DOCTOOLS:
                text, found = _READY.subn('document.readyState === "complete"', text)
                if not found:
                    return None
            text = small_script(site, text)
            if part.alone:
                text = f"try{{{text}\n}}catch(e){{reportError(e)}}"
            texts.append(IN_A_TASK.format(text) if part.searching else text)
            if part.path == OPTIONS:
                texts.append("DOCUMENTATION_OPTIONS.pagename=document.currentScript.dataset.pagename")
                for name, value in sorted(settings.items()):
                    texts.append(f"{'' if '.' in name else 'var '}{name}={value}")
        if late:
            texts.insert(0, small_script(site, (OWN / "bootstrap.js").read_text("utf-8")))
        if any(part.path == "_static/searchtools.js" for part in used):
            texts.append(small_script(site, (OWN / "search.js").read_text("utf-8")))
        return ";\n".join(texts) + ";\n"

    def edit(self, page: Page, html_text: str) -> str:
        """Put the merged script in the place of the first, and take out the others."""
        plan = self.plans[page.name]
        if plan is None:
            return html_text
        placed = False

        def edit(tag: Tag) -> str | None:
            nonlocal placed
            if tag.name == "link" and "preload" in tag.attributes.get("rel", ""):
                path = file_named(tag.attributes.get("href", ""), page.name)
                return "" if path in plan.merged or (path == BOOTSTRAP and plan.late_bootstrap) else None
            if not tag.runs:
                return None
            source = tag.attributes.get("src")
            path = None if source is None else file_named(source, page.name)
            before = ""
            if source is not None and not placed:
                placed = True
                before = _tag(plan, page.name)
            if source is None:
                gone = bool(_setting(tag.inner)) or (
                    plan.pagename == "search" and bool(_FOCUS.fullmatch(tag.inner))
                )
                return "" if gone else None
            if path in plan.merged or (path == BOOTSTRAP and plan.late_bootstrap):
                return before
            if path == SEARCH_INDEX and plan.late_index:
                return before + PRELOAD_INDEX.format(html.escape(address_of(path, page.name)))
            if path == SEARCH_INDEX:  # it calls a merged script
                return before + tag.whole(tag.with_attributes({"defer": ""}))
            return before + tag.whole(tag.text) if before else None

        return edit_tags(html_text, edit, named("script", "link"))


def _tag(plan: Plan, page: str) -> str:
    attributes = {"src": address_of(plan.bundle, page), **plan.attributes}
    if plan.late_bootstrap:
        attributes["data-bootstrap"] = address_of(BOOTSTRAP, page)
    return (
        "<script defer " + " ".join(f'{k}="{html.escape(v)}"' for k, v in attributes.items()) + "></script>"
    )


def _is_known(script: dict[str, Any]) -> bool:
    if script["inline"] is not None:
        return bool(_setting(script["inline"]) or _FOCUS.fullmatch(script["inline"]))
    return script["path"] in KNOWN or script["path"] in {
        BOOTSTRAP,
        SEARCH_INDEX,
        "_static/scripts/fontawesome.js",
    }


def _text(site: Site, script: dict[str, Any]) -> str | None:
    """A script's text; None of one that is not in the site."""
    if script["inline"] is not None:
        return str(script["inline"])
    return site.text(script["path"]) if script["path"] else None


def _may_wait(facts: Facts, others: list[str | None]) -> bool:
    """Whether Bootstrap may load when the reader first touches what needs it.

    Not if another script names it, or cannot be read, nor with parts that Bootstrap starts on its own.
    """
    starts = {".carousel", ".scrollspy", "[data-bs-spy", "[data-bs-ride", "#pst-collapse-sidebar-button"}
    if any(text is None or "bootstrap" in text for text in others):
        return False
    return starts.isdisjoint(facts["words"])


def small_script(site: Site, text: str) -> str:
    """A script in fewer bytes; as it is where it cannot be read."""
    if text not in site.small_scripts:
        site.small_scripts[text] = _small_script(site, text)
    return site.small_scripts[text]


def _small_script(site: Site, text: str) -> str:
    text = re.sub(r"//# sourceMappingURL=\S+", "", text)

    def make() -> bytes:
        import minify

        try:
            return str(minify.string("application/javascript", text)).encode()
        except minify.MinifyError:
            return text.encode()

    return site.cached("script", digest(text.encode()), make).decode()
