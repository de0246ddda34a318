"""Executes chapters side by side, a kernel on each processor.

MyST-NB executes a notebook when it comes to read it, one after the other. Here all that the notebook cache
lacks is executed before the first page is read, and put into the cache, where MyST-NB finds it. A notebook
that fails is left to MyST-NB, which says what is wrong in its own words.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from myst_nb.core.read import create_nb_reader
from nbclient import NotebookClient
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

logger = logging.getLogger(__name__)

AT_LEAST, AT_MOST = 2, 8  # kernels: one waits for the disk while another computes; each takes memory
PATIENCE_S = 60  # for outputs on their way; nbclient's own 4 s leave out what comes later, in silence


def notebooks(env: BuildEnvironment, docnames: Iterable[str]) -> Iterator[tuple[Path, NotebookNode]]:
    """Those of some pages that are notebooks and take their outputs from the cache."""
    settings = env.mystnb_config  # type: ignore[attr-defined]  # MyST-NB puts it there
    for docname in docnames:
        path = Path(env.doc2path(docname))
        if any(Path(path.as_posix()).match(pattern) for pattern in settings.execution_excludepatterns):
            continue
        text = path.read_text(encoding="utf-8")
        reader = create_nb_reader(str(path), env.myst_config, settings, text)  # type: ignore[attr-defined]  # MyST's
        if reader is None:
            continue
        notebook = reader.read(text)
        own = notebook.metadata.get("mystnb", {})
        if own.get("execution_mode", settings.execution_mode) == "cache":
            yield path, notebook


def execute(path: Path, notebook: NotebookNode, timeout: int | None) -> tuple[NotebookNode, float] | None:
    """A notebook with its outputs and the seconds it took; None where anything went wrong."""
    begun = time.perf_counter()
    client = NotebookClient(
        notebook,
        timeout=notebook.metadata.get("execution", {}).get("timeout", timeout),
        iopub_timeout=PATIENCE_S,
        raise_on_iopub_timeout=True,
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        client.execute()
    except Exception:  # in a cell, or of a kernel that does not start: MyST-NB meets the same, and reports it
        return None
    return notebook, time.perf_counter() - begun


def _execute_what_is_missing(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    settings = env.mystnb_config  # type: ignore[attr-defined]  # MyST-NB puts it there
    if settings.execution_in_temp:  # each in a folder of its own, which MyST-NB makes
        return
    outputs = get_cache(settings.execution_cache_path)
    missing = []
    for path, notebook in notebooks(env, docnames):
        try:
            outputs.match_cache_notebook(notebook)
        except KeyError:
            missing.append((path, notebook))
    if len(missing) < 2:  # nothing to gain
        return
    kernels = min(max(os.cpu_count() or 1, AT_LEAST), AT_MOST)
    # Processes, not threads: kernels' clients share sockets and an event loop within one.
    with ProcessPoolExecutor(kernels, multiprocessing.get_context("spawn")) as pool:
        begun = {pool.submit(execute, *one, settings.execution_timeout): one[0] for one in missing}
        for done in as_completed(begun):
            result = done.result()
            if result is not None:
                notebook, seconds = result
                logger.info("%s: Executed notebook in %.2f seconds", begun[done], seconds)
                bundle = CacheBundleIn(notebook, str(begun[done]), data={"execution_seconds": seconds})
                outputs.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    # Last: kernels inherit what other extensions tell them by the environment.
    app.connect("env-before-read-docs", _execute_what_is_missing, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
