"""The review log: entries in a file, one JSON object a line; read, append, merge, summarise."""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import re
import secrets
import shutil
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict, TypeGuard, cast

import filelock

from flipcards.words import spoken

SCHEMA = 1
KINDS = ("review", "undo", "bury", "suspend", "unsuspend")
STATES = ("learning", "review", "relearning")
DAY_STARTS_AT_HOUR = 4  # local time, as in Anki

_FARTHEST_OFFSET_MINUTES = 26 * 60
_LOCK_SECONDS = 10.0  # longer than any append takes
_SHOWN_FAULTS = 10
_BOM = b"\xef\xbb\xbf"
_END = 4096  # bytes
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):\d\d:\d\d\.\d{3}Z", re.ASCII)


class Decided(TypedDict):
    """What the scheduler decided after a review: history, never state."""

    state: Literal["learning", "review", "relearning"]
    due: str
    interval_days: float
    stability: float
    difficulty: float


class Entry(TypedDict):
    """One line of the log. Keys that are not listed here are kept as they are.

    Attributes:
        schema: of this entry. One of a later schema is kept and passed on, whatever is in it.
        id: a UUID in lower case; the identity of the entry in every copy of the log.
        kind: `review`, `undo`, `bury`, `suspend` or `unsuspend`.
        card: the id of the card (of an undo: of the entry that it takes back).
        at: when, in UTC, as `2026-11-24T19:05:22.123Z`.
        offset_minutes: local time then, in minutes east of UTC.
        device: a UUID of the browser profile or notebook that wrote it.
        rating: of a review: Again 1, Hard 2, Good 3, Easy 4.
        duration_ms: of a review: from the question to the rating.
        decided: of a review: what the scheduler decided, or None where it is not known.
        undoes: of an undo: the id of the entry that it takes back.
    """

    schema: int
    id: str
    kind: Literal["review", "undo", "bury", "suspend", "unsuspend"]
    card: str
    at: str
    offset_minutes: int
    device: str
    rating: NotRequired[int]
    duration_ms: NotRequired[int]
    decided: NotRequired[Decided | None]
    undoes: NotRequired[str]


