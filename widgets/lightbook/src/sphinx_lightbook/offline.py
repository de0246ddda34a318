"""The whole book can be read without a network after one visit.

A worker in the reader's browser keeps the files that a list names. The list is written when the site is
done: each file that pages need, with a digest of its content.
"""

from __future__ import annotations

import fnmatch
import functools
import hashlib
import html
import itertools
import json
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, unquote, urlsplit

from PIL import Image
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder

from sphinx_lightbook.memory import files_below, read_changed
from sphinx_lightbook.pages import edit_each_page
from sphinx_lightbook.rewriting import switch, warn

WEB_BUILDERS = {"html", "dirhtml", "singlehtml"}
OWN_ASSETS = Path(__file__).parent / "static" / "offline"
SCRIPT = "lightbook-offline.js"
STYLESHEET = "lightbook-offline.css"
WORKER = "lightbook-worker.js"
LIST = "lightbook-offline.json"
MANIFEST = "manifest.webmanifest"
NOT_FOUND = "404.html"
OWN_ICON = "lightbook-icon.svg"
NO_WORDS = "/* words */ {}"  # in the script, where the words of the book's language go

READABLE = {".html", ".css", ".js", ".json"}
# Readers save these; they are no part of reading.
NOT_KEPT = ("_sources/*", "_downloads/*", "*.map", "*.LICENSE.txt")


def setup(app: Sphinx) -> None:
    """Add the script and the note to every page; write the rest when all pages are there."""
    app.connect("builder-inited", add_assets)
    app.connect("build-finished", write_files, priority=930)
    edit_each_page(app, add_note)


def add_assets(app: Sphinx) -> None:
    """Add the script that starts the worker, with the words of its note, and the note's style."""
    if app.builder.name in WEB_BUILDERS:
        app.config.html_static_path.append(str(OWN_ASSETS / "page"))
        app.add_js_file(SCRIPT, defer="defer")
        app.add_css_file(STYLESHEET)
        words = json.dumps(app.config.lightbook_catalogue["offline"], ensure_ascii=False)
        script = (OWN_ASSETS / "script" / SCRIPT).read_text("utf-8").replace(NO_WORDS, words)
        # Before the pages are written: Sphinx adds a digest to the address of a file that is there.
        file = Path(app.outdir) / "_static" / SCRIPT
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            _write(file, script.encode())
        except OSError as error:
            warn(app, "offline", f"{error}; {switch('offline')}")


def add_note(page: str, context: dict[str, Any]) -> str:
    """Leave a line for the note at the end of the theme's footer; elsewhere the script makes one."""
    return re.sub(
        r'(<div class="bd-footer-content__inner container">)',
        r'\1<div class="footer-item lightbook-offline" role="status"></div>',
        page,
        count=1,
    )


def write_files(app: Sphinx, exception: Exception | None) -> None:
    """Write the list, the worker and the web manifest at the site's root."""
    if exception is not None or app.builder.name not in WEB_BUILDERS:
        return
    try:
        folder = Path(app.outdir)
        if any(icon.path == OWN_ICON for icon in icons(app)):
            _write(folder / OWN_ICON, draw_icon(title_of(app)).encode())
        _write(folder / MANIFEST, _json(manifest(app)))
        _write(folder / WORKER, (OWN_ASSETS / "root" / WORKER).read_bytes())
        _write(folder / LIST, _json(list_of_files(app)))
    except OSError as error:
        warn(app, "offline", f"{error}; {switch('offline')}")


def _json(content: object) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def _write(path: Path, content: bytes) -> None:
    if not path.is_file() or path.read_bytes() != content:
        path.write_bytes(content)


# The list ---------------------------------------------------------------------------------------------------


def list_of_files(app: Sphinx) -> dict[str, Any]:
    """What the worker needs to know.

    Returns:
        `files`: a digest of each file's content by its path, `version`: a digest of them all, `bytes`: the
        size of them all, `start`: the path of the first page, `notFound`: of the page for an address that is
        none, or None.
    """
    files = _digests(app, kept_files(app))
    start = _page_of(app, app.config.root_doc)
    version = hashlib.sha256(json.dumps([start, files]).encode()).hexdigest()[:20]
    not_found = NOT_FOUND if NOT_FOUND in files else None
    size = sum((Path(app.outdir) / path).stat().st_size for path in files)
    return {"version": version, "start": start, "notFound": not_found, "bytes": size, "files": files}


def kept_files(app: Sphinx) -> list[str]:
    """The paths of all files that reading the book needs, sorted.

    These are the pages, and what these and the files found so far name, in whatever attribute or string. A
    page or a figure that an earlier build left behind is none of them.
    """
    folder = Path(app.outdir)
    started = [_page_of(app, docname) for docname in app.env.found_docs]
    started += [_page_of(app, "search"), NOT_FOUND]
    started += [icon.path for icon in icons(app)]
    found: set[str] = set()
    keeps = _kept(app)
    waiting = keeps.intersection(started)
    for wave in itertools.count():
        if not waiting:
            break
        found |= waiting
        # Only what is named is read: a script of the theme that no page loads would take longer than a page.
        readable = [folder / name for name in waiting if Path(name).suffix in READABLE]
        named = read_changed(app, f"named-{wave}", readable, functools.partial(_paths, folder))
        waiting = keeps.intersection(itertools.chain(*named.values())) - found
    return sorted(found)


