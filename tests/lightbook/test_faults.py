"""What cannot be done is left out with one warning that says why, and pages stay as Sphinx made them."""

import ctypes
import re
import sys
from pathlib import Path

import pytest

BUILD = (Path(sys.executable).with_name("jupyter-book"), "build", ".")
STRICTLY = (*BUILD, "-W", "--keep-going")
TABLE_OF_CONTENTS = "format: jb-book\nroot: intro\nchapters:\n  - file: maths\n"
PAGES = {
    "intro.md": "# A book\n\nWords.\n",
    "maths.md": "# Math page\n\nA formula: $a^2$\n",
    "static/own.css": "p { color: teal }\n",
}
SETTINGS = {
    "html_static_path": ["static"],
    "html_css_files": ["own.css"],
    "html_baseurl": "https://book.example/",
}
# What lets root write where it may not (Linux's capabilities 1 to 3), and the call that gives it up.
CAPABILITIES = (1, 2, 3)
PR_CAPBSET_DROP = 24


def as_anybody():
    """Let the permissions of files hold for root too."""
    libc = ctypes.CDLL(None)
    for capability in CAPABILITIES:
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


@pytest.fixture
def closed():
    """A function that lets no file be made in a folder until the test ends. What is there can be written."""
    folders = []

    def closed(folder):
        folders.append(folder)
        folder.chmod(0o555)

    yield closed
    for folder in folders:
        folder.chmod(0o755)


@pytest.fixture
def book(new_book):
    """A built book."""
    book = new_book(PAGES, TABLE_OF_CONTENTS, **SETTINGS)
    book.build()
    return book


def warnings(printed):
    return [line for line in printed.splitlines() if "WARNING" in line]


def line_of_report(printed):
    return next(line for line in printed.splitlines() if line.startswith("lightbook:"))


def test_where_no_file_can_be_made_pages_stay_as_sphinx_made_them(book, closed, open_page, page_errors):
    light = book.html("maths.html")
    assert "Content-Security-Policy" in light
    book.write("static/own.css", "p { color: navy }\n")
    book.write("maths.md", PAGES["maths.md"] + "\nMore words.\n")
    closed(book.site / "_static")
    printed = book.run(*BUILD, before=as_anybody)
    assert len(warnings(printed)) == 1, printed
    assert "rewriting is skipped: the pages stay as Sphinx made them" in warnings(printed)[0]
    assert "Permission denied" in warnings(printed)[0]
    assert "not loaded" not in line_of_report(printed)
    page = book.html("maths.html")
    assert "More words." in page
    assert "Content-Security-Policy" not in page
    assert "_static/own.css" in page
    shown = open_page(book, "maths.html")
    shown.get_by_text("More words.").wait_for()
    shown.locator("article .katex").wait_for()
    assert page_errors == []
    assert "rewriting is skipped" in book.run(*STRICTLY, fails=True, before=as_anybody)

    (book.site / "_static").chmod(0o755)
    assert warnings(book.run(*STRICTLY, before=as_anybody)) == []
    assert "Content-Security-Policy" in book.html("maths.html")
    assert re.search(r"_static/lightbook-\w+\.[0-9a-f]{10}\.js", book.html("maths.html"))


