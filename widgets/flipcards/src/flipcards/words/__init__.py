"""The words that a reader sees: one catalogue a language, for Python and for the front end alike.

`en.json` beside this file is what a translation is made from. Its sections hold messages by key. A message
is text with named places, `{count}`; or its plural forms, of which the place `{count}` chooses one by the
rules of the language (`one`, `few`, …, `other`). What an author of decks or a programmer sees is not in it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Message = str | Mapping[str, str]

FORMS = ("zero", "one", "two", "few", "many", "other")
#: What the scripts of a page show, and what the view in a notebook shows.
PAGE_SECTIONS = ("flipbook", "page", "study", "today", "interval", "kept", "file")
LIVE_SECTIONS = ("page", "study", "interval", "kept", "file", "live")

_FOLDER = Path(__file__).parent
_PLACE = re.compile(r"\{(\w+)\}")
_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


class WordsError(ValueError):
    """A catalogue cannot be used. The message has a line for each fault, with file and key."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Words:
    """The words of one language.

    Attributes:
        language: its tag (BCP 47), by which numbers are written and plural forms chosen.
        sections: section -> key -> message; complete, for English takes the place of what is missing.
        missing: the messages that are English because the catalogue lacks them, as `section.key`.
        name: of the catalogue, for messages.
    """

    language: str
    sections: Mapping[str, Mapping[str, Message]] = field(repr=False)
    missing: tuple[str, ...] = field(default=(), repr=False)
    name: str = ""

    def __call__(self, key: str, /, **places: str | int) -> str:
        """A message with its places filled in.

        Args:
            key: `section.key`.
            places: what stands in the places. Whole numbers are written as the language does; of a message
                with plural forms, `count` chooses one.

        Raises:
            KeyError: there is no such message, or nothing for one of its places.
        """
        section, _, name = key.partition(".")
        message = self.sections[section][name]
        if not isinstance(message, str):
            message = message.get(_plural(self.language, int(places["count"])), message["other"])

        def fill(match: re.Match[str]) -> str:
            value = places[match[1]]
            return value if isinstance(value, str) else _number(self.language, value)

        return _PLACE.sub(fill, message)

    @property
    def is_english(self) -> bool:
        """Whether these are the words that the front end has anyway."""
        return self == english()

    def table(self, sections: tuple[str, ...]) -> dict[str, Any]:
        """What the front end takes: the language and these sections; nothing where they are its own."""
        if self.is_english:
            return {}
        return {"language": self.language, **{name: dict(self.sections[name]) for name in sections}}

    def to_text(self) -> str:
        """The catalogue as a file, to translate from or to compare with another."""
        return json.dumps({"language": self.language, **self.sections}, ensure_ascii=False, indent=2) + "\n"


@cache
def english() -> Words:
    """The words that every translation is made from."""
    data = json.loads((_FOLDER / "en.json").read_text("utf-8"))
    return Words(data.pop("language"), data, name="en")


@cache
def shipped(language: str) -> Words:
    """The words for a language (`de`, `de-AT`, `de_AT`); English where the package has none for it."""
    base = re.split("[-_]", language.lower())[0]
    file = _FOLDER / f"{base}.json"
    # Of names in the folder only: a language from a configuration is no path.
    if base == "en" or file not in set(_FOLDER.glob("*.json")):
        return english()
    return load(file, shown_as=file.name)


