"""Decks as tables, and as files of other tools; and back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flipcards import table_csv, table_peers
from flipcards.check import faults, given_twice
from flipcards.deck import Deck, DeckError, Fault
from flipcards.files import refuse_taken, write_whole
from flipcards.table_rows import MAX_BYTES, LeftOut, Row, TableError, cards, cleaned

__all__ = [
    "FORMATS",
    "MAX_BYTES",
    "Read",
    "TableError",
    "Written",
    "export_table",
    "import_table",
    "read",
    "write",
]

FORMATS = {
    "csv": "a table for a spreadsheet (.csv)",
    "tsv": "the same with tabs (.tsv)",
    "json": "jupytercards (.json)",
    "quizlet": "text that Quizlet imports and exports",
    "markdown": "a list in Markdown: question :: answer",
}

_READERS: dict[str, Callable[[str, str, LeftOut], Iterator[Row]]] = {
    "csv": lambda text, name, left_out: table_csv.rows(text, ",;\t", name, left_out),
    "tsv": lambda text, name, left_out: table_csv.rows(text, "\t", name, left_out),
    "json": table_peers.rows_of_json,
    "quizlet": table_peers.rows_of_quizlet,
    "markdown": table_peers.rows_of_markdown,
}

_TITLES: dict[str, Callable[[str], str]] = {
    "json": table_peers.title_of_json,
    "markdown": table_peers.title_of_markdown,
}


@dataclass
class Written:
    """Decks as a file.

    Attributes:
        data: the file.
        cards: how many cards it has.
        left_out: what it cannot hold, a sentence each.
    """

    data: bytes
    cards: int
    left_out: list[str] = field(default_factory=list)


@dataclass
class Read:
    """A file as a deck.

    Attributes:
        deck: the deck, which loads and builds.
        left_out: what it cannot hold, a sentence each.
    """

    deck: Deck
    left_out: list[str] = field(default_factory=list)


def write(decks: Sequence[Deck], kind: str) -> Written:
    """Decks as a file of one of the `FORMATS`.

    Raises:
        DeckError: the decks have faults.
    """
    found = faults(decks) or given_twice(decks)
    if found:
        raise DeckError(found)
    left_out = LeftOut()
    for reason in _not_held(decks, kind):
        left_out.say(reason)
    if kind == "json":
        text = table_peers.write_json(decks)
    elif kind == "quizlet":
        text = table_peers.write_quizlet(decks, left_out)
    elif kind == "markdown":
        text = table_peers.write_markdown(decks, left_out)
    else:
        text = table_csv.write(decks, {"csv": ",", "tsv": "\t"}[kind])
    return Written(text.encode(), sum(map(len, decks)), left_out.sentences())


def read(data: bytes, kind: str, *, title: str = "", shown_as: str = "") -> Read:
    """A file of one of the `FORMATS` as a deck.

    A side that a face cannot show as it is (HTML, an unknown role, a heading) comes over as its text.
    Cards without an id get one that is made from their question.

    Args:
        data: the file.
        kind: its format.
        title: of the deck; the file's own when left out, if it has one.
        shown_as: how messages name the file.

    Raises:
        TableError: with every fault of the file, each with its line.
    """
    text = _text(data, shown_as)
    left_out = LeftOut()
    made = cards(_READERS[kind](text, shown_as, left_out), shown_as, left_out)
    if not title and kind in _TITLES:
        title = _TITLES[kind](text)
    return Read(Deck(made, " ".join(cleaned(title).split()), shown_as=shown_as), left_out.sentences())


def export_table(
    decks: Sequence[Deck], target: str | os.PathLike[str], *, kind: str, force: bool = False
) -> Written:
    """Write decks to a file; whole or not at all.

    Raises:
        DeckError: the decks have faults.
        FileExistsError: the file is there and `force` is not set.
    """
    path = Path(target)
    refuse_taken(path, force=force)
    written = write(decks, kind)
    write_whole(path, written.data)
    return written


def import_table(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    kind: str,
    title: str = "",
    force: bool = False,
) -> Read:
    """Read a file into a deck file; whole or not at all.

    Raises:
        TableError: the file has faults.
        OSError: the file cannot be read, or the deck file cannot be written.
        FileExistsError: the deck file is there and `force` is not set.
    """
    with Path(source).open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    done = read(data, kind, title=title, shown_as=os.fspath(source))
    done.deck.save(target, force=force)
    return done


def _text(data: bytes, name: str) -> str:
    if len(data) > MAX_BYTES:
        raise TableError([Fault(name, 1, f"it has more than {MAX_BYTES:,} bytes; split the file")])
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"it is not {encoding.removesuffix('-sig').upper()}; save the file with the encoding UTF-8"
        raise TableError([Fault(name, line, message)]) from None


def _not_held(decks: Sequence[Deck], kind: str) -> Iterator[str]:
    """What no file of this kind can hold of these decks."""
    titled = sum(bool(deck.title) for deck in decks)
    if titled and kind == "json":
        yield f"the title of {_decks(titled)}: the file keeps it, jupytercards does not show it"
    elif titled and kind != "markdown":
        yield f"the title of {_decks(titled)}"
    if len(decks) > 1:
        yield "which cards belong to which deck, when they are read into one"
    if any(deck.bibliography or deck.pages for deck in decks):
        yield "where the bibliography and the pages of the book are"
    if any("![" in card.front + card.back + card.why for deck in decks for card in deck) and kind != "json":
        yield "images: they stay where they are"
    if kind in ("quizlet", "markdown"):
        yield "ids: they are made from the questions when it is read again, and progress hangs on them"
    if kind != "csv" and kind != "tsv":
        for name in ("why", "source", "term", "see") + (() if kind == "json" else ("tags",)):
            number = sum(bool(getattr(card, name)) for deck in decks for card in deck)
            if number and kind == "json":
                yield f"'{name}' of {_cards(number)}: the file keeps it, jupytercards does not show it"
            elif number:
                yield f"'{name}' of {_cards(number)}"


def _decks(number: int) -> str:
    return "the deck" if number == 1 else f"{number:,} decks"


def _cards(number: int) -> str:
    return "1 card" if number == 1 else f"{number:,} cards"
