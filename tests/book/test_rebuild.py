"""An incremental build after any edit gives what a clean build gives, and executes nothing for nothing."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

# What makes this book what it is, besides its pages; and the pages.
STYLE = (
    *("assets/book.css", "assets/cheat-sheet.css", "assets/cover.css", "assets/cover.svg"),
    "assets/logo.svg",
)
HOUSE = ("_config.yml", *STYLE, "assets/sphinx", "widgets")
PAGES = ("_toc.yml", "chapters", "assets/decks", "assets/references.bib")
CACHE = "_build/.jupyter_cache"
SKIP = shutil.ignore_patterns("_build", "node_modules", "__pycache__", "*.egg-info", ".ipynb_checkpoints")


SMALL = {
    "_toc.yml": """
format: jb-book
root: chapters/overview
chapters:
  - file: chapters/flashcards
  - file: chapters/notes
  - file: chapters/words
  - file: chapters/lab
  - file: chapters/works
""",
    "chapters/overview.md": """# Overview

```{flipcards} ../assets/decks/main.yml
:cards: goal
:borrowed:
```
""",
    "chapters/flashcards.md": """---
file_format: mystnb
kernelspec: {name: python3, display_name: Python 3}
---
# Cards

```{code-cell} ipython3
from flipcards import Deck

Deck.load("../assets/decks/main.yml")
```
""",
    "chapters/notes.md": """# Notes

(a-place)=
## A place

It was written down {cite}`ada1843`.
""",
    "chapters/words.md": """# Words

```{glossary}
engine
  A machine that computes.

loom
  A machine that weaves.
```
""",
    "chapters/lab.md": """---
file_format: mystnb
kernelspec: {name: python3, display_name: Python 3}
---
(the-lab)=
# Lab

```{code-cell} ipython3
from finetuning import lora

print(lora.__name__)
```

