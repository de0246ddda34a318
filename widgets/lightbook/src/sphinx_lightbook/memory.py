"""What was read from the files of a build, kept between builds so that only changed files are read again."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

MATH_READINGS = "math"  # which characters the formulas of a page use


def read_changed(
    app: Sphinx, name: str, paths: Iterable[Path], read: Callable[[Path], Any]
) -> dict[str, Any]:
    """For each file what `read` makes of it, by path relative to the output folder, sorted.

    Args:
        app: the application; the memory lies beside its doctrees, one for each builder.
        name: of this memory.
        paths: files below the output folder.
        read: makes something that JSON can hold. It is called for files whose time or size changed, and for
            all of them after a change of this package.
    """
    folder = Path(app.outdir)
    memory = _file(app, name)
    code = code_digest("sphinx_lightbook")
    try:
        remembered = json.loads(memory.read_text("utf-8"))
    except (OSError, ValueError):
        remembered = {}
    old = remembered["files"] if remembered.get("code") == code else {}
    new = {}
    for path in sorted(paths):
        relative = path.relative_to(folder).as_posix()
        key = _key(path)
        entry = old.get(relative)
        new[relative] = entry if entry and entry["key"] == key else {"key": key, "value": read(path)}
    if new != old:
        with contextlib.suppress(OSError):  # then the files are read again
            memory.write_text(json.dumps({"code": code, "files": new}), "utf-8")
    return {relative: entry["value"] for relative, entry in new.items()}


def keep_readings(app: Sphinx, name: str, paths: Iterable[Path]) -> None:
    """Take files for read that were written after it, where nothing that `read` sees was changed."""
    folder = Path(app.outdir)
    memory = _file(app, name)
    try:
        remembered = json.loads(memory.read_text("utf-8"))
    except (OSError, ValueError):
        return
    for path in paths:
        if entry := remembered["files"].get(path.relative_to(folder).as_posix()):
            entry["key"] = _key(path)
    with contextlib.suppress(OSError):
        memory.write_text(json.dumps(remembered), "utf-8")


def _file(app: Sphinx, name: str) -> Path:
    return Path(app.doctreedir) / f"lightbook-{name}-{app.builder.name}.json"


def _key(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_mtime_ns, stat.st_size]


@functools.cache
def code_digest(package: str) -> str:
    """A digest of the package's source files: what it once made can be told from what it would make now."""
    digest = hashlib.sha256()
    for path in sorted(Path(str(resources.files(package))).rglob("*")):
        if path.suffix in {".py", ".js", ".css", ".json"}:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def page_files(app: Sphinx) -> list[Path]:
    """The HTML pages of a web build; not what the book offers to download or keeps as assets."""
    others = {"_static", "_sources", "_downloads"}
    names = (name for name in files_below(app.outdir) if name.endswith(".html"))
    return [Path(app.outdir, name) for name in names if name.partition("/")[0] not in others]


def files_below(folder: str | os.PathLike[str], within: str = "") -> Iterator[str]:
    """The paths of all files below a folder, relative to it, in no order."""
    with os.scandir(Path(folder, within)) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from files_below(folder, f"{within}{entry.name}/")
            elif entry.is_file():
                yield within + entry.name