def _kept(app: Sphinx) -> set[str]:
    """The paths of the site's files that may be kept, whether or not one names them."""
    paths = set(files_below(app.outdir))
    for pattern in (*NOT_KEPT, *app.config.lightbook_offline_exclude):
        paths.difference_update(fnmatch.filter(paths, pattern))
    # Jupyter Book adds a page that leads to the first one, after the build: the second build would find it.
    leading = {"index.html"} - {_page_of(app, docname) for docname in app.env.found_docs}
    return paths - {WORKER, LIST, MANIFEST} - leading


def _page_of(app: Sphinx, docname: str) -> str:
    """The path of a page, relative to the site."""
    builder = cast(StandaloneHTMLBuilder, app.builder)
    return Path(builder.get_outfilename(docname)).relative_to(app.outdir).as_posix()


# What may be an address: the whole of a quoted string, and a word in one that lists several.
_QUOTED = re.compile(r"""(["'`])((?:(?!\1)[^\n<>])*)\1""")
_WORD = re.compile(r"""[^\s"'`<>(){}\[\]=,;|\\]+""")
_LIKE_A_FILE = re.compile(r"(?:/|\.[A-Za-z0-9]{2,11})(?:[?#]|$)")
_LONGEST = 300


def _addresses(path: Path) -> list[str]:
    """The relative addresses that a file may name, each once."""
    text = path.read_text("utf-8", errors="replace")
    if path.suffix == ".html":
        text = html.unescape(text)
    words = {match[2] for match in _QUOTED.finditer(text)} | set(_WORD.findall(text))
    return sorted(
        word
        for word in words
        if len(word) < _LONGEST and _LIKE_A_FILE.search(word) and not re.match(r"[a-z][a-z0-9+.-]*:|//", word)
    )


def _paths(site: Path, file: Path) -> list[str]:
    """The paths that a file may name, relative to the site, each once.

    A page or a style sheet names a file as seen from itself, a script also from the site's root.
    """
    base = file.relative_to(site).as_posix()
    folders = {posixpath.dirname(base)} | ({""} if base.endswith(".js") else set())
    found = set()
    for address in _addresses(file):
        try:
            path = unquote(urlsplit(address).path)
        except ValueError:
            continue
        for folder in folders:
            joined = posixpath.normpath(posixpath.join(folder, path))
            found.add(
                posixpath.normpath(posixpath.join(joined, "index.html")) if path.endswith("/") else joined
            )
    return sorted(found)


def _digests(app: Sphinx, paths: list[str]) -> dict[str, str]:
    files = [Path(app.outdir) / path for path in paths]
    return read_changed(
        app, "digests", files, lambda file: hashlib.sha256(file.read_bytes()).hexdigest()[:20]
    )


# The web manifest -------------------------------------------------------------------------------------------

_ICON_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".webp": "image/webp"}


def title_of(app: Sphinx) -> str:
    """The book's title, as text."""
    return html.unescape(re.sub(r"<[^>]*>", "", app.config.html_title or app.config.project))


def manifest(app: Sphinx) -> dict[str, Any]:
    """The web manifest, by which a phone can put the book on its home screen."""
    title = title_of(app)
    return {
        "name": title,
        "short_name": html.unescape(app.config.html_short_title or title),
        "lang": app.config.language.replace("_", "-"),
        "start_url": quote(_page_of(app, app.config.root_doc)),
        "scope": "./",
        "display": "minimal-ui",
        "background_color": "#ffffff",
        "icons": [icon.to_dict() for icon in icons(app)],
    }


@dataclass(frozen=True)
class Icon:
    """An icon of the book."""

    path: str  # relative to the site
    sizes: str  # "any", or as "32x32"
    type: str  # MIME type

    def to_dict(self) -> dict[str, str]:
        """As a web manifest has it."""
        return {"src": quote(self.path), "sizes": self.sizes, "type": self.type}


def icons(app: Sphinx) -> list[Icon]:
    """The author's icon and logo; where there is none, one made of the title's first letter."""
    found = []
    for file in (app.config.html_favicon, app.config.html_logo):
        source = Path(app.confdir) / file if file and "//" not in file else None
        if source is not None and source.is_file() and source.suffix in _ICON_TYPES:
            icon = Icon(f"_static/{source.name}", _sizes(source), _ICON_TYPES[source.suffix])
            if icon.sizes and icon not in found:
                found.append(icon)
    return found or [Icon(OWN_ICON, "any", _ICON_TYPES[".svg"])]


def _sizes(file: Path) -> str:
    """The size of an image; "any" of a drawing, "" of a damaged one."""
    if file.suffix == ".svg":
        return "any"
    try:
        with Image.open(file) as image:
            return "{}x{}".format(*image.size)
    except OSError:
        return ""


def draw_icon(title: str) -> str:
    """A drawing of the title's first letter or digit."""
    letter = next((character.upper() for character in title if character.isalnum()), "?")
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 512 512">'
        '<rect width="512" height="512" rx="96" fill="#1f4e79"/>'
        '<text x="256" y="256" dy=".35em" text-anchor="middle" font-family="sans-serif" font-size="320" '
        f'font-weight="700" fill="#fff">{html.escape(letter)}</text></svg>\n'
    )
