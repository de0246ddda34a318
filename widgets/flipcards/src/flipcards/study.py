"""A session of study in a notebook: the front end's own, with the log in Python's hands."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import anywidget
import traitlets

from flipcards.deck import Deck
from flipcards.display import STATIC_ENVIRONMENT, bundle
from flipcards.reviews import Entry, LogFile, MemoryLog, ReviewLogError, effective, fault_of
from flipcards.widget import STATIC, html_of
from flipcards.words import LIVE_SECTIONS, spoken

if TYPE_CHECKING:
    from flipcards.scheduler import Scheduler

MESSAGE_ENTRIES = 1000  # in one message: some 300 kB

SETTINGS = (
    *("new_per_day", "desired_retention", "learning_steps", "relearning_steps"),
    *("maximum_interval_days", "fuzz"),
)
Send = Callable[[dict[str, Any]], None]


class Log(Protocol):
    """Where a session keeps its entries: a file or memory."""

    @property
    def entries(self) -> Sequence[Entry]:
        """All entries, each once, in the order in which they were learned. It only grows."""

    def refresh(self) -> list[Entry]:
        """Look for entries of others; those that are new."""

    def append(self, entries: Iterable[Entry]) -> list[Entry]:
        """Take entries in for good; everything that is new."""


class Session:
    """What a reader does with a deck, seen from Python.

    Show it as the last line of a cell to study. Two views of it, also in two tabs, share one log.

    Attributes:
        deck: the cards.
        progress: the log file as it was given, or None.
    """

    def __init__(
        self,
        deck: Deck,
        progress: str | os.PathLike[str] | None = None,
        *,
        now: Callable[[], datetime] | None = None,
        **settings: Any,
    ) -> None:
        """Begin, or go on where the log ends.

        Args:
            deck: the cards.
            progress: the log file, which is made where it is missing. Without it entries live in this object.
            now: the present, with its time zone; for tests.
            settings: `new_per_day`, `desired_retention`, `learning_steps`, `relearning_steps` (minutes),
                `maximum_interval_days`, `fuzz`, where they should not be the defaults.

        Raises:
            ReviewLogError: the log cannot be read or written, or a line of it is damaged.
            ValueError: a setting does not exist or makes no sense.
        """
        self.deck = deck
        self.progress = None if progress is None else os.fspath(progress)
        self._settings = _checked(settings)
        self._now = now or (lambda: datetime.now().astimezone())
        # A book is built without anybody's progress.
        in_build = STATIC_ENVIRONMENT in os.environ
        self._log: Log = MemoryLog() if progress is None or in_build else LogFile(progress)
        self._log.append([])  # a path that cannot be written is said now, not at the first rating
        self._offset_minutes: int | None = None  # of the reader, who may be far from the kernel
        self._scheduler: Scheduler | None = None
        self._scheduler_settings: dict[str, Any] = {}
        self._folded = 0
        self._widget: Study | None = None

    # --- What Python asks ---

    @property
    def log(self) -> list[Entry]:
        """Every entry, of other decks in the same file too, in the order in which it was learned."""
        self._look()
        return list(self._log.entries)

    @property
    def reviews(self) -> list[Entry]:
        """The reviews of the deck's cards that were not undone, in the order of (instant, id)."""
        cards = self._cards()
        return [
            entry for entry in effective(self.log) if entry["kind"] == "review" and entry["card"] in cards
        ]

    @property
    def due(self) -> list[str]:
        """The ids of the deck's cards that are due now, the most urgent first. New cards are not due."""
        return self._current().due(*self._present(), among=list(self._cards()))

    @property
    def stats(self) -> dict[str, Any]:
        """Counts by state, reviews per day, the forecast, retention and the hardest cards of the deck."""
        return self._current().stats(*self._present(), among=list(self._cards()))

    def to_dataframe(self) -> Any:
        """The reviews as a pandas DataFrame, a row each; what the scheduler decided is in columns of its own.

        Raises:
            ImportError: pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise ImportError("to_dataframe needs pandas: pip install pandas") from error
        columns = ("at", "card", "rating", "duration_ms")
        decisions = ("state", "due", "interval_days", "stability", "difficulty")
        origin = ("offset_minutes", "device", "id")
        rows = []
        for entry in self.reviews:
            row: dict[str, Any] = {**entry, **(entry.get("decided") or {})}
            rows.append([row.get(name) for name in (*columns, *decisions, *origin)])
        frame = pandas.DataFrame(rows, columns=[*columns, *decisions, *origin])
        for name in ("at", "due"):
            frame[name] = pandas.to_datetime(frame[name], utc=True)
        return frame

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that are not the defaults, as the reader changed them last."""
        return dict(self._settings if self._widget is None else self._widget.settings)

    @property
    def widget(self) -> Study:
        """The live view; displayed twice, it is two views of one session."""
        if self._widget is None:
            self._widget = Study(self)
        return self._widget

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/plain": repr(self), **bundle(self.deck, lambda: self.widget)}

    def __repr__(self) -> str:
        where = f", {self.progress}" if self.progress else ""
        count = len(self.reviews)
        return f"<Session {self.deck.title or self.deck.name!r}: {count} review{'s' * (count != 1)}{where}>"

    # --- What a view says ---

    def receive(self, message: object, send: Send) -> None:
        """Take a message of a view. Replies go through `send`, which reaches every view of its widget.

        A view says `{"type": "hello", "known": n, "offset_minutes": m}`: it has the first n entries of the
        log. The answer is `{"type": "log", "from": n, "entries": […], "total": N, "acknowledged": []}`,
        more than one where the log is long.

        It says `{"type": "entries", "entries": […]}`: take these. When they are in the log for good, the same
        kind of answer has their ids as `acknowledged`. What could not be taken comes back as
        `{"type": "refused", "ids": […], "reason": …, "final": …}`; final: there is no use in trying again.
        A view may say anything again: entries go by id.
        """
        if not isinstance(message, dict):
            return
        if message.get("type") == "hello":
            offset = message.get("offset_minutes")
            if isinstance(offset, int) and abs(offset) < 24 * 60:
                self._offset_minutes = offset
            known = message.get("known")
            fault = ""
            try:
                self._look()
            except ReviewLogError as error:
                fault = str(error)
            self._tell(send, known if isinstance(known, int) and known >= 0 else 0)
            if fault:
                send({"type": "refused", "ids": [], "reason": fault, "final": False})
        elif message.get("type") == "entries" and isinstance(message.get("entries"), list):
            self._take(message["entries"], send)

    def _take(self, entries: list[Any], send: Send) -> None:
        sound = []
        for entry in entries:
            if fault := fault_of(entry):
                name = entry.get("id") if isinstance(entry, dict) else None
                send({"type": "refused", "ids": [name], "reason": fault, "final": True})
            else:
                sound.append(entry)
        if not sound:
            return
        ids = [entry["id"] for entry in sound]
        before = len(self._log.entries)
        try:
            self._log.append(sound)
        except ReviewLogError as error:
            send({"type": "refused", "ids": ids, "reason": str(error), "final": False})
            return
        self._tell(send, before, acknowledged=ids)

    def _tell(self, send: Send, start: int, acknowledged: Sequence[str] = ()) -> None:
        """Send the log from an entry on, in messages of bounded size; the last one acknowledges."""
        entries = self._log.entries
        start = min(start, len(entries))
        while True:
            end = min(start + MESSAGE_ENTRIES, len(entries))
            last = end == len(entries)
            send(
                {
                    "type": "log",
                    "from": start,
                    "entries": list(entries[start:end]),
                    "total": len(entries),
                    "acknowledged": list(acknowledged) if last else [],
                }
            )
            if last:
                return
            start = end

    # --- Within ---

    def _look(self) -> None:
        """See what others wrote into the file, and tell the views."""
        before = len(self._log.entries)
        if self._log.refresh() and self._widget is not None:
            self._tell(self._widget.send, before)

    def _cards(self) -> dict[str, None]:
        return dict.fromkeys(card.id for card in self.deck)

    def _current(self) -> Scheduler:
        """The scheduler, told every entry."""
        self._look()
        if self._scheduler is None or self._scheduler_settings != self.settings:
            self._scheduler = _scheduler(self.settings)
            self._scheduler_settings = self.settings
            self._folded = 0
        self._scheduler.add(self._log.entries[self._folded :])
        self._folded = len(self._log.entries)
        return self._scheduler

    def _present(self) -> tuple[int, int]:
        """Now, in Unix milliseconds, and the reader's offset in minutes."""
        now = self._now()
        offset = self._offset_minutes
        if offset is None:
            offset = round((now.utcoffset() or timedelta()) / timedelta(minutes=1))
        return round(now.timestamp() * 1000), offset