def test_what_fails_halfway_is_undone(new_book, closed, open_page, page_errors):
    pages = {**PAGES, "part/figure.md": "# Figure page\n\n![A square](square.svg)\n"}
    book = new_book(pages, TABLE_OF_CONTENTS + "  - file: part/figure\n", **SETTINGS)
    square = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0h9v9H0"/></svg>'
    book.write("part/square.svg", square)
    book.run(*STRICTLY)
    names = ("genindex.html", "intro.html", "maths.html", "part/figure.html", "search.html")
    light = {name: book.html(name) for name in names}
    assert all("Content-Security-Policy" in page for page in light.values())

    # The third page names a new figure, for which there is no place.
    book.write("intro.md", PAGES["intro.md"] + "\nMore words.\n")
    book.write("part/square.svg", square.replace("h9", "h8"))
    closed(book.site / "_images")
    printed = book.run(*BUILD, before=as_anybody)
    assert len(warnings(printed)) == 1, printed
    assert "rewriting is skipped: the pages stay as Sphinx made them: " in warnings(printed)[0]
    assert [name for name in names if "Content-Security-Policy" in book.html(name)] == []
    assert "More words." in book.html("intro.html")
    for name in ("intro.html", "part/figure.html"):
        open_page(book, name).wait_for_load_state("networkidle")
    assert page_errors == []

    # One page cannot be written, so neither as it should be nor as it was.
    (book.site / "_images").chmod(0o755)
    book.write("part/square.svg", square)
    book.write("intro.md", PAGES["intro.md"])
    assert warnings(book.run(*STRICTLY, before=as_anybody)) == []
    # The index of the search, which that page names, is in the order of Sphinx's reading.
    assert [name for name in names if book.html(name) != light[name]] in ([], ["search.html"])
    book.write("static/own.css", "p { color: navy }\n")
    book.write("intro.md", PAGES["intro.md"] + "\nMore words.\n")
    (book.site / "part/figure.html").chmod(0o444)
    printed = book.run(*BUILD, before=as_anybody)
    assert len(warnings(printed)) == 1, printed
    said = "the pages stay as Sphinx made them, but for part/figure.html, which cannot be put back: "
    assert f"rewriting is skipped: {said}" in warnings(printed)[0]
    assert [name for name in names if "Content-Security-Policy" in book.html(name)] == ["part/figure.html"]
    assert book.html("part/figure.html") == light["part/figure.html"]


@pytest.mark.parametrize(
    ("missing", "step"),
    [
        ("sitemap.xml", "sitemap"),
        ("lightbook-worker.js", "offline"),
        ("_static/lightbook-offline.js", "offline"),
        ("_static/lightbook-math.css", "math"),
    ],
)
def test_what_a_step_cannot_write_is_named_in_one_warning(book, closed, missing, step):
    (book.site / missing).unlink()
    closed((book.site / missing).parent)
    printed = book.run(*BUILD, before=as_anybody)
    # What a page names and is not there can leave it to be rewritten, which can be no more.
    first, *others = warnings(printed)
    assert re.search(rf"WARNING: {step} is skipped: .*Permission denied", first)
    assert all("rewriting is skipped" in line for line in others)
    assert len(others) <= 1, printed
    assert line_of_report(printed)


def test_a_style_sheet_of_which_no_page_uses_anything_is_no_fault(new_book):
    book = new_book(
        {**PAGES, "static/own.css": ".used-by-nobody { color: teal }\n"}, TABLE_OF_CONTENTS, **SETTINGS
    )
    assert warnings(book.build()) == []
    assert "_static/own." not in book.html("intro.html")


def test_what_cannot_be_remembered_is_read_again(book, closed):
    kept = book.folder / "_build" / ".doctrees"
    for file in kept.glob("lightbook-*.json"):
        file.unlink()
    closed(kept)
    printed = book.run(*STRICTLY, before=as_anybody)
    assert line_of_report(printed)
    assert not list(kept.glob("lightbook-*.json"))


def test_a_damaged_drawing_is_named_and_one_of_another_encoding_stays(new_book):
    book = new_book(
        {"intro.md": "# A book\n\n![One](one.svg)\n\n![Two](two.svg)\n"}, "format: jb-book\nroot: intro\n"
    )
    drawing = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><!-- é --></svg>'
    latin = ('<?xml version="1.0" encoding="ISO-8859-1"?>\n' + drawing).encode("latin-1")
    (book.folder / "one.svg").write_bytes(latin)
    (book.folder / "two.svg").write_text(drawing, "utf-8")
    assert warnings(book.build()) == []
    published = re.search(r'src="(_images/one[^"]*\.svg)"', book.html("intro.html"))[1]
    assert (book.site / published).read_bytes() == latin
    (book.folder / "two.svg").write_bytes(drawing.encode() + b"\0")
    printed = book.build()
    assert len(warnings(printed)) == 1, printed
    assert "images is skipped: _images/two.svg is damaged: unexpected NULL" in warnings(printed)[0]
    assert "_images/two." in book.html("intro.html")
