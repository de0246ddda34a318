"""No page asks another host for anything: drops what asks by default, and refuses to build what would ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import SphinxError

from sphinx_lightbook.memory import files_below, page_files, read_changed
from sphinx_lightbook.remote import (
    Request,
    requests_of_drawing,
    requests_of_page,
    requests_of_script,
    requests_of_stylesheet,
)

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
# Of EPUB and help books a reader's program decides what to load.
WEB_BUILDERS = {"html", "dirhtml", "singlehtml"}

NAMED_PAGES = 3  # of those that ask for the same

_REMEDIES = {
    "img": "keep the image in the book and name that file",
    "image": "keep the image in the book and name that file",
    "source": "keep the file in the book and name it",
    "video": "keep the file in the book, or link to it",
    "audio": "keep the file in the book, or link to it",
    "iframe": "link to it instead",
    "embed": "link to it instead",
    "object": "link to it instead",
    "link": "keep the file in html_static_path",
    "script": "keep the script in html_static_path, or do without it",
    "meta": "link to it instead",
}
_REMEDIES_BY_URL = {
    "mathjax": "leave html_math_renderer unset, so that math is set at build time",
    "thebe": "set launch_buttons.thebe to false",
}


class ForeignRequests(SphinxError):
    """Pages that would ask other hosts: a line each, with page, tag, host and remedy."""

    category = "Privacy error"


def setup(app: Sphinx) -> None:
    """Drop at once what the configuration shows to be unneeded; check when the pages are there."""
    drop_thebe(app, app.config)
    drop_widget_manager(app, app.config)
    app.connect("html-page-context", drop_widget_state, priority=900)
    # What extensions add to these comes later; what themes have is in none of them.
    given = {"_static": [*app.config.html_static_path], "": [*app.config.html_extra_path]}
    app.connect("build-finished", lambda app, exception: check(app, exception, given), priority=900)


# What a default book asks for -------------------------------------------------------------------------------


def drop_thebe(app: Sphinx, config: Config) -> None:
    """Leave Thebe out, unless the author asked for it.

    Jupyter Book loads `sphinx_thebe` always. It puts scripts, a style sheet, the address of a script at
    unpkg.com and a kernel's settings on each page, even where no button would ever start it.
    """
    launch_buttons = config.html_theme_options.get("launch_buttons") or {}
    if launch_buttons.get("thebe") or _given(config, "thebe_config"):
        return
    for listeners in app.events.listeners.values():
        for listener in list(listeners):
            if getattr(listener.handler, "__module__", None) == "sphinx_thebe":
                app.disconnect(listener.id)
    app.registry.css_files[:] = [entry for entry in app.registry.css_files if entry[0] != "sphinx-thebe.css"]


def drop_widget_manager(app: Sphinx, config: Config) -> None:
    """Show a widget as its text, not by the widget manager that myst-nb loads from two other hosts.

    Does nothing where the author chose `nb_ipywidgets_js`; then the check decides. The priority is that of
    every builder, and MIME types of other packages stay as they are.
    """
    if "nb_ipywidgets_js" not in config or _given(config, "nb_ipywidgets_js"):
        return
    if all(Request("", url).host in allowed_hosts(config) for url in config.nb_ipywidgets_js):
        return
    config.nb_ipywidgets_js = {}
    config.nb_mime_priority_overrides = [("*", WIDGET_VIEW, None), *config.nb_mime_priority_overrides]


def drop_widget_state(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Leave out the state of widgets that nothing on the page will show; it can be hundreds of kilobytes."""
    if "nb_ipywidgets_js" in app.config and not app.config.nb_ipywidgets_js:
        context["script_files"][:] = [
            script
            for script in context["script_files"]
            if getattr(script, "attributes", {}).get("type") != "application/vnd.jupyter.widget-state+json"
        ]


def _given(config: Config, name: str) -> bool:
    """Whether the author, not a default, set a value."""
    return name in config.overrides or name in config._raw_config


# The check --------------------------------------------------------------------------------------------------


Places = list[tuple[str, int]]  # paths relative to the site, with a line where that is known


