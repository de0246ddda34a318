"""The scheduler in Python: the stored histories to the digit, and the memory model beside py-fsrs."""

import json
import math
import random
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import fsrs
import pytest
from flipcards.scheduler import Scheduler

CASES = sorted((Path(__file__).parent / "data" / "log").glob("*.json"))
DEVICE = str(UUID(int=0xDE))
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
NOON_MS = int(NOON.timestamp() * 1000)


def review(number, card, at, rating):
    return {
        "schema": 1,
        "id": str(UUID(int=number)),
        "kind": "review",
        "card": card,
        "at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "offset_minutes": 0,
        "device": DEVICE,
        "rating": rating,
        "duration_ms": 1000,
        "decided": None,
    }


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_stored_history_gives_the_same_state_to_the_digit_as_in_the_browser(path):
    golden = json.loads(path.read_text(encoding="utf-8"))
    now = golden["now_ms"], golden["offset_minutes"]
    scheduler = Scheduler(golden["settings"])
    scheduler.add(golden["entries"])
    assert scheduler.states() == golden["states"]
    assert scheduler.due(*now) == golden["due"]
    stats = scheduler.stats(*now)
    assert {key: stats[key] for key in golden["stats"]} == golden["stats"]
    for card, preview in golden["preview"].items():
        assert scheduler.state(card) == golden["states"][card]
        assert scheduler.preview(card, *now) == {int(rating): choice for rating, choice in preview.items()}


def test_stability_and_difficulty_agree_with_py_fsrs():
    """Its way and ours meet on whole days, at most one review a day, without learning steps."""
    chance = random.Random(2026)
    theirs = fsrs.Scheduler(learning_steps=[], relearning_steps=[], enable_fuzzing=False)
    ours = Scheduler({"learning_steps": [], "relearning_steps": [], "fuzz": False})
    expected, entries = {}, []
    for history in range(1000):
        card, at = fsrs.Card(card_id=history), NOON
        for _ in range(chance.randint(1, 12)):
            rating = chance.choices([1, 2, 3, 4], [2, 2, 5, 1])[0]
            entries.append(review(len(entries) + 1, f"card-{history}", at, rating))
            card, _ = theirs.review_card(card, fsrs.Rating(rating), at)
            at += timedelta(days=1 + int(chance.expovariate(1 / 20)))
        expected[f"card-{history}"] = card
    ours.add(entries)
    states = ours.states()
    assert states.keys() == expected.keys()
    for name, card in expected.items():
        assert math.isclose(states[name]["stability"], card.stability, rel_tol=1e-6), name
        assert math.isclose(states[name]["difficulty"], card.difficulty, rel_tol=1e-6), name


def test_entries_may_come_late_and_twice():
    entries = [review(n, "a", NOON + timedelta(days=3 * n), 3) for n in range(1, 7)]
    once = Scheduler()
    once.add(entries)
    piecemeal = Scheduler()
    for entry in reversed(entries):
        piecemeal.add([entry])
        piecemeal.states()
    piecemeal.add(entries)
    assert piecemeal.states() == once.states()


def test_another_thread_sees_the_same_cards():
    scheduler = Scheduler()
    scheduler.add([review(1, "a", NOON, 4)])
    here, there = scheduler.states(), []
    thread = threading.Thread(target=lambda: there.append(scheduler.states()))
    thread.start()
    thread.join()
    assert there == [here]
    assert here["a"]["state"] == "review"


def test_figures_count_the_cards_that_are_asked_for():
    scheduler = Scheduler()
    scheduler.add([review(1, "a", NOON, 4), review(2, "removed", NOON, 4)])
    later = NOON_MS + 20 * 86_400_000
    assert scheduler.due(later, 0, ["a", "never-seen"]) == ["a"]
    stats = scheduler.stats(later, 0, ["a", "never-seen"])
    assert stats["counts"] == {"new": 1, "learning": 0, "young": 1, "mature": 0, "suspended": 0, "leeches": 0}
    assert stats["days"] == [{"date": "2026-11-24", "reviews": 2, "forgotten": 0, "duration_ms": 2000}]
    assert scheduler.state("never-seen")["state"] == "new"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"desired_retention": 1.5}, r"^desired_retention is 1.5; it must be between 0.7 and 0.99$"),
        ({"learning_steps": [0]}, r"^learning_steps has 0; a step is 1 to 1439 whole minutes$"),
        ({"ease": 2.5}, r"^there is no setting 'ease'; the settings are desired_retention, "),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_name(settings, message):
    with pytest.raises(ValueError, match=message):
        Scheduler(settings)
