"""The review log <-> what Anki keeps: a row for each review, and where each card stands.

Both logs are histories of ratings, so that each can be read as the other. What Anki knows and the review log
does not say (rescheduling by hand, cramming, a card set back to new) is not taken over.
"""

from __future__ import annotations

import bisect
import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

from flipcards.reviews import SCHEMA, Entry, effective, instant, sort_key

T = TypeVar("T")
State = Mapping[str, Any]  # as the scheduler tells it, `scheduler.CardState`

DAY_ZERO = 1_577_851_200  # 2020-01-01T04:00Z: Anki counts the days on which cards are due from here
DECAY = 0.1542  # of FSRS-6 with its default parameters
RETENTION = 0.9

_DAY_MS = 86_400_000
_DAY_STARTS_MS = 4 * 3_600_000
_SAME_MS = 50  # two reviews of a card with one rating this close, one in each log, are one
_MOST = 2**31 - 1  # Anki's numbers have 32 bits

# Anki's numbers for what a card was when it was rated, and for what it is now.
LEARN, REVIEW, RELEARN, CRAM = range(4)
_NEW, _LEARNING, _IN_REVIEW, _RELEARNING = range(4)
_SUSPENDED = -1
_TYPES = {"new": _NEW, "learning": _LEARNING, "review": _IN_REVIEW, "relearning": _RELEARNING}
_RATED_AS = {"learning": LEARN, "review": REVIEW, "relearning": RELEARN}

# Names the entries made from Anki's rows: the same row gives the same entry, on every machine.
_NAMESPACE = uuid.UUID("6f0d9d0e-6b0c-5d0a-9c55-0c1f5a0c7a11")
DEVICE = str(uuid.uuid5(_NAMESPACE, "anki"))


@dataclass(frozen=True)
class ReviewRow:
    """A review as Anki's log has it: intervals are days, or seconds where they are negative."""

    at_ms: int
    rating: int
    interval: int
    last_interval: int
    factor: int
    time_ms: int
    type: int


@dataclass(frozen=True)
class CardRow:
    """Where a card stands in Anki. `due` is a position, a Unix time in seconds or a day, by `queue`."""

    modified: int
    type: int = _NEW
    queue: int = _NEW
    due: int = 0
    interval_days: int = 0
    factor: int = 0
    reps: int = 0
    lapses: int = 0
    left: int = 0
    data: str = "{}"


def to_ms(at: str) -> int:
    """An entry's instant in Unix milliseconds."""
    return round(instant(at).timestamp() * 1000)


def to_at(at_ms: int) -> str:
    """Unix milliseconds as an entry's instant."""
    second = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{second:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03}Z"


# --- to Anki ---


def review_rows(entries: Iterable[Entry]) -> dict[str, list[ReviewRow]]:
    """The reviews of each card, in order. Of a card's first review Anki requires the type `LEARN`."""
    rows: dict[str, list[ReviewRow]] = defaultdict(list)
    before: dict[str, str] = {}
    for entry in effective(entries):
        if entry["kind"] != "review":
            continue
        card, at_ms = entry["card"], to_ms(entry["at"])
        decided: Mapping[str, Any] = entry.get("decided") or {}
        last = rows[card][-1] if rows[card] else None
        kind = _RATED_AS[before[card]] if card in before else _type_after(last, at_ms)
        if kind == LEARN and last and last.type != LEARN:
            kind = RELEARN  # another device did not know of what came before; to Anki the card began anew
        rows[card].append(
            ReviewRow(
                at_ms=at_ms,
                rating=entry["rating"],
                interval=_interval(decided, at_ms),
                last_interval=last.interval if last else 0,
                factor=_factor(decided),
                time_ms=min(entry["duration_ms"], _MOST),
                type=kind,
            )
        )
        if decided:
            before[card] = decided["state"]
        else:
            before.pop(card, None)
    return dict(rows)


