"""Hostile texts in Chromium: in a book, as plain HTML and in the widget, nothing runs, loads or restyles."""

import io
import json
import re
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from flipcards import page as plain
from flipcards import widget
from flipcards.deck import Card, Deck
from sphinx.cmd import build

HERE = Path(__file__).parent
TEXTS = [e["text"] for e in json.loads((HERE.parent / "flipcards/data/hostile.json").read_text("utf-8"))]
NAMES = ("term", "see", "source")  # fields that name something of the book, and can be no other text
FILE = '"><img src=x onerror=alert(1)>'  # a deck's file can have any name
CONF = """
project = "Hostile"
extensions = ["myst_nb", "sphinxcontrib.bibtex", "sphinx_copybutton", "flipcards.sphinx", "sphinx_lightbook"]
myst_enable_extensions = {syntax}
bibtex_bibfiles = ["works.bib"]
nb_execution_mode = "off"
html_theme = "sphinx_book_theme"
exclude_patterns = ["_out"]
"""
# As in this book, and all that an author can add to MyST.
SYNTAX = {
    "the book's syntax": ["amsmath", "colon_fence", "deflist", "dollarmath", "substitution"],
    "every syntax": [
        *("amsmath", "attrs_block", "attrs_inline", "colon_fence", "deflist", "dollarmath", "fieldlist"),
        *("html_admonition", "html_image", "replacements", "smartquotes", "strikethrough", "substitution"),
        "tasklist",
    ],
}
AROUND = '<h1>Cards</h1>\n<p id="before">Words before.</p>\n%s\n<p id="after">Words after.</p>\n'


def sphinx(folder):
    """Build the book in this process; return the exit code and what was printed."""
    printed = io.StringIO()
    hook = sys.excepthook
    with redirect_stdout(printed), redirect_stderr(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Sphinx's own and its other extensions'
        code = build.main(["-q", "-b", "html", str(folder), str(folder / "_out")])
    sys.excepthook = hook
    return code, re.sub(r"\x1b\[[0-9;]*m", "", printed.getvalue())


class Book:
    """A book that is offered every text in every field of a card, and keeps what it does not refuse."""

    def __init__(self, folder, syntax):
        self.folder = folder
        (folder / "conf.py").write_text(CONF.format(syntax=syntax))
        (folder / "works.bib").write_text("")

    def write(self, name, decks):
        """Write a page that shows these decks, a name and cards each."""
        shown = ""
        for deck, (title, cards) in decks.items():
            Deck(tuple(cards), title=title).save(self.folder / f"{deck}.yml", force=True)
            shown += f"```{{flipcards}} {deck}.yml\n```\n\n"
        # A heading of its own would be named by the file.
        text = AROUND.replace("<h1>Cards</h1>", "# Cards\n") % f"\n{shown}"
        (self.folder / f"{name}.md").write_text(text)

    def refusals(self):
        """Offer each text in each field; return the fields in which it is refused, for each text."""
        decks = {}
        for i, text in enumerate(TEXTS):
            faces = [Card(f"{name}-{i}", **{"front": "Q", "back": "A", name: text}) for name in ("front", "back", "why")]
            decks[f"faces-{i}"] = "", faces
            decks[f"title-{i}"] = text, [Card(f"title-{i}", "Q", "A")]
            for name in NAMES + ("tags",):
                value = text if name in ("term", "see") else (text,)
                decks[f"{name}-{i}"] = "", [Card(f"{name}-{i}", "Q", "A", **{name: value})]
        self.write("index", decks)
        code, self.printed = sphinx(self.folder)
        assert code != 0
        refused = [set() for _ in TEXTS]
        for name, i in re.findall(r"^(\w+)-(\d+)\.yml:\d+: ", self.printed, re.MULTILINE):
            refused[int(i)].add(name)
        return refused

    def build(self):
        """Build the book of everything that is not refused; return the folder of the site."""
        self.refused = self.refusals()
        cards = []
        for i, text in enumerate(TEXTS):
            kept = {"front": "Q", "back": "A"}
            if "faces" not in self.refused[i]:
                kept |= {"front": text, "back": text, "why": text}
            if "tags" not in self.refused[i]:
                kept |= {"tags": (text,)}
            if len(kept) > 2 or "tags" in kept:
                cards.append(Card(f"c-{i}", **kept))
        titles = " ".join(text for i, text in enumerate(TEXTS) if "title" not in self.refused[i])
        few = [Card("few", "Q", "A")]
        self.write("index", {"many": (titles, cards), FILE: ("", few)})
        self.write("harmless", {"plain": ("", [Card(f"plain-{i}", "Q", "A") for i in range(30)]), "one": ("", [Card("one", "Q", "A")])})
        code, self.printed = sphinx(self.folder)
        assert code == 0, self.printed
        return self.folder / "_out"


@pytest.fixture(scope="module", params=SYNTAX)
def book(request, tmp_path_factory):
    """The book, built."""
    book = Book(tmp_path_factory.mktemp("hostile"), SYNTAX[request.param])
    book.site = book.build()
    return book


def test_x(book):
    for i, r in enumerate(book.refused): print(ascii(TEXTS[i])[:100], sorted(r))
    print(book.printed)
