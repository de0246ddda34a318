"""A session of study as Python sees it: what its views say, without a browser."""

import json
import re
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pandas
import pytest
from flipcards import Card, Deck, reviews
from flipcards.display import STATIC_ENVIRONMENT
from flipcards.reviews import ReviewLogError

DEVICE = "00000000-0000-4000-8000-00000000000d"
NOW = datetime(2026, 11, 24, 20, 0, tzinfo=timezone(timedelta(hours=1)))


def review(number, *, card="one", rating=3, **more):
    entry = {"schema": 1, "id": str(uuid.UUID(int=number)), "kind": "review", "card": card}
    entry |= {"at": f"2026-11-24T18:{number // 60:02}:{number % 60:02}.000Z", "offset_minutes": 60}
    return entry | {"device": DEVICE, "rating": rating, "duration_ms": 900, "decided": None} | more


class View:
    """What a page has of a session: it keeps what it was told."""

    def __init__(self, session):
        self.session = session
        self.told = []

    def say(self, kind, **content):
        """Send a message as a browser would, and return the answers."""
        before = len(self.told)
        message = json.loads(json.dumps({"type": kind, **content}))
        self.session.receive(message, lambda answer: self.told.append(json.loads(json.dumps(answer))))
        return self.told[before:]


@pytest.fixture
def deck(monkeypatch):
    monkeypatch.delenv(STATIC_ENVIRONMENT, raising=False)
    return Deck(
        tuple(Card(name, f"{name}?", f"{name}.") for name in ("one", "two", "three")), title="Counting"
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "progress.jsonl"


def study(deck, progress=None, **settings):
    return deck.study(progress, now=lambda: NOW, **settings)


# --- Messages ---


def test_an_entry_is_acknowledged_once_it_is_in_the_file(deck, path):
    view = View(study(deck, path))
    (answer,) = view.say("entries", entries=[review(1), review(2, card="two")])
    assert answer["acknowledged"] == [review(1)["id"], review(2)["id"]]
    assert answer["entries"] == [review(1), review(2, card="two")]
    assert reviews.read(path) == [review(1), review(2, card="two")]


def test_an_entry_said_again_is_acknowledged_again_and_kept_once(deck, path):
    view = View(study(deck, path))
    view.say("entries", entries=[review(1)])
    (answer,) = view.say("entries", entries=[review(1), review(1)])
    assert answer["acknowledged"] == [review(1)["id"]] * 2
    assert (answer["entries"], answer["total"]) == ([], 1)
    assert path.read_bytes().count(b"\n") == 1


def test_a_new_view_is_told_the_log_in_pieces_and_an_old_one_what_it_lacks(deck, monkeypatch):
    monkeypatch.setattr("flipcards.study.MESSAGE_ENTRIES", 2)
    view = View(study(deck))
    view.say("entries", entries=[review(n) for n in range(5)])
    answers = view.say("hello", known=0, offset_minutes=60)
    assert [(one["from"], len(one["entries"]), one["total"]) for one in answers] == [
        (0, 2, 5),
        (2, 2, 5),
        (4, 1, 5),
    ]
    (answer,) = view.say("hello", known=4, offset_minutes=60)
    assert (answer["from"], answer["entries"]) == (4, [review(4)])
    assert view.say("hello", known=99)[0]["from"] == 5


def test_what_is_no_entry_is_refused_for_good_and_holds_up_no_other(deck, path):
    view = View(study(deck, path))
    refused, answer = view.say("entries", entries=[review(1, rating=9), review(2)])
    assert refused["final"]
    assert refused["ids"] == [review(1)["id"]]
    assert "'rating' is 9" in refused["reason"]
    assert answer["acknowledged"] == [review(2)["id"]]
    assert reviews.read(path) == [review(2)]


def test_what_cannot_be_written_is_not_acknowledged_and_the_view_hears_why(deck, path):
    view = View(study(deck, path))
    view.say("entries", entries=[review(1)])
    good = path.read_bytes()
    path.write_bytes(b"spoilt\n" + good)
    (answer,) = view.say("entries", entries=[review(2)])
    assert (answer["type"], answer["ids"], answer["final"]) == ("refused", [review(2)["id"]], False)
    assert re.search(r"progress.jsonl:1: this line is no JSON", answer["reason"])
    told, refused = view.say("hello", known=0)
    assert (told["entries"], refused["reason"]) == ([review(1)], answer["reason"])
    path.write_bytes(good)
    assert view.say("entries", entries=[review(2)])[-1]["acknowledged"] == [review(2)["id"]]
    assert reviews.read(path) == [review(1), review(2)]


@pytest.mark.parametrize(
    "message", [None, [], "hello", {}, {"type": "entries"}, {"type": "entries", "entries": 3}]
)
def test_a_message_that_is_none_of_ours_does_nothing(deck, message):
    session = study(deck)
    session.receive(message, lambda answer: pytest.fail(f"answered {answer}"))
    assert session.log == []


# --- Several kernels, several sessions, one file ---


def test_a_session_goes_on_where_the_last_kernel_ended(deck, path):
    View(study(deck, path)).say("entries", entries=[review(1), review(2)])
    session = study(deck, path)
    assert session.reviews == [review(1), review(2)]
    (answer,) = View(session).say("hello", known=0)
    assert answer["entries"] == [review(1), review(2)]


def test_two_notebooks_on_one_file_neither_lose_nor_double_and_learn_of_each_other(deck, path):
    one, two = study(deck, path), study(deck.only(["two"]), path)
    View(one).say("entries", entries=[review(1)])
    (answer,) = View(two).say("entries", entries=[review(2, card="two"), review(1)])
    assert answer["entries"] == [review(1), review(2, card="two")]
    assert one.reviews == [review(1), review(2, card="two")]
    assert two.reviews == [review(2, card="two")]
    assert path.read_bytes().count(b"\n") == 2


def test_the_widgets_views_are_told_what_another_notebook_wrote(deck, path, monkeypatch):
    session = study(deck, path)
    told = []
    monkeypatch.setattr(session.widget, "send", told.append)
    reviews.append(path, [review(1)])
    assert session.reviews == [review(1)]
    assert [one["entries"] for one in told] == [[review(1)]]


def test_without_a_file_entries_live_in_the_session(deck, tmp_path):
    session = study(deck)
    View(session).say("entries", entries=[review(1)])
    assert session.reviews == [review(1)]
    assert study(deck).reviews == []
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_used_is_told_at_once(deck, path, tmp_path):
    with pytest.raises(ReviewLogError, match="there is no folder"):
        study(deck, tmp_path / "none" / "progress.jsonl")
    path.write_text("<html>", "utf-8")
    with pytest.raises(ReviewLogError, match=r"progress.jsonl:1: this line is no JSON"):
        study(deck, path)


# --- What Python asks ---


def test_reviews_are_those_of_the_deck_that_were_not_undone(deck):
    session = study(deck)
    undone = {**review(4, kind="undo"), "undoes": review(2)["id"]}
    View(session).say("entries", entries=[review(3), undone, review(2), review(1, card="of another deck")])
    assert session.reviews == [review(3)]
    assert len(session.log) == 4
    assert repr(session) == "<Session 'Counting': 1 review>"


def test_due_and_stats_are_the_schedulers_at_the_readers_clock(deck):
    session = study(deck)
    assert session.due == []
    assert session.stats["counts"]["new"] == 3
    View(session).say("entries", entries=[review(1, rating=1), review(2, card="two", rating=4)])
    assert session.due == ["one"]
    counts = session.stats["counts"]
    assert (counts["new"], counts["learning"], counts["young"]) == (1, 1, 1)
    assert [day["date"] for day in session.stats["days"]] == ["2026-11-24"]


def test_the_day_is_the_readers_even_where_the_kernel_is_far_away(deck):
    session = deck.study(now=lambda: datetime(2026, 11, 24, 20, tzinfo=UTC))
    assert session.stats["forecast"][0]["date"] == "2026-11-24"
    View(session).say("hello", known=0, offset_minutes=9 * 60)
    assert session.stats["forecast"][0]["date"] == "2026-11-25"


def test_a_dataframe_has_a_row_a_review(deck):
    session = study(deck)
    decided = {"state": "review", "due": "2026-11-27T03:00:00.000Z", "interval_days": 3, "stability": 3.2}
    decided |= {"difficulty": 5.1}
    View(session).say("entries", entries=[review(1), review(2, card="two", decided=decided)])
    frame = session.to_dataframe()
    assert list(frame["card"]) == ["one", "two"]
    assert frame["at"].dtype.tz is not None
    assert frame["due"].iloc[1] == pandas.Timestamp("2026-11-27T03:00Z")
    assert pandas.isna(frame["stability"].iloc[0])
    assert frame["stability"].iloc[1] == 3.2
    assert study(deck).to_dataframe().empty


# --- Settings and views ---


def test_settings_are_checked_where_they_are_given(deck):
    assert study(deck, new_per_day=20, learning_steps=(1, 5)).settings == {
        "new_per_day": 20,
        "learning_steps": [1, 5],
    }
    with pytest.raises(ValueError, match=r"there is no setting 'new_cards'; the settings are new_per_day"):
        study(deck, new_cards=20)
    with pytest.raises(ValueError, match=r"new_per_day is -1"):
        study(deck, new_per_day=-1)
    with pytest.raises(ValueError, match=r"desired_retention is 2; it must be between"):
        study(deck, desired_retention=2)


def test_settings_that_the_reader_changes_are_those_python_schedules_by(deck):
    session = study(deck)
    View(session).say("entries", entries=[review(1)])
    assert session.due == ["one"]
    session.widget.settings = {"learning_steps": [1]}
    assert session.settings == {"learning_steps": [1]}
    assert session.due == []
    assert session.stats["counts"]["young"] == 1


def test_a_session_shows_a_widget_and_elsewhere_the_cards_and_is_one_widget_however_often_shown(deck):
    session = study(deck, None)
    bundles = [session._repr_mimebundle_() for _ in range(2)]
    views = [bundle["application/vnd.jupyter.widget-view+json"]["model_id"] for bundle in bundles]
    assert views == [session.widget.model_id] * 2
    assert bundles[0]["text/html"].count("<details") == 3
    assert bundles[0]["text/plain"] == "<Session 'Counting': 0 reviews>"


def test_the_outbox_is_named_by_the_log_so_that_the_next_kernel_finds_it(deck, path, monkeypatch):
    monkeypatch.chdir(path.parent)
    first = study(deck, path).widget.study
    assert first["name"] == "progress.jsonl"
    assert study(deck.only(["one"]), "progress.jsonl").widget.study == first
    assert study(deck).widget.study["key"] != first["key"]
    assert study(deck).widget.study == study(deck).widget.study


def test_while_a_book_is_built_a_session_is_the_cards_of_its_deck(tmp_path, monkeypatch):
    monkeypatch.setenv(STATIC_ENVIRONMENT, "1")
    monkeypatch.chdir(tmp_path)
    deck = Deck((Card("one", "One?", "One."),))
    deck.save(tmp_path / "deck.yml")
    loaded = Deck.load("deck.yml")
    session = loaded.study("progress.jsonl")
    assert not (tmp_path / "progress.jsonl").exists()
    assert {**loaded._repr_mimebundle_(), "text/plain": ""} == {
        **session._repr_mimebundle_(),
        "text/plain": "",
    }
