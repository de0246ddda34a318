"""Decks to Anki and back, judged by the official Anki."""

import json
import os
import sqlite3
import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zstandard
from anki.collection import (
    Collection,
    DeckIdLimit,
    ExportAnkiPackageOptions,
    ImportAnkiPackageOptions,
    ImportAnkiPackageRequest,
)
from anki.errors import AnkiException
from flipcards import Deck, DeckError, reviews
from flipcards.anki import AnkiError, export_anki, import_anki
from flipcards.anki_note import FIELDS, RENDERING
from flipcards.anki_progress import Studied, entries_of, review_rows, to_ms
from flipcards.anki_write import ShallowWarning
from flipcards.markup import mathjax_tex
from flipcards.scheduler import Scheduler

DATA = Path(__file__).parent / "data" / "anki"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d494844520000000100000001080600000"
    "01f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
DECK = r"""
title: 'One: first'
cards:
  - id: sum
    front: What is $a < b$ in {term}`the engine <Engine>`?
    back: |
      It is

      $$\frac{a}{b}$$

      1. one
      2. two

      ```python
      print("<b>")
      ```

      | a | b |
      | - | - |
      | 1 | 2 |
    why: Because of **that** & [this](https://example.org/a?b=c&d).
    source: [ada1843]
    term: Engine
    see: the-words
    tags: [alpha, beta]
  - id: dot
    front: Which of \(these\) is [sound:x.mp3]?
    back: "![A dot](images/dot.png)"
  - id: rtl
    front: "מה זה?"
    back: "זה זה."
"""


class Anki:
    """A collection of the official Anki, in a folder of its own."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.col = Collection(str(folder / "collection.anki2"))
        self.col.set_config("fsrs", True)

    def take(self, package, *, progress=True):
        """Import a package; returns what Anki says it did."""
        options = ImportAnkiPackageOptions(with_scheduling=progress, merge_notetypes=True)
        return self.col.import_anki_package(
            ImportAnkiPackageRequest(package_path=str(package), options=options)
        ).log

    def give(self, target, *, legacy=False, progress=True, deck=None):
        """Export everything, or a deck, as a package."""
        options = ExportAnkiPackageOptions(
            with_scheduling=progress, with_deck_configs=False, with_media=True, legacy=legacy
        )
        limit = DeckIdLimit(self.col.decks.id(deck)) if deck else None
        self.col.export_anki_package(out_path=str(target), options=options, limit=limit)
        return target

    def card(self, card_id):
        """The card of Anki's that shows one of ours."""
        (found,) = self.col.find_cards(f'"Id:{card_id}"')
        return self.col.get_card(found)

    def add(self, kind, fields, *, deck="Default", tags=()):
        """Add a note of a type that every collection has."""
        note = self.col.new_note(self.col.models.by_name(kind))
        for name, value in fields.items():
            note[name] = value
        note.tags = list(tags)
        self.col.add_note(note, self.col.decks.id(deck))
        return note

    def rate(self, card, rating):
        """Rate a card now."""
        card.start_timer()
        states = self.col._backend.get_scheduling_states(card.id)
        answer = self.col.sched.build_answer(card=card, states=states, rating=rating - 1)
        self.col.sched.answer_card(answer)

    def reviews(self):
        """Anki's log: instant in milliseconds, rating, type, in order."""
        return self.col.db.all("select id, ease, type from revlog order by id")

    def close(self):
        """End it."""
        self.col.close()


@pytest.fixture
def deck(tmp_path):
    """A deck with all that a face can hold, in a folder of its own."""
    return write_deck(tmp_path / "book")


@pytest.fixture
def anki(tmp_path):
    """A function that opens a fresh collection of Anki."""
    opened = []

    def fresh():
        opened.append(Anki(tmp_path / f"anki{len(opened)}"))
        return opened[-1]

    yield fresh
    for collection in opened:
        collection.close()


def write_deck(folder, text=DECK):
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "images" / "dot.png").write_bytes(PNG)
    (folder / "one.yml").write_text(text, encoding="utf-8")
    return Deck.load(folder / "one.yml")


