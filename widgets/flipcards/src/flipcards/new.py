"""A new book with cards: the files in `new_book/`, with its title filled in."""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import json
import os
import re
from collections.abc import Iterator
from datetime import datetime
from importlib.resources.abc import Traversable
from pathlib import Path

from flipcards import __version__
from flipcards.deck import slug
from flipcards.files import refuse_taken, write_all
from flipcards.schema import schema_text

LIGHT = "sphinx-lightbook"
_WITH_LIGHT = """\
# sphinx_lightbook makes pages light and keeps them from asking other hosts for anything.
  extra_extensions: [flipcards.sphinx, sphinx_lightbook]"""
_WITHOUT_LIGHT = """\
# Pages ask a host for MathJax. With the package sphinx-lightbook installed, and sphinx_lightbook added here,
  # they ask none and are lighter.
  extra_extensions: [flipcards.sphinx]"""


def new_book(folder: str | os.PathLike[str], *, title: str = "", force: bool = False) -> list[Path]:
    """Write a book that builds: a deck, pages, what publishes it, what Binder needs.

    It uses sphinx-lightbook where that is installed.

    Args:
        folder: where; made when missing.
        title: of the book; made of the folder's name when left out.
        force: replace files that are there.

    Returns:
        The files.

    Raises:
        FileExistsError: a file is there and `force` is not set. Nothing is written.
    """
    target = Path(folder)
    name = target.resolve().name
    title = " ".join(title.split()) or " ".join(re.split(r"[\W_]+", name)).strip().capitalize() or "My book"
    quoted = title.replace("\\", "\\\\").replace('"', '\\"')  # for YAML
    light = light_version()
    files = {target / "deck.schema.json": schema_text().encode()}
    for path, text in _templates(importlib.resources.files("flipcards") / "new_book"):
        shown = quoted if path.endswith(".yml") else title
        text = text.replace("{{title}}", shown).replace("{{name}}", slug(title) or "book")
        text = text.replace("{{version}}", __version__).replace("{{year}}", str(datetime.now().year))
        text = text.replace("{{extensions}}", _WITH_LIGHT if light else _WITHOUT_LIGHT)
        text = text.replace("{{light}}", f"{LIGHT}>={light}\n" if light else "")
        files[target / path] = text.encode()
    for file in files:
        refuse_taken(file, force=force)
    write_all(files)
    (target / ".binder" / "postBuild").chmod(0o755)
    return sorted(files)


def light_version() -> str:
    """The version of sphinx-lightbook that is installed; empty where none is."""
    try:
        return importlib.metadata.version(LIGHT)
    except importlib.metadata.PackageNotFoundError:
        return ""


def installed_from(name: str = "flipcards") -> str:
    """The address that a package was installed from; empty where it came by its name, from an index.

    Installers keep it: PEP 610, `direct_url.json`.
    """
    try:
        kept = importlib.metadata.distribution(name).read_text("direct_url.json")
        return str(json.loads(kept)["url"]) if kept else ""
    except (importlib.metadata.PackageNotFoundError, ValueError, KeyError, TypeError):
        return ""


def _templates(folder: Traversable, below: str = "") -> Iterator[tuple[str, str]]:
    """Path in the book and text of each file. `dot-` in front of a name stands for a dot."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        name = "." + entry.name.removeprefix("dot-") if entry.name.startswith("dot-") else entry.name
        path = f"{below}{name}"
        if entry.is_dir():
            yield from _templates(entry, f"{path}/")
        else:
            yield path, entry.read_text("utf-8")
