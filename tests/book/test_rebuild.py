"""An incremental build after any edit gives what a clean build gives, and executes nothing for nothing."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PARTS = ("_config.yml", "_toc.yml", "chapters", "assets", "widgets")
SKIP = shutil.ignore_patterns("_build", "node_modules", "__pycache__", "*.egg-info", ".ipynb_checkpoints")


class Book:
    """A copy of this book that a test edits and builds, with the packages of the copy."""

    def __init__(self, folder):
        self.folder = folder
        self.clean_builds = 0

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
        outputs = [self.folder.parent / "incremental"]
        if clean:
            self.clean_builds += 1
            outputs.append(self.folder.parent / f"clean-{self.clean_builds}")
            if not executed:
                cache = Path("_build") / ".jupyter_cache"
                shutil.copytree(outputs[0] / cache, outputs[1] / cache)
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
    folder = tmp_path_factory.mktemp("rebuild") / "book"
    folder.mkdir()
    for part in PARTS:
        if (root / part).is_dir():
            shutil.copytree(root / part, folder / part, ignore=SKIP)
        else:
            shutil.copy(root / part, folder / part)
    book = Book(folder)
    book.first = book.build()
    assert book.first.code == 0, book.first.printed
    # The other builds go on in the same folder.
    shutil.copytree(book.first.html, folder.parent / "first")
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


def test_two_builds_of_the_same_sources_from_nothing_give_the_same_bytes(book, site):
    ours = book.folder.parent / "first"
    files = {file.relative_to(ours).as_posix() for file in ours.rglob("*") if file.is_file()}
    assert {"chapters/lora.html", "_sources/chapters/lora.ipynb", "objects.inv"} <= files
    # .buildinfo digests the settings, among which are paths: the copy has others.
    files -= {"searchindex.js", ".buildinfo"}
    # Packages for Anki are dated by the last commit, which the copy has not (tests/flipcards/test_anki.py).
    files = {name for name in files if not name.endswith(".apkg")}
    # A site that was built before may hold more: what an earlier build left.
    different = [
        name
        for name in sorted(files)
        if not (site / name).is_file() or (site / name).read_bytes() != (ours / name).read_bytes()
    ]
    assert different == []
    assert search_terms(site) == search_terms(ours)


DECK = "assets/decks/rapid-recall.yml"
BIBLIOGRAPHY = "assets/references.bib"

LABS = "every chapter that imports the numerics"
TURNING = "every chapter that imports the cards"
IMPORTS = {LABS: "from finetuning import", TURNING: "from flipcards import"}

# What is edited: file, old text, new text; and the pages that have to be executed for it.
EDITS = {
    "a deck that cites a new work": (
        [
            (DECK, "source: [gekhman2024, shi2024]", "source: [gekhman2024, shi2024, brandnew2026]"),
            (
                BIBLIOGRAPHY,
                "@misc{hu2021,",
                "@misc{brandnew2026,\n title = {A New Work},\n author = {New, Ann},\n year = {2026},\n"
                " url = {https://example.org/new}\n}\n\n@misc{hu2021,",
            ),
        ],
        [],
    ),
    "the question of a card": ([(DECK, "What is the primary goal of", "Edited: what is the goal of")], []),
    "the title of a chapter": ([("chapters/cheat-sheet.md", "\n# ", "\n# Edited ")], []),
    "a term of the glossary": ([("chapters/vocabulary.md", "\nSFT\n", "\nSft\n")], []),
    "a bibliography entry": ([(BIBLIOGRAPHY, "Gekhman, Zorik", "Edited, Zorik")], []),
    "the title below a label": (
        [("chapters/cheat-sheet.md", "(cs-paradigms)=\n## ", "(cs-paradigms)=\n## Edited ")],
        [],
    ),
    "the sources of the numerics": (
        [("widgets/finetuning/src/finetuning/lora.py", '"""', '"""Edited. ')],
        LABS,
    ),
    "the HTML that the card package writes": (
        [("widgets/flipcards/src/flipcards/sphinx.py", 'CLASS="flipcards"', 'CLASS="flipcards edited"')],
        [],
    ),
    "what a deck file may hold": (
        [("widgets/flipcards/src/flipcards/deck.py", '"""', '"""Edited. ')],
        TURNING,
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
    if isinstance(executed, str):
        names = re.findall(r"chapters/([\w-]+)", (book.folder / "_toc.yml").read_text("utf-8"))
        texts = {name: (book.folder / f"chapters/{name}.md").read_text("utf-8") for name in names}
        executed = sorted(name for name, text in texts.items() if IMPORTS[executed] in text)
        assert "lora" in executed
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
        (
            "chapters/vocabulary.md",
            "\nreward hacking\n",
            "\nreward gaming\n",
            "unknown term 'reward hacking'",
        ),
        ("chapters/cheat-sheet.md", "(cs-paradigms)=", "(cs-renamed)=", "unknown label 'cs-paradigms'"),
        (BIBLIOGRAPHY, "@misc{gekhman2024,", "@misc{gekhman2023,", "unknown source 'gekhman2024'"),
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
