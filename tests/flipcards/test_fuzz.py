"""Whatever stands in a deck or a log: it is read, or refused by the documented error, with file and line."""

import contextlib
import io
import json
import re
import sys
import warnings

import pytest
import yaml
from flipcards import Deck, DeckError, check, reviews
from flipcards.cli import main
from flipcards.deck import CARD_FIELDS, DECK_FIELDS
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

BOUNDED = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
FAULT = re.compile(r"x:([1-9]\d*): \S", re.DOTALL)

DECK = b"""\
format: 1
title: Capitals
cards:
  - id: peru
    front: Which city is the {term}`capital` of Peru?
    back: |
      Lima, with $10^7$ people.

      | a | b |
      | - | - |
    why: "It has \\"the\\" port."
    source: [atlas2024]
    tags: [america, 'south']
"""
PIECES = [
    *(
        "cards:",
        "- ",
        "  ",
        "\n",
        "\n  - id: a\n",
        "front: ",
        "back: |\n",
        "tags: [",
        "]",
        "{",
        "}",
        ": ",
        "#",
    ),
    *(
        "&a ",
        "*a",
        "!!binary ",
        "!!python/object:os.system ",
        "<<: ",
        "? ",
        "---\n",
        "...\n",
        "%YAML 1.1\n",
        "|",
    ),
    *(
        "'",
        '"',
        "\\",
        "\t",
        "\r",
        "\r\n",
        "\x00",
        "\x85",
        "\u2028",
        "\ufeff",
        "null",
        "~",
        "1",
        "2026-01-01",
        ".nan",
    ),
    *("$", "$$", "`", "```", "{math}`", "{cite}`x`", "<b>", "[^1]", "é", "שלום", "😀", "[" * 40),
]


