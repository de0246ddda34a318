"""Packages made to harm, damaged ones and nonsense: one clear message, and nothing left behind."""

import html
import io
import json
import sqlite3
import tempfile
import time
import zipfile
from pathlib import Path

import pytest
import zstandard
from flipcards import Card, Deck, anki_package, anki_read, reviews
from flipcards.anki import AnkiError, export_anki, import_anki
from flipcards.anki_markdown import Reader, cloze
from flipcards.anki_package import NoteType
from flipcards.deck import is_loadable
from flipcards.markup import Faces
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

DATA = Path(__file__).parent / "data" / "anki"
CARDS = (
    Card("one", "What is $x$?", "A **letter**.", "Because.", source=("a",), tags=("t",)),
    Card("two", "And `y`?", "Another."),
)
MODERN = (DATA / "anki-26.9-modern.apkg").read_bytes()
DUMMY = b"SQLite format 3\0 this collection only says that Anki should be updated"
BOUNDED = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def legacy(tmp_path_factory):
    """The bytes of a package as we write it."""
    file = tmp_path_factory.mktemp("legacy") / "x.apkg"
    export_anki([Deck(CARDS, "Two")], file)
    return file.read_bytes()


@pytest.fixture(scope="module")
def middle(legacy):
    """The same as a package of the middle kind: `collection.anki21`, and a dummy for an older Anki."""
    inside = members(legacy)
    collections = {"collection.anki21": inside.pop("collection.anki2"), "collection.anki2": DUMMY}
    return packed({"meta": b"\x08\x02", **collections, **inside})