def _type_after(last: ReviewRow | None, at_ms: int) -> int:
    """The type of a review where the log does not say what the card was: long-term after a day."""
    if last is None:
        return LEARN
    if at_ms - last.at_ms >= _DAY_MS // 2 or (last.type == REVIEW and last.rating > 1):
        return REVIEW
    return RELEARN if last.type in (REVIEW, RELEARN) else LEARN


def _interval(decided: Mapping[str, Any], at_ms: int) -> int:
    if not decided:
        return 0
    if decided["state"] == "review":
        return int(min(max(1, round(decided["interval_days"])), _MOST))
    return -min(max(1, round((to_ms(decided["due"]) - at_ms) / 1000)), _MOST)


def _factor(decided: Mapping[str, Any]) -> int:
    """Difficulty as Anki's log has it with FSRS: 1 to 10 on a scale from 100 to 1100."""
    return 100 + round((min(max(1, decided["difficulty"]), 10) - 1) / 9 * 1000) if decided else 0


def numbered(rated: Iterable[tuple[int, int, T]]) -> Iterator[tuple[int, int, T]]:
    """Reviews (Unix ms, number of the card, anything) with a millisecond each, as Anki's log needs it."""
    free = 0
    for at_ms, card, rest in sorted(rated, key=lambda review: review[:2]):
        number = max(at_ms, free)
        free = number + 1
        yield number, card, rest


