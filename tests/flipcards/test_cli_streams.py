"""The command `flipcards` at the ends of a pipe: the real process, its streams and its exit code."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from flipcards import Deck
from flipcards.cli import main
from flipcards.tabular import FORMATS

GOOD = "title: Capitals\ncards:\n  - {id: peru, front: Of Peru?, back: Lima., tags: [america]}\n"
BAD = "cards:\n  - {id: peru, front: Of Peru?, back: <b>Lima</b>}\n  - {id: Chile, front: 'Of Chile?'}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder where the command runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments, data=b"", **options):
    """The finished process of a command; what it prints must be no traceback."""
    command = [sys.executable, "-m", "flipcards", *arguments]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    source = {} if "stdin" in options else {"input": data}
    done = subprocess.run(command, check=False, **streams, **source)
    assert b"Traceback" not in (done.stderr or b""), done.stderr.decode()
    return done


def test_a_good_deck_from_standard_input_is_checked_and_passes():
    done = run("check", "-", data=GOOD.encode())
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"1 deck, 1 card: no faults\n")


def test_the_faults_of_a_deck_from_standard_input_are_told_with_their_lines(folder):
    (folder / "bad.yml").write_text(BAD)
    done, file = run("check", "-", data=BAD.encode()), run("check", "bad.yml")
    assert done.returncode == file.returncode == 1
    told = done.stdout.decode().splitlines()
    assert told == [line.replace("bad.yml:", "-:") for line in file.stdout.decode().splitlines()]
    assert "-:2: card 'peru': 'back': HTML such as <b> is shown as text; write Markdown" in told
    assert "-:3: card 'Chile': 'back' is missing; write the answer" in told
    assert done.stderr == file.stderr == b"%d faults in 1 of 1 deck\n" % len(told)
    faults = json.loads(run("check", "--format", "json", "-", data=BAD.encode()).stdout)
    assert {(fault["file"], fault["line"]) for fault in faults} == {("-", 2), ("-", 3)}
    github = run("check", "--format", "github", "-", data=BAD.encode()).stdout.decode()
    assert github.startswith("::error file=-,line=2::card 'peru': ")


def test_standard_input_is_read_once_and_checked_together_with_files(folder):
    (folder / "one.yml").write_text(GOOD)
    done = run("check", "-", "-", "one.yml", data=GOOD.encode())
    assert done.returncode == 1
    assert done.stdout == b"one.yml:3: card 'peru': the id is taken by -:3; give this card another one\n"


def test_paths_in_a_deck_from_standard_input_are_relative_to_where_the_command_runs(folder):
    (folder / "works.bib").write_text("@book{atlas2024, title={T}, year={2024}, author={A}}")
    deck = GOOD.replace("tags: [america]", "source: [atlas2024, map2020]") + "bibliography: works.bib\n"
    done = run("check", "-", data=deck.encode())
    assert done.stdout.decode().count("\n") == 1
    assert "map2020" in done.stdout.decode()


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"\x00", b"- [", b"cards: 1"])
def test_what_is_no_deck_is_one_message_with_a_line(data):
    done = run("check", "-", data=data)
    assert done.returncode == 1
    assert done.stdout.startswith(b"-:1: ")


@pytest.mark.parametrize("kind", FORMATS)
def test_a_deck_goes_through_the_pipe_and_back(kind):
    out = run("export", kind, "-", "-o", "-", data=GOOD.encode())
    assert (out.returncode, out.stderr.splitlines()[0]) == (0, b"-: 1 card")
    back = run("import", kind, "-", "-o", "-", data=out.stdout)
    assert (back.returncode, back.stderr) == (0, b"-: 1 card\n")
    (card,) = Deck.parse(back.stdout)
    assert (card.front, card.back) == ("Of Peru?", "Lima.")
    assert run("check", "-", data=back.stdout).returncode == 0


def test_a_package_of_anki_goes_through_the_pipe_and_back(folder):
    out = run("export", "anki", "-", "-o", "-", data=GOOD.encode())
    assert zipfile.ZipFile(io.BytesIO(out.stdout)).namelist() == ["collection.anki2", "media"]
    assert run("import", "anki", "-", "-o", "back.yml", data=out.stdout).returncode == 0
    assert Deck.load("back.yml").cards == Deck.parse(GOOD.encode()).cards


@pytest.mark.parametrize(
    "arguments",
    [
        *(["check", "-"], ["export", "csv", "-", "-o", "-"], ["export", "anki", "-", "-o", "-"]),
        *(["import", "csv", "-", "-o", "-"], ["import", "anki", "-", "-o", "x.yml"]),
    ],
    ids=" ".join,
)
def test_a_closed_standard_input_is_one_message(folder, arguments):
    done = run(*arguments, stdin=None, preexec_fn=lambda: os.close(0))
    assert done.returncode == 2
    assert done.stderr == b"-: standard input or output is closed; name a file\n"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("command", [["export", "csv"], ["export", "anki"], ["import", "json"]], ids=" ".join)
def test_a_closed_standard_output_is_one_message(command):
    data = GOOD.encode()
    if "import" in command:
        data = run("export", "json", "-", "-o", "-", data=data).stdout
    done = run(*command, "-", "-o", "-", data=data, preexec_fn=lambda: os.close(1))
    assert done.returncode == 2
    assert done.stderr == b"-: standard input or output is closed; name a file\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
@pytest.mark.parametrize("arguments", [["check", "-"], ["schema"]], ids=" ".join)
def test_what_cannot_be_written_is_one_message(arguments):
    with Path("/dev/full").open("wb") as full:
        done = run(*arguments, data=BAD.encode(), stdout=full)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == b"-: No space left on device"


def test_a_reader_that_has_read_enough_is_no_fault():
    many = "cards:\n" + "".join(f"  - {{id: A{number}, front: x, back: y}}\n" for number in range(3_000))
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as nobody:
        done = run("check", "-", data=many.encode(), stdout=nobody)
    assert done.returncode == 2
    assert b"Broken" not in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_fault_that_quotes_letters_the_terminal_lacks_is_told(encoding):
    deck = "cards:\n  - {id: a, front: A?, back: B., λόγος: 1}\n"
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = run("check", "-", data=deck.encode(), env=environment)
    assert done.returncode == 1
    assert rb"unknown field '\u03bb\u03cc" in done.stdout


def test_a_stream_without_bytes_below_it_is_left_alone(monkeypatch):
    said = io.StringIO()
    monkeypatch.setattr(sys, "stdout", said)
    assert main(["schema"]) == 0
    assert json.loads(said.getvalue())
