"""What other tools read and write: jupytercards' JSON, Quizlet's text, and lists in Markdown."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flipcards.anki_markdown import Reader
from flipcards.deck import CARD_FIELDS, LISTS, Card, Deck, Fault
from flipcards.markup import Faces
from flipcards.table_rows import ANKI_TEXT, LeftOut, Row, TableError, is_text_of_anki

SIDES = ("front", "back")

# --- jupytercards ------------------------------------------------------------------------------------

OWN = "flipcards"  # the key under which an entry keeps the card as its deck has it; jupytercards ignores it


def write_json(decks: Sequence[Deck]) -> str:
    """The cards as jupytercards shows them: sides in HTML with TeX, tags as topics."""
    entries: list[dict[str, Any]] = []
    for deck in decks:
        faces = Faces.of(deck, mathjax=True)
        for card in deck:
            entry: dict[str, Any] = {}
            for side in SIDES:
                # A dollar begins math there, even in text.
                entry[side] = faces.html(getattr(card, side)).strip().replace("$", "&#36;")
            if card.tags:
                entry["topic"] = list(card.tags)
            entry[OWN] = {"card": card.to_dict(), "shown": {side: _digest(entry[side]) for side in SIDES}}
            if deck.title:
                entry[OWN]["deck"] = deck.title
            entries.append(entry)
    return json.dumps(entries, ensure_ascii=False, indent=1) + "\n"


def rows_of_json(text: str, name: str, left_out: LeftOut) -> Iterator[Row]:
    """The entries of a file of jupytercards. What it got from `write_json` comes back as it was.

    Raises:
        TableError: it is not such a file.
    """
    images: set[str] = set()
    read = Reader(lambda src, alt: images.add(src))
    unknown: dict[str, None] = {}
    faults: list[Fault] = []
    for line, entry in _entries(text, name):
        wrong = [side for side in SIDES if not isinstance(entry.get(side), str)]
        if wrong:
            faults.append(Fault(name, line, f"'{wrong[0]}' is missing or no text; write text"))
            continue
        unknown |= dict.fromkeys(str(key)[:30] for key in entry if key not in (*SIDES, "topic", OWN))
        try:
            values = _own(entry, read) or {side: read.face(_delimited(entry[side])) for side in SIDES}
        except ValueError as error:
            faults.append(Fault(name, line, str(error)))
            continue
        topics = _topics(entry.get("topic"))
        if set(topics) != set(values.get("tags", ())):
            values["tags"] = topics
        yield Row(line, values)
    if faults:
        raise TableError(faults)
    if unknown:
        left_out.say(f"keys that no card has: {', '.join(list(unknown)[:8])}")
    left_out.count("side's markup", "sides' markup", read.plain)
    left_out.count("image", "images", len(images))


def title_of_json(text: str) -> str:
    """The title that all entries of a file of ours give; empty where they give none, or several."""
    try:
        titles = {entry[OWN]["deck"] for entry in json.loads(text)}
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    title = titles.pop() if len(titles) == 1 else ""
    return title if isinstance(title, str) else ""


def _entries(text: str, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The objects of a list, each with its line."""
    decoder = json.JSONDecoder()
    space = re.compile(r"\s*")

    def after_space(at: int) -> int:
        match = space.match(text, at)
        return match.end() if match else at

    def fault(at: int, message: str) -> TableError:
        return TableError([Fault(name, text.count("\n", 0, at) + 1, message)])

    at = after_space(0)
    if text[at : at + 1] != "[":
        raise fault(at, "it is no list; a file of jupytercards is a list of objects with 'front' and 'back'")
    at = after_space(at + 1)
    line, counted = 1, 0
    while text[at : at + 1] != "]":
        line, counted = line + text.count("\n", counted, at), at
        try:
            entry, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise fault(error.pos, f"not valid JSON: {error.msg}") from None
        except (ValueError, RecursionError):
            raise fault(at, "not such a file: nested too deeply, or a number too long to be one") from None
        if not isinstance(entry, dict):
            raise fault(counted, 'an entry is no object; write {"front": …, "back": …}')
        yield line, entry
        at = after_space(at)
        if text[at : at + 1] == ",":
            at = after_space(at + 1)
        elif text[at : at + 1] != "]":
            raise fault(at, "not valid JSON: a comma or ] is missing")
    if after_space(at + 1) < len(text):
        raise fault(at + 1, "not valid JSON: there is more after the list")