def git(folder, *command, at=None):
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    if at:
        environment |= {"GIT_COMMITTER_DATE": f"{at} +0000", "GIT_AUTHOR_DATE": f"{at} +0000"}
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(
        ["git", "-C", folder, *identity, *command], check=True, env=environment, capture_output=True
    )


def commit_all(folder):
    """Make a folder a repository with one commit."""
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one", at="2024-03-01T12:00:00")


def review(card, number, at, rating, **more):
    """An entry of the review log."""
    entry = {"schema": 1, "id": f"00000000-0000-4000-8000-{number:012}", "kind": "review", "card": card}
    entry |= {"at": at, "offset_minutes": 60, "device": "00000000-0000-4000-8000-00000000abcd"}
    return {**entry, "rating": rating, "duration_ms": 4200, "decided": None, **more}


# --- what a package holds ---------------------------------------------------------------------------


def test_anki_shows_front_back_why_source_page_and_tags(deck, tmp_path, anki):
    export_anki(
        [deck], tmp_path / "x.apkg", parent="Book", page_url=lambda deck, card: f"https://x.org/#{card.id}"
    )
    col = anki()
    log = col.take(tmp_path / "x.apkg")
    assert len(log.new) == 3
    card = col.card("sum")
    assert card.note().tags == ["alpha", "beta"]
    assert col.col.decks.name(card.did) == "Book::One: first"
    assert r"\(a &lt; b\)" in card.question()
    answer = card.answer()
    for part in (
        r"\[\frac{a}{b}\]",
        "<li>one</li>",
        '<code class="language-python">print("&lt;b&gt;")',
        "<td>1</td>",
        '<div class="flipcard-why" dir="auto"><p>Because of <strong>that</strong> &amp; ',
        'href="https://example.org/a?b=c&amp;d"',
        "Source: &#91;ada1843]",
        "Term: Engine",
        "Shown in: the-words",
        '<a href="https://x.org/#sum">',
    ):
        assert part in answer
    assert ".nightMode" in card.question()


def test_images_come_as_media_and_text_is_no_mark_of_ankis(deck, tmp_path, anki):
    export_anki([deck], tmp_path / "x.apkg")
    col = anki()
    col.take(tmp_path / "x.apkg")
    card = col.card("dot")
    media = Path(col.col.media.dir())
    (name,) = [file.name for file in media.iterdir()]
    assert f'<img src="{name}" alt="A dot">' in card.answer()
    assert (media / name).read_bytes() == PNG
    assert col.col.media.check().missing == []
    assert r"\(" not in card.question()
    assert card.question_av_tags() == []


def test_cards_keep_the_order_of_the_deck(deck, tmp_path, anki):
    export_anki([deck], tmp_path / "x.apkg")
    col = anki()
    col.take(tmp_path / "x.apkg")
    due = col.col.db.list("select n.flds from cards c join notes n on n.id = c.nid order by c.due")
    assert [fields.split("\x1f")[FIELDS.index("Id")] for fields in due] == ["sum", "dot", "rtl"]


def test_the_field_list_of_the_first_release_never_changes():
    assert FIELDS == ("Front", "Back", "Why", "Source", "Term", "See", "Page", "Id", "Text")


@pytest.mark.parametrize(
    ("tex", "inner"),
    [
        ("\\begin{align*}a&=b\\end{align*}", "\\begin{aligned}a&=b\\end{aligned}"),
        ("\\begin{gather*}a\\\\b\\end{gather*}", "\\begin{gathered}a\\\\b\\end{gathered}"),
        ("\\begin{equation*}a\\end{equation*}", "a"),
        ("a+b", "a+b"),
    ],
)
def test_a_display_within_a_display_becomes_what_mathjax_takes(tex, inner):
    assert mathjax_tex(tex) == inner


def test_a_deck_whose_faces_cannot_be_shown_is_refused_with_file_and_line(tmp_path):
    deck = write_deck(
        tmp_path, "cards:\n  - id: a\n    front: ok\n    back: |\n      fine\n\n      $\\frac{$\n"
    )
    with pytest.raises(DeckError, match=r"one.yml:7: card 'a': 'back': TeX"):
        export_anki([deck], tmp_path / "x.apkg")
    assert not (tmp_path / "x.apkg").exists()


