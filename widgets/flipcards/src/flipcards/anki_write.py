"""Decks, and if asked the progress made with them, as a package for Anki (`.apkg`)."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import sqlite3
import subprocess
import unicodedata
import warnings
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

from flipcards import reviews
from flipcards.anki_note import MODEL_ID, RENDERING, guid, model, note_fields, numbers
from flipcards.anki_package import AnkiError
from flipcards.anki_progress import (
    DAY_ZERO,
    CardRow,
    ReviewRow,
    State,
    card_row,
    numbered,
    review_rows,
    suspensions,
    to_ms,
)
from flipcards.check import faults, given_twice
from flipcards.deck import Card, Deck, DeckError
from flipcards.files import refuse_taken, write_whole
from flipcards.markup import Faces
from flipcards.reviews import SCHEMA, Entry, effective
from flipcards.words import Words, spoken

# Where the numbers of notes, cards and decks start. Anki shows them as the day on which a note was made.
_NOTES = 1_000_000_000_000
_CARDS = 1_000_000_000_001
_DECKS = 1_000_000_000_002

# A collection of schema 11, which every Anki since 2.1 reads; indexes are Anki's business.
_SCHEMA = """
CREATE TABLE col (id integer PRIMARY KEY, crt integer NOT NULL, mod integer NOT NULL, scm integer NOT NULL,
  ver integer NOT NULL, dty integer NOT NULL, usn integer NOT NULL, ls integer NOT NULL, conf text NOT NULL,
  models text NOT NULL, decks text NOT NULL, dconf text NOT NULL, tags text NOT NULL);
CREATE TABLE notes (id integer PRIMARY KEY, guid text NOT NULL, mid integer NOT NULL, mod integer NOT NULL,
  usn integer NOT NULL, tags text NOT NULL, flds text NOT NULL, sfld integer NOT NULL, csum integer NOT NULL,
  flags integer NOT NULL, data text NOT NULL);
CREATE TABLE cards (id integer PRIMARY KEY, nid integer NOT NULL, did integer NOT NULL, ord integer NOT NULL,
  mod integer NOT NULL, usn integer NOT NULL, type integer NOT NULL, queue integer NOT NULL,
  due integer NOT NULL, ivl integer NOT NULL, factor integer NOT NULL, reps integer NOT NULL,
  lapses integer NOT NULL, left integer NOT NULL, odue integer NOT NULL, odid integer NOT NULL,
  flags integer NOT NULL, data text NOT NULL);
CREATE TABLE revlog (id integer PRIMARY KEY, cid integer NOT NULL, usn integer NOT NULL,
  ease integer NOT NULL, ivl integer NOT NULL, lastIvl integer NOT NULL, factor integer NOT NULL,
  time integer NOT NULL, type integer NOT NULL);