@pytest.fixture(scope="module")
def studied(tmp_path_factory):
    """The bytes of a package with two reviews."""
    folder = tmp_path_factory.mktemp("studied")
    entries = [
        {
            "schema": 1,
            "id": f"3f0d9d0e-6b0c-4d0a-9c55-0c1f5a0c7a1{day}",
            "kind": "review",
            "card": "one",
            "at": f"2026-01-0{day}T10:00:00.000Z",
            "offset_minutes": 0,
            "device": "3f0d9d0e-6b0c-4d0a-9c55-0c1f5a0c7a11",
            "rating": 3,
            "duration_ms": 1000,
            "decided": None,
        }
        for day in (1, 2)
    ]
    reviews.append(folder / "p.jsonl", entries)
    export_anki([Deck(CARDS, "Two")], folder / "x.apkg", progress=folder / "p.jsonl")
    return (folder / "x.apkg").read_bytes()


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """The folder for temporary files: it has to be empty when all is over."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def members(package):
    """The files in a package, by name."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files, kind=zipfile.ZIP_DEFLATED):
    """A package of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", kind) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def changed(package, *statements):
    """The package with its collection changed by SQL."""
    files = members(package)
    database = sqlite3.connect(":memory:")
    database.deserialize(files["collection.anki2"])
    database.text_factory = bytes
    for statement in statements:
        database.executescript(statement)
    files["collection.anki2"] = database.serialize()
    database.close()
    return packed(files)


def refused(package, folder, message):
    """The package is refused with the message, and nothing is written."""
    file = folder / "bad.apkg"
    file.write_bytes(package)
    with pytest.raises(AnkiError, match=message) as caught:
        import_anki(file, folder / "out" / "deck.yml")
    assert str(file) in str(caught.value)
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    "name", ["../up.png", "/etc/x.png", "a/b.png", "..\\up.png", "C:\\x.png", "c:x", "", "..", "a\nb"]
)
@pytest.mark.parametrize("new", [False, True])
def test_media_that_would_land_in_another_folder_is_refused(legacy, tmp_path, scratch, name, new):
    if new:
        entry = b"\x0a" + bytes([len(name)]) + name.encode()
        names = zstandard.compress(b"\x0a" + bytes([len(entry)]) + entry)
        package = packed({**members(MODERN), "media": names, "0": b""})
    else:
        package = packed({**members(legacy), "media": json.dumps({"0": name}), "0": b""})
    refused(package, tmp_path, "would be written to another folder")


@pytest.mark.parametrize(
    ("limit", "files", "message"),
    [
        ("MAX_COLLECTION_BYTES", {"collection.anki2": b"\0" * 2_000_000}, "more than 1,000 bytes unpacked"),
        ("MAX_COLLECTION_BYTES", {"collection.anki21b": zstandard.compress(b"\0" * 2_000_000)}, "unpacked"),
        ("MAX_LIST_BYTES", {"media": b" " * 2_000_000}, "'media' has more than 1,000 bytes unpacked"),
        ("MAX_FILES", {str(number): b"" for number in range(1_100)}, "1,102 files; at most 1,000 are read"),
        ("MAX_PACKAGE_BYTES", {}, "bytes; at most 1,000 are read"),
    ],
)
def test_bombs_are_not_unpacked(legacy, tmp_path, scratch, monkeypatch, limit, files, message):
    monkeypatch.setattr(anki_package, limit, 1_000)
    refused(packed({**members(legacy), **files}), tmp_path, message)


def test_an_image_that_is_a_bomb_is_left_out_and_listed(tmp_path, scratch, legacy):
    picture = b"\x89PNG\r\n\x1a\n" + b"\0" * 50_000_000
    package = changed(
        legacy,
        "UPDATE notes SET mid = 7, flds = 'a <img src=b.png>' || char(31) || 'c' "
        "WHERE id IN (SELECT min(id) FROM notes)",
        MODELS,
    )
    files = {**members(package), "media": '{"0": "b.png"}', "0": picture}
    (tmp_path / "x.apkg").write_bytes(packed(files))
    result = import_anki(tmp_path / "x.apkg", tmp_path / "x.yml")
    assert any("image" in line and "b.png" in line for line in result.left_out)
    assert "a b" in {card.front for card in Deck.load(tmp_path / "x.yml")}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["scratch", "x.apkg", "x.yml"]


MODELS = """UPDATE col SET models = json_set(models, '$.7', json('{"id": 7, "name": "Mine", "type": 0,
 "flds": [{"name": "F", "ord": 0}, {"name": "B", "ord": 1}],
 "tmpls": [{"ord": 0, "qfmt": "{{F}}", "afmt": "{{FrontSide}}<hr id=answer>{{B}}"}]}'))"""
ENDLESS = (
    "DROP TABLE notes",
    "CREATE VIEW notes AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
    "SELECT i AS id, 'g' AS guid, 1 AS mid, '' AS tags, 'x' AS flds FROM n",
)


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (ENDLESS, "no table notes"),
        (["DROP TABLE revlog"], "no table revlog"),
        (["UPDATE notes SET flds = CAST(X'ff00fe' AS TEXT)"], "is damaged"),
        (
            [
                "DROP TABLE notes",
                "CREATE TABLE notes (id, guid, mid, tags, flds); INSERT INTO notes (id) VALUES (1)",
            ],
            "is damaged",
        ),
        (["UPDATE notes SET mid = 'many'"], "is damaged"),
        (["UPDATE col SET models = '[1, 2]'"], "is damaged"),
        (["UPDATE col SET models = '{'"], "is damaged"),
        ([f"UPDATE col SET decks = '{'[' * 100_000}'"], "is damaged"),
        (["DELETE FROM col"], "is damaged"),
        (["DELETE FROM cards"], "nothing in it can become a card"),
        (["UPDATE notes SET flds = 'x'"], "cards without a note or a type"),
        (["UPDATE notes SET flds = replace(hex(zeroblob(5000000)), '0', 'x')"], "is damaged"),
    ],
)
def test_a_damaged_collection_is_refused(legacy, tmp_path, scratch, statements, message):
    refused(changed(legacy, *statements), tmp_path, message)


@pytest.mark.parametrize(
    ("package", "message"),
    [
        (b"", "not a package of Anki"),
        (b"PK\x05\x06" + b"\0" * 18, "there is no collection in it"),
        (b"not a zip at all", "not a package of Anki"),
        (packed({"readme.txt": b"hello"}), "there is no collection in it"),
        (packed({"collection.anki2": b"SQLite format 3\0" + b"\xff" * 5000}), "is damaged"),
        (packed({"collection.anki21b": b"no zstd", "meta": b"\x08\x03"}), "is damaged"),
        (packed({"collection.anki21": b"no collection", "collection.anki2": DUMMY}), "is damaged"),
        (packed({"collection.anki21": b"", "collection.anki2": DUMMY, "meta": b"\x08\x02"}), "is damaged"),
        (packed({"collection.anki2": DUMMY, "meta": b"\x08\x02"}), "'collection.anki21' is not in it"),
        (packed({"collection.anki21": DUMMY, "meta": b"\x08\x01"}), "'collection.anki2' is not in it"),
        (packed({"collection.anki2": b"", "meta": b"\x08\x09"}), "newer than this program"),
        (packed({"collection.anki2": b"", "meta": b"\xff\xff\xff"}), "is damaged"),
        (packed({"collection.anki2": b"", "media": b"\xff{"}), "is damaged"),
        (packed({"collection.anki2": b"x"}, zipfile.ZIP_LZMA), "packed in a way Anki does not use"),
        (MODERN[:20_000], "cut off or damaged; export it from Anki again"),
    ],
)
def test_what_is_no_package_is_refused(tmp_path, scratch, package, message):
    refused(package, tmp_path, message)


