"""Gives the notebooks that pages offer for download the same bytes at every build.

A MyST chapter has no ids for its cells, so each reading draws them at random. And a notebook that was just
executed holds its outputs, one from the cache does not. Here ids follow from places, and nobody downloads
outputs: the notebook is there to be run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx


def steady(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook with ids by place, without outputs and without the kernel's word on itself."""
    for place, cell in enumerate(notebook["cells"], 1):
        cell["id"] = f"cell-{place}"
        if cell["cell_type"] == "code":
            cell["execution_count"], cell["outputs"] = None, []
    notebook["metadata"].pop("language_info", None)
    return notebook


def _steady_downloads(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    for file in Path(app.outdir, "_sources").rglob("*.ipynb"):
        notebook = steady(json.loads(file.read_text("utf-8")))
        file.write_text(json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("build-finished", _steady_downloads)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