```{flipcards} ../assets/decks/lab.yml
```
""",
    "chapters/works.md": "# Works\n\n```{bibliography}\n:style: plain\n```\n",
    "assets/references.bib": """@misc{ada1843,
 author = {Lovelace, Ada},
 title = {Notes},
 year = {1843},
 url = {https://example.org/notes}
}
""",
    "assets/decks/main.yml": r"""
title: Main
bibliography: ../references.bib
pages: ../../chapters
cards:
  - id: goal
    front: What is the {term}`engine` for?
    back: It computes $x^2$, says {cite}`ada1843`, see {doc}`../../chapters/notes`.
    why: Not so the {term}`loom`, see {ref}`the-lab`.
    source: [ada1843]
    term: engine
    see: a-place
    tags: [machines]
  - id: other
    front: And what else?
    back: Nothing.
""",
    "assets/decks/lab.yml": """
title: Lab
bibliography: ../references.bib
pages: ../../chapters
cards:
  - id: shown
    front: Where is it shown?
    back: In the place that is named below.
    source: [ada1843]
    see: a-place
""",
}


class Book:
    """A copy of this book, or of its settings and packages around pages of the tests' own, to edit and build.

    Args:
        root: the repository.
        folder: where the copy goes.
        pages: the text of each file; left out, those of this book.
    """

    def __init__(self, root, folder, pages=None):
        self.folder = folder
        self.clean_builds = 0
        for part in HOUSE if pages else HOUSE + PAGES:
            (folder / part).parent.mkdir(parents=True, exist_ok=True)
            if (root / part).is_dir():
                shutil.copytree(root / part, folder / part, ignore=SKIP)
            else:
                shutil.copy(root / part, folder / part)
        for name, text in (pages or {}).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, "utf-8")

    @property
    def incremental(self):
        """The output of the incremental builds."""
        return self.folder.parent / "incremental"

    def edit(self, path, old, new):
        """Replace the first `old` in a file."""
        file = self.folder / path
        text = file.read_text("utf-8")
        assert old in text, f"{path} has no {old!r}: change the test"
        file.write_text(text.replace(old, new, 1), "utf-8")

    def start(self, output):
        """Start a build into a folder."""
        sources = [str(path) for path in sorted((self.folder / "widgets").glob("*/src"))]
        program = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"
        options = ["-n", "-W", "--keep-going", "--path-output", str(output)]
        return subprocess.Popen(
            [sys.executable, "-c", program, "build", str(self.folder), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sources)},
        )

    def build(self, *, clean=False, executed=True):
        """Build incrementally; with `clean` also from nothing, at the same time, and return both.

        Where nothing needs to be executed, the build from nothing may take over the outputs of the cells:
        they are keyed by their code. Else it executes every chapter.
        """
        outputs = [self.incremental]
        if clean:
            self.clean_builds += 1
            outputs.append(self.folder.parent / f"clean-{self.clean_builds}")
            if not executed:
                shutil.copytree(outputs[0] / CACHE, outputs[1] / CACHE)
        started = [(output, self.start(output)) for output in outputs]
        built = []
        for output, process in started:
            printed = re.sub(r"\x1b\[[0-9;]*m", "", process.communicate()[0])
            built.append(Built(output / "_build" / "html", printed, process.returncode))
        return built if clean else built[0]


class Built:
    """What a build left and said."""

    def __init__(self, html, printed, code):
        self.html = html
        self.printed = printed
        self.code = code

    @property
    def executed(self):
        """The pages whose cells ran."""
        return sorted(re.findall(r"([\w-]+)\.md: Executed notebook in", self.printed))

    @property
    def complaints(self):
        """The warnings, and the faults of decks."""
        lines = self.printed.splitlines()
        return sorted(
            {line for line in lines if "WARNING: " in line or re.match(r"assets/.*\.yml:\d+: ", line)}
        )

    def pages(self):
        """The pages with cards and the one with the bibliography."""
        found = {}
        for file in sorted(self.html.rglob("*.html")):
            text = file.read_text("utf-8")
            if '<section class="flipcards' in text or 'class="citation-list"' in text:
                found[file.relative_to(self.html).as_posix()] = text
        return found


@pytest.fixture(scope="module")
def book(root, tmp_path_factory):
    """A small book: the settings and the packages of this one, and pages of every kind with cards."""
    book = Book(root, tmp_path_factory.mktemp("rebuild") / "book", SMALL)
    first = book.build()
    assert first.code == 0, first.printed
    return book


@pytest.fixture
def restore(book):
    """Puts the edited sources back after a test."""
    kept = {path: path.read_bytes() for path in book.folder.rglob("*") if path.is_file()}
    yield
    for path, content in kept.items():
        if path.read_bytes() != content:
            path.write_bytes(content)


def assert_same(again, clean):
    assert again.code == clean.code == 0, again.printed + clean.printed
    assert again.complaints == clean.complaints
    ours, theirs = again.pages(), clean.pages()
    assert len(theirs) >= 4
    assert sorted(ours) == sorted(theirs)
    for page, text in theirs.items():
        assert ours[page] == text, f"{page} is stale"


def search_terms(folder):
    """Which pages the search finds for each word. Pages stand there as they were read."""
    text = (folder / "searchindex.js").read_text("utf-8")
    index = json.loads(text.removeprefix("Search.setIndex(").removesuffix(")"))
    return {
        (table, term): sorted(index["docnames"][n] for n in ([found] if isinstance(found, int) else found))
        for table in ("terms", "titleterms")
        for term, found in index[table].items()
        if found != []  # a word that an earlier build of the same folder had
    }


MAIN = "assets/decks/main.yml"
BIBLIOGRAPHY = "assets/references.bib"
NEW_WORK = (
    "@misc{brandnew2026,\n title = {A New Work},\n author = {New, Ann},\n year = {2026},\n"
    " url = {https://example.org/new}\n}\n\n"
)

# What is edited: file, old text, new text; and the pages that have to be executed for it.
EDITS = {
    "a deck that cites a new work": (
        [
            (MAIN, "source: [ada1843]", "source: [ada1843, brandnew2026]"),
            (BIBLIOGRAPHY, "@misc{ada1843,", NEW_WORK + "@misc{ada1843,"),
        ],
        [],
    ),
    "the question of a card": ([(MAIN, "What is the", "What, once edited, is the")], []),
    "the title of a chapter": ([("chapters/notes.md", "# Notes", "# Edited notes")], []),
    "the code of a chapter": ([("chapters/lab.md", "print(lora", "print('edited', lora")], ["lab"]),
    "a term of the glossary": ([("chapters/words.md", "\nengine\n", "\nEngine\n")], []),
    "a bibliography entry": ([(BIBLIOGRAPHY, "Lovelace, Ada", "Edited, Ada")], []),
    "the title below a label": ([("chapters/notes.md", "## A place", "## Another place")], []),
    "the sources of the numerics": (
        [("widgets/finetuning/src/finetuning/lora.py", '"""', '"""Edited. ')],
        ["lab"],
    ),
    "the HTML that the card package writes": (
        [("widgets/flipcards/src/flipcards/sphinx.py", 'f"flipcards{dealt}"', 'f"flipcards{dealt} edited"')],
        [],
    ),
    "what a deck file may hold": (
        [("widgets/flipcards/src/flipcards/deck.py", '"""', '"""Edited. ')],
        ["flashcards"],
    ),
    "the style of the cards": (
        [("widgets/flipcards/src/flipcards/static/flipcards.css", "{", "{/*edited*/")],
        [],
    ),
}


# The edits add up: each test starts from the book that the last one left.
@pytest.mark.parametrize("name", EDITS)
def test_an_edit_leaves_no_page_stale_and_executes_only_what_it_must(book, name):
    edits, executed = EDITS[name]
    for path, old, new in edits:
        book.edit(path, old, new)
    again, clean = book.build(clean=True, executed=bool(executed))
    assert again.executed == executed
    assert_same(again, clean)


def test_a_build_with_nothing_changed_reads_and_executes_nothing(book):
    book.build()
    again = book.build()
    assert again.code == 0, again.printed
    assert again.executed == []
    assert "0 added, 0 changed, 0 removed" in again.printed
    assert "no targets are out of date" in again.printed


@pytest.mark.parametrize(
    ("path", "old", "new", "message"),
    [
        ("chapters/words.md", "\nloom\n", "\nmill\n", "unknown term 'loom'"),
        ("chapters/notes.md", "(a-place)=", "(a-new-place)=", "unknown label 'a-place'"),
        (BIBLIOGRAPHY, "@misc{ada1843,", "@misc{ada1844,", "unknown source 'ada1843'"),
    ],
    ids=["a term", "a label", "a source"],
)
def test_removing_what_a_card_refers_to_fails_and_names_deck_and_line(book, restore, path, old, new, message):
    book.edit(path, old, new)
    again, clean = book.build(clean=True, executed=False)
    assert again.code != 0
    assert clean.code != 0
    assert re.search(r"^assets/decks/[\w-]+\.yml:\d+: card '[\w-]+': " + message, again.printed, re.M)
    deck_faults = [line for line in clean.complaints if line.startswith("assets/")]
    assert [line for line in again.complaints if line.startswith("assets/")] == deck_faults
    assert "Traceback" not in again.printed
    assert not list(clean.html.rglob("chapters/*.html"))


def test_a_cell_that_fails_stops_the_build_and_leaves_no_page_with_a_traceback(book, restore):
    book.edit("chapters/flashcards.md", "Deck.load(", "Deck.load('missing.yml') or Deck.load(")
    again, clean = book.build(clean=True, executed=False)
    for built in (again, clean):
        assert built.code != 0
        assert "missing.yml:1: there is no such file; check the path" in built.printed
    assert "Traceback" not in again.pages().get("chapters/flashcards.html", "")
    assert not list(clean.html.rglob("chapters/*.html"))


@pytest.fixture(scope="module")
def whole(root, tmp_path_factory):
    """A copy of the whole book, built from nothing."""
    whole = Book(root, tmp_path_factory.mktemp("whole") / "book")
    first = whole.build()
    assert first.code == 0, first.printed
    return whole


def test_two_builds_of_the_same_sources_from_nothing_give_the_same_bytes(whole, site):
    ours = whole.incremental / "_build" / "html"
    files = {file.relative_to(ours).as_posix() for file in ours.rglob("*") if file.is_file()}
    assert {"chapters/lora.html", "_sources/chapters/lora.ipynb", "objects.inv"} <= files
    # .buildinfo digests the settings, among which are paths: the copy has others.
    files -= {"searchindex.js", ".buildinfo"}
    # Packages for Anki are dated by the last commit, which the copy has not (tests/flipcards/test_anki.py).
    files = {name for name in files if not name.endswith(".apkg")}
    # A site built in steps has another index (its terms are compared below), named by its hash.
    if (site / "searchindex.js").read_bytes() != (ours / "searchindex.js").read_bytes():
        (index,) = (file.name for file in ours.glob("searchindex.*.js"))
        files -= {name for name in files if name == index or index.encode() in (ours / name).read_bytes()}
    # A site that was built before may hold more: what an earlier build left.
    different = [
        name
        for name in sorted(files)
        if not (site / name).is_file() or (site / name).read_bytes() != (ours / name).read_bytes()
    ]
    assert different == []
    assert search_terms(site) == search_terms(ours)


def test_edits_of_every_kind_leave_no_page_of_the_whole_book_stale(whole):
    deck = "assets/decks/rapid-recall.yml"
    for path, old, new in [
        (deck, "source: [gekhman2024, shi2024]", "source: [gekhman2024, shi2024, brandnew2026]"),
        (deck, "What is the primary goal of", "Edited: what is the goal of"),
        (BIBLIOGRAPHY, "@misc{hu2021,", NEW_WORK + "@misc{hu2021,"),
        (BIBLIOGRAPHY, "Gekhman, Zorik", "Edited, Zorik"),
        ("chapters/cheat-sheet.md", "\n# ", "\n# Edited "),
        ("chapters/cheat-sheet.md", "(cs-paradigms)=\n## ", "(cs-paradigms)=\n## Edited "),
        ("chapters/vocabulary.md", "\nSFT\n", "\nSft\n"),
    ]:
        whole.edit(path, old, new)
    again, clean = whole.build(clean=True, executed=False)
    assert again.executed == []
    assert_same(again, clean)
