"""A package of Anki, old or new, as rows: opened as if its sender meant harm."""

from __future__ import annotations

import json
import sqlite3
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any

import zstandard

# A package that needs more than this is refused before it takes the memory or the disk.
MAX_PACKAGE_BYTES = 2 * 2**30
MAX_FILES = 200_000
MAX_LIST_BYTES = 32 * 2**20
MAX_COLLECTION_BYTES = 256 * 2**20
MAX_NOTES = 200_000
MAX_FIELDS_BYTES = 128 * 2**20  # the text of all notes
MAX_CELL_BYTES = 8 * 2**20
MAX_REVIEWS = 2_000_000
_MAX_STEPS = 20_000  # times 100,000 instructions of sqlite: some ten times what the largest package takes
_WINDOW_BYTES = 128 * 2**20  # of zstd; what its own command line allows
# From 1970 to 9998: what a date can say anywhere on Earth.
_LAST_MS = 253_370_764_799_999

# Where the notes are, by version from the last; only the last is compressed.
_COLLECTIONS = ("collection.anki21b", "collection.anki21", "collection.anki2")

_READS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION}
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, zstandard.ZstdError, sqlite3.Error, struct.error, json.JSONDecodeError),
    # What the readers of zip, SQLite, protobuf and JSON raise on damage; each becomes one message.
    *(EOFError, NotImplementedError, RuntimeError, UnicodeError, ValueError, TypeError, KeyError, IndexError),
    *(OverflowError, AttributeError, MemoryError),
)


class AnkiError(ValueError):
    """A package cannot be read. The message names the file, what is wrong and what to do."""


@dataclass(frozen=True)
class NoteType:
    """A note type: its fields, and question and answer of each card."""

    name: str
    is_cloze: bool
    fields: list[str]
    templates: list[tuple[str, str]]


@dataclass(frozen=True)
class Note:
    """A note, with its fields in the order of its type."""

    id: int
    guid: str
    type_id: int
    tags: list[str]
    fields: list[str]


@dataclass(frozen=True)
class CardOf:
    """A card: its note and side, its place among the cards, when it was suspended, whether it has a flag."""

    id: int
    note: int
    side: int
    deck: int
    position: int
    suspended_at: int | None
    is_flagged: bool


@dataclass
class Collection:
    """What a package holds. `undated` counts reviews at no date that a log can name."""

    note_types: dict[int, NoteType] = field(default_factory=dict)
    decks: dict[int, str] = field(default_factory=dict)
    notes: dict[int, Note] = field(default_factory=dict)
    cards: list[CardOf] = field(default_factory=list)
    reviews: dict[int, list[tuple[int, int, int]]] = field(default_factory=dict)
    undated: int = 0


class Package:
    """An open package.

    Attributes:
        collection: its notes, cards and reviews.
        media: the member of the archive for each media file, by the name that notes use.
    """

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._archive = archive
        self._name = name
        self._members = {info.filename: info for info in archive.infolist()}
        if len(self._members) > MAX_FILES:
            raise AnkiError(f"{name}: it holds {len(self._members):,} files; at most {MAX_FILES:,} are read")
        version = self._version()
        if version > 3:
            raise AnkiError(
                f"{name}: it is of version {version}, which is newer than this program; "
                "in Anki, export it with 'Support older Anki versions'"
            )
        # Newer packages have a small `collection.anki2` too, which only says that Anki should be updated.
        files = _COLLECTIONS[-version:][:1] if version else _COLLECTIONS
        inside = next((file for file in files if file in self._members), None)
        if inside is None:
            lacking = f"'{files[0]}' is not in it" if version else "there is no collection in it"
            raise AnkiError(f"{name}: {lacking}; export an .apkg from Anki")
        self._packed = inside == _COLLECTIONS[0]
        self.media = self._media()
        with tempfile.TemporaryDirectory(prefix="flipcards-") as folder:
            file = Path(folder) / "collection"
            with file.open("xb") as target:
                self._copy(inside, target, MAX_COLLECTION_BYTES)
            self.collection = _collection(file)

    def image(self, name: str, limit: int) -> bytes | None:
        """A media file of at most `limit` bytes; None where there is none, or it is larger or damaged."""
        member = self.media.get(name)
        if member is None or member not in self._members:
            return None
        try:
            return b"".join(self._chunks(member, limit))
        except (*_DAMAGE, OSError):
            return None

    def _version(self) -> int:
        if "meta" not in self._members:
            return 0
        numbers = dict(_varints(b"".join(self._chunks("meta", 1024, packed=False))))
        return numbers.get(1, 0)

    def _media(self) -> dict[str, str]:
        """Name in the notes -> member of the archive."""
        if "media" not in self._members:
            return {}
        raw = b"".join(self._chunks("media", MAX_LIST_BYTES))
        if self._packed:
            names = {str(n): name for n, name in enumerate(_media_names(raw))}
        else:
            listed = json.loads(raw.decode() or "{}")
            names = {str(member): str(name) for member, name in listed.items()}
        for name in names.values():
            if not _is_plain(name):
                raise AnkiError(
                    f"{self._name}: the media file {name[:80]!r} would be written to another folder; "
                    "the package is not read"
                )
        return {name: member for member, name in names.items()}

    def _copy(self, member: str, target: IO[bytes], limit: int) -> None:
        for chunk in self._chunks(member, limit):
            target.write(chunk)

    def _chunks(self, member: str, limit: int, *, packed: bool | None = None) -> Iterator[bytes]:
        """The content of a member, piece by piece; no more than `limit` bytes, whatever it says of itself."""
        info = self._members[member]
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
            raise AnkiError(
                f"{self._name}: '{member[:80]}' is encrypted or packed in a way Anki does not use"
            )
        size = 0
        with self._archive.open(info) as stored:
            stream: Any = stored
            if self._packed if packed is None else packed:
                stream = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES).stream_reader(stored)
            while chunk := stream.read(2**18):
                size += len(chunk)
                if size > limit:
                    raise AnkiError(f"{self._name}: '{member[:80]}' has more than {limit:,} bytes unpacked")
                yield chunk


