"""Leaves out of the style sheets what no page can use; for the most part that is Bootstrap and Font Awesome.

A rule goes when every one of its selectors names a class, id, tag or attribute that no page has and no script
mentions. What a script only looks for, it does not mention. Everything else stays, in its order. What is not
understood stays too.

Only sheets that are known are purged: those of Sphinx, of the book theme and of the extensions that Jupyter
Book loads. An author's keeps every rule, for what his scripts make of a page cannot be foreseen.
"""

from __future__ import annotations

import functools
import importlib.metadata
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tinycss2
from sphinx.application import Sphinx

from sphinx_lightbook.icons import START as ICONS_START
from sphinx_lightbook.icons import scripts_in_use, without_comments
from sphinx_lightbook.rewriting import Page, Site, add_step
from sphinx_lightbook.scripts import KNOWN

# The sheets that are known, in `_static`.
SHEETS = re.compile(
    r"""(?: basic | pygments | pygments_dark | graphviz
      | styles/(?: theme | pydata-sphinx-theme | sphinx-book-theme ) | vendor/.+
      | togglebutton | copybutton | mystnb(?:\.\w+)? | sphinx-design(?:\.min)? | sphinx-thebe
      | flipcards | flipbook | lightbook-\w+
    )\.css""",
    re.VERBOSE,
)
# Of the theme, with the versions that were read.
THEME = ("_static/scripts/pydata-sphinx-theme.js", "_static/scripts/sphinx-book-theme.js")
READ = {"pydata-sphinx-theme": "0.17.", "sphinx-book-theme": "1.3."}


@dataclass(frozen=True)
class Words:
    """Words in the theme's scripts that give no element a class."""

    words: str
    unless: tuple[str, ...] = ()  # a page has one of these names
    asked: str = ""  # or an inline script matches this


THEME_LOOKS = (
    # For what stands in the margin, and what scrolls; for parts of the page, to watch them.
    Words("marginnote sidenote margin margin-caption full-width sidebar popout"),
    Words("nboutput output_area cell_output output jp-RenderedHTMLCommon"),
    Words("bd-header-announcement bd-footer-article bd-footer-content"),
    Words("thebe-launch-button", asked=r"initThebeSBT"),
    Words("pst-squeeze", unless=("#pst-collapse-sidebar-button",)),
    Words(
        "list-group-item list-group-item-action py-1 version-switcher__button version-switcher__menu",
        unless=(".version-switcher__button", ".version-switcher__menu", ".version-switcher__container"),
    ),
    # The banner of an old version, and the button that closes an announcement.
    Words(
        "bd-header-announcement__content ms-auto me-auto sidebar-message text-wrap font-weight-bold "
        "ms-3 my-1 align-baseline pst-button-link-to-stable-version fa-xmark warning",
        unless=(".bd-header-announcement",),
        asked=r"show_version_warning_banner\s*=(?!\s*false)",
    ),
)

# At-rules around other rules.
GROUPS = {"media", "supports", "layer", "container", "scope", "starting-style", "document"}
# Classes that scripts put together from parts, or that browsers and Bootstrap set.
ALWAYS = {
    *("html", "body", "dialog", "mark", "kbd", "template", "math", "noscript"),
    *(".show", ".fade", ".showing", ".hiding", ".active", ".disabled", ".collapsing", ".collapse"),
    *(".tooltip", ".tooltip-inner", ".tooltip-arrow", ".dropdown-menu", ".dropdown-item", ".scrolled"),
    *(".hide", ".noprint", ".highlighted", ".search", ".context", ".search-summary"),
    *("[data-theme", "[data-mode", "[data-popper-placement", "[open", "[hidden", "[aria-hidden", "[inert"),
    *("[data-bs-popper", "[aria-expanded", "[disabled", "[checked"),
}
END = ".lightbook-end"
ALWAYS_PREFIXES = (".bs-tooltip-auto", ".tooltip-")
# What Bootstrap makes where a page has the thing, or a script of another's than the theme's calls Bootstrap.
BOOTSTRAP_MAKES = {
    ".modal": (".modal-open", ".modal-backdrop"),
    ".offcanvas": (".offcanvas-backdrop",),
    ".popover": (".popover", ".popover-arrow", ".popover-header", ".popover-body", ".bs-popover-auto"),
}
# A name that a script looks for, as it stands in the call.
_LOOKS = re.compile(
    r"""\b(?:querySelector(?:All)?|closest|matches|getElementById|getElementsBy(?:ClassName|TagName))
    \(\s*(?:"[^"\\\n]*"|'[^'\\\n]*'|`[^`\\$]*`)\s*\)""",
    re.VERBOSE,
)


def setup(app: Sphinx) -> None:
    """Let style sheets be purged when they are merged."""
    # Now they are the author's; extensions add theirs when the builder is there.
    add_step(app, Purge([Path(app.confdir, name) for name in app.config.html_static_path]))