class ReviewLogError(ValueError):
    """A log cannot be used, and nothing was changed.

    Attributes:
        file: the log, as messages name it.
        faults: every reason, each with the 1-based line of the file, or 0 for the file as a whole.
    """

    def __init__(self, file: str, faults: Iterable[tuple[int, str]]) -> None:
        self.file = file
        self.faults = tuple(faults)
        shown = [f"{file}:{line}: {fault}" if line else f"{file}: {fault}" for line, fault in self.faults]
        more = len(shown) - _SHOWN_FAULTS
        super().__init__("\n".join([*shown[:_SHOWN_FAULTS], *([f"… and {more} more"] if more > 0 else [])]))

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the faults, without the way through this package."""
        return [f"{type(self).__name__}:", *str(self).splitlines()]


class ReviewLogWarning(UserWarning):
    """A log ends in the middle of an entry; the entries before it are whole."""


# --- Entries ---


def fault_of(value: object) -> str:
    """What is wrong with something that should be an entry; "" when nothing is."""
    if not isinstance(value, dict) or "schema" not in value:
        return spoken()("file.noEntry")
    schema = value["schema"]
    if not _whole(schema) or schema < 1:
        return _wrong("schema", schema, "wholeFromOne")
    if schema > SCHEMA:
        return _first_fault(value, _LATER)
    kind = value.get("kind")
    return (
        _first_fault(value, _EVERY) or _first_fault(value, _OF_KIND.get(kind, {})) or _decision_fault(value)
    )


def _decision_fault(entry: Mapping[str, object]) -> str:
    decided = entry.get("decided")
    if entry["kind"] != "review" or decided is None:
        return ""
    if not isinstance(decided, dict):
        return _wrong("decided", decided, "objectOrNull")
    return _first_fault(decided, _DECIDED, "decided.")


def _first_fault(value: Mapping[str, object], rules: Mapping[str, _Rule], owner: str = "") -> str:
    for key, (is_right, what) in rules.items():
        found = value.get(key, _MISSING)
        if not is_right(found):
            return _wrong(f"{owner}{key}", found, what)
    return ""


def _wrong(key: str, value: object, wanted: str) -> str:
    """What is said of a value; `wanted` is the message that says what it must be."""
    words = spoken()
    names = ", ".join({"kind": KINDS, "decided.state": STATES}.get(key, ()))
    return words("file.wrong", key=key, value=_shown(value), wanted=words(f"file.{wanted}", names=names))


def _shown(value: object) -> str:
    if value is _MISSING:
        return spoken()("file.missing")
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:40]}…"


def _whole(value: object) -> TypeGuard[int]:
    """Whether it is a whole number in JavaScript too, to which 3.0 is 3."""
    if type(value) is float:
        return value.is_integer() and abs(value) < 2**53
    return type(value) is int and abs(value) < 2**53


def _number(value: object) -> TypeGuard[float]:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _not_negative(value: object) -> bool:
    return _number(value) and value >= 0


def _uuid(value: object) -> bool:
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def _instant(value: object) -> bool:
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        return False
    try:
        instant(value)
    except ValueError:
        return False
    return True


_Rule = tuple[Callable[[object], bool], str]  # whether a value is right, and the message that says what is

_MISSING = object()
_A_UUID: _Rule = (_uuid, "uuid")
_AN_INSTANT: _Rule = (_instant, "instant")
_FROM_ZERO: _Rule = (_not_negative, "fromZero")
_LATER: dict[str, _Rule] = {
    "id": _A_UUID,
    "at": (lambda value: value is _MISSING or isinstance(value, str), "text"),
}
_EVERY: dict[str, _Rule] = {
    "id": _A_UUID,
    "kind": (lambda value: value in KINDS, "oneOf"),
    "card": (lambda value: isinstance(value, str) and value != "", "cardId"),
    "at": _AN_INSTANT,
    "offset_minutes": (
        lambda value: _whole(value) and abs(value) <= _FARTHEST_OFFSET_MINUTES,
        "offset",
    ),
    "device": _A_UUID,
}
_OF_KIND: dict[object, dict[str, _Rule]] = {
    "undo": {"undoes": (_uuid, "entryId")},
    "review": {
        "rating": (
            lambda value: _whole(value) and 1 <= value <= 4,
            "rating",
        ),
        "duration_ms": (
            lambda value: _whole(value) and value >= 0,
            "milliseconds",
        ),
    },
}
_DECIDED: dict[str, _Rule] = {
    "state": (lambda value: value in STATES, "oneOf"),
    "due": _AN_INSTANT,
    "interval_days": _FROM_ZERO,
    "stability": _FROM_ZERO,
    "difficulty": _FROM_ZERO,
}


def instant(text: str) -> datetime:
    """The instant that an entry's `at` names, in UTC.

    Raises:
        ValueError: there is no such instant.
    """
    return datetime.fromisoformat(text)


def sort_key(entry: Mapping[str, object]) -> tuple[str, str]:
    """The order of a log: by instant, then by id."""
    return str(entry.get("at", "")), str(entry["id"])


def canonical(value: Any) -> str:
    """An entry as JSON that is the same for the same entry: keys in order, ASCII, as JavaScript writes it."""
    if isinstance(value, dict):
        items = sorted(value.items(), key=lambda item: _utf16(item[0]))
        return "{" + ",".join(f"{canonical(key)}:{canonical(item)}" for key, item in items) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number_text(value)
    return json.dumps(value).replace("\x7f", "\\u007f")


def _number_text(value: float) -> str:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        return "null"
    digits = repr(number)
    if number == 0:
        return "0"
    if 1e-6 <= abs(number) < 1e21:
        return re.sub(r"\.0$", "", format(Decimal(digits), "f"))
    mantissa, _, exponent = digits.partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent):+d}"


def _utf16(text: str) -> bytes:
    """Sorts text as JavaScript does, which compares halves of a surrogate pair."""
    return text.encode("utf-16-be", "surrogatepass")


def merge(*logs: Iterable[Entry]) -> list[Entry]:
    """The union of logs by id, in the order of (instant, id); the order of the arguments does not matter.

    Of two different entries with one id the one whose canonical JSON sorts first is kept.
    """
    union: dict[str, Entry] = {}
    for log in logs:
        add(union, log)
    return sorted(union.values(), key=sort_key)


def add(union: dict[str, Entry], entries: Iterable[Entry]) -> list[Entry]:
    """Add entries to a union by id. Returns those that changed it."""
    changed = []
    for entry in entries:
        if _changes(union, entry):
            union[entry["id"]] = entry
            changed.append(entry)
    return changed


def _changes(union: Mapping[str, Entry], entry: Entry) -> bool:
    known = union.get(entry["id"])
    return known is None or (known != entry and canonical(entry) < canonical(known))


def effective(entries: Iterable[Entry]) -> list[Entry]:
    """The entries that count, in order: none undone, no undo itself, none of a later schema."""
    merged = [entry for entry in merge(entries) if entry["schema"] <= SCHEMA]
    undone = {entry["undoes"] for entry in merged if entry["kind"] == "undo"}
    return [entry for entry in merged if entry["kind"] != "undo" and entry["id"] not in undone]


# --- Summary ---


@dataclass(frozen=True)
class Summary:
    """What a log says, in numbers. Undone reviews are not counted.

    Attributes:
        entries: lines of the log, whatever their kind or schema.
        reviews: ratings given.
        cards: cards that were rated.
        duration_ms: time taken by all reviews.
        first: the instant of the first review, or None.
        last: the instant of the last review, or None.
        ratings: how often each rating was given.
        days: reviews on each day; a day starts at 4 in the morning, local time.
    """

    entries: int
    reviews: int
    cards: int
    duration_ms: int
    first: datetime | None
    last: datetime | None
    ratings: Mapping[int, int] = field(default_factory=dict)
    days: Mapping[date, int] = field(default_factory=dict)


def summarise(entries: Iterable[Entry]) -> Summary:
    """Count the reviews of a log."""
    entries = merge(entries)
    reviews = [entry for entry in effective(entries) if entry["kind"] == "review"]
    instants = [instant(entry["at"]) for entry in reviews]
    return Summary(
        entries=len(entries),
        reviews=len(reviews),
        cards=len({entry["card"] for entry in reviews}),
        duration_ms=sum(int(entry["duration_ms"]) for entry in reviews),
        first=instants[0] if instants else None,
        last=instants[-1] if instants else None,
        ratings=dict(sorted(Counter(int(entry["rating"]) for entry in reviews).items())),
        days=dict(sorted(Counter(map(day_of, reviews)).items())),
    )


def day_of(entry: Entry) -> date:
    """The day an entry counts for, which starts at 4 in the morning where and when it was written."""
    shift = timedelta(minutes=int(entry["offset_minutes"]), hours=-DAY_STARTS_AT_HOUR)
    return (instant(entry["at"]) + shift).date()


# --- Text ---


@dataclass(frozen=True)
class Text:
    """What the bytes of a log say.

    Attributes:
        entries: its entries, in its order, also twice.
        lines: how many lines are whole, and `size` how many bytes they have.
        rest: what follows them: nothing, a last `entry` without its end of line, or one that is `cut` off.
    """

    entries: list[Entry]
    lines: int
    size: int
    rest: Literal["", "entry", "cut"] = ""


def parse(data: bytes, file: str, *, first_line: int = 1) -> Text:
    """Read the lines of a log. A last line that is cut off is left out.

    Raises:
        ReviewLogError: a line is damaged, or is no entry.
    """
    lines = data.removeprefix(_BOM).split(b"\n")
    last = lines.pop()  # what follows the last end of a line
    entries: list[Entry] = []
    faults: list[tuple[int, str]] = []
    for number, line in enumerate(lines, first_line):
        if not line.strip():
            continue
        value, fault = _entry(line)
        if fault:
            faults.append((number, fault))
        else:
            entries.append(cast(Entry, value))
    rest: Literal["", "entry", "cut"] = ""
    if last.strip():
        value, fault = _entry(last)
        if not fault:
            rest = "entry"
            entries.append(cast(Entry, value))
        elif value is None and _is_cut(last, after=entries or first_line > 1):
            rest = "cut"
        else:
            faults.append((first_line + len(lines), fault))
    if faults:
        raise ReviewLogError(file, faults)
    return Text(entries, len(lines), len(data) - len(last), rest)


def _entry(line: bytes) -> tuple[object, str]:
    """The JSON value of a line (None where there is none) and what is wrong with it."""
    try:
        value = _DECODER.decode(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return None, spoken()("log.notUtf8", byte=f"0x{line[error.start]:02x}")
    except (ValueError, RecursionError):
        return None, spoken()("file.noJson")
    return value, fault_of(value)


def _refuse(constant: str) -> None:
    raise ValueError(constant)  # NaN and Infinity, which Python would read


_DECODER = json.JSONDecoder(parse_constant=_refuse)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _is_cut(line: bytes, after: object) -> bool:
    """Whether a line without an end is what a write that was cut short left, and not another kind of file."""
    if not line.strip(b"\0"):  # a file that grew, but whose bytes never reached the disk
        return True
    return line.startswith(b"{") and (bool(after) or b'"schema"' in line)


def format_lines(entries: Iterable[Entry]) -> bytes:
    """Entries as lines of a log, in the order given."""
    lines = []
    for entry in entries:
        text = _ENCODER.encode(entry)
        try:
            line = text.encode("utf-8")
        except UnicodeEncodeError:  # half of a surrogate pair has no UTF-8
            line = re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", text).encode("utf-8")
        lines.append(line + b"\n")
    return b"".join(lines)


# --- Files ---


def read(path: str | os.PathLike[str]) -> list[Entry]:
    """The entries of a log file, each once, in the order of (instant, id). A log that is not there is empty.

    A last entry that is cut off is left out with a `ReviewLogWarning`.

    Raises:
        ReviewLogError: the file cannot be read, or a line of it is damaged.
    """
    return merge(LogFile(path).entries)


def append(path: str | os.PathLike[str], entries: Iterable[Entry]) -> None:
    """Add entries to a log file; they are on the disk when this returns. What it has already stays once.

    Raises:
        ReviewLogError: the log cannot be written or is damaged, or an entry is none. Nothing was added.
    """
    LogFile(path).append(entries)


def write(path: str | os.PathLike[str], entries: Iterable[Entry]) -> None:
    """Replace a log file by these entries, merged and in order: whole or not at all.

    Raises:
        ReviewLogError: the file cannot be written, or an entry is none. The old file is as it was.
    """
    shown_as, target = os.fspath(path), _resolved(path)
    entries = list(entries)
    _require(shown_as, entries)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    with _saying(shown_as, "cannotWrite"), _lock(target):
        try:
            with temporary.open("xb") as file:
                file.write(format_lines(merge(entries)))
                file.flush()
                os.fsync(file.fileno())
            if target.exists():
                shutil.copymode(target, temporary)
            temporary.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        _sync_folder(target.parent)


class LogFile:
    """A log file that others may append to as well: other notebooks, other kernels.

    It reads the file once and then only what was added. An append is one write of whole lines under a lock
    (of the file `.NAME.lock` beside it, which stays). An entry that was once read or appended is written
    again by the next append if somebody replaced the file by one without it.

    Attributes:
        path: the file.
        shown_as: how messages name it.
        entries: what was read and appended, each once, in the order in which it was learned here.

    Raises:
        ReviewLogError: the file cannot be read, or a line of it is damaged.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Read the file; one that is not there is empty."""
        self.shown_as = os.fspath(path)
        self.path = _resolved(path)
        self.entries: list[Entry] = []
        self._known: dict[str, Entry] = {}
        self._missing: list[Entry] = []  # of what is known, no longer in the file
        self._inode = 0
        self._size = 0  # bytes of the whole lines that were read
        self._lines = 0
        self._end = b""  # the last of these bytes: where the file still has them, it only grew
        self._cut_at = -1  # the cut that was spoken of
        self.refresh()

    def refresh(self) -> list[Entry]:
        """Look at the file again. Returns the entries that are new here.

        Raises:
            ReviewLogError: the file cannot be read, or a line of it is damaged.
        """
        with _saying(self.shown_as, "cannotRead"):
            learned, rest = self._look()
            if rest == "cut":  # perhaps somebody is in the middle of writing it
                with contextlib.suppress(OSError), _lock(self.path):
                    more, rest = self._look()
                    learned += more
        if rest == "cut" and self._cut_at != self._size:
            self._cut_at = self._size
            warnings.warn(
                f"{self.shown_as}:{self._lines + 1}: {spoken()('log.cutKept')}",
                ReviewLogWarning,
                stacklevel=3,
            )
        return learned

    def append(self, entries: Iterable[Entry]) -> list[Entry]:
        """Add entries; they are on the disk when this returns. What the file has already stays once.

        Returns the entries that are new here: these, and what others have added.

        Raises:
            ReviewLogError: the log cannot be written or is damaged, or an entry is none. Nothing was added.
        """
        entries = list(entries)
        _require(self.shown_as, entries)
        with _saying(self.shown_as, "cannotWrite"), _lock(self.path):
            learned, rest = self._look()
            fresh: dict[str, Entry] = {}
            add(fresh, entries)
            new = [entry for entry in fresh.values() if _changes(self._known, entry)]
            # Even where nothing is new: what another process wrote may not be on the disk yet.
            self._write(format_lines([*self._missing, *new]), rest)
            self._missing = []
            return learned + self._learn(new)

    def _learn(self, entries: Iterable[Entry]) -> list[Entry]:
        learned = add(self._known, entries)
        self.entries += learned
        return learned

    def _look(self) -> tuple[list[Entry], str]:
        """Read what was added, or all of it if the file is another one. Returns what is new, and the rest."""
        size, lines, end = self._size, self._lines, self._end
        try:
            with self.path.open("rb") as file:
                inode = os.fstat(file.fileno()).st_ino
                file.seek(size - len(end))
                grew = inode == self._inode and file.read(len(end)) == end
                if not grew:
                    file.seek(0)
                data = file.read()
        except FileNotFoundError:
            grew, inode, data = False, 0, b""
        if not grew:
            size, lines, end = 0, 0, b""
        text = parse(data, self.shown_as, first_line=lines + 1)
        self._inode = inode
        self._size = size + text.size
        self._lines = lines + text.lines
        self._end = (end + data[: text.size])[-_END:]
        if not grew:
            there: dict[str, Entry] = {}
            add(there, text.entries)
            self._missing = [entry for entry in self._known.values() if _changes(there, entry)]
        return self._learn(text.entries), text.rest

    def _write(self, lines: bytes, rest: str) -> None:
        """Append lines in one write, after what is whole; under the lock."""
        is_new = not self.path.exists()
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
        try:
            if rest == "cut":
                os.ftruncate(file, self._size)
            size = os.fstat(file).st_size
            left = memoryview(b"\n" + lines if rest == "entry" else lines)
            try:
                while left:
                    left = left[os.write(file, left) :]
                os.fsync(file)
            except OSError:
                os.ftruncate(file, size)  # no half of an entry stays
                raise
        finally:
            os.close(file)
        if is_new:
            _sync_folder(self.path.parent)


class MemoryLog:
    """A log without a file, for what need not outlast the process. It is used like a `LogFile`."""

    def __init__(self) -> None:
        """Begin empty."""
        self.entries: list[Entry] = []
        self._known: dict[str, Entry] = {}

    def refresh(self) -> list[Entry]:
        """Nobody else adds to it: no entry is new."""
        return []

    def append(self, entries: Iterable[Entry]) -> list[Entry]:
        """Add entries. Returns those that are new.

        Raises:
            ReviewLogError: an entry is none. Nothing was added.
        """
        entries = list(entries)
        _require("the log", entries)
        learned = add(self._known, entries)
        self.entries += learned
        return learned


def _require(file: str, entries: Iterable[object]) -> None:
    faults = [(0, f"entry {n} {fault}") for n, entry in enumerate(entries, 1) if (fault := fault_of(entry))]
    if faults:
        raise ReviewLogError(file, faults)


def _resolved(path: str | os.PathLike[str]) -> Path:
    return Path(path).expanduser().resolve()


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    if not path.parent.is_dir():  # the lock would make it
        raise FileNotFoundError(errno.ENOENT, f"there is no folder {path.parent}")
    name = path.with_name(f".{path.name}.lock")
    with filelock.FileLock(name, timeout=_LOCK_SECONDS, poll_interval=0.005):
        yield


@contextlib.contextmanager
def _saying(file: str, what: str) -> Iterator[None]:
    """Turn what the system refused into one message; `what` is that of what cannot be done."""
    words = spoken()
    try:
        yield
    except filelock.Timeout:
        why = words("log.locked", seconds=round(_LOCK_SECONDS))
        raise ReviewLogError(file, [(0, words(f"log.{what}", why=why))]) from None
    except OSError as error:
        why = words("log.system", error=error.strerror or str(error))
        raise ReviewLogError(file, [(0, words(f"log.{what}", why=why))]) from error


def _sync_folder(folder: Path) -> None:
    """Put the name of a new file on the disk too, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
