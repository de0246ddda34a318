"""Hostile texts in a book: each is refused with its line, or is on the page as harmless text."""

import io
import re
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout

import pytest
from bs4 import BeautifulSoup
from flipcards.deck import Card, Deck, DeckError
from flipcards.markup import Faces
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from sphinx.cmd import build

CONF = """
project = "Hostile"
extensions = ["myst_nb", "sphinxcontrib.bibtex", "flipcards.sphinx"]
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath", "substitution"]
bibtex_bibfiles = []
nb_execution_mode = "off"
html_theme = "basic"
exclude_patterns = ["_out"]
"""
RUNS = {
    *("script", "iframe", "object", "embed", "applet", "form", "input", "button", "select", "textarea"),
    *("base", "meta", "link", "style"),
}


@pytest.fixture
def book(tmp_path):
    """A function that builds a book of one page with these cards; returns the exit code and the page."""

    def book(cards):
        (tmp_path / "conf.py").write_text(CONF)
        (tmp_path / "index.md").write_text("# Cards\n\n```{flipcards} deck.yml\n```\n")
        Deck(tuple(cards)).save(tmp_path / "deck.yml", force=True)
        printed = io.StringIO()
        hook = sys.excepthook
        with redirect_stdout(printed), redirect_stderr(printed), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Sphinx's own and its other extensions'
            code = build.main(["-q", "-b", "html", str(tmp_path), str(tmp_path / "_out")])
        sys.excepthook = hook
        page = tmp_path / "_out" / "index.html"
        return code, printed.getvalue(), page.read_text("utf-8") if page.exists() else ""

    return book


@pytest.fixture
def loads(tmp_path):
    """A function that tells whether a deck with this text can be saved and loaded again."""

    def loads(text):
        try:
            Deck((Card("one", "Q", text),)).save(tmp_path / "try.yml", force=True)
            Deck.load(tmp_path / "try.yml")
        except DeckError:
            return False
        return True

    return loads


def refers(text):
    """Whether the text refers to a place in the book, which the build would miss."""
    return re.search(r"\{(term|ref|numref|doc|any|eq|cite\S*|py:\w+|option|token)\}`|\]\(|<project:", text)


def test_what_is_not_refused_is_harmless_on_the_page(book, loads, hostile, tmp_path):
    faces = Faces(folder=tmp_path)
    kept = [text for text in hostile if loads(text) and not faces.faults(text) and not refers(text)]
    assert len(kept) > 50
    code, printed, html = book(Card(f"c-{i}", text, text, why=text) for i, text in enumerate(kept))
    assert code == 0, printed
    assert_harmless(html, len(kept))


@settings(deadline=None, max_examples=3, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(data=st.data())
def test_generated_text_that_is_not_refused_is_harmless_on_the_page(book, loads, hostile, tmp_path, data):
    pieces = st.sampled_from([*hostile, "a", "\n", "\n\n", "$", "`", "*", "> ", "- ", "[", "](", "```\n"])
    faces = Faces(folder=tmp_path)
    texts = data.draw(
        st.lists(st.lists(pieces, min_size=2, max_size=5).map("".join), min_size=100, max_size=100)
    )
    kept = [text for text in texts if not refers(text) and not faces.faults(text) and loads(text)]
    assume(len(kept) > 10)
    code, printed, html = book(Card(f"c-{i}", text, text, why=text) for i, text in enumerate(kept))
    assert code == 0, printed
    assert_harmless(html, len(kept))


def assert_harmless(html, count):
    """Nothing on a page of so many cards runs, restyles, asks or reorders."""
    page = BeautifulSoup(html, "html.parser")
    assert len(page.select("details.flipcard")) == count
    assert len(page.select("section.flipcards")) == 1
    section = page.select_one("section.flipcards")
    for script in section.find_all("script", recursive=False):  # our own, between the grids of many cards
        assert not script.get_text()
        assert script.get("class") == ["flipcards-break"] or script["src"].startswith("_static/cards.js")
        script.extract()
    for element in section.find_all(True):
        assert element.name not in RUNS, element
        for name, value in element.attrs.items():
            assert not name.startswith("on"), element
            assert name not in ("style", "srcdoc", "formaction", "name"), element
            if name in ("href", "src"):
                assert re.match(r"https?:|mailto:|#|_images/|[\w.-]+\.html", value), element
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", html)


RUN = "{{ cycler.__init__.__globals__.os.mkdir('MARK') }}"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("back", RUN),
        ("why", f"text {RUN}"),
        ("front", f":::{{note}}\n{RUN}\n:::"),
        ("term", f"x` {RUN} `"),
        ("see", f"x` {RUN} `"),
    ],
)
def test_no_code_in_a_deck_runs_while_a_book_is_built(book, tmp_path, field, text):
    mark = tmp_path / "ran"
    card = Card(**{"id": "one", "front": "Q", "back": "A", field: text.replace("MARK", str(mark))})
    code, printed, _ = book([card])
    assert not mark.exists()
    assert code != 0
    assert f"card 'one': '{field}'" in printed


@pytest.mark.parametrize("role", ["{download}`../secret.txt`", "[x](../secret.txt)", "![x](../secret.png)"])
def test_no_file_outside_the_book_gets_into_it(book, tmp_path, role):
    (tmp_path.parent / "secret.txt").write_text("secret")
    (tmp_path.parent / "secret.png").write_bytes(b"\x89PNG\r\n\x1a\nsecret")
    code, printed, _ = book([Card("one", "Q", role)])
    assert code != 0
    assert "card 'one': 'back'" in printed
    copied = [file for file in tmp_path.rglob("*") if file.is_file() and "secret" in file.name]
    assert copied == []
