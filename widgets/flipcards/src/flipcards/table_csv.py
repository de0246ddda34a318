"""CSV and TSV: a line of names, then a line a card."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from flipcards.deck import CARD_FIELDS, LISTS, Card, Deck, Fault
from flipcards.table_rows import ANKI_TEXT, LeftOut, Row, TableError, is_text_of_anki

# Other names that tools and teachers give the columns.
_ALIASES = {
    "question": "front",
    "q": "front",
    "prompt": "front",
    "answer": "back",
    "a": "back",
    "explanation": "why",
    "notes": "why",
    "sources": "source",
    "tag": "tags",
    "topic": "tags",
    "topics": "tags",
}

# A spreadsheet executes a cell that begins so (also in full width, and after spaces). An apostrophe before it
# is its mark of text. One is put before cells that begin with apostrophes and then so, too: taking one away
# then gives back every cell as it was.
_FORMULA = r"(?:\s*[=+\-@＝＋－＠]|[\t\r\n])"
_RUNS = re.compile(f"'*{_FORMULA}")
_MARKED = re.compile(f"'+{_FORMULA}")


def write(decks: Sequence[Deck], delimiter: str) -> str:
    """The cards of decks as a table with all columns. Lists are words with spaces between them."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(CARD_FIELDS)
    for deck in decks:
        writer.writerows(_cells(card) for card in deck)
    text = file.getvalue()
    return text if text.isascii() else "\ufeff" + text  # Excel takes it for another encoding otherwise


def rows(text: str, delimiters: str, name: str, left_out: LeftOut) -> Iterator[Row]:
    """The rows of a table.

    Args:
        text: the table.
        delimiters: what may stand between cells; the first with which the header names front and back does.
        name: how messages name the file.
        left_out: takes the names of columns that no card has.

    Raises:
        TableError: there is no such header, or a line cannot be read.
    """
    text = text.removeprefix("\ufeff")
    first = 1
    if match := re.match(r"sep=(.)\r?\n", text):  # for Excel alone
        text, first, delimiters = text[match.end() :], 2, match[1]
    for delimiter in delimiters:
        header = _header(text, delimiter)
        names = [_name(cell) for cell in header]
        if {"front", "back"} <= set(names):
            break
    else:
        shown = text.split("\n", 1)[0].strip()[:80]
        message = f"the first line must name the columns 'front' and 'back'; it is {shown!r}"
        message = ANKI_TEXT if is_text_of_anki(text) else message
        raise TableError([Fault(name, first, message)])
    for column in sorted({known for known in names if known and names.count(known) > 1}):
        raise TableError([Fault(name, first, f"two columns are '{column}'; keep one")])
    _say_unknown(header, names, f"{name}:{first}" if name else f"line {first}", left_out)
    yield from _rows(_Lines(text, delimiter, first), names, name)


def _say_unknown(header: Sequence[str], names: Sequence[str], place: str, left_out: LeftOut) -> None:
    """Say which columns do not come over, and how they would."""
    unknown = [
        f"{number} '{cell.strip()[:30]}'"
        for number, (cell, known) in enumerate(zip(header, names, strict=True), 1)
        if cell.strip() and not known
    ]
    if unknown:
        columns = f"column{'s' if len(unknown) > 1 else ''} {', '.join(unknown[:8])}"
        columns += ", …" if len(unknown) > 8 else ""
        free = [field for field in CARD_FIELDS if field not in names]
        remedy = f"; to take one along, name it {', '.join(free)}" if free else ""
        left_out.say(f"{place}: {columns}, which no card has{remedy}")


def _rows(lines: _Lines, names: Sequence[str], name: str) -> Iterator[Row]:
    faults: list[Fault] = []
    words = _words if tuple(names) != CARD_FIELDS else lambda cell: tuple(cell.split())  # as `write` has them
    try:
        for line, cells in lines.rows():
            if len(cells) > len(names) and any(cells[len(names) :]):
                message = f"there are {len(cells)} cells and {len(names)} columns; put cells in quotes"
                faults.append(Fault(name, line, message))
                continue
            values: dict[str, str | tuple[str, ...]] = {}
            for column, cell in zip(names, cells, strict=False):
                if column:
                    plain = cell[1:] if _MARKED.match(cell) else cell
                    values[column] = words(plain) if column in LISTS else plain
            yield Row(line, values)
    except csv.Error as error:
        if str(error) == "unexpected end of data":
            message = "a quote opens a cell and nothing closes it; close it, or write it twice"
        else:
            message = f"the line cannot be read: {error}; see to its quotes"
        faults.append(Fault(name, lines.line, message))
    if faults:
        raise TableError(faults)


def _words(cell: str) -> tuple[str, ...]:
    """The words of somebody's list: where commas or semicolons part them, hyphens take the spaces within."""
    parts = [part for part in re.split("[,;]", cell) if part.strip()]
    if re.search(r"[,;](?:\s|$)", cell):
        return tuple("-".join(part.split()) for part in parts)
    return tuple(cell.split())


@dataclass
class _Lines:
    """The lines of a table below its header. `line` is the one that is being read."""

    text: str
    delimiter: str
    first: int
    line: int = 0

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(io.StringIO(self.text, newline=""), delimiter=self.delimiter, strict=True)
        self.line = self.first
        next(reader, None)
        while True:
            self.line = reader.line_num + self.first
            cells = next(reader, None)
            if cells is None:
                return
            yield self.line, cells


def _header(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), [])
    except csv.Error:
        return []


def _name(cell: str) -> str:
    """The field of a card that a column holds, or nothing."""
    word = cell.strip().lower()
    word = _ALIASES.get(word, word)
    return word if word in CARD_FIELDS else ""


def _cells(card: Card) -> Iterable[str]:
    for name in CARD_FIELDS:
        value = getattr(card, name)
        cell = value if isinstance(value, str) else " ".join(value)
        yield f"'{cell}" if _RUNS.match(cell) else cell