def test_a_missing_package_is_named(tmp_path):
    with pytest.raises(AnkiError, match=r"gone\.apkg: there is no such file"):
        import_anki(tmp_path / "gone.apkg", tmp_path / "x.yml")


def test_nothing_stays_when_a_file_cannot_be_written(legacy, tmp_path, scratch):
    (tmp_path / "x.apkg").write_bytes(legacy)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        import_anki(tmp_path / "x.apkg", tmp_path / "file" / "deck.yml")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file", "scratch", "x.apkg"]


@pytest.mark.parametrize("force", [False, True])
def test_nothing_stays_and_nothing_is_replaced_when_the_log_cannot_be_written(
    tmp_path, scratch, monkeypatch, force
):
    (tmp_path / "x.apkg").write_bytes(MODERN)
    if force:
        (tmp_path / "deck.yml").write_text("mine")
    before = sorted(file.name for file in tmp_path.iterdir())
    with pytest.raises(reviews.ReviewLogError, match="no folder"):
        import_anki(
            tmp_path / "x.apkg", tmp_path / "deck.yml", progress=tmp_path / "no" / "p.jsonl", force=force
        )
    assert sorted(file.name for file in tmp_path.iterdir()) == before
    assert not force or (tmp_path / "deck.yml").read_text() == "mine"


@pytest.mark.parametrize("when", [999_999_999_999_999, -999_999_999_999_999, 253_402_300_799])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_dates_that_are_none_do_not_stop_an_import(studied, tmp_path, scratch, monkeypatch, zone, when):
    package = changed(
        studied,
        f"UPDATE cards SET queue = -1, mod = {when}",
        f"UPDATE revlog SET id = {max(when * 1000 + 999, -1)} WHERE id = (SELECT min(id) FROM revlog)",
    )
    (tmp_path / "x.apkg").write_bytes(package)
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        done = import_anki(tmp_path / "x.apkg", tmp_path / "x.yml", progress=tmp_path / "p.jsonl")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert {entry["kind"] for entry in done.entries} == {"review", "suspend"}
    assert reviews.read(tmp_path / "p.jsonl") == done.entries
    assert "1 review from before 1970 or after 9998" in done.left_out


def test_a_card_that_was_tampered_with_is_read_from_what_it_shows(legacy, tmp_path, scratch):
    evil = json.dumps(
        {"card": {"id": "../x", "front": "{include}`/etc/passwd`", "back": "<script>"}, "shown": {}}
    )
    package = changed(
        legacy,
        "UPDATE notes SET flds = 'Front' || char(31) || 'Back' || char(31, 31, 31, 31, 31, 31) || '../x' "
        f"|| char(31) || '{html.escape(evil)}'",
    )
    (tmp_path / "x.apkg").write_bytes(package)
    import_anki(tmp_path / "x.apkg", tmp_path / "x.yml")
    cards = Deck.load(tmp_path / "x.yml").cards
    assert {(card.front, card.back) for card in cards} == {("Front", "Back")}
    assert all(card.id.startswith("anki-") for card in cards)


# --- whatever comes ---------------------------------------------------------------------------------


def read_or_refuse(package, folder):
    """Import; all that may happen is an `AnkiError`, or a deck that can be loaded."""
    (folder / "x.apkg").write_bytes(package)
    try:
        result = import_anki(folder / "x.apkg", folder / "x.yml", progress=folder / "p.jsonl", force=True)
    except AnkiError:
        return
    for file in result.decks:
        faces = Faces()
        for card in Deck.load(file):
            assert not [
                fault for text in (card.front, card.back, card.why) if text for fault in faces.faults(text)
            ]


@st.composite
def damaged(draw, data):
    """Bytes with a few of them changed, cut or doubled."""
    data = bytearray(data)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data) - 1))
        what = draw(st.sampled_from(("set", "cut", "double")))
        if what == "set":
            data[at] = draw(st.integers(0, 255))
        elif what == "cut":
            del data[at : at + draw(st.integers(1, 64))]
        else:
            data[at:at] = data[at : at + draw(st.integers(1, 64))]
        if not data:
            break
    return bytes(data)


