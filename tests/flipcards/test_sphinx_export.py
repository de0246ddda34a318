"""The package for Anki beside each deck of a site."""

import io
import os
import sqlite3
import sys
import warnings
import zipfile
from contextlib import redirect_stderr, redirect_stdout

import pytest
from bs4 import BeautifulSoup
from sphinx.cmd import build

CONF = """
project = "Tiny: a book"
extensions = ["myst_nb", "flipcards.sphinx"]
myst_enable_extensions = ["dollarmath"]
nb_execution_mode = "off"
html_theme = "basic"
html_baseurl = "https://example.org/book/"
exclude_patterns = ["_out"]
"""
FILES = {
    "conf.py": CONF,
    "index.md": "# Tiny\n\n```{toctree}\nin/cards\nlab\nfar\n```\n",
    "in/cards.md": (
        "# Cards\n\n```{flipcards} ../one.yml\n:tags: a\n```\n\n"
        "More:\n\n```{flipcards} ../one.yml\n:tags: b\n```\n\n"
        "```{flipcards} ../other/one.yml\n```\n"
    ),
    "lab.md": "# Lab\n\n```{flipcards} one.yml\n:cards: first\n:borrowed:\n```\n",
    "far.md": "# Far\n\n```{flipcards} far.yml\n```\n",
    "far.yml": "cards:\n  - {id: far, front: Where?, back: There.}\n",
    "one.yml": (
        "title: One\ncards:\n  - {id: first, front: What is $x$?, back: It., tags: [a]}\n"
        "  - {id: second, front: Who?, back: She., tags: [b]}\n"
    ),
    "other/one.yml": "cards:\n  - {id: third, front: When?, back: Now.}\n",
}


class Book:
    """A tiny book in a folder."""

    def __init__(self, folder):
        self.folder = folder
        for name, text in FILES.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)

    def build(self, *options, out="html"):
        """Build it, with warnings as errors; returns the folder of the site."""
        printed = io.StringIO()
        hook = sys.excepthook
        with redirect_stdout(printed), redirect_stderr(printed), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trees = str(self.folder / "_out" / f"trees-{out}")
            target = str(self.folder / "_out" / out)
            code = build.main(["-q", "-n", "-W", "-d", trees, *options, str(self.folder), target])
        sys.excepthook = hook
        assert code == 0, printed.getvalue()
        return self.folder / "_out" / out

    def packages(self, site):
        """The bytes of each package, by name."""
        return {file.name: file.read_bytes() for file in (site / "_downloads" / "anki").iterdir()}


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """The book, built."""
    book = Book(tmp_path_factory.mktemp("book"))
    book.site = book.build()
    return book


def notes(package):
    """The fields of each note, and the names of the decks."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        database = sqlite3.connect(":memory:")
        database.deserialize(archive.read("collection.anki2"))
    fields = [row[0].split("\x1f") for row in database.execute("select flds from notes")]
    (decks,) = database.execute("select decks from col").fetchone()
    database.close()
    return fields, decks


def test_each_deck_has_one_link_below_its_last_section(book):
    page = BeautifulSoup((book.site / "in" / "cards.html").read_text(), "html.parser")
    links = page.select(".flipcards-export a")
    assert [link["href"] for link in links] == [
        "../_downloads/anki/one.apkg",
        "../_downloads/anki/one-2.apkg",
    ]
    assert [link.text for link in links] == ["Download for Anki"] * 2
    section = links[0].find_previous("section", class_="flipcards")
    assert section.select_one("details")["data-card"] == "second"
    for link in links:
        assert (book.site / "in" / link["href"]).resolve().is_file()


def test_a_page_that_borrows_cards_offers_no_package(book):
    assert "flipcards-export" not in (book.site / "lab.html").read_text()


def test_a_package_has_the_whole_deck_and_leads_to_the_published_page(book):
    fields, decks = notes(book.packages(book.site)["one.apkg"])
    assert {(note[0], note[6]) for note in fields} == {
        ("<p>What is \\(x\\)?</p>", "https://example.org/book/in/cards.html#card-first"),
        ("<p>Who?</p>", "https://example.org/book/in/cards.html#card-second"),
    }
    assert "Tiny: a book::One" in decks


def test_an_edited_deck_gets_its_package_anew_and_the_others_keep_theirs(book):
    before = book.packages(book.site)
    deck = book.folder / "other" / "one.yml"
    deck.write_text(FILES["other/one.yml"].replace("Now", "Then"))
    os.utime(deck, (2_000_000_000, 2_000_000_000))
    untouched = book.site / "_downloads" / "anki" / "far.apkg"
    os.utime(untouched, (1_000_000_000, 1_000_000_000))
    after = book.packages(book.build())
    clean = book.packages(book.build(out="clean"))
    assert after == clean
    assert after["one-2.apkg"] != before["one-2.apkg"]
    assert "<p>Then.</p>" in notes(after["one-2.apkg"])[0][0]
    assert untouched.stat().st_mtime == 1_000_000_000  # none of its pages is new: it was not made again


def test_other_builders_and_a_book_that_wants_none_have_no_packages(book):
    for options, out in ((["-b", "text"], "text"), (["-D", "flipcards_anki=0"], "without")):
        folder = book.build(*options, out=out)
        assert not (folder / "_downloads").exists()
        assert not any("Anki" in file.read_text() for file in folder.rglob("cards.*"))