def _begins_as_a_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


@contextmanager
def opened(path: Path) -> Iterator[Package]:
    """A package, open for as long as its media are read.

    Raises:
        AnkiError: it is damaged, hostile or no package. Nothing is left of it on the disk.
    """
    try:
        size = path.stat().st_size
        if size > MAX_PACKAGE_BYTES:
            raise AnkiError(f"{path}: it has {size:,} bytes; at most {MAX_PACKAGE_BYTES:,} are read")
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise AnkiError(f"{path}: there is no such file; check the path") from None
    except OSError as error:
        raise AnkiError(f"{path}: cannot be read: {error.strerror or error}") from error
    except AnkiError:
        raise
    except _DAMAGE as error:
        if _begins_as_a_zip(path):
            raise AnkiError(f"{path}: it is cut off or damaged; export it from Anki again") from error
        raise AnkiError(f"{path}: it is not a package of Anki; export an .apkg from Anki") from error
    with archive:
        try:
            package = Package(archive, str(path))
        except AnkiError:
            raise
        except (*_DAMAGE, OSError) as error:
            raise AnkiError(f"{path}: it is damaged ({_reason(error)}); export it from Anki again") from error
        yield package


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())[:120]
    return text or type(error).__name__


def _is_plain(name: str) -> bool:
    """Whether a name is a file's alone on every system: no folder, no drive, no way up."""
    if not name or name in (".", "..") or len(name) > 255 or any(ord(c) < 32 for c in name):
        return False
    return PurePosixPath(name).name == name and PureWindowsPath(name).name == name and ":" not in name