def _own(entry: Mapping[str, Any], read: Reader) -> dict[str, str | tuple[str, ...]] | None:
    """The card that an entry of ours came from, with what was edited since; None for another's entry."""
    try:
        written, shown = entry[OWN]["card"], entry[OWN]["shown"]
        values: dict[str, str | tuple[str, ...]] = {}
        for key in CARD_FIELDS:
            if key in written:
                value = written[key]
                if key in LISTS:
                    values[key] = tuple(str(word) for word in value if isinstance(word, str))
                elif isinstance(value, str):
                    values[key] = value
        unedited = {side for side in SIDES if shown[side] == _digest(entry[side]) and side in values}
    except (KeyError, TypeError):
        return None
    for side in SIDES:
        if side not in unedited:
            values[side] = read.face(_delimited(entry[side]))
    return values


_DOLLARS = re.compile(r"(?<!\\)\$\$?")


def _delimited(text: str) -> str:
    """HTML whose math stands between dollars, as jupytercards has it, with the marks of MathJax instead."""
    parts = []
    at = 0
    while opening := _DOLLARS.search(text, at):
        marks = opening[0]
        close = _closing(text, marks, opening.end() + 1)
        if close < 0 and marks == "$$":  # two dollars, of which the second may begin math
            marks = "$"
            close = _closing(text, marks, opening.start() + 2)
        begin = opening.start() + len(marks)
        parts.append(text[at : opening.start()])
        if close < 0:
            at = opening.start()
            break
        left, right = ("\\[", "\\]") if marks == "$$" else ("\\(", "\\)")
        parts.append(f"{left}{text[begin:close]}{right}")
        at = close + len(marks)
    return "".join([*parts, text[at:]]).replace("\\$", "$")


def _closing(text: str, marks: str, at: int) -> int:
    """Where math ends: at the next such marks with no backslash before them, or -1."""
    while (at := text.find(marks, at)) > 0 and text[at - 1] == "\\":
        at += 1
    return at


def _topics(value: Any) -> tuple[str, ...]:
    """Topics as tags, which have no spaces."""
    topics = value if isinstance(value, list) else [value]
    return tuple("-".join(topic.split()) for topic in topics if isinstance(topic, str) and topic.strip())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


# --- Quizlet -----------------------------------------------------------------------------------------


def write_quizlet(decks: Sequence[Deck], left_out: LeftOut) -> str:
    """A line a card: term, tab, definition; plain text, as Quizlet's import takes it by default."""
    lines = []
    for deck in decks:
        faces = Faces.of(deck)
        for card in deck:
            sides = []
            for side in SIDES:
                text = getattr(card, side)
                plain = faces.text(text)
                left_out.count("side's markup", "sides' markup", plain != text)
                sides.append(" ".join(plain.split()) or "…")
            lines.append("\t".join(sides) + "\n")
    return "".join(lines)


def rows_of_quizlet(text: str, name: str, left_out: LeftOut) -> Iterator[Row]:
    """The lines of an export of Quizlet. A line without a tab goes on with the definition before it.

    Raises:
        TableError: the file does not begin with a term, a tab and a definition.
    """
    term, definition, first = "", "", 0
    for line, written in enumerate(text.split("\n"), 1):
        front, tab, back = written.partition("\t")
        if "\t" in back:
            left_out.at(line, "a third column: it came into the definition")
        if tab:
            if first:
                yield Row(first, {"front": term, "back": definition}, is_markup=False)
            term, definition, first = front, back, line
        elif first:
            definition += f"\n{written}"
        elif written.strip():
            message = "no tab parts term and definition; in Quizlet, export with a tab and a new line"
            message = ANKI_TEXT if is_text_of_anki(text) else message
            raise TableError([Fault(name, line, message)])
    if first:
        yield Row(first, {"front": term, "back": definition}, is_markup=False)


