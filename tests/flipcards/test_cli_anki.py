"""The command `flipcards` and Anki."""

import io
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from flipcards import Deck, cli, reviews, tabular
from flipcards.cli import main

FIXTURE = Path(__file__).parent / "data" / "anki" / "anki-26.9-modern.apkg"
DECK = "cards:\n  - {id: a, front: A?, back: B.}\n"


@pytest.fixture
def deck(tmp_path, monkeypatch):
    """A deck file in the folder where the command runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.yml").write_text(DECK)
    return tmp_path / "one.yml"


def test_a_deck_goes_to_anki_and_back_by_command(deck, tmp_path, capsys):
    address = "https://x.org/{deck}.html#card-{card}"
    assert main(["export", "anki", "one.yml", "-o", "x.apkg", "--page-url", address, "--parent", "Book"]) == 0
    assert main(["import", "anki", "x.apkg", "-o", "back.yml", "--progress", "log.jsonl"]) == 0
    assert Deck.load("back.yml").cards == Deck.load("one.yml").cards
    assert capsys.readouterr().err.splitlines() == [
        "x.apkg: 1 note, 0 reviews, 0 images",
        "back.yml: 1 card, 0 images",
        "log.jsonl: 0 entries added",
    ]
    with zipfile.ZipFile("x.apkg") as archive:
        assert b"https://x.org/one.html#card-a" in archive.read("collection.anki2")


def test_what_a_package_cannot_hold_of_a_deck_is_told(deck, tmp_path, capsys):
    (tmp_path / "works.bib").write_text("")
    deck.write_text(f"bibliography: works.bib\n{DECK}")
    assert main(["export", "anki", "one.yml", "-o", "x.apkg"]) == 0
    assert "left out: where the bibliography and the pages of the book are" in capsys.readouterr().err


def test_progress_is_added_to_the_log_and_goes_out_again(deck, capsys):
    assert main(["import", "anki", str(FIXTURE), "-o", "mine.yml", "--progress", "log.jsonl"]) == 0
    assert len(reviews.read("log.jsonl")) == 6
    assert main(["export", "anki", "mine.yml", "-o", "y.apkg", "--progress", "log.jsonl"]) == 0
    assert "y.apkg: 12 notes, 6 reviews, 0 images" in capsys.readouterr().err


def test_a_minus_writes_the_package_to_standard_output(deck):
    command = [sys.executable, "-m", "flipcards", "export", "anki", deck, "-o", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert zipfile.ZipFile(io.BytesIO(done.stdout)).namelist() == ["collection.anki2", "media"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["export", "anki", "one.yml", "bad.yml", "worse.yml", "-o", "x.apkg"], 1, "bad.yml:1: "),
        (
            ["export", "anki", "one.yml", "-o", "one.yml"],
            2,
            "one.yml is what is read; name another file to write",
        ),
        (["import", "anki", "gone.apkg", "-o", "x.yml"], 1, "gone.apkg: there is no such file"),
        (["import", "anki", str(FIXTURE), "-o", "one.yml"], 2, "one.yml is there already; use --force"),
        (["export", "anki", "one.yml", "-o", "."], 2, ". is a folder; name a file in it"),
        (["export", "anki", "one.yml", "-o", "no/x.apkg"], 2, "no/x.apkg: No such file or directory"),
        (["import", "anki", str(FIXTURE), "-o", "x.yml", "--progress", "one.yml"], 1, "one.yml:1: "),
        (["import", "anki", str(FIXTURE), "-o", "x.yml", "--progress", "no/p"], 1, "there is no folder"),
        (["import", "anki", str(FIXTURE), "-o", "-"], 2, "go to files; name a file or a folder"),
        (["export", "anki", "one.yml", "-o", "x", "--progress", "typo"], 1, "typo: there is no such file"),
        (["export", "anki", "one.yml", "-o", "-", "--progress", "typo"], 1, "typo: there is no such file"),
    ],
)
def test_what_cannot_be_done_is_one_clear_message(deck, tmp_path, capsys, arguments, code, message):
    (tmp_path / "bad.yml").write_text("cards: 1\n")
    (tmp_path / "worse.yml").write_text("")
    before = sorted(file.name for file in tmp_path.iterdir())
    assert main(arguments) == code
    told = capsys.readouterr().err
    assert message in told
    assert "Traceback" not in told
    if "bad.yml" in arguments:
        assert "worse.yml:1: " in told
    assert sorted(file.name for file in tmp_path.iterdir() if not file.name.endswith(".lock")) == before


def test_a_package_from_a_pipe_is_refused_before_it_takes_the_disk(deck, monkeypatch, capsys):
    monkeypatch.setattr("flipcards.cli.MAX_PACKAGE_BYTES", 1_000)
    monkeypatch.setattr("flipcards.anki_package.MAX_PACKAGE_BYTES", 1_000)
    source = io.BytesIO(b"x" * 5_000_000)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(source))
    assert main(["import", "anki", "-", "-o", "x.yml"]) == 1
    assert "it has 1,001 bytes; at most 1,000 are read" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["javascript:alert(1)", "x.org/{card}", "https://"])
def test_the_address_of_a_card_is_one_of_the_web(deck, capsys, address):
    with pytest.raises(SystemExit, match="2"):
        main(["export", "anki", "one.yml", "-o", "x.apkg", "--page-url", address])
    assert "is no address of the web; it begins with https://" in capsys.readouterr().err


def test_a_source_date_that_is_no_number_is_refused(deck, monkeypatch, capsys):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "abc")
    assert main(["export", "anki", "one.yml", "-o", "x.apkg"]) == 1
    assert "SOURCE_DATE_EPOCH is 'abc'; set it to seconds since 1970" in capsys.readouterr().err


COMMANDS = [
    *(["check"], ["new"], ["schema"], ["export"], ["import"]),
    *([way, kind] for way in ("export", "import") for kind in ("anki", *tabular.FORMATS)),
]


def helped(capsys, *command):
    with pytest.raises(SystemExit, match="0"):
        main([*command, "--help"])
    return capsys.readouterr().out


def test_help_names_the_commands(capsys):
    told = helped(capsys)
    for (command,) in COMMANDS[:5]:
        assert re.search(rf"^    {command} +\w+", told, re.MULTILINE), command
    assert "flipcards export anki decks/*.yml -o book.apkg" in told


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_of_a_command_says_what_it_does_and_shows_it(capsys, command):
    told = helped(capsys, *command)
    usage, description = told.split("\n\n")[:2]
    assert usage.startswith(f"usage: flipcards {' '.join(command)} ")
    assert re.match(r"(?:Says|Writes|Reads) .+\.$", description, re.DOTALL), description
    examples = told[told.index("examples:\n") :].splitlines()[1:]
    assert examples
    for example in examples:
        assert f"flipcards {command[0]} " in example
        words = shlex.split(example.rpartition("| ")[2])[1:]
        assert cli._parser().parse_args(words), "an example that can be typed"
