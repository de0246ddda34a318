"""The command `flipcards` and tables: files, standard input and output, what is said."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from flipcards import Deck, DeckError
from flipcards.anki import package
from flipcards.cli import main
from flipcards.tabular import FORMATS, write

DECK = "title: One\ncards:\n  - {id: a, front: A?, back: B., tags: [t]}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with a deck, where the command runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.yml").write_text(DECK)
    return tmp_path


@pytest.fixture
def piped(monkeypatch, capfdbinary):
    """A function that runs the command on bytes of standard input; returns code, output and messages."""

    def piped(arguments, data=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        code = main(arguments)
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        return code, out, err.decode()

    return piped


@pytest.mark.parametrize("kind", FORMATS)
def test_a_deck_goes_out_and_comes_back_through_files_and_through_pipes(kind, piped):
    assert piped(["export", kind, "one.yml", "-o", "x"])[0] == 0
    code, out, told = piped(["export", kind, "-", "-o", "-"], DECK.encode())
    assert (code, out) == (0, Path("x").read_bytes())
    assert told.splitlines()[0] == "-: 1 card"
    assert piped(["import", kind, "x", "-o", "back.yml", "--title", "Two"])[0] == 0
    code, deck, told = piped(["import", kind, "-", "-o", "-", "--title", "Two"], out)
    assert (code, told) == (0, "-: 1 card\n")
    back = Deck.load("back.yml")
    assert back.cards == Deck.parse(deck).cards
    assert [(card.front, card.back) for card in back] == [("A?", "B.")]
    assert back.title == "Two"


def test_a_package_of_anki_comes_through_a_pipe_too(piped):
    _, package, _ = piped(["export", "anki", "-", "-o", "-"], DECK.encode())
    code, _, told = piped(["import", "anki", "-", "-o", "back.yml"], package)
    assert (code, told) == (0, "back.yml: 1 card, 0 images\n")
    assert Deck.load("back.yml").cards == Deck.load("one.yml").cards


def test_what_is_left_out_is_printed(piped):
    _, _, told = piped(["export", "csv", "one.yml", "-o", "x.csv"])
    assert told.splitlines() == ["x.csv: 1 card", "left out: the title of the deck"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["export", "csv", "one.yml", "bad.yml", "-o", "x.csv"], 1, "bad.yml:1: 'cards' is empty"),
        (
            ["export", "csv", "one.yml", "-o", "one.yml"],
            2,
            "one.yml is what is read; name another file to write",
        ),
        (["import", "csv", "one.yml", "-o", "x.yml"], 1, "one.yml:1: the first line must name the columns"),
        (
            ["import", "csv", "gone.csv", "-o", "x.yml"],
            1,
            "gone.csv:1: there is no such file; check the path",
        ),
        (["export", "csv", "one.yml", "-o", "one.yml", "--force"], 2, "one.yml is what is read"),
        (["export", "json", "one.yml", "-o", "./one.yml", "--force"], 2, "./one.yml is what is read"),
        (["import", "markdown", "list.md", "-o", "list.md", "--force"], 2, "list.md is what is read"),
        (["import", "markdown", "list.md", "-o", "x/"], 2, "x/ is a folder; name a file in it"),
        (["export", "csv", "one.yml", "-o", "link", "--force"], 2, "link is what is read"),
        (["export", "csv", ".", "-o", "one.yml", "--force"], 2, "one.yml is what is read"),
        (["export", "csv", "one.yml", "-o", "list.md"], 2, "list.md is there already; use --force"),
        (["export", "csv", "one.yml", "-o", "gone"], 2, "gone is a link, a pipe or a device"),
        (["export", "csv", "one.yml", "-o", "pipe", "--force"], 2, "pipe is a link, a pipe or a device"),
        (["import", "markdown", "list.md", "-o", "link", "--force"], 2, "link is a link, a pipe or a device"),
        (["import", "markdown", "list.md", "-o", "."], 2, ". is a folder; name a file in it"),
        (["export", "csv", "one.yml", "--force", "-o", "."], 2, ". is a folder; name a file in it"),
        (["import", "markdown", "list.md", "-o", "one.yml"], 2, "one.yml is there already; use --force"),
        (["import", "markdown", "list.md", "-o", "no/x.yml"], 2, "no/x.yml: No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_one_message_and_leaves_nothing(folder, piped, arguments, code, message):
    (folder / "bad.yml").write_text("cards: 1\n")
    (folder / "list.md").write_text("- a :: b\n")
    (folder / "link").symlink_to("one.yml")
    (folder / "gone").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")
    before = {file: file.is_file() and file.read_bytes() for file in folder.iterdir()}
    done, _, told = piped(arguments)
    assert (done, len(told.splitlines())) == (code, 1)
    assert message in told
    assert {file: file.is_file() and file.read_bytes() for file in folder.iterdir()} == before


@pytest.mark.parametrize("kind", ["anki", *FORMATS])
def test_a_folder_stands_for_its_decks_and_a_deck_named_twice_goes_out_once(folder, piped, kind):
    (folder / "_toc.yml").write_text("format: jb-book\n")
    code, _, told = piped(["export", kind, "one.yml", "./one.yml", ".", "-o", "x"])
    assert code == 0
    assert told.startswith(("x: 1 card\n", "x: 1 note,"))
    decks = [Deck.load("one.yml")] * 2
    with pytest.raises(DeckError, match=r"one\.yml:3: card 'a': the card is given twice; name its deck once"):
        package(decks) if kind == "anki" else write(decks, kind)


@pytest.mark.parametrize("kind", FORMATS)
def test_force_replaces_a_file_of_every_kind(folder, piped, kind):
    (folder / "x").write_text("old")
    assert piped(["export", kind, "one.yml", "-o", "x", "--force"])[0] == 0
    assert b"A?" in (folder / "x").read_bytes()


def test_force_replaces_a_file(piped):
    assert piped(["export", "tsv", "one.yml", "-o", "x", "--force"])[0] == 0
    assert piped(["import", "tsv", "x", "-o", "one.yml", "--force"])[0] == 0
    assert Deck.load("one.yml").title == ""


def test_the_package_runs_as_a_module_of_python(folder):
    command = [sys.executable, "-m", "flipcards", "export", "csv", "one.yml", "-o", "-"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=True)
    assert done.stdout.startswith(b"id,front,back,why,source,term,see,tags\r\na,A?,B.,")


def command(*arguments):
    """The finished process of a command: code, output and messages."""
    done = subprocess.run(
        [sys.executable, "-m", "flipcards", *arguments], capture_output=True, check=False, encoding="utf-8"
    )
    return done.returncode, done.stdout, done.stderr.splitlines()


def test_a_column_that_no_card_has_is_told_with_its_place_and_what_to_do(folder):
    (folder / "x.csv").write_text("front,back,Lesson,topic,\nOf Peru?,Lima.,3,america,\n")
    code, _, told = command("import", "csv", "x.csv", "-o", "x.yml")
    assert (code, told) == (
        0,
        [
            "x.yml: 1 card",
            "left out: x.csv:1: column 3 'Lesson', which no card has; to take one along, "
            "name it id, why, source, term, see",
        ],
    )
    assert Deck.load("x.yml").cards[0].tags == ("america",)
    (folder / "y.csv").write_text("sep=;\nback;front;einheit;größe\nLima.;Of Peru?;1;2\n")
    assert command("import", "csv", "y.csv", "-o", "y.yml")[2][1:] == [
        "left out: y.csv:2: columns 3 'einheit', 4 'größe', which no card has; to take one along, "
        "name it id, why, source, term, see, tags"
    ]


def test_a_file_of_jupytercards_with_keys_of_another_tool_becomes_a_deck_that_checks_clean(folder):
    entries = [
        {"front": "What is the <b>capital</b> of Peru?", "back": "Lima", "topic": "america", "level": 3},
        {
            "name": "units",
            "front": "Energy of a mass $m$?",
            "back": "$$E = mc^2$$",
            "topic": ["physics", "x y"],
        },
        {
            "front": "1 < 2 &amp; <i>true</i>?",
            "back": "<ul><li>yes</li><li>no</li></ul>",
            "meta": {"a": [1, None]},
        },
        {"front": "Which map?", "back": 'This: <img src="map.png" alt="a map"> # not a heading'},
        {"front": "Which\nlanguage?", "back": "<pre><code>print('{hi}')</code></pre>", "id": 7},
    ]
    (folder / "cards.json").write_text(json.dumps(entries, indent=2))
    code, _, told = command("import", "json", "cards.json", "-o", "cards.yml", "--title", "Mixed")
    assert code == 0
    assert told[:2] == ["cards.yml: 5 cards", "left out: keys that no card has: level, name, meta, id"]
    assert command("check", "cards.yml") == (0, "", ["1 deck, 5 cards: no faults"])
    deck = Deck.load("cards.yml")
    assert deck.title == "Mixed"
    assert [card.tags for card in deck][:2] == [("america",), ("physics", "x-y")]
    assert deck.cards[0].front == "What is the **capital** of Peru?"
    assert deck.cards[1].back == "$$\nE = mc^2\n$$"
    assert deck.cards[2].back == "- yes\n- no"
    # What goes out to jupytercards again and comes back is the same deck.
    assert command("export", "json", "cards.yml", "-o", "again.json")[0] == 0
    assert {"front", "back", "topic"} <= json.loads(Path("again.json").read_text())[0].keys()
    assert command("import", "json", "again.json", "-o", "again.yml")[0] == 0
    assert Deck.load("again.yml").cards == deck.cards
