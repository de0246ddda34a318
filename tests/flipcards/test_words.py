"""One catalogue of words: Python and the front end agree, a translation is one file, its faults are named."""

import io
import json
import re
import sys
import warnings
import zipfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import flipcards
import pytest
from bs4 import BeautifulSoup
from flipcards import Card, Deck, page
from flipcards import words as catalogues
from flipcards.anki_note import back_template
from flipcards.cli import main
from flipcards.words import (
    LIVE_SECTIONS,
    PAGE_SECTIONS,
    WordsError,
    english,
    load,
    places_of,
    shipped,
    spoken,
)
from sphinx.cmd import build

DATA = Path(__file__).parent / "data"
PACKAGE = Path(flipcards.__file__).parent
FRONT_END = PACKAGE.parents[1] / "frontend"
CASES = json.loads((DATA / "words.json").read_text("utf-8"))
WORDS = {"en": english(), "de": shipped("de"), "pl": load(DATA / "words-pl.json")}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['language']} {case['key']} {case['places']}")
def test_a_message_is_the_same_here_and_in_the_front_end(case):
    assert WORDS[case["language"]](case["key"], **case["places"]) == case["text"]


def test_the_german_catalogue_has_every_message_with_its_places():
    german = json.loads((PACKAGE / "words" / "de.json").read_text("utf-8"))
    assert german.pop("language") == "de"
    assert WORDS["de"].missing == ()
    assert list(german) == list(english().sections)
    for section, messages in english().sections.items():
        assert list(german[section]) == list(messages), section
        for key, message in messages.items():
            assert places_of(german[section][key]) == places_of(message), f"{section}.{key}"


def test_every_message_is_used_and_none_ends_a_sentence_that_goes_on():
    python = "".join(file.read_text("utf-8") for file in PACKAGE.glob("*.py"))
    scripts = "".join(file.read_text("utf-8") for file in FRONT_END.glob("*.js"))
    named = {"study.rating1", "study.rating2", "study.rating3", "study.rating4"}  # `rating${rating}`
    for words in WORDS.values():
        for section, messages in words.sections.items():
            for key, message in messages.items():
                used = f'"{key}"' in scripts or f"{section}.{key}" in python or f'"{key}"' in python
                assert used or f"{section}.{key}" in named, f"{section}.{key}"
                if section in ("file", "log") and isinstance(message, str) and key != "unchanged":
                    assert not message.endswith("."), f"{section}.{key}: it stands before a stop"


FAULTS = {
    "no catalogue": ("- a\n- b\n", "is no catalogue of words"),
    "no YAML": ("page: {", "is no JSON or YAML"),
    "no language": ("page: {}\n", "'language' is None; write the tag"),
    "no tag": ("language: Deutsch, bitte\n", "'language' is 'Deutsch, bitte'"),
    "an unknown section": (
        "language: de\npages: {}\n",
        "there is no section 'pages'; the sections are cards, ",
    ),
    "an unknown message": ("language: de\npage: {shufle: X}\n", "there is no message 'page.shufle'"),
    "a wrong place": (
        "language: de\nstudy: {answered: 'A: {reply}'}\n",
        r"'study.answered': has no place {reply}; it has {answer}",
    ),
    "a lacking place": ("language: de\nstudy: {answered: 'A'}\n", r"'study.answered': lacks {answer}"),
    "no text": ("language: de\nstudy: {answered: {answer}}\n", "'study.answered': is no text"),
    "an empty text": ("language: de\npage: {shuffle: ''}\n", "'page.shuffle': is no text"),
    "forms without a number": (
        "language: de\npage: {shuffle: {other: X}}\n",
        "'page.shuffle': has plural forms, but no {count}",
    ),
    "no other form": ("language: de\npage: {count: {one: X}}\n", "'page.count': lacks the form 'other'"),
    "an unknown form": (
        "language: de\npage: {count: {other: '{count}', lots: X}}\n",
        "'page.count': has no form lots; the forms are zero,",
    ),
}


