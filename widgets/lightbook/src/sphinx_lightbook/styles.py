"""Two style sheets a page instead of ten, in fewer bytes: what all pages begin with, and the rest.

Sheets are merged in their order, so that every rule wins where it won before. A sheet stays on its own when
what it says would change with its place: where it applies to some media only, imports other sheets later than
at its start, or does not parse.
"""

from __future__ import annotations

import html
import itertools
import json
import re

import tinycss2
from sphinx.application import Sphinx

from sphinx_lightbook.purge import END, KEYFRAMES, drop_unnamed, parse, purge, vocabulary
from sphinx_lightbook.rewriting import Page, Site, add_step, digest, edit_urls
from sphinx_lightbook.tags import Tag, address_of, edit_tags, file_named, named

_IMPORT = re.compile(
    r"""\s*(?:/\*.*?\*/\s*)*@import\s+(?:url\()?\s*["']?([^"')\s;]+)["']?\s*\)?\s*;""", re.DOTALL
)

# Sheets lose their comments. No name of a file: it would be kept for reading offline.
NOTICE = "/*! Made of the style sheets beside it, in which their licences stand. */"


def setup(app: Sphinx) -> None:
    """Merge the style sheets when the site is written."""
    add_step(app, Styles())


class Styles:
    """The step."""

    name = "styles"

    def prepare(self, site: Site) -> None:
        """Decide for each list of sheets that some page has, and make the merged ones."""
        self.site = site
        pages = [self._paths(page) for page in site.pages.values()]
        self.beginning = _common_beginning([paths for paths in pages if paths])
        self.merged: dict[tuple[str, ...], str] = {}
        words: dict[tuple[str, ...], set[str]] = {}  # of the pages that have a run
        self.whole: dict[str, str | None] = {}
        self.said: dict[str, set[str]] = {}  # the words of sheets
        for page in site.pages.values():
            for run in self._runs(self._paths(page)):
                words.setdefault(run, set()).update(page.facts["words"])
        for run in sorted(words):
            self.merged[run] = self._merge(run, words[run])
        parse.cache_clear()

    def _paths(self, page: Page) -> list[str | None]:
        return [sheet["path"] if sheet["plain"] else None for sheet in page.facts["sheets"]]

    def _runs(self, paths: list[str | None]) -> list[tuple[str, ...]]:
        """The sheets that can be merged: runs of those that follow one another.

        What all pages begin with is a run of its own: its file is the same on every page.
        """
        runs: list[list[str]] = [[]]
        for place, path in enumerate(paths):
            if place == self.beginning:
                runs.append([])
            if path is None or paths.count(path) > 1 or self._whole(path) is None:
                runs.append([])
            else:
                runs[-1].append(path)
        return [tuple(run) for run in runs if run]

    def _whole(self, path: str) -> str | None:
        if path not in self.whole:
            self.whole[path] = whole_sheet(self.site, path)
        return self.whole[path]

    def _merge(self, run: tuple[str, ...], words: set[str]) -> str:
        name = f"_static/lightbook-{digest(repr(run).encode())[:6]}.css"
        known = self.site.known
        purged = {path for path in run if known is not None and known.purges(path)}
        sheets = {}
        for path in run:
            used_by = words if path in purged else None
            sheets[path] = _smallest(self.site, self._whole(path) or "", used_by, path, name)
        if purged:
            sheets |= self._without_what_nothing_names(sheets, purged)
        has_licence = any("/*!" in (self._whole(path) or "") for path in run)
        texts = [NOTICE] * has_licence + list(sheets.values())
        self.site.make(name, "\n".join(texts).encode())
        return name

    def _without_what_nothing_names(self, sheets: dict[str, str], purged: set[str]) -> dict[str, str]:
        """The purged ones of a run, without the variables and the animations that are named nowhere."""
        mentioned = set(self.site.known.mentioned)
        others: set[str | None] = set()
        for page in self.site.pages.values():
            mentioned.update(page.facts["variables"], page.facts["animations"])
            others.update(sheet["path"] for sheet in page.facts["sheets"])
        for path in others - {None, *sheets}:
            mentioned |= self._words_of(path or "")
        for path in sheets.keys() - purged:
            mentioned |= _words(sheets[path])
        texts = {path: css for path, css in sheets.items() if path in purged}
        named = {name for css in texts.values() for name in re.findall(r"[\w-]+", css) if name in mentioned}

        def make() -> bytes:
            return json.dumps(drop_unnamed([*texts.values()], named)).encode()

        key = [[digest(css.encode()) for css in texts.values()], sorted(named)]
        return dict(zip(texts, json.loads(self.site.cached("style", key, make)), strict=True))

    def _words_of(self, path: str) -> set[str]:
        if path not in self.said:
            self.said[path] = _words(self.site.text(path) or "")
        return self.said[path]

    def state(self, page: Page) -> object:
        """The merged sheets that the page gets."""
        return [self.merged[run] for run in self._runs(self._paths(page))]

    def edit(self, page: Page, html_text: str) -> str:
        """Put each merged sheet in the place of its first one."""
        firsts = {run[0]: self.merged[run] for run in self._runs(self._paths(page))}
        others = {path for run in self._runs(self._paths(page)) for path in run[1:]}

        def edit(tag: Tag) -> str | None:
            if not tag.is_stylesheet:
                return None
            path = file_named(tag.attributes.get("href", ""), page.name)
            if path in others:
                return ""
            if path not in firsts:
                return None
            return f'<link rel="stylesheet" href="{html.escape(address_of(firsts[path], page.name))}" />'

        return edit_tags(html_text, edit, named("link"))


