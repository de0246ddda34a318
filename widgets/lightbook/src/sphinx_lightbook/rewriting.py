"""Rewrites the pages when all of them are written, for what one page needs depends on the others.

The pages as Sphinx wrote them are kept beside the doctrees. Each concern adds a step. A build first asks
every step what it makes of the whole site, then edits the pages of which something changed. So the result
depends on the sources alone, not on the order in which pages were written or on what was built before.

A step that fails is left out as if it had been switched off, with one warning.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol, cast

from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.util import logging

from sphinx_lightbook.memory import MATH_READINGS, code_digest, keep_readings, page_files
from sphinx_lightbook.remote import requests_of_page
from sphinx_lightbook.tags import Tag, address_of, edit_tags, file_named, tags

logger = logging.getLogger(__name__)

WEB_BUILDERS = {"html", "dirhtml", "singlehtml"}
# Style sheets, scripts and figures. Anything else keeps its name: what readers save, and what must be found.
ASSETS = ("_static/", "_images/")
ASSET_FILES = {"searchindex.js"}
SHARED = (".css", ".js")
ENGINES = ("fonttools", "pillow", "tdewolff-minify", "tinycss2")

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Page:
    """A page of the site."""

    name: str  # its path relative to the site
    facts: Facts  # see `read_facts`


class Step(Protocol):
    """What a concern does to the site."""

    name: str  # of the concern, as in `lightbook_off`

    def prepare(self, site: Site) -> None:
        """Look at the whole site, and make files."""

    def state(self, page: Page) -> object:
        """What this page's edit depends on, besides the page; as JSON."""

    def edit(self, page: Page, html: str) -> str:
        """The page's HTML as it should be."""


# The order in which steps act: each sees what those before it made.
ORDER = ("images", "icons", "scripts", "purge", "styles", "fingerprints", "policy")


def add_step(app: Sphinx, step: Step) -> None:
    """Let a step take part in the rewriting of this application's site."""
    if not hasattr(app, "lightbook_steps"):
        app.lightbook_steps = []  # type: ignore[attr-defined]  # ours, kept on the app
        app.connect("build-finished", rewrite, priority=800)
    app.lightbook_steps.append(step)  # type: ignore[attr-defined]  # ours, kept on the app


def rewrite(app: Sphinx, exception: Exception | None) -> None:
    """Rewrite the site with every step that was added."""
    if exception is not None or app.builder.name not in WEB_BUILDERS:
        return
    added: list[Step] = app.lightbook_steps  # type: ignore[attr-defined]  # ours, kept on the app
    steps = sorted(added, key=lambda step: ORDER.index(step.name))
    rewriting = _Rewriting(app)
    try:
        rewriting.run(steps)
        # A memory without a report is one that no build has finished; then there is nothing to say.
        app.lightbook_report = rewriting.memory.get("report", {})  # type: ignore[attr-defined]  # ours, kept on the app
    except OSError as error:
        left = rewriting.undo()
        but = f", but for {', '.join(left)}, which cannot be put back" if left else ""
        warn(app, "rewriting", f"the pages stay as Sphinx made them{but}: {error}")


def warn(app: Sphinx, step: str, reason: str) -> None:
    """Say what was skipped and why. With `-W` the build fails, with `--keep-going` too."""
    logger.warning("%s is skipped: %s", step, reason, type="lightbook", subtype=step)
    if app.warningiserror:
        app.statuscode = 1  # Sphinx has counted the warnings already


def report_of(app: Sphinx) -> dict[str, Any]:
    """What the last rewriting has to say: `dropped` files and `notes`."""
    report: dict[str, Any] = getattr(app, "lightbook_report", {})
    return report


def switch(name: str) -> str:
    """How to switch a concern off."""
    return f"lightbook_off: [{name}] leaves it out"


# The site ---------------------------------------------------------------------------------------------------


