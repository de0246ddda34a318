"""The page that tells how to make a book with cards: what it shows is what happens."""

import re
import shlex
from pathlib import Path

import flipcards
import pytest
import yaml
from flipcards import Card, Deck, cli, tabular
from flipcards.anki import export_anki
from flipcards.cli import main
from flipcards.words import find

STATIC = Path(flipcards.__file__).parent / "static"


@pytest.fixture(scope="module")
def chapter(root):
    """The text of the page."""
    return (root / "chapters" / "make-your-own.md").read_text(encoding="utf-8")


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A book that `flipcards new` wrote, as the folder where commands run."""
    monkeypatch.chdir(tmp_path)
    assert main(["new", "my-book"]) == 0
    monkeypatch.chdir(tmp_path / "my-book")
    return tmp_path / "my-book"


def blocks(text, language):
    """What stands in the blocks of code of a language."""
    return re.findall(rf"^(`{{3,}}){language}\n(.*?)^\1$", text, re.MULTILINE | re.DOTALL)


def typed(text):
    """The commands of `flipcards` in the page, with what is shown below each."""
    found = []
    for _, block in blocks(text, "console"):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:].partition(" # ")[0], []))
            else:
                found[-1][1].append(line)
    return [(shlex.split(line), shown) for line, shown in found if line.startswith("flipcards ")]


def test_every_command_of_the_page_runs_in_a_book_of_its_own_and_prints_what_is_shown(chapter, book, capsys):
    commands = typed(chapter)
    assert {words[1] for words, _ in commands} == {"new", "check", "export", "import"}
    deck = Deck((Card("lima", "Of Peru?", "Lima."),), "Capitals")
    export_anki([deck], "mine.apkg")  # for what a reader has in Anki
    for words, shown in commands:
        arguments = [
            name
            for word in words[1:]
            for name in (sorted(map(str, Path().glob(word))) if "*" in word else [word])
        ]
        capsys.readouterr()
        assert main(arguments) == 0, words
        out, told = capsys.readouterr()
        for line in shown:
            assert line in (out + told).splitlines(), words
    assert {"book.apkg", "cards.csv", "my-book"} <= {file.name for file in book.iterdir()}
    assert Deck.load("decks/mine.yml").cards == deck.cards
    assert len(Deck.load("decks/cards.yml")) == len(Deck.load("decks/first.yml")) + 1


def test_the_schema_command_and_the_line_that_names_it_are_as_the_page_says(chapter, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (command,) = re.findall(r"`flipcards (schema [^`]+)`", chapter)
    assert main(shlex.split(command)) == 0
    named = re.search(r"^# yaml-language-server: \$schema=(\S+)$", chapter, re.MULTILINE)
    assert Path(named[1]).is_file()


def test_every_deck_of_the_page_loads_and_has_no_fault(chapter, tmp_path):
    decks = [block for _, block in blocks(chapter, "yaml") if "cards:" in block]
    assert decks
    for number, deck in enumerate(decks):
        file = tmp_path / f"{number}.yml"
        file.write_text(deck, encoding="utf-8")
        assert main(["check", str(file)]) == 0
    fields = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", chapter, re.MULTILINE)))
    assert set(fields) == set(flipcards.deck.CARD_FIELDS)


def test_every_setting_and_extension_of_the_page_is_one(chapter):
    settings = [yaml.safe_load(block) for _, block in blocks(chapter, "yaml") if block.startswith("sphinx:")]
    assert len(settings) == 2
    source = "".join(file.read_text("utf-8") for file in Path(flipcards.__file__).parent.glob("sphinx*.py"))
    for setting in settings:
        for module in setting["sphinx"].get("extra_extensions", ()):
            __import__(module)
        for name in setting["sphinx"].get("config", {}):
            assert name == "language" or f'"{name}"' in source
    for name in set(re.findall(r"`(flipcards_\w+)`", chapter)):
        assert f'"{name}"' in source
    for directive in set(re.findall(r"^```\{(flipcards[\w-]*)\}", chapter, re.MULTILINE)):
        assert f'"{directive}"' in source


def test_the_variables_of_the_page_stand_at_the_top_of_the_style_sheet(chapter):
    named = set(re.findall(r"--flipcards-[\w-]+", chapter))
    assert named
    top = (STATIC / "flipcards.css").read_text("utf-8").partition("}")[0]
    assert named <= set(re.findall(r"(--flipcards-[\w-]+):", top))


def test_the_formats_and_languages_of_the_page_are_all_there_are(chapter):
    (line,) = re.findall(r"^In place of `csv`: .*$", chapter, re.MULTILINE)
    assert {"csv", *re.findall(r"`(\w+)`", line)} - {"question"} == set(tabular.FORMATS)
    (language,) = re.findall(r"or German with `language: (\w+)`", chapter)
    assert find(language).language == language
    assert (STATIC.parent / "words" / "en.json").is_file()


def test_the_readme_of_the_package_has_decks_that_load_and_commands_that_exist(root, tmp_path):
    readme = (root / "widgets" / "flipcards" / "README.md").read_text(encoding="utf-8")
    (tmp_path / "decks").mkdir()
    (tmp_path / "chapters").mkdir()
    (tmp_path / "works.bib").write_text("@book{atlas2024, title={T}, year={2024}, author={A}}")
    capitals = [block for _, block in blocks(readme, "yaml") if block.startswith(("title:", "format:"))]
    assert len(capitals) == 2  # the least that a deck needs, and all that it can have
    for deck in capitals:
        (tmp_path / "decks" / "capitals.yml").write_text(deck, encoding="utf-8")
        assert [card.id for card in Deck.load(tmp_path / "decks" / "capitals.yml").cards] == ["australia"]
    (card,) = Deck.load(tmp_path / "decks" / "capitals.yml").only(tags=["oceania"])
    assert f"card-{card.id}" in readme
    for words, _ in typed(readme):
        assert cli._parser().parse_args(words[1:]), words
    for _, block in blocks(readme, "python"):
        compile(block, "README", "exec")