def _words(css: str) -> set[str]:
    """The words of a sheet, but for those that name its animations."""
    return set(re.findall(r"[\w-]+", KEYFRAMES.sub("", css)))


def _common_beginning(lists: list[list[str | None]]) -> int:
    """How many items all lists begin with alike."""
    same = itertools.takewhile(lambda items: len(set(items)) == 1, zip(*lists, strict=False))
    return sum(1 for _ in same)


def whole_sheet(site: Site, path: str, within: tuple[str, ...] = ()) -> str | None:
    """A sheet with those it imports at its start in their place; None where it has to stay on its own."""
    css = site.text(path)
    if css is None or path in within:
        return None
    css = css.removeprefix("\ufeff")
    css = re.sub(r'^@charset\s+"utf-8"\s*;', "", css, flags=re.IGNORECASE)
    imported = ""
    while match := _IMPORT.match(css):
        file = file_named(match[1], path)
        text = whole_sheet(site, file, (*within, path)) if file else None
        if text is None or file is None:
            return None
        imported += edit_urls(text, file, lambda name: name, to=path) + "\n"
        css = css[match.end() :]
    key = digest(css.encode())
    fault = site.cached("parse", key, lambda: _fault(css).encode()).decode()
    if fault:
        raise ValueError(f"{path} does not parse: {fault}")
    if re.search(r"@(?:import|namespace|charset)\b", css):
        return None
    return imported + css


def _fault(css: str) -> str:
    """What keeps a style sheet from being put before another; "" where nothing does."""
    rules = parse(css)
    for rule in rules:
        if rule.type == "error":
            return f"line {rule.source_line}: {rule.message}"
    last = rules[-1]
    if last.type != "qualified-rule" or tinycss2.serialize(last.prelude).strip() != END:
        return f"line {last.source_line}: a block, comment or text that begins there has no end"
    return ""


def _smallest(site: Site, css: str, words: set[str] | None, path: str, to: str) -> str:
    """A sheet in fewer bytes: without what pages of these words cannot use, where there are any.

    Args:
        site: the site.
        css: the sheet.
        words: of the pages; None of a sheet that keeps every rule.
        path: the sheet's.
        to: the path of the sheet that it becomes part of.
    """
    key = digest(css.encode())
    known = None
    if words is not None:
        names = json.loads(site.cached("names", key, lambda: json.dumps(sorted(vocabulary(css))).encode()))
        known = {name for name in names if site.known.holds(name, words)}

    def make() -> bytes:
        used = css if known is None else purge(css, known)
        return _minified(edit_urls(used, path, lambda file: file, to=to))

    return site.cached("style", [key, None if known is None else sorted(known), path, to], make).decode()


def _minified(css: str) -> bytes:
    import minify

    try:
        small = str(minify.string("text/css", css))
    except minify.MinifyError:
        small = css
    return small.encode()