def suspensions(entries: Iterable[Entry]) -> dict[str, int]:
    """The suspended cards, and since when: in Unix seconds, rounded up to come after all that was before."""
    marks = ("suspend", "unsuspend")
    last = {entry["card"]: entry for entry in effective(entries) if entry["kind"] in marks}
    return {
        card: max(0, -(-to_ms(entry["at"]) // 1000))
        for card, entry in last.items()
        if entry["kind"] == "suspend"
    }


def card_row(
    state: State | None,
    reviews: Sequence[ReviewRow],
    position: int,
    modified: int,
    suspended_at: int | None = None,
) -> CardRow:
    """Where a card stands in Anki.

    Args:
        state: what the scheduler makes of the card's entries; none for a new card.
        reviews: the card's reviews.
        position: the card's place among the new ones.
        modified: when the deck changed, in Unix seconds.
        suspended_at: since when it is suspended, in Unix seconds, where that is known.
    """
    suspended = bool(state and state.get("suspended"))
    since = suspended_at if suspended else None
    if state is None or not reviews or state["state"] == "new":
        queue = _SUSPENDED if suspended else _NEW
        return CardRow(modified if since is None else since, queue=queue, due=position)
    kind = _TYPES[state["state"]]
    last_seconds = state["last_ms"] // 1000
    learned = kind == _IN_REVIEW
    memory = {
        "pos": position,
        "s": round(state["stability"], 4),
        "d": round(state["difficulty"], 3),
        "dr": RETENTION,
        "decay": DECAY,
        "lrt": last_seconds,
    }
    interval = max(1, round(state["interval_days"])) if learned else 0
    return CardRow(
        modified=last_seconds if since is None else since,
        type=kind,
        queue=_SUSPENDED if suspended else _IN_REVIEW if learned else _LEARNING,
        due=state["due_day"] - _day_zero() if learned else min(state["due_ms"] // 1000, _MOST),
        interval_days=max(1, round(state["stability"])) if kind == _RELEARNING else interval,
        factor=2500,
        reps=state["reps"],
        lapses=state["lapses"],
        left=0 if learned else max(1, (2 if kind == _LEARNING else 1) - state.get("step", 0)),
        data=json.dumps(memory, separators=(",", ":")),
    )


def _day_zero() -> int:
    """Anki's first day, counted as the scheduler counts days: from 1970, each beginning at 4 o'clock."""
    return (DAY_ZERO * 1000 - _DAY_STARTS_MS) // _DAY_MS


# --- from Anki ---


@dataclass(frozen=True)
class Studied:
    """What Anki knows of a card: its reviews (Unix ms, rating, ms taken), and since when it is suspended."""

    card: str
    reviews: Sequence[tuple[int, int, int]]
    suspended_at: int | None = None


def entries_of(
    studied: Iterable[Studied],
    known: Iterable[Entry] = (),
    *,
    offset_minutes: Callable[[int], int] | None = None,
) -> list[Entry]:
    """The entries that a log lacks of what Anki knows.

    The same reviews give the same entries, so that reading a package twice adds nothing. Nor does reading
    back what was once written for Anki: a review that the log has already, under whatever id, is left out.
    Each review of the log stands for one of Anki's at most.

    Args:
        studied: the cards.
        known: the log so far.
        offset_minutes: Unix milliseconds -> local time east of UTC then; this machine's when left out.
    """
    known = list(known)
    offset = offset_minutes or _local_offset
    ids = {entry["id"] for entry in known}
    suspended = suspensions(known)
    times: dict[tuple[str, int], list[_Known]] = defaultdict(list)
    rated = [
        (to_ms(entry["at"]), entry)
        for entry in sorted(known, key=sort_key)
        if entry["schema"] <= SCHEMA and entry["kind"] == "review"
    ]
    latest = {at_ms: number for number, _, at_ms in numbered((at_ms, 0, at_ms) for at_ms, _ in rated)}
    for at_ms, entry in rated:
        times[entry["card"], entry["rating"]].append(_Known(at_ms, latest[at_ms]))

    made: list[Entry] = []

    def add(card: str, at_ms: int, kind: str, **more: Any) -> None:
        name = f"{kind} {card} {at_ms} {more.get('rating', '')}"
        entry_id = str(uuid.uuid5(_NAMESPACE, name))
        if entry_id not in ids:
            entry = {"schema": SCHEMA, "id": entry_id, "kind": kind, "card": card, "at": to_at(at_ms)}
            made.append(cast(Entry, {**entry, "offset_minutes": offset(at_ms), "device": DEVICE, **more}))

    for card in studied:
        by_rating: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for at_ms, rating, time_ms in sorted(card.reviews):
            by_rating[rating].append((at_ms, time_ms))
        for rating, theirs in by_rating.items():
            for at_ms, time_ms in _unknown(theirs, times.get((card.card, rating), [])):
                add(card.card, at_ms, "review", rating=rating, duration_ms=time_ms, decided=None)
        if card.suspended_at is not None and card.card not in suspended:
            add(card.card, card.suspended_at * 1000, "suspend")
    return sorted(made, key=sort_key)


@dataclass
class _Known:
    """A review of the log: its instant, the latest that it may have in Anki, whether one there is it."""

    at_ms: int
    latest_ms: int
    is_found: bool = False


def _unknown(theirs: Sequence[tuple[int, int]], known: Sequence[_Known]) -> list[tuple[int, int]]:
    """The reviews in Anki (Unix ms, anything) that are none of the log's; both are in order."""
    # What is there to the millisecond first: what is only near must not take its place.
    starts = [one.at_ms for one in known]
    near = []
    for review in theirs:
        place = bisect.bisect_left(starts, review[0])
        while place < len(known) and starts[place] == review[0] and known[place].is_found:
            place += 1
        if place < len(known) and starts[place] == review[0]:
            known[place].is_found = True
        else:
            near.append(review)
    unknown = []
    free = [one for one in known if not one.is_found]
    place = 0
    for review in near:
        while place < len(free) and free[place].latest_ms + _SAME_MS < review[0]:
            place += 1
        if place < len(free) and free[place].at_ms - _SAME_MS <= review[0]:
            place += 1
        else:
            unknown.append(review)
    return unknown


def _local_offset(at_ms: int) -> int:
    offset = datetime.fromtimestamp(at_ms / 1000).astimezone().utcoffset()
    return round((offset or timedelta()).total_seconds() / 60)