def lines_of(data):
    """How many lines a file has, as YAML counts them; 1 where it is no text."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("utf-8", "replace")
    return len(re.split("\r\n?|[\n\x85\u2028\u2029]", text))


def read_or_refused(data):
    """Read a deck and look for all its faults; every one has a line of the file."""
    try:
        deck = Deck.parse(data, shown_as="x")
    except DeckError as error:
        found = list(error.faults) or [None]
        found += check.faults([error.readable], references=True) if error.readable else []
    else:
        assert deck.cards
        found = check.faults([deck], references=True)
        Deck.parse(deck.to_yaml().encode())
    for fault in found:
        assert FAULT.match(str(fault)), fault
        assert fault.line <= lines_of(data), fault


@st.composite
def damaged(draw, data):
    """Bytes with a few of them changed, cut, doubled or put in."""
    data = bytearray(data)
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(data)))
        what = draw(st.sampled_from(("set", "cut", "double", "put")))
        if what == "set":
            data[at : at + 1] = bytes([draw(st.integers(0, 255))])
        elif what == "cut":
            del data[at : at + draw(st.integers(1, 40))]
        elif what == "double":
            data[at:at] = data[at : at + draw(st.integers(1, 60))]
        else:
            data[at:at] = draw(st.sampled_from(PIECES)).encode()
    return bytes(data)


TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=15).map(
    lambda parts: "".join(parts).encode("utf-8", "surrogatepass")
)
FILES = st.one_of(st.binary(max_size=60), TEXTS, damaged(DECK))


@BOUNDED
@given(data=FILES)
@example(data=b"- [")
@example(data=b"cards: [")
@example(data=b"\r\r\xff")
def test_any_bytes_are_a_deck_or_faults_with_their_lines(data):
    read_or_refused(data)


SCALARS = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.binary(max_size=4)),
    *(st.dates(), st.datetimes(), st.sampled_from(PIECES)),
)
KEYS = st.one_of(st.sampled_from((*CARD_FIELDS, *DECK_FIELDS, "cads", "Front")), SCALARS)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=15,
)
CARD = st.dictionaries(st.one_of(st.sampled_from(CARD_FIELDS), KEYS), TREES, max_size=6)
STRUCTURES = st.one_of(
    TREES,
    st.fixed_dictionaries({"cards": st.lists(st.one_of(CARD, TREES), max_size=3)}, optional={"title": TREES}),
    st.fixed_dictionaries(
        {
            "cards": st.lists(
                CARD.map(lambda card: {"id": "a", "front": "b", "back": "c", **card}), min_size=1
            )
        },
        optional=dict.fromkeys(("format", "title", "bibliography", "pages"), TREES),
    ),
)


@BOUNDED
@given(structure=STRUCTURES, flow=st.sampled_from([None, True, False]))
def test_any_structure_of_yaml_is_a_deck_or_faults_with_their_lines(structure, flow):
    text = yaml.safe_dump(structure, allow_unicode=True, default_flow_style=flow, sort_keys=False)
    read_or_refused(text.encode("utf-8", "surrogatepass"))


@BOUNDED
@given(data=FILES, form=st.sampled_from(["text", "github", "json"]))
def test_check_ends_with_a_code_and_names_the_place_of_each_fault(data, form):
    out, told, stdin = io.StringIO(), io.StringIO(), sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(data))
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(told):
            code = main(["check", "--format", form, "-"])
    finally:
        sys.stdin = stdin
    printed = out.getvalue()
    if form == "json":
        faults = json.loads(printed)
        assert all(fault["file"] == "-" and fault["line"] >= 1 and fault["message"] for fault in faults)
    else:
        begin = "-:" if form == "text" else "::error file=-,line="
        faults = [line for line in printed.split("\n") if line.startswith(begin)]
        assert bool(faults) == bool(printed)
        assert form == "text" or printed.count("\n") == len(faults)
    assert code == (1 if faults else 0)


# --- the review log ---------------------------------------------------------------------------------

ENTRY = {
    "schema": 1,
    "id": "3f0d9d0e-6b0c-4d0a-9c55-0c1f5a0c7a11",
    "kind": "review",
    "card": "peru",
    "at": "2026-01-05T10:00:00.000Z",
    "offset_minutes": 60,
    "device": "3f0d9d0e-6b0c-4d0a-9c55-0c1f5a0c7a12",
    "rating": 3,
    "duration_ms": 1000,
    "decided": None,
}
LINE = json.dumps(ENTRY).encode()
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
CHANGED = st.one_of(
    st.dictionaries(st.sampled_from((*ENTRY, "undoes", "x")), VALUES, max_size=3).map(
        lambda new: ENTRY | new
    ),
    VALUES,
).map(lambda value: json.dumps(value).encode())
LOG_LINES = st.one_of(st.just(LINE), CHANGED, damaged(LINE), st.binary(max_size=30), st.just(b"[" * 2_000))


@BOUNDED
@given(
    lines=st.lists(LOG_LINES, max_size=5),
    end=st.sampled_from([b"\n", b"\r\n", b"", b"\n\n"]),
    between=st.sampled_from([b"\n", b"\r\n"]),
)
@example(lines=[LINE, b"1" * 5_000], end=b"\n", between=b"\n")
@example(lines=[LINE, b"\xff"], end=b"\n", between=b"\n")
def test_any_lines_are_a_log_or_are_refused_with_file_and_line(tmp_path_factory, lines, end, between):
    file = tmp_path_factory.getbasetemp() / "log.jsonl"
    data = between.join(lines) + end
    file.write_bytes(data)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            entries = reviews.read(file)
        except reviews.ReviewLogError as error:
            for line in str(error).splitlines():
                place = re.match(rf"{re.escape(str(file))}:(\d+): \S", line)
                assert place, line
                assert 1 <= int(place[1]) <= data.count(b"\n") + 1
            return
    assert all(issubclass(warning.category, reviews.ReviewLogWarning) for warning in told)
    # What was read can be merged, summed up, written and read again.
    assert reviews.merge(entries, entries) == reviews.merge(entries)
    reviews.summarise(entries)
    reviews.write(file, entries)
    assert reviews.read(file) == reviews.merge(entries)


def test_an_undamaged_log_is_read(tmp_path):
    (tmp_path / "log.jsonl").write_bytes(LINE + b"\n")
    assert reviews.read(tmp_path / "log.jsonl") == [ENTRY]
    (tmp_path / "bad.jsonl").write_bytes(LINE + b"\n{}\n" + LINE + b"\n")
    with pytest.raises(reviews.ReviewLogError, match=r"bad\.jsonl:2: "):
        reviews.read(tmp_path / "bad.jsonl")
