"""How builds behave: nothing is written twice, the same bytes each time, other builders too."""

import re
import sys
import zipfile
from pathlib import Path

from PIL import Image

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


# Of extensions that are all safe for parallel reading; those of Jupyter Book are not.
CONF = """\
    import os

    extensions = [
        *("myst_nb", "sphinx_design", "sphinx_copybutton", "sphinx_togglebutton", "sphinx_lightbook"),
    ]
    project, author, copyright = "A book", "Somebody", "Somebody"
    html_theme = "sphinx_book_theme"
    html_baseurl = "https://book.example/"
    exclude_patterns = ["_build"]
    myst_enable_extensions = ["amsmath", "colon_fence", "dollarmath"]
    numfig = True

    def in_reverse(app, env, docnames):
        if "IN_REVERSE" in os.environ:
            docnames.reverse()

    def note(app, docname, source):
        with open(os.environ["READ"], "a") as file:
            file.write(f"{os.getpid()} {docname}\\n")

    def setup(app):
        app.connect("env-before-read-docs", in_reverse)
        app.connect("source-read", note)
        return {"parallel_read_safe": True, "parallel_write_safe": True}
    """
NAMES = ["apples", "bears", "cats", "dogs", "elks", "foxes", "gnus", "hens"]
# Pages differ in what they use, so that scripts and style sheets are made of many lists.
PARTS = [
    "```python\nprint('{name}')\n```",
    "Inline $x_{number}$, and {{eq}}`{next}`.",
    "```{{figure}} {name}.png\n:name: figure-{name}\nOf {name}.\n```\n\nSee {{numref}}`figure-{name}`.",
    "```{{dropdown}} More\nOf {name}.\n```",
    "```{{index}} single: animal; {name}\n```\n\n```{{index}} shared\n```",
    "::::{{tab-set}}\n:::{{tab-item}} One\nA\n:::\n:::{{tab-item}} Two\nB\n:::\n::::",
    "![A drawing](drawing.svg)",
    "<i class='fa-solid fa-star own-{name}'></i> and {{doc}}`{next}`",
]


def many_pages():
    """Nine, of math, figures and code."""
    pages = {"conf.py": CONF}
    toc = "```{toctree}\n" + "\n".join(NAMES) + "\n```"
    pages["index.md"] = f"# A book\n\n![A drawing](drawing.svg)\n\n{toc}\n"
    pages["drawing.svg"] = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>\n'
    for number, name in enumerate(NAMES):
        following = NAMES[(number + 1) % len(NAMES)]
        used = [part for place, part in enumerate(PARTS) if (number + place) % 3 or place == number]
        text = "\n\n".join(used).format(name=name, next=following, number=number)
        formula = f"$$ {name[0]}^{number} = \\sqrt{{{number}}} $$ ({name})"
        pages[f"{name}.md"] = f"# About {name}\n\n## Formulas\n\n{formula}\n\n## Other\n\n{text}\n"
    return pages


def test_the_bytes_are_the_same_whatever_the_order_the_workers_and_the_hash_seed(new_book, monkeypatch):
    book = new_book(many_pages())
    for number, name in enumerate(NAMES):
        Image.new("RGB", (90 + number, 60), (20 * number, 80, 120)).save(book.folder / f"{name}.png")
    sphinx = Path(sys.executable).with_name("sphinx-build")

    def build(output, workers, seed):
        """All that was published, the names in the order of their reading, and the processes that read."""
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        monkeypatch.setenv("READ", str(book.folder / "_build" / f"{output}.read"))
        (book.folder / "_build").mkdir(exist_ok=True)
        folders = "-d", f"_build/{output}.doctrees", ".", f"_build/{output}"
        book.run(sphinx, "-q", "-W", "-b", "html", "-j", workers, *folders)
        read = [line.split() for line in (book.folder / "_build" / f"{output}.read").read_text().splitlines()]
        return contents(book.folder / "_build" / output), [name for _, name in read], {pid for pid, _ in read}

    first, order, processes = build("first", "1", "1")
    assert (order, len(processes)) == (sorted([*NAMES, "index"]), 1)
    parallel, _, processes = build("parallel", "4", "2")
    assert len(processes) > 1
    monkeypatch.setenv("IN_REVERSE", "1")
    reverse, order, processes = build("reverse", "1", "2")
    assert (order, len(processes)) == (sorted([*NAMES, "index"], reverse=True), 1)
    assert len([name for name in first if re.search(r"lightbook-\w{6}\.\w+\.(?:js|css)$", name)]) > 6
    assert sum(name.endswith(".webp") for name in first) > 4
    for other in (parallel, reverse):
        assert first.keys() == other.keys()
        assert [name for name in first if first[name] != other[name]] == []


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