def test_a_package_of_the_middle_kind_is_read(middle, tmp_path, scratch):
    (tmp_path / "x.apkg").write_bytes(middle)
    import_anki(tmp_path / "x.apkg", tmp_path / "x.yml")
    assert Deck.load(tmp_path / "x.yml").cards == CARDS


@BOUNDED
@given(choice=st.data())
def test_a_damaged_collection_of_the_middle_kind_is_read_or_refused_and_the_dummy_never_read(
    middle, tmp_path, scratch, choice
):
    inside = members(middle)
    inside["collection.anki21"] = choice.draw(damaged(inside["collection.anki21"]))
    read_or_refuse(packed(inside), tmp_path)
    if (tmp_path / "x.yml").exists():
        assert "should be updated" not in (tmp_path / "x.yml").read_text("utf-8")


@BOUNDED
@given(choice=st.data())
def test_a_damaged_package_is_read_or_refused(legacy, middle, tmp_path, scratch, choice):
    package = choice.draw(st.sampled_from((legacy, middle, MODERN)))
    (tmp_path / "p.jsonl").unlink(missing_ok=True)
    inside = members(package)
    name = choice.draw(st.sampled_from(("", *inside)))
    if not name:
        read_or_refuse(choice.draw(damaged(package)), tmp_path)
        return
    content = inside[name]
    if package is MODERN and name == "collection.anki21b":
        content = zstandard.ZstdDecompressor().decompressobj().decompress(content)
        inside[name] = zstandard.compress(choice.draw(damaged(content)))
    else:
        inside[name] = choice.draw(damaged(content))
    read_or_refuse(packed(inside), tmp_path)


SNIPPETS = st.sampled_from(
    [
        "<b>",
        "</b>",
        "<br>",
        "<div>",
        "</div>",
        "<li>",
        "<pre>",
        "<table><tr><td>",
        "<h1>",
        "<hr>",
        "&lt;",
        "&nbsp;",
        "\\(",
        "\\)",
        "\\[",
        "\\]",
        "[$]",
        "[/$]",
        "{{c1::",
        "::",
        "}}",
        "$",
        "`",
        "*",
        "_",
        "#",
        "- ",
        "1. ",
        "\n",
        "{term}`x`",
        "{{x}}",
        "[^1]",
        "(a)=",
        ":::",
        "```{note}",
        "+++",
        "% ",
        "|",
        "---",
        "<img src='a.png'>",
        "<a href='https://x.y'>",
        "</a>",
        "[sound:a.mp3]",
        "\\begin{align}",
        "~~~",
        "<script>",
        "<!--",
        "\u202e",
        "&",
    ]
)
FIELDS = st.lists(st.one_of(SNIPPETS, st.text(max_size=8)), max_size=12).map("".join)


@settings(BOUNDED, max_examples=150)
@given(field=FIELDS)
def test_every_field_becomes_a_face_that_a_deck_may_hold(field):
    face = Reader(lambda name, alt: "media/a.png").face(field)
    assert not Faces().faults(face)
    assert not face or is_loadable(Card("a", face, face))


@settings(BOUNDED, max_examples=150)
@given(text=st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=40))
def test_text_is_shown_by_the_face_as_in_anki(text):
    shown = Faces().text(Reader().face(html.escape(text)))

    def letters(value):
        return "".join(c for c in value if c.isalnum() or c in "*`$[]{}<>|")

    if not any(mark in text for mark in ("\\(", "\\[", "[$", "[sound", "[anki")):
        assert letters(shown) == letters(text)


@settings(BOUNDED, max_examples=100)
@given(
    words=st.lists(st.sampled_from(["a", "b*", "_c_", "1."]), min_size=1, max_size=5),
    tex=st.sampled_from(["x", "x^2", "a < b", r"\frac{1}{2}"]),
    display=st.booleans(),
)
def test_math_and_sounds_between_words_leave_the_words(words, tex, display):
    left, right = ("\\[", "\\]") if display else ("\\(", "\\)")
    reader = Reader()
    between = f" {left}{html.escape(tex)}{right} [sound:a.mp3] "
    face = reader.face(between.join(words))
    assert reader.sounds == face.count(tex) == len(words) - 1
    plain = Faces().text(face.replace(f"$$\n{tex}\n$$", " ").replace(f"${tex}$", " "))
    assert "".join(plain.split()) == "".join(words)