CREATE TABLE graves (usn integer NOT NULL, oid integer NOT NULL, type integer NOT NULL);
"""
_CONFIG = {
    "schedVer": 2,
    "sched2021": True,
    "creationOffset": 0,
    "rollover": 4,
    "curDeck": 1,
    "activeDecks": [1],
    "nextPos": 1,
    "newSpread": 0,
    "collapseTime": 1200,
    "timeLim": 0,
    "estTimes": True,
    "dueCounts": True,
    "curModel": None,
    "addToCur": True,
    "sortType": "noteFld",
    "sortBackwards": False,
    "dayLearnFirst": False,
}
_OPTIONS = {
    "id": 1,
    "mod": 0,
    "usn": 0,
    "name": "Default",
    "dyn": False,
    "maxTaken": 60,
    "timer": 0,
    "autoplay": True,
    "replayq": True,
    "new": {
        "bury": False,
        "delays": [1.0, 10.0],
        "initialFactor": 2500,
        "ints": [1, 4, 0],
        "order": 1,
        "perDay": 20,
    },
    "rev": {"bury": False, "ease4": 1.3, "hardFactor": 1.2, "ivlFct": 1.0, "maxIvl": 36500, "perDay": 200},
    "lapse": {"delays": [10.0], "leechAction": 1, "leechFails": 8, "minInt": 1, "mult": 0.0},
}

PageUrl = Callable[[Deck, Card], str]


class ShallowWarning(UserWarning):
    """When a deck last changed cannot be told from a history that is cut off."""


@dataclass
class Exported:
    """What went into a package.

    Attributes:
        notes: how many notes, one a card.
        reviews: how many reviews.
        media: how many images.
        left_out: what did not go into it, a sentence each.
    """

    notes: int = 0
    reviews: int = 0
    media: int = 0
    left_out: list[str] = field(default_factory=list)


def export_anki(
    decks: Sequence[Deck],
    target: str | os.PathLike[str],
    *,
    progress: str | os.PathLike[str] | None = None,
    parent: str = "",
    page_url: PageUrl | None = None,
    words: Words | None = None,
    force: bool = False,
) -> Exported:
    """Write decks as a package for Anki; whole or not at all.

    Args:
        decks: the decks; see `package`.
        target: the file.
        progress: the review log: its reviews, and the memory that they made, go along.
        parent: the deck in Anki that the decks lie below, if any.
        page_url: where a card is published.
        words: the language of the labels on a note; the notebook's when left out.
        force: replace the file where it is there.

    Raises:
        FileExistsError: the file is there and `force` is not set.
        DeckError: a face cannot be shown in Anki, or two cards have one id.
        ReviewLogError: the review log is not there or cannot be read.
    """
    path = Path(target)
    refuse_taken(path, force=force)
    entries = log_of(progress) if progress is not None else []
    data, exported = package(decks, entries=entries, parent=parent, page_url=page_url, words=words)
    write_whole(path, data)
    return exported


def log_of(progress: str | os.PathLike[str]) -> list[Entry]:
    """The entries of a review log that has to be there.

    Raises:
        ReviewLogError: it is not there, or cannot be read.
    """
    if not Path(progress).expanduser().exists():
        raise reviews.ReviewLogError(os.fspath(progress), [(0, "there is no such file; check the path")])
    return reviews.read(progress)


def package(
    decks: Sequence[Deck],
    *,
    entries: Sequence[Entry] = (),
    states: Mapping[str, State] | None = None,
    parent: str = "",
    page_url: PageUrl | None = None,
    words: Words | None = None,
) -> tuple[bytes, Exported]:
    """Decks as the bytes of a package for Anki: the same bytes whenever the sources are the same.

    Args:
        decks: the decks; each becomes a deck in Anki, named by its title.
        entries: the review log; its reviews become Anki's.
        states: where each card stands after all entries, by its id; worked out when left out.
        parent: the deck in Anki that the decks lie below, if any.
        page_url: where a card is published.
        words: the language of the labels on a note; the notebook's when left out.

    Returns:
        The package, and what went into it.

    Raises:
        DeckError: a face cannot be shown in Anki, or two cards have one id.
    """
    _refuse(decks)
    exported = Exported()
    names = _names(decks, parent, exported)
    card_ids = [card.id for deck in decks for card in deck]
    note_numbers = numbers(card_ids, first=_NOTES)
    card_numbers = numbers(card_ids, first=_CARDS)
    deck_numbers = numbers(names, first=_DECKS)
    exported.notes = len(card_ids)
    if any(deck.bibliography or deck.pages for deck in decks):
        exported.left_out.append("where the bibliography and the pages of the book are")
    rated = _reviews(entries, card_numbers, exported)
    if states is None:
        states = _states(entries)
    suspended = suspensions(entries)

    media: dict[str, bytes] = {}
    notes: list[tuple[Any, ...]] = []
    cards: list[tuple[Any, ...]] = []
    newest = 0
    for deck, name in zip(decks, names, strict=True):
        faces = Faces.of(deck, mathjax=True)
        images: dict[str, None] = {}
        rows: list[tuple[Card, list[str]]] = []
        for card in deck:
            rows.append((card, note_fields(card, faces, media, _of(deck, page_url))))
            images |= dict.fromkeys(faces.images)
        modified = last_change(deck, images)
        newest = max(newest, modified)
        for card, fields in rows:
            number = card_numbers[card.id]
            notes.append(_note(note_numbers[card.id], card, fields, modified))
            row = card_row(
                states.get(card.id),
                rated.get(card.id, []),
                len(cards) + 1,
                modified,
                suspended.get(card.id),
            )
            cards.append(_card(number, note_numbers[card.id], deck_numbers[name], row))
    rows_of_reviews = _spread(rated, card_numbers)
    exported.reviews, exported.media = len(rows_of_reviews), len(media)
    collection = _collection(notes, cards, rows_of_reviews, deck_numbers, newest, words or spoken())
    return _zip(collection, media, newest), exported


def last_change(deck: Deck, images: Iterable[str] = ()) -> int:
    """When what a deck's notes show last changed, in Unix seconds.

    Anki takes a note over only when this is newer than what it has. It is `SOURCE_DATE_EPOCH` where that is
    set; else the last commit of the deck and of what its notes show of the book, or the time of a file that
    is not committed as it is.

    Args:
        deck: the deck.
        images: the paths of its images, relative to it.
    """
    fixed = os.environ.get("SOURCE_DATE_EPOCH", "")
    if fixed:
        if not re.fullmatch("[0-9]{1,10}", fixed):
            raise AnkiError(f"SOURCE_DATE_EPOCH is {fixed!r}; set it to seconds since 1970, or unset it")
        return int(fixed)
    if deck.path is None:
        return RENDERING
    sources = [path for path in (deck.path, deck.bibliography, deck.pages) if path is not None]
    sources += [deck.path.parent / image for image in images]
    return max(_changed(path.resolve()) for path in sources) + RENDERING


def _changed(path: Path) -> int:
    """The last commit of a file or folder; the file's time where it differs from that or there is no git.

    Where a shallow clone ends, everything seems changed in its oldest commit. Readers would lose what they
    edited in Anki to a change that was none: such a date does not count.
    """
    folder, name = path.parent, path.name
    committed, _, names = (
        _git(folder, "log", "-1", "--decorate=full", "--format=%ct %D", "--", name) or ""
    ).partition(" ")
    if committed and _git(folder, "status", "--porcelain", "--", name) == "":
        if "grafted" not in names.split(", "):
            return int(committed)
        warnings.warn(
            "the git history is cut off (a shallow clone), so when a deck last changed is not known, and "
            "Anki keeps the notes it has; fetch all of it: 'fetch-depth: 0' of actions/checkout, or "
            "'git fetch --unshallow'",
            ShallowWarning,
            stacklevel=2,
        )
        return 0
    files = [path] if path.is_file() else [file for file in path.rglob("*.md") if file.is_file()]
    return max((int(file.stat().st_mtime) for file in files), default=0)


def _git(folder: Path, *command: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", folder, *command], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _of(deck: Deck, page_url: PageUrl | None) -> Callable[[Card], str] | None:
    return None if page_url is None else lambda card: page_url(deck, card)


def _refuse(decks: Sequence[Deck]) -> None:
    found = faults(decks) or given_twice(decks)
    if found:
        raise DeckError(found)


def _names(decks: Sequence[Deck], parent: str, exported: Exported) -> list[str]:
    """The name of each deck in Anki, where `::` parts a deck from the one above it.

    No two are alike, as Anki compares them: whatever their case. Says where the title is another.
    """
    names: list[str] = []
    taken: set[str] = set()
    for deck in decks:
        plain = unicodedata.normalize("NFC", " ".join((deck.title or deck.name).split()))
        title = free = re.sub(r":{2,}", ":", plain).strip(" :") or "deck"
        number = 1
        while free.casefold() in taken:
            free = f"{title} ({deck.name})" if number == 1 else f"{title} ({deck.name} {number})"
            free = re.sub(r":{2,}", ":", free)
            number += 1
        taken.add(free.casefold())
        if deck.title and free != deck.title:
            exported.left_out.append(f"the title '{deck.title[:80]}': in Anki the deck is '{free[:80]}'")
        names.append(f"{parent}::{free}" if parent else free)
    return names


def _reviews(
    entries: Sequence[Entry], known: Mapping[str, int], exported: Exported
) -> dict[str, list[ReviewRow]]:
    """The reviews of each card; says what of the log has no place in a package."""
    counting = effective(entries)
    dated = [entry for entry in counting if entry["kind"] != "review" or to_ms(entry["at"]) >= 0]
    rows = review_rows(dated)
    later = {entry["id"] for entry in entries if entry["schema"] > SCHEMA}
    elsewhere = " of cards that are in none of the decks"
    say = exported.left_out.append
    for count, one, many, place in (
        (sum(len(of) for card, of in rows.items() if card not in known), "review", "reviews", elsewhere),
        (len(suspensions(entries).keys() - known.keys()), "suspension", "suspensions", elsewhere),
        (len(counting) - len(dated), "review", "reviews", " from before 1970"),
        (sum(entry["kind"] == "bury" for entry in counting), "burial", "burials", " until the next day"),
        (len(later), "entry", "entries", " of a later version of the log"),
    ):
        if count:
            say(f"{count} {one if count == 1 else many}{place}")
    return {card: reviews for card, reviews in rows.items() if card in known}


def _states(entries: Sequence[Entry]) -> Mapping[str, State]:
    if not entries:
        return {}
    from flipcards.scheduler import Scheduler  # starts an engine

    scheduler = Scheduler()
    scheduler.add(entries)
    return scheduler.states()


def _spread(rated: Mapping[str, list[ReviewRow]], known: Mapping[str, int]) -> list[tuple[Any, ...]]:
    """The rows of Anki's log. There a review is named by its millisecond, so no two may share one."""
    return [
        (
            number,
            card,
            -1,
            row.rating,
            row.interval,
            row.last_interval,
            row.factor,
            row.time_ms,
            row.type,
        )
        for number, card, row in numbered(
            (row.at_ms, known[card], row) for card, rows in rated.items() for row in rows
        )
    ]


