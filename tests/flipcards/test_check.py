"""`flipcards check` and `flipcards schema`: what an author and an author's editor are told."""

import json

import jsonschema
import pytest
import yaml
from flipcards import Deck, deck
from flipcards.cli import main
from flipcards.deck import CARD_FIELDS, DECK_FIELDS
from flipcards.schema import schema

GOOD = "cards:\n  - {id: a, front: A?, back: B.}\n"
BAD = """\
bibliography: works.bib
cards:
  - {id: a, front: A?, back: "{cite}`nobody2020` <b>x</b>", source: [nobody2021]}
  - {id: B, front: 3}
"""
FACES = """\
bibliography: works.bib
cards:
  - id: a
    front: A?
    back: |
      One {cite}`nobody2020`.
      <b>x</b>
    source: [nobody2021, somebody2020]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with decks, and with other files, where the command runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "decks" / "_build").mkdir(parents=True)
    (tmp_path / "works.bib").write_text("@book{somebody2020, title={T}, year={2020}, author={A}}")
    (tmp_path / "decks" / "works.bib").write_text("@book{somebody2020, title={T}, year={2020}, author={A}}")
    (tmp_path / "decks" / "good.yml").write_text(GOOD)
    (tmp_path / "decks" / "other.yml").write_text("title: no deck\n")
    (tmp_path / "decks" / "_build" / "old.yml").write_text(BAD)
    return tmp_path


def test_good_decks_pass_and_only_decks_are_read(capsys):
    assert main(["check", "."]) == 0
    out, told = capsys.readouterr()
    assert (out, told) == (
        "",
        "1 deck, 1 card: no faults\npassed over, no deck: 1 file (./decks/other.yml)\n",
    )


def test_what_only_the_build_of_a_book_can_look_up_is_named(folder, capsys):
    (folder / "decks" / "good.yml").write_text(
        "cards:\n  - {id: a, front: Q, back: 'A {term}`LoRA`', source: [hu2021], see: lab-lora}\n"
    )
    assert main(["check", "decks"]) == 0
    assert capsys.readouterr().err.splitlines() == [
        "1 deck, 1 card: no faults",
        "passed over, no deck: 1 file (decks/other.yml)",
        "left to the build of the book: "
        "terms; sources, for want of 'bibliography'; labels and pages, for want of 'pages'",
    ]


def test_a_page_that_only_the_build_can_look_up_is_named(folder, capsys):
    (folder / "decks" / "good.yml").write_text("cards:\n  - {id: a, front: Q, back: 'See {doc}`notes`'}\n")
    assert main(["check", "decks/good.yml"]) == 0
    assert "build of the book: labels and pages, for want of 'pages'" in capsys.readouterr().err


def test_a_deck_with_more_cards_than_a_page_should_have_is_warned_of(folder, capsys):
    for name, count in (("most", 500), ("many", 501)):
        cards = "".join(f"  - {{id: {name}-{n}, front: Q, back: A}}\n" for n in range(count))
        (folder / "decks" / f"{name}.yml").write_text(f"cards:\n{cards}")
    assert main(["check", "decks/most.yml", "decks/many.yml"]) == 0
    summary, warning = capsys.readouterr().err.splitlines()
    assert summary == "2 decks, 1,001 cards: no faults"
    assert warning.startswith("decks/many.yml: it has 501 cards; on one page a reader waits for all of them")


def test_every_fault_of_every_deck_is_told_with_its_line(folder, capsys):
    (folder / "decks" / "bad.yml").write_text(BAD)
    (folder / "decks" / "faces.yaml").write_text(FACES)
    assert main(["check", "decks"]) == 1
    out, told = capsys.readouterr()
    assert out.splitlines() == [
        "decks/bad.yml:3: card 'a': 'back': HTML such as <b> is shown as text; write Markdown",
        "decks/bad.yml:3: card 'a': 'back': unknown source 'nobody2020'; add it to works.bib",
        "decks/bad.yml:3: card 'a': 'source': unknown source 'nobody2021'; add it to works.bib",
        "decks/bad.yml:4: card 'B': 'back' is missing; write the answer",
        "decks/bad.yml:4: card 'B': 'front' is the number 3; put it in quotes: \"3\"",
        "decks/bad.yml:4: card 'B': the id 'B' has other characters than a-z, 0-9 and hyphens; write b",
        "decks/faces.yaml:3: card 'a': the id is taken by decks/bad.yml:3; give this card another one",
        "decks/faces.yaml:6: card 'a': 'back': unknown source 'nobody2020'; add it to works.bib",
        "decks/faces.yaml:7: card 'a': 'back': HTML such as <b> is shown as text; write Markdown",
        "decks/faces.yaml:8: card 'a': 'source': unknown source 'nobody2021'; add it to works.bib",
        "decks/good.yml:2: card 'a': the id is taken by decks/bad.yml:3; give this card another one",
    ]
    assert told == "11 faults in 3 of 3 decks\npassed over, no deck: 1 file (decks/other.yml)\n"


def test_an_id_that_a_deck_has_twice_is_told_once(tmp_path, capsys):
    card = "  - {id: a, front: Q, back: A}\n"
    (tmp_path / "one.yml").write_text(f"cards:\n{card}{card}")
    (tmp_path / "two.yml").write_text(f"cards:\n{card}")
    assert main(["check", "one.yml", "two.yml"]) == 1
    out, told = capsys.readouterr()
    assert out.splitlines() == [
        "one.yml:3: card 'a': the id is taken by line 2; give this card another one",
        "two.yml:2: card 'a': the id is taken by one.yml:2; give this card another one",
    ]
    assert told == "2 faults in 2 of 2 decks\n"


def test_a_workflow_gets_annotations_and_a_program_gets_json(folder, capsys):
    (folder / "a,b.yml").write_text("title: '%'\ncards: []\n")
    assert main(["check", "a,b.yml", "--format", "github"]) == 1
    message = "'cards' is empty; write a list of cards, each with an id"
    assert capsys.readouterr().out == f"::error file=a%2Cb.yml,line=2::{message}\n"
    assert main(["check", "a,b.yml", "--format", "json"]) == 1
    (fault,) = json.loads(capsys.readouterr().out)
    assert fault == {"file": "a,b.yml", "line": 2, "card": "", "message": message}
    assert main(["check", "decks/good.yml", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        ("gone.yml", 1, "gone.yml:1: there is no such file; check the path"),
        ("decks/_build/empty", 2, "decks/_build/empty: there is no deck in this folder"),
    ],
)
def test_where_there_is_no_deck_that_is_said(folder, capsys, path, code, message):
    (folder / "decks" / "_build" / "empty").mkdir()
    assert main(["check", path]) == code
    assert message in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b"\xef\xbb\xbfcards:\n  - {id: X, front: A, back: B}\n",
            "2: card 'X': the id 'X' has other characters",
        ),
        (b'"cards":\n  - {id: X, front: A, back: B}\n', "2: card 'X': the id 'X' has other characters"),
        (b"{cards: [{id: X, front: A, back: B}]}\n", "1: card 'X': the id 'X' has other characters"),
        (b" cards:\n  - {id: X, front: A, back: B}\n", "2: card 'X': the id 'X' has other characters"),
        (b"title: t\ncrads:\n  - {id: a, front: A}\n", "2: unknown field 'crads'; did you mean 'cards'?"),
        (b"- {id: a, front: A, back: B}\n", "1: the file is a list; write 'cards:'"),
        (b"cards:\n  - {id: a, front: 'A}\n", "3: not valid YAML: found unexpected end of stream"),
        (b"", "1: the file is empty"),
        ("cards: 1".encode("utf-16"), "1: the byte 0xff is not UTF-8"),
    ],
)
def test_a_file_that_is_meant_as_a_deck_is_checked_however_it_is_written(folder, capsys, data, message):
    (folder / "decks" / "new.yml").write_bytes(data)
    assert main(["check", "decks"]) == 1
    out, told = capsys.readouterr()
    assert f"decks/new.yml:{message}" in out
    assert "passed over, no deck: 1 file (decks/other.yml)" in told


def test_faults_of_form_hide_no_faults_of_faces(folder, capsys):
    (folder / "decks" / "new.yml").write_text(
        "cards:\n  - {id: n, front: A, back: '<b>x</b>'}\n  - {id: B, front: Q, back: '# x'}\n"
    )
    assert main(["check", "decks"]) == 1
    assert [line.split(":")[1] for line in capsys.readouterr().out.splitlines()] == ["2", "3", "3"]


def test_a_deck_is_checked_once_by_whatever_names_it_goes(capsys):
    assert main(["check", "decks/good.yml", "./decks/good.yml", "decks", "."]) == 0
    assert capsys.readouterr().err.startswith("1 deck, 1 card: no faults\n")


def test_a_deck_larger_than_any_is_refused_before_it_takes_the_memory(folder, capsys, monkeypatch):
    assert deck.MAX_BYTES == 64 * 2**20
    monkeypatch.setattr(deck, "MAX_BYTES", 1_000)
    (folder / "large.yml").write_bytes(GOOD.encode() + b"#" * 1_000)
    assert main(["check", "large.yml"]) == 1
    assert "large.yml:1: it has more than 1,000 bytes; split the deck" in capsys.readouterr().out


# --- schema ------------------------------------------------------------------------------------------


def test_the_schema_takes_every_deck_of_the_book(root):
    validator = jsonschema.Draft7Validator(schema())
    validator.check_schema(schema())
    decks = sorted((root / "assets" / "decks").glob("*.yml"))
    assert len(decks) > 5
    for file in decks:
        validator.validate(yaml.safe_load(file.read_text("utf-8")))


def test_the_schema_knows_every_field_and_says_what_it_is_for():
    deck = schema()["properties"]
    card = deck["cards"]["items"]["properties"]
    assert (tuple(deck), tuple(card)) == (DECK_FIELDS, CARD_FIELDS)
    assert all(field["description"] for field in (*deck.values(), *card.values()))


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "title: t",
        "cards: []",
        "format: 2\ncards: [{id: a, front: q, back: b}]",
        "tilte: x\ncards: [{id: a, front: q, back: b}]",
        "cards: [{id: a, front: q}]",
        "cards: [{id: A b, front: q, back: b}]",
        "cards: [{id: a, front: 3, back: b}]",
        "cards: [{id: a, front: q, back: ' '}]",
        "cards: [{id: a, front: q, back: b, tags: one}]",
        "cards: [{id: a, front: q, back: b, tags: [one two]}]",
        "cards: [{id: a, front: q, back: b, colour: red}]",
    ],
)
def test_what_a_deck_refuses_the_schema_refuses(text):
    with pytest.raises(ValueError, match=r"deck:[12]: "):
        Deck.parse(text.encode())
    assert not jsonschema.Draft7Validator(schema()).is_valid(yaml.safe_load(text))


def test_the_schema_is_printed_or_written(folder, capsys):
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == schema()
    assert main(["schema", "-o", "s.json"]) == 0
    assert json.loads((folder / "s.json").read_text()) == schema()
    assert main(["schema", "-o", "s.json"]) == 2
    assert "s.json is there already; use --force to replace it" in capsys.readouterr().err
