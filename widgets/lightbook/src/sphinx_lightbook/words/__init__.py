"""The words that a reader sees: one catalogue a language. `en.json` is what a translation is made from.

Its sections hold messages by key. A message is text with named places, `{count}`. What an author sees while
building is not in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from os import PathLike
from pathlib import Path
from typing import Any

from sphinx.config import Config
from sphinx.errors import ConfigError

Sections = Mapping[str, Mapping[str, str]]

_FOLDER = Path(__file__).parent
_PLACE = re.compile(r"\{(\w+)\}")


@cache
def english() -> Sections:
    """The words that every translation is made from."""
    return _sections(json.loads((_FOLDER / "en.json").read_text("utf-8")))


@cache
def shipped(language: str) -> Sections:
    """The words for a language (`de`, `de-AT`, `de_AT`); English where the package has none for it."""
    file = _FOLDER / f"{re.split('[-_]', language.lower())[0]}.json"
    # Of names in the folder only: a language from a configuration is no path.
    return load(file, file.name) if file in set(_FOLDER.glob("*.json")) else english()


def find(config: Config, folder: str | PathLike[str]) -> Sections:
    """The catalogue that the book in a folder names, else the package's for its language.

    Raises:
        ConfigError: the catalogue has faults.
    """
    named: str = config.lightbook_words
    return load(Path(folder) / named, named) if named else shipped(config.language or "en")


def load(path: Path, name: str) -> Sections:
    """The words of a catalogue; English takes the place of what is missing.

    Args:
        path: the file.
        name: how messages name it.

    Raises:
        ConfigError: it is no catalogue, or has messages or places that there are not.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{name}: cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{name}: is no catalogue of words; begin from en.json of the package")
    own = _sections(data)
    faults = [f"there is no section '{section}'" for section in own.keys() - english().keys()]
    for section, messages in english().items():
        given = own.get(section) or {}
        if not isinstance(given, Mapping):
            faults.append(f"'{section}' holds no messages")
            continue
        faults += [f"there is no message '{section}.{key}'" for key in given.keys() - messages.keys()]
        faults += [
            f"'{section}.{key}' has other places than '{messages[key]}'"
            for key in given.keys() & messages.keys()
            if set(_PLACE.findall(str(given[key]))) != set(_PLACE.findall(messages[key]))
        ]
    if faults:
        raise ConfigError("\n".join(f"{name}: {fault}" for fault in sorted(faults)))
    return {
        section: {key: str((own.get(section) or {}).get(key, text)) for key, text in messages.items()}
        for section, messages in english().items()
    }


def fill(message: str, **places: str) -> str:
    """A message with its places filled in."""
    return _PLACE.sub(lambda match: places[match[1]], message)


def _sections(catalogue: dict[str, Any]) -> Sections:
    return {key: value for key, value in catalogue.items() if key != "language"}