WRITTEN = st.sampled_from(
    [
        "**b**",
        "$x < y^2$",
        "`a\\b`",
        "\n\n- a\n- b\n\n",
        "{term}`x`",
        "\\(x\\)",
        "[sound:a]",
        "&amp;",
        "a & b",
        "1. ",
        "é",
        "שלום",
        "\n\n$$\n\\begin{aligned}a&=b\\end{aligned}\n$$\n\n",
        "\n\n```python\nx = 1\n```\n\n",
        '"q"',
        "'",
        "\n\n| a |\n|---|\n| 1 |\n\n",
    ]
)
FACES = st.lists(st.one_of(WRITTEN, st.text(max_size=6)), min_size=1, max_size=6).map(" ".join).map(str.strip)


@settings(BOUNDED, max_examples=40)
@given(
    texts=st.lists(FACES, min_size=9, max_size=15), tags=st.lists(st.from_regex("[a-zß-ü]+", fullmatch=True))
)
def test_every_deck_that_goes_out_comes_back_equal(tmp_path, texts, tags):
    faces = Faces(mathjax=True)
    usable = [text for text in texts if not faces.faults(text) and faces.html(text).strip()]
    cards = (
        Card(f"c-{number}", front, back, why, tags=tuple(dict.fromkeys(tags)))
        for number, (front, back, why) in enumerate(
            zip(usable[::3], usable[1::3], usable[2::3], strict=False)
        )
    )
    deck = Deck(tuple(card for card in cards if is_loadable(card)), "T")
    assume(deck.cards)
    export_anki([deck], tmp_path / "x.apkg", force=True)
    import_anki(tmp_path / "x.apkg", tmp_path / "x.yml", force=True)
    assert Deck.load(tmp_path / "x.yml").cards == deck.cards


@settings(BOUNDED, max_examples=100)
@given(text=FIELDS, number=st.integers(1, 3))
def test_every_cloze_has_two_sides(text, number):
    question, answer = cloze(text, number)
    if "{{c" not in text:
        assert question == answer == text


@settings(BOUNDED, max_examples=100)
@given(parts=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.booleans()), max_size=8))
def test_a_cloze_asks_for_its_deletions_and_shows_the_others(parts):
    text = asked = told = ""
    for word, number, hinted in parts:  # 0: no deletion
        written = f"{word}::hint" if hinted else word
        text += f" {{{{c{number}::{written}}}}}" if number else f" {word}"
        asked += f" <b>[{'hint' if hinted else '…'}]</b>" if number == 1 else f" {word}"
        told += f" <b>{word}</b>" if number == 1 else f" {word}"
    assert cloze(text, 1) == (asked, told)


@pytest.mark.parametrize(
    "unit",
    ["\\(", "\\[", "[$]", "[$$]", "<anki-mathjax>", "<anki-mathjax", "_a*", "*a ", "<font ", "<td ", "<"],
)
def test_a_field_of_marks_without_ends_is_read_in_a_short_time(unit):
    started = time.process_time()
    face = Reader().face((unit * 40_000)[:80_000])
    assert time.process_time() - started < 12  # the square of the length would be a minute and more
    assert Faces().faults(face) == []


@pytest.mark.parametrize("unit", ["{{", "{{ ", "{{" + " " * 20_000, "<hr", "<hr id", "{{#a}}"])
def test_a_template_of_marks_without_ends_is_read_in_a_short_time(unit):
    long = "{{Front}}" + (unit * 20_000)[:60_000]
    started = time.process_time()
    for templates in ((long, "{{Back}}"), ("{{Front}}", long)):
        anki_read._understood(NoteType("Long", False, ["Front", "Back"], [templates]), 0)
    anki_read._filled_in(long, {}, asking=True)
    assert time.process_time() - started < 3


