"""How builds behave: nothing is written twice, the same bytes each time, other builders too."""

import re
import zipfile

STYLESHEET = "_static/lightbook-math.css"
PUBLISHED = re.compile(r'<link rel="stylesheet" href="(\.\./)?(_static/lightbook-[^"]*\.[0-9a-f]{10}\.css)"')
TABLE_OF_CONTENTS = "format: jb-book\nroot: intro\nchapters:\n  - file: maths\n  - file: plain\n"


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_an_edit_writes_its_page_and_no_edit_writes_nothing(new_book):
    book = new_book(["intro.md", "maths.md", "plain.md"], TABLE_OF_CONTENTS)

    def times():
        files = ["intro.html", "maths.html", "plain.html", STYLESHEET]
        return {name: (book.site / name).stat().st_mtime_ns for name in files}

    book.build()
    first, root = times(), book.html("intro.html")
    book.build()
    assert times() == first

    with (book.folder / "plain.md").open("a", encoding="utf-8") as page:
        page.write("\nAn edit with a new character: $\\Xi$\n")
    book.build()
    second = times()
    # The character makes a new style sheet, which the other page with math has to name.
    changed = {name for name in first if second[name] != first[name]}
    assert changed - {"intro.html"} == {"maths.html", "plain.html", STYLESHEET}
    assert book.html("intro.html") == root
    assert PUBLISHED.search(book.html("plain.html"))

    with (book.folder / "plain.md").open("a", encoding="utf-8") as page:
        page.write("\nAnother edit.\n")
    book.build()
    third = times()
    assert {name for name in first if third[name] != second[name]} - {"intro.html"} == {"plain.html"}


def test_the_bytes_are_the_same_in_another_folder_and_with_two_workers(mended, sphinx_book):
    parallel = contents(sphinx_book.build_with_sphinx("html", "-j", "2"))
    serial = contents(mended.site)
    serial.pop("index.html")  # jupyter-book's redirect, written by its command
    parallel.pop("index.html", None)
    assert serial.keys() == parallel.keys()
    assert [name for name in serial if serial[name] != parallel[name]] == []


def test_a_book_of_folders_links_math_from_every_depth(sphinx_book):
    folder = sphinx_book.build_with_sphinx("dirhtml")
    html = (folder / "maths" / "index.html").read_text(encoding="utf-8")
    assert PUBLISHED.search(html)[1] == "../"
    assert (folder / PUBLISHED.search(html)[2]).is_file()


def test_an_epub_holds_its_math(sphinx_book):
    folder = sphinx_book.build_with_sphinx("epub", "-D", "version=1", "-D", "epub_basename=book")
    with zipfile.ZipFile(folder / "book.epub") as epub:
        manifest = epub.read("content.opf").decode()
        page = epub.read("maths.xhtml").decode()
    assert 'href="_static/lightbook-math.css"' in manifest
    assert 'href="_static/lightbook-math.css"' in page
    assert "<script" not in page[page.index("lightbook-math.css") :][:200]
    assert "katex-mathml" in page