def check(app: Sphinx, exception: Exception | None, given: Mapping[str, Sequence[str]]) -> None:
    """Read the pages, style sheets, drawings and scripts that this build left: none may ask another host.

    Args:
        app: the application.
        exception: what has ended the build, if anything.
        given: the author's folders and files by the folder of the site that they are copied into.

    Raises:
        ForeignRequests: with a line for each request.
    """
    if exception is not None or app.builder.name not in WEB_BUILDERS:
        return
    allowed = allowed_hosts(app.config)
    sources = _sources(app, given)
    askers: dict[Request, Places] = {}
    for name, requests in _requests(app, sources).items():
        for request in requests:
            if request.host not in allowed:
                askers.setdefault(request, []).append((name, request.line))
    if askers:
        raise ForeignRequests(
            "pages of this book would tell other hosts who reads them. "
            "Mend each, or name the host in lightbook_allow_hosts.\n"
            + "\n".join(_line(app, sources, request, places) for request, places in askers.items())
        )


def _line(app: Sphinx, sources: Mapping[str, Path], request: Request, askers: Places) -> str:
    places = [_place(app, sources, name, request.url, line) for name, line in askers[:NAMED_PAGES]]
    more = f" and {len(askers) - len(places)} more" if len(askers) > len(places) else ""
    asks = f"{request.tag} asks {request.host} for {request.url}"
    return f"{', '.join(places)}{more}: {asks}; {_remedy(request)}"


def allowed_hosts(config: Config) -> set[str]:
    """The hosts that pages may ask: the book's own, and those that the author names."""
    own = Request("", config.html_baseurl).host if config.html_baseurl else ""
    return {own, *(host.lower() for host in config.lightbook_allow_hosts)} - {""}


def _requests(app: Sphinx, sources: Mapping[str, Path]) -> dict[str, list[Request]]:
    """For each page and style sheet, and for the author's other files, what it asks for."""
    folder = Path(app.outdir)
    sheets = (folder / name for name in files_below(folder) if name.endswith(".css"))
    files = {*page_files(app), *sheets, *(folder / name for name in sources)}
    found = read_changed(app, "requests", files, _read)
    return {name: [Request(**request) for request in requests] for name, requests in found.items()}


_FINDERS = {
    ".html": requests_of_page,
    ".css": requests_of_stylesheet,
    ".svg": requests_of_drawing,
    ".js": requests_of_script,
    ".mjs": requests_of_script,
}


def _read(path: Path) -> list[dict[str, Any]]:
    find = _FINDERS[path.suffix.lower()]
    return [request.to_dict() for request in find(path.read_text("utf-8", errors="replace"))]


def _sources(app: Sphinx, given: Mapping[str, Sequence[str]]) -> dict[str, Path]:
    """The author's scripts and drawings: the source of each by its path in the site."""
    found: dict[str, Path] = {}
    book, site = Path(app.confdir), Path(app.outdir)
    for folder, entries in given.items():
        for entry in entries:
            root = book / entry
            # An extension's folder is no part of the book, or of an environment that lies in it.
            if not root.is_relative_to(book) or "site-packages" in root.parts:
                continue
            files = [root] if root.is_file() else root.rglob("*")
            for file in files:
                relative = file.name if file == root else file.relative_to(root).as_posix()
                found[f"{folder}/{relative}".lstrip("/")] = file
    for source, (_, name) in app.env.images.items():
        found[f"_images/{name}"] = Path(app.srcdir) / source
    kinds = _FINDERS.keys() - {".html", ".css"}
    return {n: file for n, file in found.items() if Path(n).suffix.lower() in kinds and (site / n).is_file()}


def _place(app: Sphinx, sources: Mapping[str, Path], name: str, url: str, line: int) -> str:
    """What an author can mend: the source, with the line where it names the address, or the file."""
    if name in sources:
        return _in_source(sources[name], _relative(sources[name], Path(app.confdir)), url, line)
    for suffix in ("/index.html", ".html"):
        docname = name.removesuffix(suffix)
        if name.endswith(suffix) and docname in app.env.found_docs:
            source = Path(app.env.doc2path(docname))
            return _in_source(source, Path(app.env.doc2path(docname, base=False)).as_posix(), url, line)
    return name


def _relative(file: Path, folder: Path) -> str:
    return (file.relative_to(folder) if file.is_relative_to(folder) else file).as_posix()


def _in_source(source: Path, name: str, url: str, line: int) -> str:
    lines = source.read_text("utf-8", errors="replace").splitlines() if source.is_file() else []
    number = line or next((number for number, text in enumerate(lines, 1) if url in text), 0)
    return f"{name}:{number}" if number else name


def _remedy(request: Request) -> str:
    for word, remedy in _REMEDIES_BY_URL.items():
        if word in request.url.lower():
            return remedy
    tag = request.tag.strip("<?>").split()[0]
    return _REMEDIES.get(tag, "keep the file in the book and name it")