@pytest.mark.parametrize("unit", [b"<svg ", b"<!entity ", b"<", b" on", b"<a:svg "])
def test_an_image_of_marks_without_ends_is_read_in_a_short_time(unit):
    started = time.process_time()
    anki_read._may_run(b"\x89PNG\r\n\x1a\n" + unit * (1_900_000 // len(unit)))
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("image", "runs"),
    [
        (b"<svg onload=a()>", True),
        (b"<svg><script>", True),
        (b"<s:svg><s:handler>", True),
        (b"<svg><a href='javascript:a()'>", True),
        (b"<!ENTITY a 'b'><svg>&a;", True),
        (b"<svg><![CDATA[<!entity", True),
        (b"<\0s\0v\0g\0 onload=a()", True),
        (b"<svg><circle r='1'/></svg>", False),
        (b"\x89PNG <script> onload=", False),
    ],
)
def test_a_drawing_in_which_something_may_run_is_known(image, runs):
    assert anki_read._may_run(image) is runs


def test_an_image_that_many_cards_show_counts_once(tmp_path, monkeypatch):
    picture = b"\x89PNG\r\n\x1a\n" + b"p" * 1_000
    (tmp_path / "p.png").write_bytes(picture)
    cards = tuple(Card(f"c{n}", f"Question {n}?", "![a picture](p.png)") for n in range(20))
    deck = tmp_path / "deck.yml"
    Deck(cards, "Pictures").save(deck)
    export_anki([Deck.load(deck)], tmp_path / "x.apkg")
    monkeypatch.setattr(anki_read, "MAX_IMAGES_BYTES", 5_000)
    made = import_anki(tmp_path / "x.apkg", tmp_path / "out" / "back.yml")
    assert (made.cards, made.images) == (20, 1)
    monkeypatch.setattr(anki_read, "MAX_IMAGES_BYTES", 500)
    with pytest.raises(AnkiError, match="its images have more than 500 bytes"):
        import_anki(tmp_path / "x.apkg", tmp_path / "not" / "back.yml")
    assert not (tmp_path / "not").exists()


def test_a_field_with_more_formulas_than_anybody_writes_is_refused():
    with pytest.raises(ValueError, match="more than 5,000 formulas"):
        Reader().face("\\(x\\)" * 5_001)


@pytest.mark.parametrize("start", ["1. b", "1) b", "- b", "+ b", "# b", "&gt; b", ": b", "=== b"])
@pytest.mark.parametrize("around", ["{}", "<span>{}</span>", "<b>a</b> {}", "[sound:a.mp3] {}"])
def test_what_follows_a_formula_on_its_own_line_begins_no_list(start, around):
    face = Reader().face(r"a \[x\]" + around.format(start))
    assert not Faces().faults(face)
    shown = Faces().text(face)
    assert "".join(shown.split()).endswith("".join(html.unescape(start).split())), face


@pytest.mark.parametrize(
    ("field", "face"),
    [
        (r"\(x\)<sup>\(y\)</sup>", "$x$ ${}^{y}$"),
        (r"a<sub>\(i_1\)</sub>", "a${}_{i_1}$"),
        (r"a<sup>see \(y\)</sup>", "asee $y$"),
        (r"\(x\)\(y\)", "$x$ $y$"),
        ("x<sup>2</sup>", "x{sup}`2`"),
    ],
)
def test_a_raised_formula_is_a_formula(field, face):
    assert Reader().face(field) == face


@pytest.mark.parametrize(
    ("inside", "is_taken"),
    [
        ("<path d='M0 0'/>", True),
        ("<script>alert(1)</script>", False),
        ("<SCRIPT href='x'/>", False),
        ("<path onload='alert(1)'/>", False),
        ("<a href='javascript:alert(1)'><path/></a>", False),
        ("<foreignObject/>", False),
    ],
)
def test_a_drawing_with_scripts_is_left_out_and_listed(legacy, tmp_path, scratch, inside, is_taken):
    drawing = f"<svg xmlns='http://www.w3.org/2000/svg'>{inside}</svg>".encode()
    fields = "'<img src=\"a.svg\">' || char(31) || 'B' || char(31, 31, 31, 31, 31, 31) || 'x'|| char(31)"
    package = changed(legacy, f"UPDATE notes SET flds = {fields} WHERE id = (SELECT min(id) FROM notes)")
    files = {**members(package), "media": b'{"0": "a.svg"}', "0": drawing}
    (tmp_path / "x.apkg").write_bytes(packed(files))
    done = import_anki(tmp_path / "x.apkg", tmp_path / "x.yml")
    assert done.images == is_taken
    assert any("SVG without scripts" in reason and "a.svg" in reason for reason in done.left_out) != is_taken


def test_deletions_may_be_nested_hinted_and_unfinished():
    text = "{{c1::Ada}} wrote {{c2::the {{c3::first::which?}} program}} {{c4::in"
    assert cloze(text, 1) == (
        "<b>[…]</b> wrote the first program {{c4::in",
        "<b>Ada</b> wrote the first program {{c4::in",
    )
    assert cloze(text, 3)[0] == "Ada wrote the <b>[which?]</b> program {{c4::in"
    with pytest.raises(ValueError, match="nested more than 20 deep"):
        cloze("{{c1::" * 30, 1)