def load(path: str | os.PathLike[str], *, shown_as: str = "") -> Words:
    """The words of a catalogue, JSON or YAML.

    Args:
        path: the file.
        shown_as: how messages name it; as `path` when left out.

    Raises:
        WordsError: the file is no catalogue, has messages that there are not, or places that a message lacks.
    """
    name = shown_as or os.fspath(path)
    try:
        data = yaml.safe_load(Path(path).read_text("utf-8"))  # reads JSON too
    except OSError as error:
        raise WordsError([f"{name}: cannot be read: {error.strerror}"]) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        said = " ".join(str(error).split())
        raise WordsError([f"{name}: is no JSON or YAML: {said}"]) from None
    if not isinstance(data, dict):
        raise WordsError([f"{name}: is no catalogue of words; begin from en.json of the package"])
    language = data.pop("language", None)
    faults = []
    if not isinstance(language, str) or not _TAG.fullmatch(language):
        faults.append(
            f"{name}: 'language' is {language!r}; write the tag of the language, such as de or pt-BR"
        )
    known = english().sections
    sections: dict[str, dict[str, Message]] = {}
    missing = []
    for section in data.keys() - known.keys():
        faults.append(f"{name}: there is no section '{section}'; the sections are {', '.join(known)}")
    for section, messages in known.items():
        own = data.get(section) or {}
        if not isinstance(own, dict):
            faults.append(f"{name}: '{section}' is no section; it holds messages by key")
            continue
        for key in own.keys() - messages.keys():
            faults.append(f"{name}: there is no message '{section}.{key}'")
        for key in own.keys() & messages.keys():
            faults += [f"{name}: '{section}.{key}': {fault}" for fault in _faults(own[key], messages[key])]
        missing += [f"{section}.{key}" for key in messages if key not in own]
        sections[section] = {key: own.get(key, message) for key, message in messages.items()}
    if faults:
        raise WordsError(sorted(faults))
    return Words(str(language), sections, tuple(missing), name)


def places_of(message: Message) -> set[str]:
    """The names of the places of a message, in any of its forms."""
    forms = [message] if isinstance(message, str) else message.values()
    return {place for form in forms for place in _PLACE.findall(form)}


def _faults(message: object, original: Message) -> list[str]:
    """What is wrong with a translated message."""
    wanted = places_of(original)
    forms: dict[str, str] = message if isinstance(message, dict) else {"other": str(message)}
    texts = forms.values() if isinstance(message, dict) else [message]
    if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
        return ["is no text; write what a reader sees, in quotes"]
    faults = []
    if isinstance(message, dict):
        if "count" not in wanted:
            faults.append("has plural forms, but no {count} to choose one by; write one text")
        if "other" not in message:
            faults.append("lacks the form 'other'")
        if unknown := sorted(map(str, message.keys() - set(FORMS))):
            faults.append(f"has no form {', '.join(unknown)}; the forms are {', '.join(FORMS)}")
    for place in sorted(places_of(forms) - wanted):
        faults.append(f"has no place {{{place}}}; it has {_named(wanted)}")
    # A form may say its number in words: "forgotten once".
    needed = wanted - {"count"} if isinstance(message, dict) else wanted
    for form in forms.values():
        if lacking := needed - places_of(form):
            faults.append(f"lacks {_named(lacking)}")
            break
    return faults


def _named(places: set[str]) -> str:
    return ", ".join(f"{{{place}}}" for place in sorted(places)) or "none"


def _plural(language: str, count: int) -> str:
    """The plural form of a language for a number."""
    try:
        from babel import Locale, UnknownLocaleError
    except ImportError:  # Sphinx brings it; a notebook shows no plural of Python's
        return "one" if count == 1 else "other"
    try:
        return str(Locale.parse(language, sep="-").plural_form(count))
    except (UnknownLocaleError, ValueError):
        return "one" if count == 1 else "other"


def _number(language: str, number: int) -> str:
    """A whole number as a language writes it."""
    try:
        from babel import UnknownLocaleError
        from babel.numbers import format_decimal
    except ImportError:
        return str(number)
    try:
        return format_decimal(number, locale=language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return str(number)


# --- What a notebook speaks ---

_spoken: list[Words] = []


def use_words(words: str | os.PathLike[str] = "en") -> None:
    """Let cards, sessions and messages in this notebook speak another language.

    Args:
        words: a language that the package has (`de`), or the path of a catalogue. Call it before the first
            deck is shown.

    Raises:
        WordsError: there is no such language, or the catalogue has faults.
    """
    _spoken[:] = [find(words)]


def spoken() -> Words:
    """The words that this process speaks: English, or what `use_words` said."""
    return _spoken[0] if _spoken else english()


def find(words: str | os.PathLike[str]) -> Words:
    """The words for a language that the package has, or those of a catalogue.

    Raises:
        WordsError: there is no such language, or the catalogue has faults.
    """
    if isinstance(words, str) and _TAG.fullmatch(words.replace("_", "-")):
        found = shipped(words)
        if found.is_english and not words.lower().startswith("en"):
            there = ", ".join(sorted(file.stem for file in _FOLDER.glob("*.json")))
            raise WordsError(
                [f"there are no words for '{words}'; there are {there}, or name a catalogue of yours"]
            )
        return found
    return load(words)