def _note(number: int, card: Card, fields: list[str], modified: int) -> tuple[Any, ...]:
    first = unescape(re.sub(r"<[^>]*>", "", fields[0])).strip()
    digest = int(hashlib.sha1(first.encode(), usedforsecurity=False).hexdigest()[:8], 16)
    tags = f" {' '.join(card.tags)} " if card.tags else ""
    joined = "\x1f".join(fields)
    return (number, guid(card.id), MODEL_ID, modified, -1, tags, joined, first, digest, 0, "")


def _card(number: int, note: int, deck: int, row: CardRow) -> tuple[Any, ...]:
    return (
        number,
        note,
        deck,
        0,
        row.modified,
        -1,
        row.type,
        row.queue,
        row.due,
        row.interval_days,
        row.factor,
        row.reps,
        row.lapses,
        row.left,
        0,
        0,
        0,
        row.data,
    )


def _deck(number: int, name: str, modified: int) -> dict[str, Any]:
    today = [0, 0]
    return {
        "id": number,
        "name": name,
        "mod": modified,
        "usn": -1,
        "desc": "",
        "dyn": 0,
        "conf": 1,
        "collapsed": False,
        "browserCollapsed": False,
        "extendNew": 0,
        "extendRev": 0,
        **dict.fromkeys(("newToday", "revToday", "lrnToday", "timeToday"), today),
    }


