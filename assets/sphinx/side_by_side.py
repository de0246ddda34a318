"""Executes chapters side by side, a kernel on each processor.

MyST-NB executes a notebook when it comes to read it, one after the other. Here all that the notebook cache
lacks is executed before the first page is read, and put into the cache, where MyST-NB finds it. A notebook
that fails is left to MyST-NB, which says what is wrong in its own words.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import ExecutionResult, single_nb_execution
from myst_nb.core.read import create_nb_reader
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

logger = logging.getLogger(__name__)

AT_LEAST, AT_MOST = 2, 8  # kernels: one waits for the disk while another computes; each takes memory


def notebooks(env: BuildEnvironment) -> Iterator[tuple[Path, NotebookNode]]:
    """The notebooks of the book that take their outputs from the cache."""
    settings = env.mystnb_config  # type: ignore[attr-defined]
    for docname in sorted(env.found_docs):
        path = Path(env.doc2path(docname))
        if any(Path(path.as_posix()).match(pattern) for pattern in settings.execution_excludepatterns):
            continue
        text = path.read_text(encoding="utf-8")
        reader = create_nb_reader(str(path), env.myst_config, settings, text)  # type: ignore[attr-defined]
        if reader is None:
            continue
        notebook = reader.read(text)
        own = notebook.metadata.get("mystnb", {})
        if own.get("execution_mode", settings.execution_mode) == "cache":
            yield path, notebook


def _execute_what_is_missing(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    settings = env.mystnb_config  # type: ignore[attr-defined]
    if settings.execution_in_temp:  # each in a folder of its own, which MyST-NB makes
        return []
    outputs = get_cache(settings.execution_cache_path)
    missing = []
    for path, notebook in notebooks(env):
        try:
            outputs.match_cache_notebook(notebook)
        except KeyError:
            missing.append((path, notebook))
    if len(missing) < 2:  # nothing to gain
        return []

    def execute(path: Path, notebook: NotebookNode) -> tuple[Path, ExecutionResult | None]:
        options = {"allow_errors": settings.execution_allow_errors, "timeout": settings.execution_timeout}
        try:
            return path, single_nb_execution(notebook, cwd=str(path.parent), **options)
        except Exception:  # a kernel that does not start, or dies: MyST-NB meets the same, and reports it
            return path, None

    kernels = min(max(os.cpu_count() or 1, AT_LEAST), AT_MOST)
    with ThreadPoolExecutor(kernels) as pool:
        for done in as_completed([pool.submit(execute, *one) for one in missing]):
            path, result = done.result()
            if result is not None and result.err is None:
                logger.info("%s: Executed notebook in %.2f seconds", path, result.time)
                bundle = CacheBundleIn(result.nb, str(path), data={"execution_seconds": result.time})
                outputs.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    return []


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("env-get-outdated", _execute_what_is_missing, priority=600)  # once stale outputs are dropped
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