class Purge:
    """The step. It gathers what is known; the merging of style sheets asks for it."""

    name = "purge"

    def __init__(self, static: list[Path]) -> None:
        self.static = static  # the author's files and folders

    def prepare(self, site: Site) -> None:
        """Gather what scripts mention, but for those that no page runs any more."""
        others = scripts_in_use(site, {*site.dropped, *THEME})
        unknown = scripts_in_use(site, KNOWN)
        known = Known(others, self.static)
        theme = [without_comments(site, site.text(path) or "") for path in THEME if path not in site.dropped]
        looks = theme_looks(site, unknown)
        known.mention(word for text in theme for word in _mentioned(text) if word not in looks)
        known.mention(_bootstrap_makes(site, unknown))
        site.known = known

    def state(self, page: Page) -> object:
        """Nothing: what it changes is in the merged style sheets."""
        return None

    def edit(self, page: Page, html: str) -> str:
        """Leave the page."""
        return html


class Known:
    """What pages may have: what scripts mention, and the `words` of pages. And which sheets are known."""

    def __init__(self, scripts: Iterable[str], static: Iterable[Path] = ()) -> None:
        self.static = tuple(static)
        self.mentioned: set[str] = set()
        self.starts: tuple[str, ...] = ()
        self.ends: tuple[str, ...] = ()
        self.mention(word for text in scripts for word in _mentioned(text))

    def mention(self, words: Iterable[str]) -> None:
        """Add words that a script mentions."""
        self.mentioned.update(words)
        # Names put together: `"sd-tab-" + name`, `${name}-open`. A number is none: `x-100`.
        parts = sorted(
            word
            for word in self.mentioned
            if word == ICONS_START or (len(word) > 3 and re.search(r"[^\W\d]", word))
        )
        self.starts = tuple(word for word in parts if word.endswith("-"))
        self.ends = tuple(word for word in parts if word.startswith("-"))

    def purges(self, path: str) -> bool:
        """Whether a sheet is known, and not replaced by one of the author's."""
        name = path.removeprefix("_static/")
        if name == path or not SHEETS.fullmatch(name):
            return False
        return not any(
            (place / name).is_file() or (place.name == name and place.is_file()) for place in self.static
        )

    def holds(self, name: str, words: set[str]) -> bool:
        """Whether a page with these words may have a name, written as a selector writes it."""
        bare = name.lstrip(".#[")
        return (
            name in words
            or name in ALWAYS
            or bare in self.mentioned
            or name.startswith(ALWAYS_PREFIXES)
            or (name != bare and (bare.startswith(self.starts) or bare.endswith(self.ends)))
        )


def _mentioned(script: str) -> set[str]:
    """The words of a script, but for those in calls that only look for an element."""
    return set(re.findall(r"[\w-]+", _LOOKS.sub("()", script)))


def theme_looks(site: Site, scripts: list[str]) -> set[str]:
    """The words in the theme's scripts that give no element of this site a class.

    Nothing of a version that was not read.
    """
    for name, version in READ.items():
        try:
            if not importlib.metadata.version(name).startswith(version):
                return set()
        except importlib.metadata.PackageNotFoundError:
            return set()
    words = {word for page in site.pages.values() for word in page.facts["words"]}
    return {
        word
        for look in THEME_LOOKS
        if words.isdisjoint(look.unless)
        and not (look.asked and any(re.search(look.asked, text) for text in scripts))
        for word in look.words.split()
    }


def _bootstrap_makes(site: Site, scripts: list[str]) -> set[str]:
    """The classes of elements that Bootstrap makes on this site."""
    words = {word for page in site.pages.values() for word in page.facts["words"]}
    called = any("bootstrap" in text for text in scripts)
    made = {name for sign, names in BOOTSTRAP_MAKES.items() if called or sign in words for name in names}
    return {name.lstrip(".") for name in made}


def purge(css: str, known: set[str]) -> str:
    """The style sheet without the rules, variables and animations that cannot be used.

    Args:
        css: a style sheet that parses.
        known: the names by which a selector may choose: `tag`, `.class`, `#id`, `[attribute`.
    """
    rules = _purge_rules(_parse(css), known)
    return "".join(_write(rule) for rule in rules)


@functools.lru_cache(maxsize=32)
def parse(css: str) -> list[Any]:
    """The rules of a style sheet, and one more, `END`, where nothing in it is left open.

    It is kept, for parsing takes most of the time of what is done with it. `parse.cache_clear` forgets it.
    """
    css = f"{css}\n{END}{{}}"
    return list(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True))


def _parse(css: str) -> list[Any]:
    return parse(css)[:-1]


def vocabulary(css: str) -> set[str]:
    """All names by which selectors of a style sheet choose elements, as in `purge`."""
    found: set[str] = set()

    def walk(rules: Iterable[Any]) -> None:
        for rule in rules:
            if rule.type == "qualified-rule":
                for selector in _selectors(rule.prelude):
                    found.update(_names(selector, every=True))
            elif _is_group(rule):
                walk(_inner(rule))

    walk(_parse(css))
    return found