class Site:
    """The files of a site, as Sphinx wrote them and as the steps change them. Paths are relative to it."""

    def __init__(self, folder: Path, cache: Path, pages: dict[str, Page]) -> None:
        self.folder = folder
        self.pages = pages
        self.fingerprinted = False
        self.known: Any = None  # `purge.Known`, where style sheets are to be purged
        self.dropped: set[str] = set()  # files that no page loads any more, for the report
        self.notes: list[str] = []  # remarks for the report
        self.small_scripts: dict[str, str] = {}  # for `scripts.small_script`
        self._cache = cache
        self._cached: set[str] = set()
        self._inputs: dict[str, str | None] = {}
        self._originals: dict[str, bytes | None] = {}
        self._made: dict[str, bytes] = {}
        self._new: set[str] = set()
        self._final: dict[str, str] = {}
        self._finals: dict[str, bytes] = {}
        self.published: set[str] = set()  # the files written for this site

    def content(self, path: str) -> bytes | None:
        """What is in a file, or would be; None where there is none."""
        return self._made[path] if path in self._made else self.original(path)

    def original(self, path: str) -> bytes | None:
        """What Sphinx put into a file; None where there is none."""
        if path in self._originals:
            return self._originals[path]
        file = self.folder / path
        try:
            content = file.read_bytes() if file.is_file() else None
        except OSError:
            content = None
        self._inputs[path] = None if content is None else digest(content)
        if path.endswith(SHARED):  # many pages ask for it; images may be large
            self._originals[path] = content
        return content

    def text(self, path: str) -> str | None:
        """The same as text."""
        content = self.content(path)
        return None if content is None else content.decode("utf-8", errors="replace")

    def exists(self, path: str) -> bool:
        """Whether there is such a file."""
        if path in self._made or self._inputs.get(path):
            return True
        return self.original(path) is not None

    def make(self, path: str, content: bytes) -> None:
        """Make a file of a name that Sphinx has not. It is written when a page names it."""
        self._made[path] = content
        self._new.add(path)

    def replace(self, path: str, content: bytes) -> None:
        """Publish something else in the place of one of Sphinx's files, which stays as it is."""
        self._made[path] = content

    def cached(self, name: str, key: object, make: Callable[[], bytes]) -> bytes:
        """What `make` returns, kept between builds for as long as builds ask for it.

        Args:
            name: of the kind of thing.
            key: all that it depends on, as JSON.
            make: is called where nothing is kept.
        """
        path = self._kept_file(name, key)
        self._cached.add(path.name)
        if path.is_file():
            return path.read_bytes()
        content = make()
        self._cache.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return content

    def has_cached(self, name: str, key: object) -> bool:
        """Whether something is kept; see `cached`."""
        return self._kept_file(name, key).is_file()

    def _kept_file(self, name: str, key: object) -> Path:
        return self._cache / f"{name}-{digest(json.dumps([key, _versions()], sort_keys=True).encode())}"

    def forget_unused(self) -> None:
        """Delete what is kept and was not asked for."""
        if self._cache.is_dir():
            for path in self._cache.iterdir():
                if path.name not in self._cached:
                    path.unlink()

    def final_name(self, path: str) -> str:
        """The name under which a file is published.

        A file that a step changed has another name than Sphinx's. With fingerprints, every name tells the
        content. A style sheet's addresses are published names.
        """
        if path in self._final:
            return self._final[path]
        self._final[path] = path  # of a style sheet that names itself
        content = self.content(path)
        if content is None:
            return path
        if path.endswith(".css"):
            css = content.decode("utf-8", errors="replace")
            edited = edit_urls(css, path, lambda name: self.final_name(name) if is_asset(name) else name)
            content = content if edited == css else edited.encode()
        name = PurePosixPath(path)
        if self.fingerprinted:
            final = name.with_name(f"{name.stem}.{digest(content)[:10]}{name.suffix}").as_posix()
        elif path not in self._new and content != self.original(path):
            final = name.with_name(f"{name.stem}.light{name.suffix}").as_posix()
        else:
            final = path
        self._final[path] = final
        if final != path or path in self._made:
            self._finals[final] = content
        return final

    def publish(self, path: str) -> str:
        """Write a file under its final name, with what a style sheet names; returns the name."""
        final = self.final_name(path)
        for name, content in self._finals.items():
            file = self.folder / name
            if not file.is_file() or file.read_bytes() != content:
                _write(file, content)
        self.published.update(self._finals)
        self._finals.clear()
        return final

    @property
    def inputs(self) -> dict[str, str | None]:
        """The digest of each of Sphinx's files that was looked at; None for one that is not there."""
        return self._inputs


