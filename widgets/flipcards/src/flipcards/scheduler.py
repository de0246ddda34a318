"""When cards come back: the scheduler that pages and notebooks run, the same bundle, for Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypedDict, cast

from texmath.engine import Engine, EngineError

from flipcards.reviews import Entry

# 100,000 entries take 200 MB and five seconds; a call may not take for ever, and no log is that long.
_MEMORY_LIMIT_BYTES = 2**31
_TIME_LIMIT_SECONDS = 120.0
_CHUNK = 5_000  # entries a call

State = Literal["new", "learning", "review", "relearning"]


class Settings(TypedDict, total=False):
    """What a scheduler may be told; the rest has defaults.

    Attributes:
        desired_retention: probability of recall at which a card comes back, 0.7 to 0.99; 0.9.
        learning_steps: minutes, each less than a day; [1, 10].
        relearning_steps: minutes, each less than a day; [10].
        maximum_interval_days: 36500.
        fuzz: spread intervals a little, the same way each time; True.
    """

    desired_retention: float
    learning_steps: list[int]
    relearning_steps: list[int]
    maximum_interval_days: int
    fuzz: bool


class CardState(TypedDict):
    """Where a card stands. Days are counted as `dayOf` in `frontend/days.js` does; a `_ms` is Unix time.

    Attributes:
        card: its id.
        state: `new` before its first review.
        step: the learning or relearning step it is at, from 0.
        stability: days until recall is down to 90 %; 0 while new.
        difficulty: 1 to 10; 0 while new.
        reps: reviews so far.
        lapses: how often it was forgotten once it had been learned.
        interval_days: 0 while new or in steps.
        last_ms: of the last review; 0 while new.
        last_day: of the last review; 0 while new.
        due_day: the day it is due; 0 while new or in steps.
        due_ms: when it is due, a day beginning by the clock of the last review; 0 while new.
        suspended: hidden until it is unsuspended.
        buried_until_ms: hidden until then; 0 where it is not buried.
        leech: forgotten eight times or more.
    """

    card: str
    state: State
    step: int
    stability: float
    difficulty: float
    reps: int
    lapses: int
    interval_days: int
    last_ms: int
    last_day: int
    due_day: int
    due_ms: int
    suspended: bool
    buried_until_ms: int
    leech: bool


class Choice(TypedDict):
    """What a rating would do; `label` is what its button says (`<10 min`, `3 d`)."""

    state: State
    due_ms: int
    interval_days: int
    stability: float
    difficulty: float
    label: str


class Scheduler:
    """A log, folded: where every card stands.

    State is a replay of all entries by instant, so entries may come in any order and more than once.
    `now_ms` is Unix time in milliseconds, `offset_minutes` local time now, east of UTC.

    Args:
        settings: what differs from the defaults.

    Raises:
        ValueError: a setting is unknown or out of its range; the message names it.
    """

    def __init__(self, settings: Settings | Mapping[str, Any] | None = None) -> None:
        self._settings = dict(settings or {})
        unknown = sorted(self._settings.keys() - Settings.__annotations__)
        if unknown:
            known = ", ".join(Settings.__annotations__)
            raise ValueError(f"there is no setting {unknown[0]!r}; the settings are {known}")
        self._entries: list[Entry] = []
        self._engine = Engine(
            _source(), time_limit_seconds=_TIME_LIMIT_SECONDS, memory_limit_bytes=_MEMORY_LIMIT_BYTES
        )
        try:
            self._engine.call("flipcardsSchedule.open", self._settings)
        except EngineError as error:
            raise ValueError(error.message.removeprefix("RangeError: ")) from None

    def add(self, entries: Iterable[Entry]) -> None:
        """Take entries in. One that is known already changes nothing."""
        self._entries += entries

    def state(self, card: str) -> CardState:
        """Where a card stands; one that was never reviewed is new."""
        return cast(CardState, self._call("state", card))

    def states(self) -> dict[str, CardState]:
        """Where each card of the log stands, by id."""
        return {one["card"]: one for one in self._call("states")}

    def preview(self, card: str, now_ms: int, offset_minutes: int) -> dict[int, Choice]:
        """What each rating, 1 to 4, would do now."""
        choices = self._call("preview", card, now_ms, offset_minutes)
        return {int(rating): choice for rating, choice in choices.items()}

    def due(self, now_ms: int, offset_minutes: int, among: Iterable[str] | None = None) -> list[str]:
        """The cards that are due, those in learning first, then the longest overdue.

        `among` are the cards to look at; all of the log where it is left out.
        """
        due: list[str] = self._call("due", now_ms, offset_minutes, _listed(among))
        return due

    def stats(self, now_ms: int, offset_minutes: int, among: Iterable[str] | None = None) -> dict[str, Any]:
        """The figures of progress.

        Returns:
            `counts` of cards (new, learning, young, mature, suspended, leeches), `days` with reviews
            (date, reviews, forgotten, duration_ms), `forecast` of 30 days (date, cards), `retention`
            (desired, days, reviews, recalled, rate), and the `hardest` cards.
        """
        stats: dict[str, Any] = self._call("stats", now_ms, offset_minutes, _listed(among))
        return stats

    def _call(self, name: str, *args: Any) -> Any:
        """Call the bundle, which has every entry by then."""
        # Each thread has a copy of the program, and one that hit a limit is thrown away: ask what it knows.
        known = self._engine.call("flipcardsSchedule.count")
        if known < 0:
            self._engine.call("flipcardsSchedule.open", self._settings)
            known = 0
        for start in range(known, len(self._entries), _CHUNK):
            self._engine.call("flipcardsSchedule.add", self._entries[start : start + _CHUNK])
        return self._engine.call(f"flipcardsSchedule.{name}", *args)


def _listed(among: Iterable[str] | None) -> list[str] | None:
    return None if among is None else list(among)


@cache
def _source() -> str:
    return (Path(__file__).parent / "static" / "schedule.js").read_text(encoding="utf-8")
