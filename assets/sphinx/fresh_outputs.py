"""Executes a chapter again when a Python module that it imports has changed.

The notebook cache keys on the text of the cells alone: after an edit of a package under widgets/ it
would show the old outputs. Each chapter has a digest of the modules it imports (the sources of our
packages, the versions of all others); where the digest is another one than at the last build, the
chapter's cached outputs are dropped and the chapter is read again.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import importlib.util
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jupyter_cache import get_cache
from myst_nb.core.read import create_nb_reader
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

RECORD = "modules.json"  # in the cache's folder: what the cached outputs were made with


def imported_modules(code: str) -> set[str]:
    """The dotted names that a piece of code may import; IPython's own syntax is left out."""
    lines = [line for line in code.splitlines() if not line.lstrip().startswith(("%", "!", "?"))]
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError:
        return set()
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            names |= {"." * node.level + (node.module or "")}
            names |= {"." * node.level + f"{node.module or ''}.{a.name}".lstrip(".") for a in node.names}
    return names


class Modules:
    """Finds what code depends on: our own source files and other people's versions."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.file_of = cache(self._file_of)
        self.imports_of = cache(self._imports_of)

    def _file_of(self, name: str) -> Path | None:
        """The file of a module below `root`, else None."""
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError, AttributeError):
            return None
        if spec is None or not spec.origin:
            return None
        file = Path(spec.origin).resolve()
        return file if file.is_relative_to(self.root) and file.suffix == ".py" else None

    def _imports_of(self, name: str) -> frozenset[str]:
        file = self.file_of(name)
        if file is None:
            return frozenset()
        package = name if file.name == "__init__.py" else name.rpartition(".")[0]
        found = set()
        for imported in imported_modules(file.read_text(encoding="utf-8")):
            if imported.startswith("."):
                try:
                    found.add(importlib.util.resolve_name(imported, package))
                except ImportError:
                    continue
            else:
                found.add(imported)
        return frozenset(found)

    def closure(self, names: set[str]) -> set[str]:
        """`names`, and all that they import, and the packages around them."""
        seen: set[str] = set()
        todo = set(names)
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen.add(name)
            if "." in name:
                todo.add(name.rpartition(".")[0])
            todo |= self.imports_of(name) - seen
        return seen

    def digest(self, names: set[str]) -> str:
        """Changes when a source file that `names` reach changes, or a version of another package."""
        parts = set()
        for name in self.closure(names):
            file = self.file_of(name)
            if file is not None:
                content = hashlib.sha256(file.read_bytes()).hexdigest()
                parts.add(f"{file.relative_to(self.root).as_posix()} {content}")
            elif "." not in name:
                try:
                    parts.add(f"{name} {importlib.metadata.version(name)}")
                except importlib.metadata.PackageNotFoundError:
                    continue
        return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()


def chapters_with_code(env: BuildEnvironment) -> Iterator[tuple[str, Path, str]]:
    """Each notebook of the book: its name, its file and all its code."""
    for docname in sorted(env.found_docs):
        path = Path(env.doc2path(docname))
        text = path.read_text(encoding="utf-8")
        reader = create_nb_reader(str(path), env.myst_config, env.mystnb_config, text)  # type: ignore[attr-defined]
        if reader is not None:
            cells = reader.read(text).cells
            yield docname, path, "\n".join(cell.source for cell in cells if cell.cell_type == "code")


def _drop_stale_outputs(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    folder = Path(env.mystnb_config.execution_cache_path)  # type: ignore[attr-defined]
    record = folder / RECORD
    known: dict[str, str] = json.loads(record.read_text("utf-8")) if record.exists() else {}
    modules = Modules(Path(app.srcdir) / "widgets")
    now, stale = {}, {}
    for docname, path, code in chapters_with_code(env):
        now[docname] = modules.digest(imported_modules(code))
        if known.get(docname) != now[docname]:
            stale[str(path)] = docname
    if stale:
        outputs = get_cache(folder)
        for cached in outputs.list_cache_records():
            if cached.uri in stale:
                outputs.remove_cache(cached.pk)
    if now != known:
        folder.mkdir(parents=True, exist_ok=True)
        record.write_text(json.dumps(now, indent=1, sort_keys=True) + "\n", "utf-8")
    return sorted(stale.values())


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("env-get-outdated", _drop_stale_outputs)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