def test_a_package_is_not_overwritten_unasked(deck, tmp_path):
    (tmp_path / "x.apkg").write_bytes(b"mine")
    with pytest.raises(FileExistsError, match=r"x\.apkg is there already"):
        export_anki([deck], tmp_path / "x.apkg")
    assert (tmp_path / "x.apkg").read_bytes() == b"mine"
    export_anki([deck], tmp_path / "x.apkg", force=True)
    assert zipfile.is_zipfile(tmp_path / "x.apkg")


# --- the same bytes, and edits that arrive ----------------------------------------------------------


def test_two_clones_give_the_same_bytes(deck, tmp_path, monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    book = deck.path.parent
    commit_all(book)
    packages = []
    for name in ("a", "b"):
        git(tmp_path, "clone", "-q", book, name)
        os.utime(tmp_path / name / "one.yml", (1_000_000 + len(name + name), 2_000_000_000 + len(packages)))
        export_anki([Deck.load(tmp_path / name / "one.yml")], tmp_path / f"{name}.apkg")
        packages.append((tmp_path / f"{name}.apkg").read_bytes())
    assert packages[0] == packages[1]


def modified(package):
    with zipfile.ZipFile(package) as archive:
        file = Path(package).with_suffix(".db")
        file.write_bytes(archive.read("collection.anki2"))
    database = sqlite3.connect(file)
    (times,) = zip(*database.execute("select distinct mod from notes"), strict=True)
    database.close()
    return times


def test_in_a_shallow_clone_no_note_seems_newer_than_it_is(deck, tmp_path, monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    book = deck.path.parent
    commit_all(book)
    (book / "other.txt").write_text("other")
    git(book, "add", ".")
    git(book, "commit", "-qm", "two", at="2025-03-01T12:00:00")
    git(tmp_path, "clone", "-q", "--depth", "1", book.as_uri(), "shallow")
    shallow = tmp_path / "shallow"
    with pytest.warns(ShallowWarning, match="'fetch-depth: 0' of actions/checkout"):
        export_anki([Deck.load(shallow / "one.yml")], tmp_path / "x.apkg")
    assert modified(tmp_path / "x.apkg") == (RENDERING,)
    git(shallow, "fetch", "-q", "--unshallow")
    export_anki([Deck.load(shallow / "one.yml")], tmp_path / "x.apkg", force=True)
    committed = int(datetime(2024, 3, 1, 12, tzinfo=UTC).timestamp())
    assert modified(tmp_path / "x.apkg") == (committed + RENDERING,)


def test_a_note_is_as_old_as_its_decks_last_commit_else_its_file(deck, tmp_path, monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    book, target = deck.path.parent, tmp_path / "x.apkg"
    os.utime(deck.path, (1_700_000_000, 1_700_000_000))
    os.utime(book / "images" / "dot.png", (1_600_000_000, 1_600_000_000))
    export_anki([deck], target)
    assert modified(target) == (1_700_000_000 + RENDERING,)
    commit_all(book)
    export_anki([deck], target, force=True)
    committed = int(datetime(2024, 3, 1, 12, tzinfo=UTC).timestamp())
    assert modified(target) == (committed + RENDERING,)
    # What is edited and not committed yet is newer than the commit.
    deck.path.write_text(DECK.replace("one\n", "uno\n"))
    os.utime(deck.path, (1_800_000_000, 1_800_000_000))
    export_anki([Deck.load(deck.path)], target, force=True)
    assert modified(target) == (1_800_000_000 + RENDERING,)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1234567890")
    export_anki([deck], target, force=True)
    assert modified(target) == (1_234_567_890,)


def test_a_new_image_makes_its_notes_newer(deck, tmp_path, monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    os.utime(deck.path, (1_700_000_000, 1_700_000_000))
    os.utime(deck.path.parent / "images" / "dot.png", (1_700_000_100, 1_700_000_100))
    export_anki([deck], tmp_path / "x.apkg")
    assert modified(tmp_path / "x.apkg") == (1_700_000_100 + RENDERING,)


def test_an_edited_deck_updates_in_place_and_keeps_its_history(deck, tmp_path, anki, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    export_anki([deck], tmp_path / "x.apkg")
    col = anki()
    col.take(tmp_path / "x.apkg")
    before = col.card("sum")
    col.rate(before, 3)
    (history,) = col.reviews()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000001")
    deck.path.write_text(DECK.replace("It is\n", "It was\n"), encoding="utf-8")
    export_anki([Deck.load(deck.path)], tmp_path / "y.apkg")
    log = col.take(tmp_path / "y.apkg")
    assert (len(log.new), len(log.updated), len(log.conflicting)) == (0, 3, 0)
    after = col.card("sum")
    assert "It was" in after.answer()
    assert after.id == before.id
    assert col.reviews() == [history]
    assert col.col.note_count() == 3
    assert len([kind for kind in col.col.models.all_names() if "flipcards" in kind]) == 1


@pytest.mark.parametrize("date", ["1700000000", "1600000000"], ids=["equal", "older"])
def test_a_deck_that_is_no_newer_leaves_what_anki_has_in_silence(deck, tmp_path, anki, monkeypatch, date):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    export_anki([deck], tmp_path / "x.apkg")
    col = anki()
    col.take(tmp_path / "x.apkg")
    col.rate(col.card("sum"), 3)
    history = col.reviews()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", date)
    deck.path.write_text(DECK.replace("It is\n", "It was\n"), encoding="utf-8")
    export_anki([Deck.load(deck.path)], tmp_path / "y.apkg")
    log = col.take(tmp_path / "y.apkg")
    assert (len(log.new), len(log.updated), len(log.conflicting)) == (0, 0, 0)
    assert "It is" in col.card("sum").answer()
    assert col.reviews() == history


# --- and back ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("legacy", [None, True, False], ids=["as exported", "legacy", "modern"])
def test_our_cards_come_back_as_they_were(deck, tmp_path, anki, legacy):
    package = tmp_path / "x.apkg"
    export_anki([deck], package, parent="Book")
    if legacy is not None:
        col = anki()
        col.take(package)
        package = col.give(tmp_path / "y.apkg", legacy=legacy)
    result = import_anki(package, tmp_path / "back" / "one.yml")
    back = Deck.load(tmp_path / "back" / "one.yml")
    assert back.cards == deck.cards
    assert back.title == deck.title
    assert (tmp_path / "back" / "images" / "dot.png").read_bytes() == PNG
    assert (result.cards, result.images, result.left_out) == (3, 1, [])


def test_an_edit_made_in_anki_comes_back_and_the_rest_stays_as_written(deck, tmp_path, anki):
    export_anki([deck], tmp_path / "x.apkg")
    col = anki()
    col.take(tmp_path / "x.apkg")
    note = col.card("sum").note()
    note["Why"] = r"Since <b>1843</b>: \(x^2\)"
    note.tags = ["alpha", "new"]
    col.col.update_note(note)
    import_anki(col.give(tmp_path / "y.apkg"), tmp_path / "back.yml")
    back = Deck.load(tmp_path / "back.yml")["sum"]
    assert back.why == "Since **1843**: $x^2$"
    assert back.tags == ("alpha", "new")
    assert (back.front, back.back, back.source) == (deck["sum"].front, deck["sum"].back, deck["sum"].source)


@pytest.fixture
def foreign(tmp_path, anki):
    """A collection with notes of Anki's own types."""
    col = anki()
    col.add(
        "Basic", {"Front": "What is<br>2 &lt; 3?", "Back": r"True: \(2 &lt; 3\)"}, deck="A::B", tags=["t one"]
    )
    col.add("Basic (and reversed card)", {"Front": "der Hund", "Back": "the dog"}, deck="A::C")
    col.add("Basic (optional reversed card)", {"Front": "x", "Back": "y"}, deck="A::C")
    col.add("Basic (type in the answer)", {"Front": "typed?", "Back": "yes"}, deck="A::C")
    col.add(
        "Cloze",
        {"Text": "{{c1::Ada}} wrote {{c2::notes::what?}} on it", "Back Extra": "In 1843"},
        deck="A::C",
    )
    Path(col.col.media.dir(), "a b.png").write_bytes(PNG)
    col.add(
        "Basic",
        {"Front": 'See <img src="a b.png"> [sound:x.mp3]', "Back": "<ul><li>a</li></ul>"},
        deck="A::C",
    )
    for front in ("masked", "masked too"):
        col.add("Image Occlusion", {"Occlusion": "{{c1::image-occlusion:rect}}", "Image": front}, deck="A::C")
    return col


@pytest.mark.parametrize("legacy", [True, False], ids=["legacy", "modern"])
def test_basic_reversed_and_cloze_become_cards_and_others_are_listed(foreign, tmp_path, legacy):
    package = foreign.give(tmp_path / "x.apkg", legacy=legacy)
    result = import_anki(package, tmp_path / "deck.yml")
    faces = {(card.front, card.back, card.why) for card in Deck.load(tmp_path / "deck.yml")}
    assert faces == {
        ("What is\\\n2 \\< 3?", "True: $2 < 3$", ""),
        ("der Hund", "the dog", ""),
        ("the dog", "der Hund", ""),
        ("x", "y", ""),
        ("typed?", "yes", ""),
        ("**\\[…\\]** wrote notes on it", "**Ada** wrote notes on it", "In 1843"),
        ("Ada wrote **\\[what?\\]** on it", "Ada wrote **notes** on it", "In 1843"),
        (f"See ![a b](deck-media/{next((tmp_path / 'deck-media').iterdir()).name})", "- a", ""),
    }
    assert [line for line in result.left_out if "Occlusion" in line] == [
        "2 notes of the type 'Image Occlusion', which is neither basic nor cloze"
    ]
    assert "1 sound: a face has none" in result.left_out
    assert any(line.startswith("the names of 2 decks: A::B, A::C") for line in result.left_out)


def test_a_folder_takes_a_file_for_each_deck(foreign, tmp_path):
    package = foreign.give(tmp_path / "x.apkg")
    (tmp_path / "decks").mkdir()
    result = import_anki(package, tmp_path / "decks")
    assert [file.name for file in result.decks] == ["b.yml", "c.yml"]
    assert [Deck.load(file).title for file in result.decks] == ["B", "C"]


@pytest.mark.parametrize("legacy", [True, False], ids=["legacy", "modern"])
def test_what_a_deck_has_no_place_for_is_listed(tmp_path, anki, legacy):
    col = anki()
    basic = col.col.models.by_name("Basic")
    col.col.models.add_field(basic, col.col.models.new_field("Mnemonic"))
    col.col.models.update_dict(basic)
    col.add("Basic", {"Front": "<u>one</u>", "Back": "1", "Mnemonic": "uno"}, deck="Maths::Basics")
    col.add("Basic", {"Front": '<span style="color: red">two</span>', "Back": "2"}, deck="Maths::Basics")
    col.add("Basic", {"Front": "three", "Back": '<video src="x.mp4"></video> 3'}, deck="Physics::Basics")
    rows = '<table><tr><td rowspan="2">four</td><td>4</td></tr><tr><td>iv</td></tr></table>'
    col.add("Basic", {"Front": "four", "Back": rows}, deck="Physics::Basics")
    col.col.set_user_flag_for_cards(3, col.col.find_cards("front:three"))
    result = import_anki(col.give(tmp_path / "x.apkg", legacy=legacy), f"{tmp_path}/decks/")
    assert set(result.left_out) == {
        "the field 'Mnemonic' of 1 note of the type 'Basic': no side of a card shows it",
        "underlined or struck text in 1 field",
        "colours in 1 field",
        "embedded films, sounds, frames or drawings in 1 field",
        "cells that span rows in 1 field",
        "the flags of 1 card",
        "the decks that others stand below: Maths, Physics",
    }
    assert sorted(Deck.load(file).title for file in result.decks) == ["Maths: Basics", "Physics: Basics"]


def test_a_package_made_by_anki_itself_is_read(tmp_path):
    result = import_anki(DATA / "anki-26.9-modern.apkg", tmp_path / "x.yml")
    deck = Deck.load(tmp_path / "x.yml")
    assert (len(deck), len(result.entries)) == (12, 6)
    assert {"$\\Delta W = \\frac{\\alpha}{r} BA$", "a \\< b & c"} <= {
        card.back.split("\\\n")[0] for card in deck
    }
    with pytest.raises(FileExistsError, match=r"x\.yml is there already"):
        import_anki(DATA / "anki-26.9-modern.apkg", tmp_path / "x.yml")


def test_what_cannot_be_a_card_is_said_and_nothing_is_written(tmp_path, anki):
    col = anki()
    col.add("Image Occlusion", {"Occlusion": "{{c1::image-occlusion:rect}}", "Image": "x"})
    package = col.give(tmp_path / "x.apkg")
    with pytest.raises(AnkiError, match=r"nothing in it can become a card\n  left out: 1 note of the type"):
        import_anki(package, tmp_path / "new" / "x.yml")
    assert not (tmp_path / "new").exists()


# --- which member of a package is read --------------------------------------------------------------

DUMMY = "Please update to the latest Anki version"


def members(package):
    """The files in a package, by name in their order."""
    with zipfile.ZipFile(package) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(target, files):
    """A package of these files."""
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return target


def fields_in(collection, folder):
    """The fields of the notes in a collection."""
    (folder / "collection").write_bytes(collection)
    database = sqlite3.connect(f"{(folder / 'collection').as_uri()}?immutable=1", uri=True)
    found = [fields for (fields,) in database.execute("select flds from notes")]
    database.close()
    return found


@pytest.fixture
def one_note(tmp_path, anki):
    """A collection of Anki with one note."""
    col = anki()
    col.add("Basic", {"Front": "real?", "Back": "yes"})
    return col


@pytest.mark.parametrize(
    ("legacy", "held"), [(True, "collection.anki21"), (False, "collection.anki21b")], ids=["legacy", "modern"]
)
def test_the_collection_is_read_and_not_what_tells_an_old_anki_to_update(one_note, tmp_path, legacy, held):
    package = one_note.give(tmp_path / "x.apkg", legacy=legacy)
    files = members(package)
    assert list(files) == ["meta", held, "collection.anki2", "media"]
    assert files["meta"] == (b"\x08\x02" if legacy else b"\x08\x03")
    (told,) = fields_in(files["collection.anki2"], tmp_path)
    assert DUMMY in told
    inside = files[held]
    if not legacy:
        assert inside.startswith(b"\x28\xb5\x2f\xfd"), "zstd"
        inside = zstandard.ZstdDecompressor().decompressobj().decompress(inside)
    assert fields_in(inside, tmp_path) == ["real?\x1fyes"]
    import_anki(package, tmp_path / "x.yml")
    assert [(card.front, card.back) for card in Deck.load(tmp_path / "x.yml")] == [("real?", "yes")]


def test_the_oldest_kind_of_package_has_one_collection_and_anki_and_we_read_it(one_note, tmp_path, anki):
    newer = members(one_note.give(tmp_path / "x.apkg", legacy=True))
    oldest = pack(tmp_path / "y.apkg", {"collection.anki2": newer["collection.anki21"], "media": b"{}"})
    assert len(anki().take(oldest).new) == 1
    import_anki(oldest, tmp_path / "y.yml")
    assert [(card.front, card.back) for card in Deck.load(tmp_path / "y.yml")] == [("real?", "yes")]


def test_what_we_write_is_the_oldest_kind_which_every_anki_reads(deck, tmp_path):
    export_anki([deck], tmp_path / "x.apkg")
    files = members(tmp_path / "x.apkg")
    assert list(files) == ["collection.anki2", "media", "0"]
    assert len(fields_in(files["collection.anki2"], tmp_path)) == 3
    assert json.loads(files["media"]).keys() == {"0"}
    assert files["0"] == PNG


@pytest.mark.parametrize(
    ("legacy", "held"), [(True, "collection.anki21"), (False, "collection.anki21b")], ids=["legacy", "modern"]
)
def test_a_package_that_lost_its_collection_is_refused(one_note, tmp_path, anki, legacy, held):
    files = members(one_note.give(tmp_path / "x.apkg", legacy=legacy))
    del files[held]
    package = pack(tmp_path / "y.apkg", files)
    with pytest.raises(AnkiError, match=rf"y\.apkg: '{held}' is not in it; export an \.apkg from Anki"):
        import_anki(package, tmp_path / "y.yml")
    assert not (tmp_path / "y.yml").exists()
    with pytest.raises(AnkiException, match="file not found in archive"):
        anki().take(package)


def test_the_version_that_a_package_names_says_which_collection_counts(one_note, tmp_path, anki):
    files = members(one_note.give(tmp_path / "x.apkg", legacy=True))
    package = pack(tmp_path / "y.apkg", {**files, "collection.anki21b": b"of somebody else"})
    assert len(anki().take(package).new) == 1
    import_anki(package, tmp_path / "y.yml")
    assert [card.front for card in Deck.load(tmp_path / "y.yml")] == ["real?"]


# --- progress ---------------------------------------------------------------------------------------

UNDONE = review("dot", 4, "2026-11-20T10:11:00.000Z", 4)
LOG = [
    review("sum", 1, "2026-11-10T10:00:00.000Z", 3),
    review("sum", 2, "2026-11-13T10:10:00.000Z", 3),
    review("sum", 7, "2026-11-20T10:10:00.000Z", 3),
    review("dot", 3, "2026-11-20T10:10:00.000Z", 1),
    UNDONE,
    {
        **{key: UNDONE[key] for key in ("schema", "device", "offset_minutes")},
        **{"id": UNDONE["id"].replace("04", "05"), "kind": "undo", "card": "dot", "undoes": UNDONE["id"]},
        "at": "2026-11-20T10:12:00.000Z",
    },
    {
        **{key: UNDONE[key] for key in ("schema", "device", "offset_minutes", "card")},
        **{"id": UNDONE["id"].replace("04", "08"), "kind": "suspend", "at": "2026-11-20T10:15:00.000Z"},
    },
    review("gone", 6, "2026-11-20T10:13:00.000Z", 3),
]


@pytest.fixture
def log(tmp_path):
    """A review log in a file."""
    reviews.write(tmp_path / "progress.jsonl", LOG)
    return tmp_path / "progress.jsonl"


def test_anki_takes_over_reviews_and_memory(deck, log, tmp_path, anki):
    result = export_anki([deck], tmp_path / "x.apkg", progress=log)
    assert (result.reviews, result.left_out) == (4, ["1 review of cards that are in none of the decks"])
    col = anki()
    col.take(tmp_path / "x.apkg")
    at = [to_ms(entry["at"]) for entry in LOG[:3]]
    # No two reviews share a millisecond in Anki; the first of each card is of the type 0.
    assert sorted(col.reviews()) == sorted([[at[0], 3, 0], [at[1], 3, 1], [at[2], 3, 1], [at[2] + 1, 1, 0]])
    scheduler = Scheduler()
    scheduler.add(LOG)
    state, card = scheduler.state("sum"), col.card("sum")
    memory = (state["stability"], state["difficulty"])
    assert (card.type, card.queue, card.ivl) == (2, 2, state["interval_days"])
    assert (card.reps, card.lapses, card.last_review_time) == (3, 0, at[2] // 1000)
    assert (card.memory_state.stability, card.memory_state.difficulty) == pytest.approx(memory, abs=1e-3)
    # What Anki itself makes of the reviews is the memory that we wrote.
    theirs = col.col.compute_memory_state(card.id)
    assert (theirs.stability, theirs.difficulty) == pytest.approx(memory, rel=0.01)
    # Anki counts days from its own first day; its due day is ours.
    first_day = int((datetime.now(UTC).timestamp() - 4 * 3600) // 86400) - col.col.sched.today
    assert first_day + card.due == pytest.approx(state["due_day"], abs=1)
    assert (col.card("dot").type, col.card("dot").queue) == (1, -1)
    assert col.card("rtl").type == 0
    # A review in Anki goes on from there.
    col.rate(card, 3)
    assert col.card("sum").memory_state.stability > state["stability"]


def test_progress_comes_back_once_however_often_it_is_read(deck, log, tmp_path, anki):
    export_anki([deck], tmp_path / "x.apkg", progress=log)
    col = anki()
    col.take(tmp_path / "x.apkg")
    col.rate(col.card("rtl"), 4)
    col.give(tmp_path / "y.apkg")
    added = import_anki(tmp_path / "y.apkg", tmp_path / "a.yml", progress=log).entries
    assert [(entry["card"], entry["rating"], entry["decided"]) for entry in added] == [("rtl", 4, None)]
    assert reviews.read(log) == reviews.merge(LOG, added)
    before = log.read_bytes()
    assert import_anki(tmp_path / "y.apkg", tmp_path / "b.yml", progress=log).entries == []
    assert log.read_bytes() == before
    # Into two new logs go the same entries.
    logs = [tmp_path / "new.jsonl", tmp_path / "newer.jsonl"]
    for number, new in enumerate(logs):
        import_anki(tmp_path / "y.apkg", tmp_path / f"c{number}.yml", progress=new)
    assert logs[0].read_bytes() == logs[1].read_bytes()
    kinds = [(entry["card"], entry["kind"]) for entry in reviews.read(logs[0])]
    assert (
        sorted(kinds) == [("dot", "review"), ("dot", "suspend"), ("rtl", "review")] + [("sum", "review")] * 3
    )


def test_a_log_that_cannot_be_read_stops_before_anything_is_written(deck, tmp_path):
    (tmp_path / "bad.jsonl").write_text("{}\n")
    with pytest.raises(reviews.ReviewLogError, match=r"bad\.jsonl:1: "):
        export_anki([deck], tmp_path / "x.apkg", progress=tmp_path / "bad.jsonl")
    with pytest.raises(reviews.ReviewLogError, match=r"bad\.jsonl:1: "):
        import_anki(DATA / "anki-26.9-modern.apkg", tmp_path / "x.yml", progress=tmp_path / "bad.jsonl")
    assert not (tmp_path / "x.apkg").exists()
    assert not (tmp_path / "x.yml").exists()


def test_the_reviews_of_each_side_are_those_of_its_card(tmp_path, anki):
    col = anki()
    note = col.add("Basic (and reversed card)", {"Front": "der Hund", "Back": "the dog"})
    back = note.cards()[1]
    col.rate(back, 2)
    col.col.sched.suspend_cards([note.cards()[0].id])
    result = import_anki(col.give(tmp_path / "x.apkg"), tmp_path / "x.yml")
    by_front = {card.front: card.id for card in Deck.load(tmp_path / "x.yml")}
    assert [(entry["card"], entry["kind"]) for entry in sorted(result.entries, key=lambda e: e["kind"])] == [
        (by_front["the dog"], "review"),
        (by_front["der Hund"], "suspend"),
    ]


def test_the_first_review_of_a_card_is_learning_to_anki_whatever_follows():
    decided = {"state": "review", "due": "2026-12-01T03:00:00.000Z", "interval_days": 9.0}
    decided |= {"stability": 9.0, "difficulty": 5.5}
    entries = [
        review("a", 1, "2026-11-20T10:00:00.000Z", 4, decided=decided),
        review(
            "a",
            2,
            "2026-12-01T10:00:00.000Z",
            1,
            decided={
                **decided,
                "state": "relearning",
                "due": "2026-12-01T10:10:00.000Z",
                "interval_days": 0.0,
            },
        ),
        review("a", 3, "2026-12-01T10:10:00.000Z", 3, decided=decided),
        {**review("a", 4, "2026-12-02T10:00:00.000Z", 3), "schema": 2},
    ]
    rows = review_rows(reversed(entries))["a"]
    assert [(row.type, row.interval, row.last_interval, row.factor) for row in rows] == [
        (0, 9, 0, 600),
        (1, -600, 9, 600),
        (2, 9, -600, 600),
    ]


def test_local_time_is_that_of_each_review():
    studied = [Studied("a", [(1_795_168_800_000, 3, 10)])]
    (entry,) = entries_of(studied, offset_minutes=lambda at_ms: 330)
    assert (entry["at"], entry["offset_minutes"]) == ("2026-11-20T10:00:00.000Z", 330)
