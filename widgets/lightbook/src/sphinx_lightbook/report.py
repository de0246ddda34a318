"""Says what a reader's first visit to each page costs, and what was left out.

A build ends with one line. `sphinx-lightbook report` prints the table for any site of static pages, also for
one that was built without this extension.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

from sphinx_lightbook.memory import page_files, read_changed
from sphinx_lightbook.remote import requests_of_page
from sphinx_lightbook.rewriting import WEB_BUILDERS, report_of
from sphinx_lightbook.tags import file_named, named, tags

logger = logging.getLogger(__name__)

KINDS = {".html": "page", ".css": "styles", ".js": "scripts", ".woff2": "fonts"}
COLUMNS = ("page", "styles", "scripts", "fonts", "images")


@dataclass
class Weight:
    """What the first visit to a page costs: bytes by kind, compressed by gzip where servers do that."""

    page: str
    bytes_by_kind: dict[str, int] = field(default_factory=dict)
    requests: int = 0
    foreign: int = 0

    @property
    def total(self) -> int:
        """All bytes."""
        return sum(self.bytes_by_kind.values())


def setup(app: Sphinx) -> None:
    """Print the line when a build has ended."""
    app.connect("build-finished", print_line, priority=950)


def print_line(app: Sphinx, exception: Exception | None) -> None:
    """Say how many pages there are, what the heaviest costs, and what was dropped."""
    if exception is not None or app.builder.name not in WEB_BUILDERS:
        return
    folder = Path(app.outdir)
    files = page_files(app)
    # A file's weight is read again where the file changed; what a page loads is in the page.
    loads = read_changed(app, "loads", files, lambda path: _loads(folder, path))
    assets = {folder / path for found in loads.values() for path in found["files"]}
    sizes = read_changed(app, "sizes", [path for path in assets if path.is_file()], compressed_size)
    weights = [weigh(name, found, sizes) for name, found in loads.items()]
    if weights:
        logger.info("%s", summary(weights, report_of(app)))


def weigh(page: str, loads: dict[str, Any], sizes: dict[str, int]) -> Weight:
    """The weight of a page that loads these files of these sizes."""
    weight = Weight(page, foreign=loads["foreign"])
    weight.bytes_by_kind["page"] = loads["size"]
    weight.requests = 1 + loads["foreign"]
    for path in loads["files"]:
        if path in sizes:
            kind = KINDS.get(Path(path).suffix, "images")
            weight.bytes_by_kind[kind] = weight.bytes_by_kind.get(kind, 0) + sizes[path]
            weight.requests += 1
    return weight


def summary(weights: list[Weight], report: dict[str, Any]) -> str:
    """The line at the end of a build."""
    heaviest = max(weights, key=lambda weight: (weight.total, weight.page))
    parts = [
        f"lightbook: {len(weights)} page{'s' if len(weights) > 1 else ''}",
        f"heaviest first visit {heaviest.total / 1000:.0f} kB in {heaviest.requests} requests"
        f" ({heaviest.page})",
    ]
    if dropped := report.get("dropped"):
        names = [Path(path).name for path in dropped]
        parts.append("not loaded: " + ", ".join(names))
    return "; ".join([*parts, *report.get("notes", [])])


def table(weights: list[Weight]) -> str:
    """All pages, heaviest first, in kB."""
    width = max(len(weight.page) for weight in weights)
    head = (
        f"{'page':{width}}  requests" + "".join(f"{kind:>9}" for kind in COLUMNS) + "    total  other hosts"
    )
    lines = [head]
    for weight in sorted(weights, key=lambda weight: (-weight.total, weight.page)):
        cells = "".join(f"{weight.bytes_by_kind.get(kind, 0) / 1000:9.1f}" for kind in COLUMNS)
        total = f"{weight.total / 1000:9.1f}"
        lines.append(f"{weight.page:{width}}  {weight.requests:8}{cells}{total}  {weight.foreign:11}")
    return "\n".join(lines)


# What a page loads ------------------------------------------------------------------------------------------


def _loads(folder: Path, path: Path) -> dict[str, Any]:
    """A page's size, the site's files that a first visit loads, and the number of requests to other hosts."""
    name = path.relative_to(folder).as_posix()
    html = path.read_text("utf-8", errors="replace")
    found: dict[str, None] = {}
    for tag in tags(html, named("link", "script", "img")):
        address = None
        if tag.name == "link":
            rel = set(tag.attributes.get("rel", "").lower().split())
            if tag.is_stylesheet or rel & {"icon", "preload", "manifest"}:
                address = tag.attributes.get("href")
        elif tag.name == "script" or (tag.name == "img" and tag.attributes.get("loading") != "lazy"):
            address = tag.attributes.get("src")
        file = file_named(address, name) if address else None
        if file:
            found[file] = None
    for sheet in [file for file in found if file.endswith(".css")]:
        for file in _fonts_and_imports(folder, sheet):
            found[file] = None
    size = len(gzip.compress(html.encode(), 6))
    return {"files": list(found), "size": size, "foreign": len(requests_of_page(html))}


def _fonts_and_imports(folder: Path, sheet: str, seen: tuple[str, ...] = ()) -> list[str]:
    """What a style sheet brings with it; each font counts in its first format."""
    path = folder / sheet
    if not path.is_file() or sheet in seen:
        return []
    css = path.read_text("utf-8", errors="replace")
    addresses = re.findall(r"@import\s+(?:url\()?[\"']?([^\"')\s;]+)", css)
    imports = [file for address in addresses if (file := file_named(address, sheet))]
    found = list(imports)
    for face in re.findall(r"@font-face\s*\{[^}]*\}", css):
        if url := re.search(r"url\(\s*[\"']?([^\"')]+)", face):
            found += [file for file in [file_named(url[1], sheet)] if file and not url[1].startswith("data:")]
    for file in imports:
        found += _fonts_and_imports(folder, file, (*seen, sheet))
    return found


def compressed_size(path: Path) -> int:
    """Bytes on the way to a browser: by gzip for text, as they are for what is compressed already."""
    content = path.read_bytes()
    if path.suffix.lower() in {".png", ".webp", ".jpg", ".jpeg", ".gif", ".woff2", ".woff", ".avif"}:
        return len(content)
    return len(gzip.compress(content, 6))


def weights_of(folder: Path) -> list[Weight]:
    """The weights of all pages of a site in a folder."""
    others = {"_static", "_sources", "_downloads"}
    files = [path for path in folder.rglob("*.html") if path.relative_to(folder).parts[0] not in others]
    weights = []
    for path in sorted(files):
        loads = _loads(folder, path)
        sizes = {file: compressed_size(folder / file) for file in loads["files"] if (folder / file).is_file()}
        weights.append(weigh(path.relative_to(folder).as_posix(), loads, sizes))
    return weights


# The command ------------------------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    """`sphinx-lightbook report [SITE]`: print the table of a built site."""
    parser = argparse.ArgumentParser(
        prog="sphinx-lightbook", description="What a book's pages cost their readers."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    report = commands.add_parser("report", help="print what the first visit to each page costs, in kB")
    report.add_argument(
        "site", nargs="?", type=Path, default=Path("_build/html"), help="the folder of the built site"
    )
    report.add_argument("--json", action="store_true", help="print it as JSON, in bytes")
    given = parser.parse_args(arguments)
    site: Path = given.site / "_build/html" if (given.site / "_build/html").is_dir() else given.site
    weights = weights_of(site) if site.is_dir() else []
    if not weights:
        print(
            f"{given.site}: no page there; build the book first, or name the folder of its site",
            file=sys.stderr,
        )
        return 1
    write: Callable[[list[Weight]], str] = _json if given.json else table
    print(write(weights))
    return 0


def _json(weights: list[Weight]) -> str:
    rows = [
        {
            "page": w.page,
            "requests": w.requests,
            "bytes": w.total,
            "by_kind": w.bytes_by_kind,
            "foreign": w.foreign,
        }
        for w in weights
    ]
    return json.dumps(rows, indent=1)