def is_asset(path: str) -> bool:
    """Whether a file is one that pages load, and may be published under another name."""
    return (path.startswith(ASSETS) and not path.endswith(".html")) or path in ASSET_FILES


_CSS_URL = re.compile(
    r"""/\*.*?\*/ | url\(\s*(?:"(?P<double>[^"\n]*)"|'(?P<single>[^'\n]*)'|(?P<bare>[^\s"')]+))\s*\)""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


def edit_urls(css: str, base: str, edit: Callable[[str], str], to: str | None = None) -> str:
    """A style sheet with other names of files.

    Args:
        css: the style sheet.
        base: its path.
        edit: gets the path of a file that the style sheet names, returns the path to name instead.
        to: the path of the style sheet that the text becomes part of; `base` when left out.
    """

    def replace(match: re.Match[str]) -> str:
        url = match["double"] or match["single"] or match["bare"]
        path = file_named(url, base) if url else None
        if path is None or (edit(path) == path and to is None):
            return match[0]
        rest = re.search(r"[?#].*$", url)
        query = rest[0] if rest and edit(path) == path else re.sub(r"^\?[^#]*", "", rest[0]) if rest else ""
        return f'url("{address_of(edit(path), to or base)}{query}")'

    return _CSS_URL.sub(replace, css)


def digest(content: bytes) -> str:
    """A name for a content, of 20 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()[:20]


@functools.cache
def _versions() -> list[str]:
    """Of this package's code, and of the libraries that make files."""
    found = [code_digest("sphinx_lightbook")]
    for name in ENGINES:
        try:
            found.append(importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            found.append("")
    return found


# What is read from a page -----------------------------------------------------------------------------------


_ANIMATION = re.compile(r"animation(?:-name)?\s*:([^;{}]{0,200})")


def read_facts(name: str, html: str) -> dict[str, Any]:
    """What the steps need to know of a page, as JSON.

    Returns:
        `sheets`: the style sheets' paths, `scripts`: what runs, `named_scripts`: the paths of scripts that
        some attribute names, `images`: the paths of images, `words`: all tags, `.classes`, `#ids` and
        `[attributes`, `variables`: of style sheets, `--name`, `animations`: words of declarations of these,
        `data`: the words in scripts that are data, `toggles`: whether something opens and closes by
        `sphinx_togglebutton`'s own selector,
        `symbols`: characters of private use, `handlers`: attributes that run scripts, `embedded`: attributes
        whose address is itself a page or a script, `foreign`: other hosts, `foreign_scripts`: those of them
        from which scripts come.
    """
    words: set[str] = set()
    seen: set[str] = set()
    sheets, scripts, images = [], [], []
    later: set[str] = set()
    data: list[str] = []
    handlers: set[str] = set()
    embedded: set[str] = set()
    toggles = False
    for tag in tags(html):
        if tag.text not in seen:
            seen.add(tag.text)
            words.update(_words(tag))
            toggles = toggles or "toggle" in tag.classes or {"admonition", "dropdown"} <= set(tag.classes)
            for attribute, value in tag.attributes.items():
                if attribute.startswith("on") or attribute == "srcdoc" or _is_script(attribute, value):
                    handlers.add(attribute)
                elif _is_embedded(tag, attribute, value):
                    embedded.add(f"<{tag.name} {attribute}>")
        if ".js" in tag.text:
            paths = (file_named(value, name) for value in tag.attributes.values())
            later.update(path for path in paths if path and path.endswith((".js", ".mjs")))
        if tag.is_stylesheet:
            path = file_named(tag.attributes.get("href", ""), name)
            sheets.append({"path": path, "plain": set(tag.attributes) <= {"rel", "href", "type"}})
        elif tag.runs:
            source = tag.attributes.get("src")
            scripts.append(
                {
                    "path": None if source is None else file_named(source, name),
                    "inline": tag.inner if source is None else None,
                    "attributes": {key: value for key, value in tag.attributes.items() if key != "src"},
                }
            )
        elif tag.name == "img":
            path = file_named(tag.attributes.get("src", ""), name)
            images.append(path)
        elif tag.name == "script":  # data, from which a script may make tags
            data.append(tag.inner)
    requests = requests_of_page(html)
    return {
        "sheets": sheets,
        "scripts": scripts,
        "images": images,
        "named_scripts": sorted(later),
        "data": sorted({word for text in data for word in re.findall(r"[\w-]+", text)}),
        "toggles": toggles,
        "handlers": sorted(handlers),
        "embedded": sorted(embedded),
        "foreign": sorted({request.host for request in requests}),
        "foreign_scripts": sorted({r.host for r in requests if r.runs or r.tag == "<base href>"}),
        "variables": sorted(set(re.findall(r"--[\w-]+", html))),
        "animations": sorted(
            {word for said in _ANIMATION.findall(html) for word in re.findall(r"[\w-]+", said)}
        ),
        "words": sorted(words),
        "symbols": sorted(set(re.findall("[\ue000-\uf8ff]", html))),
    }


_ADDRESSES = {"href", "xlink:href", "src", "data", "action", "formaction", "to", "from", "values"}
_IN_ITSELF = ("data:", "blob:")
_EMBEDDING = {("iframe", "src"), ("frame", "src"), ("embed", "src"), ("object", "data"), ("script", "src")}


_BLANK = re.compile(r"[\x00-\x20]")  # browsers leave it out of a scheme
_DOES_NOTHING = re.compile(r"javascript:(?:void\(?0\)?)?;?")


def _is_script(attribute: str, value: str) -> bool:
    """Whether an attribute's address is a script that runs when a reader, or the browser, goes there."""
    if attribute not in _ADDRESSES or ":" not in value:
        return False
    address = _BLANK.sub("", value[:100]).lower()
    return address.startswith("javascript:") and not _DOES_NOTHING.fullmatch(address)


def _is_embedded(tag: Tag, attribute: str, value: str) -> bool:
    """Whether an attribute's address is the page, script or style sheet that it stands for."""
    loads = (tag.name, attribute) in _EMBEDDING or (tag.is_stylesheet and attribute == "href")
    return loads and _BLANK.sub("", value[:100]).lower().startswith(_IN_ITSELF)


def _words(tag: Tag) -> Iterator[str]:
    """What a rule of a style sheet may know a tag by."""
    yield tag.name
    for name, value in tag.attributes.items():
        yield f"[{name}"
        if name == "id":
            yield f"#{value}"
        elif name == "class":
            yield from (f".{word}" for word in value.split())


# The rewriting ----------------------------------------------------------------------------------------------


class StepFailed(Exception):
    """A step raised something."""

    def __init__(self, step: Step, error: Exception) -> None:
        kind = "" if isinstance(error, OSError | ValueError | ImportError) else f"{type(error).__name__}: "
        super().__init__(f"{kind}{error}")
        self.step = step


class _Rewriting:
    """One build's."""

    def __init__(self, app: Sphinx) -> None:
        self.app = app
        self.folder = Path(app.outdir)
        kept = Path(app.doctreedir) / f"lightbook-{app.builder.name}"
        self.originals = kept / "pages"
        self.edited = kept / "edited"  # as published: pages that Sphinx writes in every build
        self.cache = kept / "cache"
        self.file = kept / "memory.json"
        self.journal = kept / "written"  # digests of the pages written since the memory was
        self.rewritten: list[Path] = []
        self.written: set[str | None] = set()  # digests of pages that are not Sphinx's
        self.memory: dict[str, Any] = {"pages": {}, "inputs": {}, "published": [], "steps": None}

    def run(self, steps: list[Step]) -> None:
        self._recall()
        pages = self._read_pages()
        failed: list[StepFailed] = []
        if self._nothing_changed(steps):
            if self.rewritten:
                self._remember()
            return
        while True:
            try:
                site = self._attempt(steps, pages)
                break
            except StepFailed as failure:
                failed.append(failure)
                steps = [step for step in steps if step is not failure.step]
        for fault in failed:
            warn(self.app, fault.step.name, f"{fault}; {switch(fault.step.name)}")
        self._clean(site)
        self.memory["steps"] = None if failed else self._signature(steps)
        self.memory["inputs"] = {
            path: [*_stat(self.folder / path), sum_] for path, sum_ in site.inputs.items()
        }
        self.memory["published"] = sorted(site.published)
        self.memory["report"] = {"dropped": sorted(site.dropped), "notes": site.notes}
        self._remember()

    def undo(self) -> list[str]:
        """Put back all pages as Sphinx wrote them; returns the names of those that cannot be."""
        left = []
        for name in self.memory["pages"]:
            file = self.folder / name
            try:
                if file in self.rewritten or digest(file.read_bytes()) in self.written:
                    _overwrite(file, (self.originals / name).read_bytes())
            except OSError:
                left.append(name)
        return left

    def _attempt(self, steps: list[Step], pages: dict[str, Page]) -> Site:
        site = Site(self.folder, self.cache, pages)
        for step in steps:
            _try(step, step.prepare, site)
        for page in pages.values():
            self._edit(site, steps, page)
        return site

    def _edit(self, site: Site, steps: list[Step], page: Page) -> None:
        entry = self.memory["pages"][page.name]
        states = {step.name: _try(step, step.state, page) for step in steps}
        state = digest(json.dumps([entry["original"], states, _versions()], sort_keys=True).encode())
        if entry.get("state") == state and all(
            site.publish(path) == final for path, final in entry["used"].items()
        ):
            return
        html = (self.originals / page.name).read_bytes().decode("utf-8")
        for step in steps:
            html = _try(step, step.edit, page, html)
        used: dict[str, str] = {}
        html = _name_files(html, page.name, site, used)
        content = html.encode("utf-8")
        file = self.folder / page.name
        entry.update(state=state, used=used, output=digest(content))
        if file.read_bytes() != content:
            # First, for an interrupted build must not take our page for Sphinx's.
            with self.journal.open("a", encoding="utf-8") as journal:
                journal.write(entry["output"] + "\n")
            self.rewritten.append(file)
            _overwrite(file, content)
        entry["stat"] = _stat(file)
        if page.name not in self._documents:
            _write(self.edited / page.name, content)

    @functools.cached_property
    def _documents(self) -> set[str]:
        """The pages that have a source. Sphinx writes the others in every build: its index, the search."""
        builder = cast(StandaloneHTMLBuilder, self.app.builder)
        files = (Path(builder.get_outfilename(docname)) for docname in self.app.env.found_docs)
        return {file.relative_to(self.folder).as_posix() for file in files}

    # What was and what is

    def _recall(self) -> None:
        try:
            memory = json.loads(self.file.read_text("utf-8"))
        except (OSError, ValueError):
            memory = self.memory
        self.written = {entry.get("output") for entry in memory["pages"].values()}
        # Of another version's memory only this is good: which files are not Sphinx's.
        self.memory["published"] = memory["published"]
        if memory.get("versions") == _versions():
            self.memory = memory
        if self.journal.is_file():
            self.written.update(self.journal.read_text("utf-8").split())

    def _remember(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(json.dumps({**self.memory, "versions": _versions()}), "utf-8")
        keep_readings(self.app, MATH_READINGS, self.rewritten)  # no formula is another one for it
        self.journal.unlink(missing_ok=True)

    def _read_pages(self) -> dict[str, Page]:
        """The pages that Sphinx wrote; those written since the last build are read and kept."""
        old, new = self.memory["pages"], {}
        for file in sorted(page_files(self.app)):
            name = file.relative_to(self.folder).as_posix()
            entry = old.get(name)
            if entry is None or entry.get("stat") != _stat(file) or not (self.originals / name).is_file():
                entry = self._read_page(name, file, entry)
                if entry is None:
                    continue
            new[name] = entry
        self.changed = self.changed or new.keys() != old.keys()
        self.memory["pages"] = new
        return {name: Page(name, entry["facts"]) for name, entry in new.items()}

    def _read_page(self, name: str, file: Path, entry: dict[str, Any] | None) -> dict[str, Any] | None:
        kept = self.originals / name
        content = file.read_bytes()
        if entry is not None and self._restore(name, file, entry, content):
            return entry
        if digest(content) in self.written and kept.is_file():
            content = kept.read_bytes()
        elif b"</head>" not in content:  # a redirect, or somebody else's file
            return None
        else:
            _write(kept, content)
        self.changed = True
        original = digest(content)
        if entry is not None and entry["original"] == original:
            entry.pop("state", None)
            return entry
        return {"original": original, "facts": read_facts(name, content.decode("utf-8", errors="replace"))}

    def _restore(self, name: str, file: Path, entry: dict[str, Any], content: bytes) -> bool:
        """Publish a page again that Sphinx wrote again as it was."""
        if digest(content) != entry["original"] or not (self.originals / name).is_file():
            return False
        try:
            edited = (self.edited / name).read_bytes()
        except OSError:
            return False
        if digest(edited) != entry.get("output"):
            return False
        self.rewritten.append(file)
        _overwrite(file, edited)
        entry["stat"] = _stat(file)
        return True

    changed = False  # whether any page did since the last build

    def _signature(self, steps: list[Step]) -> list[str]:
        return [step.name for step in steps]

    def _nothing_changed(self, steps: list[Step]) -> bool:
        if self.changed or self.memory["steps"] != self._signature(steps):
            return False
        if not all((self.folder / name).is_file() for name in self.memory["published"]):
            return False
        for path, (*stat, sum_) in self.memory["inputs"].items():
            file = self.folder / path
            if _stat(file) != stat and (digest(file.read_bytes()) if file.is_file() else None) != sum_:
                return False
        return True

    def _clean(self, site: Site) -> None:
        for name in set(self.memory["published"]) - set(site.published):
            (self.folder / name).unlink(missing_ok=True)
        site.forget_unused()


_NAMES_ASSET = re.compile(r"_static/|_images/|searchindex\.js")


def _name_files(html: str, base: str, site: Site, used: dict[str, str]) -> str:
    """Let a page name the published files, in whatever attribute it names them."""

    def publish(path: str) -> str:
        if not is_asset(path) or not site.exists(path):
            return path
        used[path] = site.publish(path)
        return used[path]

    def name(address: str) -> str | None:
        path = file_named(address, base) if _NAMES_ASSET.search(address) else None
        if path is None or publish(path) == path:
            return None
        fragment = address.partition("#")[2]
        return address_of(used[path], base) + (f"#{fragment}" if fragment else "")

    def edit(tag: Tag) -> str | None:
        changes: dict[str, str | None] = {}
        for attribute, value in tag.attributes.items():
            if attribute in {"srcset", "imagesrcset"}:
                parts = [part.strip().partition(" ") for part in value.split(",")]
                edited = ", ".join(f"{name(url) or url}{space}{size}" for url, space, size in parts)
                changes[attribute] = edited if edited != value else None
            elif attribute == "style":
                edited = edit_urls(value, base, publish)
                changes[attribute] = edited if edited != value else None
            elif attribute not in {"alt", "title", "content"}:
                changes[attribute] = name(value)
        changes = {key: value for key, value in changes.items() if value is not None}
        if not changes:
            return None
        return tag.whole(tag.with_attributes(changes))

    return edit_tags(html, edit, _NAMES_ASSET.search)


def _try(step: Step, act: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return act(*arguments)
    except Exception as error:
        raise StepFailed(step, error) from error


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def _overwrite(file: Path, content: bytes) -> None:
    """Write a file that is there; it stays as it was where that fails halfway."""
    before = file.read_bytes()
    try:
        file.write_bytes(content)
    except OSError:
        with contextlib.suppress(OSError):
            file.write_bytes(before)
        raise


def _stat(file: Path) -> list[int]:
    try:
        stat = file.stat()
    except OSError:
        return [0, 0]
    return [stat.st_mtime_ns, stat.st_size]