@pytest.mark.parametrize(("text", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_of_a_catalogue_is_named_with_file_and_key(tmp_path, text, message):
    file = tmp_path / "words.yml"
    file.write_text(text, "utf-8")
    with pytest.raises(WordsError, match=re.escape(message)) as caught:
        load(file, shown_as="words.yml")
    assert all(line.startswith("words.yml: ") for line in str(caught.value).splitlines())


def test_all_faults_are_told_at_once(tmp_path):
    file = tmp_path / "words.yml"
    file.write_text("page: {shufle: X, count: Y}\n", "utf-8")
    with pytest.raises(WordsError, match="language") as caught:
        load(file)
    assert len(caught.value.faults) == 3


@pytest.fixture
def german():
    """This process speaks German, as a notebook does after `use_words`."""
    flipcards.use_words("de")
    yield
    flipcards.use_words()


def test_a_notebook_speaks_another_language(german):
    deck = Deck((Card("one", "Was?", "Das.", term="Zug"),))
    assert "Begriff: </span>Zug" in page.section(deck)
    assert "<div>Quelle: {{Source}}</div>" in back_template(spoken())
    cards = flipcards.Cards(deck)
    assert cards.words["language"] == "de"
    assert set(cards.words) == {"language", *LIVE_SECTIONS}
    assert deck.study().widget.words == cards.words


def test_a_notebook_speaks_english_by_itself():
    assert flipcards.Cards(Deck((Card("one", "What?", "That."),))).words == {}
    with pytest.raises(WordsError, match="there are no words for 'xx'; there are de, en"):
        catalogues.use_words("xx")


def test_the_command_labels_a_package_in_another_language(tmp_path, capsys):
    (tmp_path / "zoo.yml").write_text(DECK, "utf-8")
    command = ["export", "anki", str(tmp_path / "zoo.yml"), "-o", str(tmp_path / "zoo.apkg"), "--words"]
    assert main([*command, "de"]) == 0
    with zipfile.ZipFile(tmp_path / "zoo.apkg") as package:
        assert b"Zur eigenen Seite dieser Karte" in package.read("collection.anki2")
    (tmp_path / "own.yml").write_text("page: {}\n", "utf-8")
    assert main([*command, str(tmp_path / "own.yml"), "--force"]) == 1
    assert "own.yml: 'language' is None" in capsys.readouterr().err


# --- A book ---

CONF = (
    "extensions = ['myst_nb', 'flipcards.sphinx']\nflipcards_decks = ['*.yml']\nnb_execution_mode = 'off'\n"
)
INDEX = "# Zoo\n\n```{flipcards} zoo.yml\n```\n\n```{toctree}\nplain\n```\n"
DECK = "cards:\n  - {id: zebra, front: Welches Tier?, back: Das Zebra., term: Tier}\n"


class Book:
    """A book of two pages, one of them without cards, whose words the tests change."""

    def __init__(self, folder):
        self.folder = folder
        self.write("index.md", INDEX)
        self.write("plain.md", "# Plain\n\n```{glossary}\nTier\n  Ein Wesen.\n```\n")
        self.write("zoo.yml", DECK)

    def write(self, name, text):
        file = self.folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")

    def build(self, conf, *options):
        self.write("conf.py", CONF + conf)
        printed = io.StringIO()
        hook = sys.excepthook
        out = self.folder / "_out"
        with redirect_stdout(printed), redirect_stderr(printed), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Sphinx's own and its other extensions'
            code = build.main(["-q", *options, "-d", str(self.folder / "_trees"), str(self.folder), str(out)])
        sys.excepthook = hook
        return code, printed.getvalue()

    def page(self, name="index.html"):
        return BeautifulSoup((self.folder / "_out" / name).read_text("utf-8"), "html.parser")

    def label(self):
        return self.page().select_one(".flipcard-term .flipcard-label").text


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """The book, in its own words: an edit of them comes with each build."""
    return Book(tmp_path_factory.mktemp("zoo"))


def test_a_book_speaks_its_language_and_an_edited_catalogue_makes_its_pages_new(book):
    assert book.build("") == (0, "")
    assert book.label() == "Term: "
    assert not book.page().select("script[src*=words]"), "English is in the scripts themselves"

    assert book.build("language = 'de_AT'\n", "-W") == (0, "")
    assert book.label() == "Begriff: "
    sources = [script["src"].partition("?")[0] for script in book.page().select("script[src]")]
    assert sources.index("_static/flipcards-words.js") < sources.index("_static/cards.js")
    assert not book.page("plain.html").select("script[src*=words]"), "it has no cards"
    script = (book.folder / "_out" / "_static" / "flipcards-words.js").read_text("utf-8")
    given = json.loads(script.removeprefix("globalThis.flipcardsWords=").removesuffix(";\n"))
    assert set(given) == {"language", *PAGE_SECTIONS}
    assert given["page"]["shuffle"] == "Mischen"

    own = "language = 'de'\nflipcards_words = 'words/eigene.yml'\n"
    book.write("words/eigene.yml", "language: de\ncards: {term: 'Wort:'}\npage: {shuffle: Durcheinander}\n")
    code, printed = book.build(own)
    assert code == 0
    (warning,) = printed.strip().splitlines()
    assert "words/eigene.yml lacks cards.source, cards.see," in warning
    assert "page.shuffle," not in warning
    assert book.label() == "Wort: "

    before = book.page().select_one("script[src*=words]")["src"]
    book.write("words/eigene.yml", "language: de\ncards: {term: 'Lemma:'}\npage: {shuffle: Quer}\n")
    assert book.build(own)[0] == 0
    assert book.label() == "Lemma: "
    assert book.page().select_one("script[src*=words]")["src"] != before, "a cached script would be stale"

    book.write("words/eigene.yml", "language: de\npage: {shufle: Quer}\n")
    code, printed = book.build(own)
    assert code != 0
    assert "words/eigene.yml: there is no message 'page.shufle'" in printed