def _purge_rules(rules: Iterable[Any], known: set[str]) -> Iterator[Any]:
    for rule in rules:
        if rule.type == "qualified-rule":
            selectors = list(_selectors(rule.prelude))
            kept = [
                selector
                for selector in selectors
                if all(name in known for name in _names(selector, every=False))
            ]
            if kept:
                yield (",".join(tinycss2.serialize(selector).strip() for selector in kept), rule)
        elif _is_group(rule):
            kept_inner = list(_purge_rules(_inner(rule), known))
            # An empty layer says where the layer stands.
            if kept_inner or rule.lower_at_keyword == "layer":
                yield (rule, kept_inner)
        elif rule.type != "error":
            yield (rule, None)


def _write(rule: tuple[Any, Any]) -> str:
    first, second = rule
    if isinstance(first, str):
        return f"{first}{{{tinycss2.serialize(second.content).strip()}}}"
    if second is not None:
        inner = "".join(_write(one) for one in second)
        return f"@{first.at_keyword}{tinycss2.serialize(first.prelude)}{{{inner}}}"
    return str(first.serialize())


def _selectors(tokens: list[Any]) -> Iterator[list[Any]]:
    """The parts of a selector list, without the commas."""
    part: list[Any] = []
    for token in tokens:
        if token == ",":
            yield part
            part = []
        else:
            part.append(token)
    yield part


def _names(selector: list[Any], *, every: bool) -> Iterator[str]:
    """The names that a page must have for the selector to choose anything.

    Args:
        selector: its tokens.
        every: also those in `:is(…)`, `:where(…)`, of which one is enough, and in `:not(…)`.
    """
    before: Any = None
    for token in selector:
        if token.type == "ident" and before == ".":
            yield "." + token.value
        elif token.type == "hash":
            yield "#" + token.value
        elif token.type == "ident" and before != ":":
            yield token.lower_value
        elif token.type == "[] block":
            name = next((inner for inner in token.content if inner.type == "ident"), None)
            if name is not None:
                yield "[" + name.lower_value
        elif token.type == "function" and every:
            for part in _selectors(token.arguments):
                yield from _names(part, every=True)
        before = token


# Variables and animations -----------------------------------------------------------------------------------


def drop_unnamed(sheets: list[str], elsewhere: set[str]) -> list[str]:
    """Style sheets without the variables and the animations that nothing names.

    Args:
        sheets: those of a page that may lose something, each one that parses.
        elsewhere: the words of other sheets, pages and scripts, variables as `--name`.
    """
    words = elsewhere.union(*(_WORD.findall(KEYFRAMES.sub("", css)) for css in sheets))
    needs: dict[str, set[str]] = {}  # of each variable, the variables in its values
    used = set(elsewhere)

    def look(rules: Iterable[Any]) -> None:
        for rule in rules:
            for part in _declarations(rule) or ():
                text = tinycss2.serialize(part.value)
                if part.name.startswith("--"):
                    needs.setdefault(part.name, set()).update(_VARIABLE.findall(text))
                else:
                    used.update(_VARIABLE.findall(text))
            if _is_group(rule):
                look(_inner(rule))
            elif _declarations(rule) is None:
                used.update(_VARIABLE.findall(rule.serialize()))

    def write(rules: Iterable[Any]) -> str:
        texts = []
        for rule in rules:
            parts = _declarations(rule)
            if _is_group(rule):
                texts.append(f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{write(_inner(rule))}}}")
            elif _is_animation(rule) and not words.issuperset(
                _WORD.findall(tinycss2.serialize(rule.prelude))
            ):
                continue
            elif parts is None or not any(part.name.startswith("--") for part in parts):
                texts.append(rule.serialize())
            elif kept := [part for part in parts if not part.name.startswith("--") or part.name in used]:
                body = ";".join(part.serialize().rstrip(";") for part in kept)
                texts.append(f"{tinycss2.serialize(rule.prelude)}{{{body}}}")
        return "".join(texts)

    parsed = [tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True) for css in sheets]
    for rules in parsed:
        look(rules)
    todo = list(used)
    while todo:
        found = needs.get(todo.pop(), set()) - used
        used |= found
        todo += found
    return [write(rules) for rules in parsed]


_VARIABLE = re.compile(r"--[\w-]+")
_WORD = re.compile(r"[\w-]+")
KEYFRAMES = re.compile(r"@[\w-]*keyframes\s+[\"']?[\w-]+", re.IGNORECASE)


def _is_animation(rule: Any) -> bool:
    return bool(rule.type == "at-rule" and rule.lower_at_keyword.endswith("keyframes"))


def _is_group(rule: Any) -> bool:
    return rule.type == "at-rule" and rule.content is not None and rule.lower_at_keyword in GROUPS


def _inner(rule: Any) -> list[Any]:
    return list(tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True))


def _declarations(rule: Any) -> list[Any] | None:
    """The declarations of a rule; None where there is anything else in it."""
    if rule.type != "qualified-rule":
        return None
    parts = tinycss2.parse_blocks_contents(rule.content, skip_comments=True, skip_whitespace=True)
    return parts if all(part.type == "declaration" for part in parts) else None