class Study(anywidget.AnyWidget):
    """The view of a session."""

    _esm = STATIC / "flipcards.js"
    _css = "\n".join((STATIC / name).read_text("utf-8") for name in ("flipcards.css", "study.css"))
    html = traitlets.Unicode().tag(sync=True)
    words = traitlets.Dict().tag(sync=True)  # of another language; none where they are English
    study = traitlets.Dict().tag(sync=True)  # what the front end calls the log: its key and its name
    settings = traitlets.Dict().tag(sync=True)

    def __init__(self, session: Session, **kwargs: Any) -> None:
        """Show a session; the faces of its cards are rendered here, once."""
        name = Path(session.progress).name if session.progress else ""
        study = {"key": _key(session), "name": name}
        super().__init__(
            html=html_of(session.deck),
            words=spoken().table(LIVE_SECTIONS),
            study=study,
            settings=session.settings,
            **kwargs,
        )
        self.session = session
        self.on_msg(lambda widget, content, buffers: session.receive(content, self.send))


def _key(session: Session) -> str:
    """Names the log across kernels: what one kernel did not take, the next one of the same log gets."""
    log = session.progress if session.progress is not None else session.deck.path
    where = Path(log).expanduser().resolve().as_posix() if log is not None else session.deck.name
    return hashlib.sha256(f"{'log' if session.progress else 'deck'} {where}".encode()).hexdigest()[:32]


def _checked(settings: Mapping[str, Any]) -> dict[str, Any]:
    unknown = [name for name in settings if name not in SETTINGS]
    if unknown:
        raise ValueError(f"there is no setting '{unknown[0]}'; the settings are {', '.join(SETTINGS)}")
    new = settings.get("new_per_day", 0)
    if not isinstance(new, int) or isinstance(new, bool) or new < 0:
        raise ValueError(f"new_per_day is {new!r}; it must be a whole number from 0")
    checked = {name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()}
    if checked:
        _scheduler(checked)  # it knows what makes sense
    return checked


def _scheduler(settings: Mapping[str, Any]) -> Scheduler:
    from flipcards.scheduler import Scheduler  # reads the scheduler's bundle

    return Scheduler({name: value for name, value in settings.items() if name != "new_per_day"})