def _collection(
    notes: list[tuple[Any, ...]],
    cards: list[tuple[Any, ...]],
    reviews: list[tuple[Any, ...]],
    decks: Mapping[str, int],
    modified: int,
    words: Words,
) -> bytes:
    deck_rows = {1: "Default"} | {number: name for name, number in decks.items()}
    tables = {
        "conf": _CONFIG,
        "models": {str(MODEL_ID): model(modified, words)},
        "decks": {str(number): _deck(number, name, modified) for number, name in sorted(deck_rows.items())},
        "dconf": {"1": _OPTIONS},
        "tags": {},
    }
    texts = [
        json.dumps(tables[name], ensure_ascii=False) for name in ("conf", "models", "decks", "dconf", "tags")
    ]
    database = sqlite3.connect(":memory:")
    try:
        database.executescript(_SCHEMA)
        row = (1, DAY_ZERO, modified * 1000, modified * 1000, 11, 0, 0, 0, *texts)
        for table, rows in (("col", [row]), ("notes", notes), ("cards", cards), ("revlog", reviews)):
            if rows:
                marks = ",".join("?" * len(rows[0]))
                database.executemany(f"INSERT INTO {table} VALUES ({marks})", sorted(rows))
        database.commit()
        return database.serialize()
    finally:
        database.close()


def _zip(collection: bytes, media: Mapping[str, bytes], modified: int) -> bytes:
    """The package: the collection, and the images named by numbers."""
    names = {str(number): name for number, name in enumerate(sorted(media))}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:

        def add(name: str, data: bytes | str, kind: int = zipfile.ZIP_DEFLATED) -> None:
            member = zipfile.ZipInfo(name)  # of 1980-01-01: no clock, no time zone
            member.compress_type = kind
            member.external_attr = 0o644 << 16
            member.create_system = 3
            archive.writestr(member, data)

        add("collection.anki2", collection)
        add("media", json.dumps(names, ensure_ascii=False))
        for number, name in names.items():
            add(number, media[name], zipfile.ZIP_DEFLATED if name.endswith(".svg") else zipfile.ZIP_STORED)
    return buffer.getvalue()