# --- lists in Markdown -------------------------------------------------------------------------------

# Two colons part question and answer, unless a backslash stands before them. Three mean something else.
_PARTS = re.compile(r"(?:(?<=\s)|\A)::(?=\s|\Z)")
_PARTS_CLOSELY = re.compile(r"(?<![:\\])::(?!:)")
_COLONS = re.compile(r"(?<![:\\])(\\*)::(?!:)")
_ESCAPED = re.compile(r"(?<![:\\])\\(\\*)::(?!:)")
_ITEM = re.compile(r"(?P<marker>[-*+]|\d{1,9}[.)])(?P<space>[ \t]|$)")
_HEADING = re.compile(r"(#{1,6})[ \t]+(.*)")


def write_markdown(decks: Sequence[Deck], left_out: LeftOut) -> str:
    """A list with an item a card, below a heading for each deck."""
    parts = []
    for deck in decks:
        if deck.title:
            parts.append(f"# {' '.join(deck.title.split())}\n\n")
        for card in deck:
            parts.append(_item(card, left_out))
        parts.append("\n")
    return "".join(parts).rstrip("\n") + "\n"


def _item(card: Card, left_out: LeftOut) -> str:
    front, back = card.front.lstrip(), card.back.lstrip()
    cut = (front != card.front) + (back != card.back)
    left_out.count("side's spaces at its beginning", "sides' spaces at their beginning", cut)
    front = _COLONS.sub(r"\\\1::", front)
    parted = f"{front}\n::" if "\n" in front else f"{front} ::"
    text = f"{parted}\n{back}" if "\n" in back or "\n" in front else f"{parted} {back}"
    first, *rest = text.split("\n")
    return "".join([f"- {first}\n", *(f"  {line}\n" if line else "\n" for line in rest)])


def rows_of_markdown(text: str, name: str, left_out: LeftOut) -> Iterator[Row]:
    """The items of the lists in a text that have `::` in them. Everything else is left out."""
    for line, item in _items(text, left_out):
        match = _PARTS.search(item) or _PARTS_CLOSELY.search(item)
        if match is None:
            left_out.at(line, "an item without '::'")
            continue
        front = _ESCAPED.sub(r"\1::", item[: match.start()].rstrip())
        yield Row(line, {"front": front, "back": item[match.end() :].lstrip()})


def title_of_markdown(text: str) -> str:
    """The first heading."""
    return next((match[2].strip() for line in text.split("\n") if (match := _HEADING.match(line))), "")


def _items(text: str, left_out: LeftOut) -> Iterator[tuple[int, str]]:
    """The items of the outermost lists, each with its line, without their indent."""
    first, width, item, was_blank = 0, 0, list[str](), False
    headings = 0
    lines = text.split("\n")
    if lines[0] == "---" and "---" in lines[1:]:  # front matter
        end = lines.index("---", 1)
        lines[: end + 1] = [""] * (end + 1)
    for number, line in enumerate(lines, 1):
        match = _ITEM.match(line)
        heading = _HEADING.match(line)
        if match or heading or (line.strip() and was_blank and first and not line.startswith((" ", "\t"))):
            if first:
                yield first, "\n".join(item)
            first, item = 0, []
        if match:
            first, width = number, len(match["marker"]) + 1
            item = [line[width:].lstrip()]
        elif first:
            margin = len(line) - len(line.lstrip(" "))
            if not margin and _PARTS.search(line) and any(_PARTS_CLOSELY.search(above) for above in item):
                left_out.at(number, "'::' in a line that begins no item: it came into the card above")
            item.append(line[1:] if line.startswith("\t") else line[min(margin, width) :])
        elif heading:
            headings += 1
            left_out.count("heading", "headings", headings > 1)
        elif line.strip():
            left_out.at(number, "text outside of lists")
        was_blank = not line.strip()
    if first:
        yield first, "\n".join(item)