# --- protobuf, as far as Anki's needs it -------------------------------------------------------------


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message: number, and a number or bytes.

    Raises:
        ValueError: it is no message.
    """
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            if at >= len(data) or shift > 63:
                raise ValueError("a number of a message is cut off")
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    while at < len(data):
        key = varint()
        number, kind = key >> 3, key & 7
        if kind == 0:
            yield number, varint()
            continue
        size = varint() if kind == 2 else {1: 8, 5: 4}.get(kind, -1)
        if size < 0 or at + size > len(data):
            raise ValueError("a field of a message is cut off")
        yield number, data[at : at + size]
        at += size


def _varints(data: bytes) -> list[tuple[int, int]]:
    return [(number, value) for number, value in _fields(data) if isinstance(value, int)]


def _texts(data: bytes) -> dict[int, str]:
    """The fields of a message that are text; the last of each number."""
    found: dict[int, str] = {}
    for number, value in _fields(data):
        if isinstance(value, bytes):
            with suppress(UnicodeDecodeError):
                found[number] = value.decode()
    return found


def _media_names(data: bytes) -> Iterator[str]:
    for number, entry in _fields(data):
        if number == 1 and isinstance(entry, bytes):
            names = [value for n, value in _fields(entry) if n == 1]
            yield names[-1].decode() if names and isinstance(names[-1], bytes) else ""


# --- sqlite ------------------------------------------------------------------------------------------


def _collection(file: Path) -> Collection:
    database = sqlite3.connect(f"{file.as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        steps = 0

        def step() -> bool:
            nonlocal steps
            steps += 1
            return steps > _MAX_STEPS

        def authorise(action: int, *_: Any) -> int:
            return sqlite3.SQLITE_OK if action in _READS else sqlite3.SQLITE_DENY

        # A damaged file, or one made to harm, runs nothing of its own: no view, no trigger, no function.
        database.execute("PRAGMA trusted_schema = OFF")
        database.execute("PRAGMA cell_size_check = ON")
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_CELL_BYTES)
        database.set_progress_handler(step, 100_000)
        database.create_collation("unicase", lambda a, b: (a.lower() > b.lower()) - (a.lower() < b.lower()))
        database.set_authorizer(authorise)
        database.text_factory = lambda raw: raw.decode("utf-8")
        return _read(database)
    finally:
        database.close()


def _read(database: sqlite3.Connection) -> Collection:
    tables = {
        str(name)
        for name, sql in database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
        if not str(sql).upper().startswith("CREATE VIRTUAL")
    }
    missing = {"col", "notes", "cards", "revlog"} - tables
    if missing:
        raise ValueError(f"its collection has no table {sorted(missing)[0]}")
    found = Collection()
    if {"notetypes", "fields", "templates", "decks"} <= tables:
        _read_modern(database, found)
    else:
        _read_legacy(database, found)
    _read_notes(database, found)
    _read_cards(database, found)
    _read_reviews(database, found)
    return found


def _read_legacy(database: sqlite3.Connection, found: Collection) -> None:
    row = database.execute("SELECT models, decks FROM col LIMIT 1").fetchone()
    models, decks = (json.loads(text) for text in row)
    for key, model in models.items():
        fields = sorted(model["flds"], key=lambda f: int(f["ord"]))
        templates = sorted(model["tmpls"], key=lambda t: int(t["ord"]))
        found.note_types[int(key)] = NoteType(
            name=str(model["name"]),
            is_cloze=int(model.get("type", 0)) == 1,
            fields=[str(f["name"]) for f in fields],
            templates=[(str(t["qfmt"]), str(t["afmt"])) for t in templates],
        )
    for key, deck in decks.items():
        found.decks[int(key)] = str(deck["name"])


def _read_modern(database: sqlite3.Connection, found: Collection) -> None:
    fields: dict[int, list[str]] = {}
    for type_id, name in database.execute("SELECT ntid, name FROM fields ORDER BY ntid, ord"):
        fields.setdefault(int(type_id), []).append(str(name))
    templates: dict[int, list[tuple[str, str]]] = {}
    for type_id, config in database.execute("SELECT ntid, config FROM templates ORDER BY ntid, ord"):
        texts = _texts(bytes(config))
        templates.setdefault(int(type_id), []).append((texts.get(1, ""), texts.get(2, "")))
    for type_id, name, config in database.execute("SELECT id, name, config FROM notetypes ORDER BY id"):
        number = int(type_id)
        found.note_types[number] = NoteType(
            name=str(name),
            is_cloze=dict(_varints(bytes(config))).get(1, 0) == 1,
            fields=fields.get(number, []),
            templates=templates.get(number, []),
        )
    for deck_id, name in database.execute("SELECT id, name FROM decks ORDER BY id"):
        found.decks[int(deck_id)] = str(name).replace("\x1f", "::")


def _read_notes(database: sqlite3.Connection, found: Collection) -> None:
    size = 0
    rows = database.execute("SELECT id, guid, mid, tags, flds FROM notes ORDER BY id")
    for number, guid, type_id, tags, fields in rows:
        size += len(fields)
        if len(found.notes) >= MAX_NOTES or size > MAX_FIELDS_BYTES:
            raise ValueError(f"it has more than {MAX_NOTES:,} notes or {MAX_FIELDS_BYTES:,} bytes of text")
        found.notes[int(number)] = Note(
            id=int(number),
            guid=str(guid),
            type_id=int(type_id),
            tags=str(tags).split(),
            fields=str(fields).split("\x1f"),
        )


def _read_cards(database: sqlite3.Connection, found: Collection) -> None:
    rows = database.execute(
        "SELECT id, nid, ord, did, odid, mod, type, queue, due, flags, data FROM cards ORDER BY nid, ord"
    )
    for number, note, side, deck, home, modified, kind, queue, due, flags, data in rows:
        if len(found.cards) >= 4 * MAX_NOTES:
            raise ValueError(f"it has more than {4 * MAX_NOTES:,} cards")
        found.cards.append(
            CardOf(
                id=int(number),
                note=int(note),
                side=int(side),
                deck=int(home) or int(deck),
                position=int(due) if int(kind) == 0 else _position(data),
                suspended_at=min(max(int(modified), 0), _LAST_MS // 1000) if int(queue) == -1 else None,
                is_flagged=int(flags) & 7 != 0,
            )
        )


def _position(data: Any) -> int:
    """The place a card had among the new ones, which Anki keeps."""
    try:
        return int(json.loads(data)["pos"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return 2**31


def _read_reviews(database: sqlite3.Connection, found: Collection) -> None:
    """Ratings of cards that were due: not what was crammed, nor what was set by hand."""
    cards = {card.id for card in found.cards}
    rows = database.execute(
        "SELECT id, cid, ease, time FROM revlog "
        "WHERE ease BETWEEN 1 AND 4 AND (type <= 2 OR (type = 3 AND factor != 0)) ORDER BY id"
    )
    for read, (at_ms, card, rating, time_ms) in enumerate(rows):
        if read >= MAX_REVIEWS:
            raise ValueError(f"it has more than {MAX_REVIEWS:,} reviews")
        if int(card) not in cards:
            continue
        if not 0 <= int(at_ms) <= _LAST_MS:
            found.undated += 1
        else:
            review = (int(at_ms), int(rating), min(max(int(time_ms), 0), 2**31 - 1))
            found.reviews.setdefault(int(card), []).append(review)
