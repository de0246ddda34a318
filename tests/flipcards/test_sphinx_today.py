"""The Today page of a Sphinx book: every deck, in the order of the book, borrowed from its own page."""

import io
import json
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout

import pytest
from bs4 import BeautifulSoup
from flipcards.sphinx_today import waiting
from sphinx.cmd import build

CONF = """
project = "Tiny: a book"
copyright = "2026, Ada"
extensions = ["myst_nb", "flipcards.sphinx"]
nb_execution_mode = "off"
html_theme = "basic"
flipcards_decks = ["decks/*.yml"]
exclude_patterns = ["_out"]
version = release = "1"
"""
INDEX = """
# Tiny

```{toctree}
:caption: Begin
today
words
```

```{toctree}
:caption: Labs
lab/deep
```
"""
PAGE = "# {title}\n\n```{{flipcards}} {deck}\n```\n"
DECK = "title: {title}\ncards:\n  - {{id: {id}, front: What is {id}?, back: A zebra.}}\n"


class Book:
    """A tiny book with a Today page in a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.write("conf.py", CONF)
        self.write("index.md", INDEX)
        self.write("today.md", "# Today\n\n```{flipcards-today}\n```\n")
        self.write("words.md", PAGE.format(title="Words", deck="decks/zoo.yml"))
        self.write("lab/deep.md", PAGE.format(title="Deep lab", deck="../decks/ant.yml"))
        for name in ("zoo", "ant"):
            self.write(f"decks/{name}.yml", DECK.format(title=f"The {name}", id=name))

    def write(self, name, text):
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")

    def build(self, builder="html"):
        """Build with warnings as errors; return the exit code and what was printed."""
        printed = io.StringIO()
        hook = sys.excepthook
        out = self.folder / "_out"
        options = ["-q", "-W", "-n", "--keep-going", "-b", builder, "-d", str(out / f"trees-{builder}")]
        with redirect_stdout(printed), redirect_stderr(printed), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Sphinx's own and its other extensions'
            code = build.main([*options, str(self.folder), str(out / builder)])
        sys.excepthook = hook
        return code, printed.getvalue()

    def text(self, name="html/today.html"):
        return (self.folder / "_out" / name).read_text("utf-8")

    def page(self, name="html/today.html"):
        return BeautifulSoup(self.text(name), "html.parser")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    book = Book(tmp_path_factory.mktemp("book"))
    code, printed = book.build()
    assert code == 0, printed
    return book


def test_it_gathers_every_deck_in_the_order_of_the_book_under_its_title(built):
    decks = built.page().select("details.flipcards-deck")
    assert [deck.summary.get_text(" ", strip=True) for deck in decks] == ["The zoo 1 card", "The ant 1 card"]
    assert all(deck.select_one("section.flipcards details.flipcard") for deck in decks)
    assert all(not deck.has_attr("open") for deck in decks)


def test_its_cards_have_no_ids_and_lead_home_and_name_page_and_part(built):
    sections = built.page().select("section.flipcards")
    assert [(s["data-page"], s["data-part"]) for s in sections] == [("Words", "Begin"), ("Deep lab", "Labs")]
    card = sections[1].select_one("details.flipcard")
    assert card.get("id") is None
    assert card["data-home"] == "lab/deep.html#card-ant"
    assert card.select_one(".flipcard-home a")["href"] == "lab/deep.html#card-ant"


def test_a_deck_shown_on_two_pages_names_the_page_of_each_card(tmp_path):
    book = Book(tmp_path)
    book.write(
        "decks/zoo.yml", DECK.format(title="The zoo", id="zoo") + "  - {id: emu, front: Emu?, back: B.}\n"
    )
    book.write("words.md", PAGE.format(title="Words", deck="decks/zoo.yml\n:cards: zoo"))
    deep = "\n".join(PAGE.format(title="Deep lab", deck=f"../decks/{d}") for d in ("ant.yml",))
    book.write("lab/deep.md", deep + "\n```{flipcards} ../decks/zoo.yml\n:cards: emu\n```\n")
    code, printed = book.build()
    assert code == 0, printed
    zoo = book.page().select_one("section[data-deck=zoo]")
    assert not zoo.has_attr("data-page")
    assert [card["data-page"] for card in zoo.select("details.flipcard")] == ["Words", "Deep lab"]


def test_it_says_that_it_needs_javascript_only_where_there_is_none(built):
    today = built.page().select_one("div.flipcards-today")
    assert [child.name for child in today.find_all(True, recursive=False)] == ["noscript"]
    assert "needs JavaScript" in today.get_text()


def test_pages_say_where_study_is_and_whose_book_it_is_and_today_loads_it_at_once(built):
    for name, prefix in (("today", ""), ("words", ""), ("lab/deep", "../")):
        script = built.page(f"html/{name}.html").select_one("script[src*='cards.js']")
        address, version = script["data-study"].split("?v=")
        assert address == f"{prefix}_static/study.js"
        assert (built.folder / "_out" / "html" / "_static" / "study.js").is_file()
        assert len(version) == 8
        assert script["data-book"] == "tiny-a-book"
        loaded = built.page(f"html/{name}.html").select("script[src*='study.js']")
        assert len(loaded) == (name == "today")


def test_with_a_large_deck_its_script_is_where_it_runs(tmp_path):
    book = Book(tmp_path)
    cards = "".join(f"  - {{id: c{n}, front: Question {n}?, back: Answer {n}.}}\n" for n in range(100))
    book.write("decks/zoo.yml", f"title: The zoo\ncards:\n{cards}")
    code, printed = book.build()
    assert code == 0, printed
    page = book.page()
    (waiting_deck,) = (deck for deck in page.select("noscript[data-cards]") if "c99" in deck["data-cards"])
    assert "<script" not in str(waiting_deck)
    (script,) = page.select("script[src*='cards.js']")
    assert not script.find_parent("noscript")


def test_other_pages_with_cards_know_where_it_is(built):
    where = {
        name: built.page(f"html/{name}.html").select_one("script[data-book]") for name in ("words", "today")
    }
    assert where["words"]["data-today"] == "today.html"
    assert not where["today"].has_attr("data-today")
    deep = built.page("html/lab/deep.html").select_one("script[data-book]")
    assert deep["data-today"] == "../today.html"


def test_a_search_finds_a_cards_own_page_only(built):
    index = json.loads(built.text("html/searchindex.js").removeprefix("Search.setIndex(").rstrip(")"))
    found = [index["docnames"][number] for number in index["terms"]["zebra"]]
    assert sorted(found) == ["lab/deep", "words"]


def test_a_deck_that_comes_changes_or_goes_makes_it_new(tmp_path):
    book = Book(tmp_path)
    assert book.build()[0] == 0
    book.write("decks/new.yml", DECK.format(title="The new", id="new"))
    book.write(
        "words.md", PAGE.format(title="Words", deck="decks/zoo.yml") + "\n```{flipcards} decks/new.yml\n```\n"
    )
    code, printed = book.build()
    assert code == 0, printed
    assert "What is new?" in book.text()
    book.write("decks/new.yml", DECK.format(title="The new", id="new").replace("zebra", "yak"))
    assert book.build()[0] == 0
    assert "A yak." in book.text()
    book.write("words.md", PAGE.format(title="Words", deck="decks/zoo.yml"))
    (tmp_path / "decks" / "new.yml").unlink()
    code, printed = book.build()
    assert code == 0, printed
    assert "The new" not in book.text()


def test_the_name_of_a_part_that_changes_makes_it_new(tmp_path):
    book = Book(tmp_path)
    assert book.build()[0] == 0
    book.write("index.md", INDEX.replace("Labs", "Experiments"))
    assert book.build()[0] == 0
    assert book.page().select("section.flipcards")[1]["data-part"] == "Experiments"


def test_a_page_that_comes_or_goes_is_known_to_the_pages_with_cards(tmp_path):
    book = Book(tmp_path)
    assert book.build()[0] == 0
    book.write("today.md", "# Today\n")
    assert book.build()[0] == 0
    assert not book.page("html/words.html").select("script[data-today]")


def test_a_deck_that_is_on_no_page_is_a_fault_by_name_and_line(tmp_path):
    book = Book(tmp_path)
    book.write("decks/lost.yml", DECK.format(title="Lost", id="lost"))
    code, printed = book.build()
    assert code != 0
    assert "decks/lost.yml:3: card 'lost': is on no page of its own (today only borrows it); show" in printed


def test_a_fault_of_another_deck_hides_no_deck_that_is_on_no_page(tmp_path):
    book = Book(tmp_path)
    book.write("decks/lost.yml", DECK.format(title="Lost", id="lost"))
    book.write("decks/bad.yml", DECK.format(title="Bad", id="bad").replace("A zebra.", "<b>no</b>"))
    code, printed = book.build()
    assert code != 0
    assert "card 'bad': 'back': HTML such as <b>" in printed
    assert "card 'lost': is on no page of its own" in printed


def test_a_page_with_a_wrong_path_is_the_only_fault_of_a_deck_that_is_meant_there(tmp_path):
    book = Book(tmp_path)
    book.write("decks/lost.yml", DECK.format(title="Lost", id="lost"))
    book.write("words.md", "# Words\n\n```{flipcards} decks/last.yml\n```\n")
    code, printed = book.build()
    assert code != 0
    assert "words.md:3: there is no deck decks/last.yml" in printed
    assert "card 'lost'" not in printed


def test_a_book_that_names_no_deck_is_told_which_setting_does_so(tmp_path):
    book = Book(tmp_path)
    book.write("conf.py", CONF.replace('["decks/*.yml"]', "[]"))
    code, printed = book.build()
    assert code != 0
    assert (
        "today.md:3: WARNING: flipcards-today finds no deck: name the book's decks in flipcards_decks"
        in printed
    )


@pytest.mark.parametrize(
    ("builder", "file"), [("text", "today.txt"), ("latex", "tiny.tex"), ("epub", "today.xhtml")]
)
def test_where_nothing_runs_it_refers_to_the_web_page(tmp_path, builder, file):
    book = Book(tmp_path)
    if builder == "latex":
        book.write("conf.py", CONF + 'latex_documents = [("index", "tiny.tex", "Tiny", "Ada", "manual")]\n')
    if builder == "epub":
        book.write("conf.py", CONF + 'epub_show_urls = "no"\n')
    code, printed = book.build(builder)
    assert code == 0, printed
    text = book.text(f"{builder}/{file}")
    assert "web page of this book" in " ".join(text.split())
    assert text.count("zebra") == (2 if builder == "latex" else 0), "each card on its own page alone"


@pytest.mark.parametrize("text", ["</noscript>", "</NOSCRIPT >", "<noscript>"])
def test_a_deck_that_would_end_the_element_it_waits_in_is_refused(text):
    assert waiting("<p>&lt;/noscript&gt;</p>\n", ["a", "b"]).startswith('<noscript data-cards="a b">')
    with pytest.raises(ValueError, match="the cards hold a <noscript>"):
        waiting(f'<img alt="{text}">', ["a"])
