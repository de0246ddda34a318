"""A tiny Jupyter Book, built in a folder of its own with and without the extension's concerns."""

import functools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from sphinx_lightbook import CONCERNS

EXTENSIONS = ["amsmath", "colon_fence", "dollarmath", "linkify", "substitution", "tasklist"]

COLUMNS = " | ".join(f"wide{n}" for n in range(12))
# A table and code that scroll sideways on a phone; the table's corner is empty, as in a data frame.
WIDE = f"""
        | | {COLUMNS} |
        |-{"|-" * 12}|
        | row | {COLUMNS} |

        ```python
        {COLUMNS}
        ```
"""

PAGES = {
    "intro.md": """\
        # A tiny book

        Words about gradients. See {doc}`plain`.

        ## Second

        ```{tip}
        Read on.
        ```
        """,
    "plain.md": """\
        # Plain page

        Only words, about gradients and kangaroos.

        ## Part one

        A kangaroo.

        ```{dropdown} More
        Hidden until opened.
        ```
        """,
    "maths.md": r"""
        # Math page

        Inline $a^2$ and {math}`b_1`, a macro $x \in \R$ and one with an argument $\norm{v}$.

        $$ E = mc^2 $$ (eq-dollars)

        See {eq}`eq-dollars`, {math:numref}`eq-directive` and {eq}`eq-environment`.

        ```{math}
        :label: eq-directive
        a &= b \\
        c &= d
        ```

        \begin{align}
        x &= \begin{pmatrix}1 & 2 \\ 3 & 4\end{pmatrix} \label{eq-environment} \\
        y &= \begin{cases} 1 & x > 0 \\ 0 & \text{else} \end{cases}
        \end{align}

        \begin{equation}
        z = 1
        \end{equation}

        $$
        \underbrace{a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p + q + r + s}_{\text{wide}}
        $$

        ## A heading with $\alpha^2$

        Words.
        """,
    "code.md": """\
        ---
        file_format: mystnb
        kernelspec: {display_name: Python 3, language: python, name: python3}
        ---
        # Code page

        The page says hello to its reader.

        ```{code-cell} ipython3
        :tags: [hide-input]
        print("hello")
        ```

        ```{code-cell} ipython3
        import ipywidgets
        ipywidgets.IntSlider()
        ```
        """
    + WIDE,
}
TABLE_OF_CONTENTS = """\
format: jb-book
root: intro
chapters:
  - file: maths
    sections:
      - file: plain
  - file: code
"""
MACROS = {"tex": {"macros": {"R": r"\mathbb{R}", "norm": [r"\lVert #1 \rVert", 1]}}}


class Book:
    """A Jupyter Book in a folder, with the extension in its configuration.

    `pages` are texts by file name, or names of pages of the tiny book.
    """

    builder = None  # the process that runs builds, see `builder.py`; it is started by a fixture

    def __init__(self, folder, pages=PAGES, toc=TABLE_OF_CONTENTS, config=None, **settings):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for name in pages:
            self.write(name, pages[name] if isinstance(pages, dict) else PAGES[name])
        self.write("_toc.yml", toc)
        self.configure(config, **settings)

    def write(self, name, text):
        """Write a file of the book; the margin of the text is taken off."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        margin = re.search(r"^ *(?=\S)", text, re.MULTILINE)[0]
        path.write_text(re.sub(f"(?m)^{margin}", "", text).lstrip("\n"), encoding="utf-8")

    def configure(self, config=None, **settings):
        """Write _config.yml: keys of Jupyter Book in `config`, Sphinx's as arguments."""
        content = {
            "title": "A tiny book",
            "author": "Somebody",
            "execute": {"execute_notebooks": "cache"},
            "parse": {"myst_enable_extensions": EXTENSIONS},
            "sphinx": {
                "extra_extensions": ["sphinx_lightbook"],
                "config": {"mathjax3_config": MACROS, **settings},
            },
            **(config or {}),
        }
        (self.folder / "_config.yml").write_text(yaml.safe_dump(content), encoding="utf-8")

    @property
    def site(self):
        """The built site."""
        return self.folder / "_build" / "html"

    def build(self, *, fails=False):
        """Build with jupyter-book, and return what it printed, without colours."""
        return self.run_build("jupyter-book", "build", ".", fails=fails)

    def build_with_sphinx(self, builder, *options):
        """Build with sphinx-build, warnings as errors, and return the output folder."""
        if not (self.folder / "conf.py").exists():
            self.run_build("jupyter-book", "config", "sphinx", ".")
        output = f"_build/{builder}"
        arguments = ["-b", builder, "-d", f"_build/doctrees-{builder}", *options, ".", output]
        self.run_build("sphinx-build", "-W", *arguments)
        return self.folder / output

    def run_build(self, *command, fails=False):
        """Run `jupyter-book` or `sphinx-build` like `run`, in a process that has their modules already.

        These processes are forks of one: where two builds might differ by the order of sets, `run` one.
        """
        printed = self.folder / "printed.log"
        task = {"folder": str(self.folder), "command": command, "output": str(printed)}
        self.builder.stdin.write(json.dumps({**task, "environment": dict(os.environ)}) + "\n")
        self.builder.stdin.flush()
        code = self.builder.stdout.readline().strip()
        output = without_colours(printed.read_text("utf-8"))
        printed.unlink()
        assert code in {"0", "1", "2"}, f"the builder ended: {code!r}"
        assert (code != "0") == fails, output
        return output

    def run(self, *command, fails=False, before=None):
        """Run a command in the book's folder and return what it printed; it must fail, or not.

        `before` is called in the process of the command, before it.
        """
        result = subprocess.run(
            command,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            check=False,
            preexec_fn=before,
        )
        output = without_colours(result.stdout)
        assert (result.returncode != 0) == fails, output
        return output

    def html(self, name):
        """The text of a built page."""
        return (self.site / name).read_text(encoding="utf-8")


def without_colours(printed):
    """What a command printed to a terminal, as text."""
    return re.sub(r"\x1b\[[0-9;]*m", "", printed)


@pytest.fixture(scope="session", autouse=True)
def builder():
    """The process that runs the builds of books."""
    command = [sys.executable, Path(__file__).with_name("builder.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        Book.builder = process
        yield
        process.stdin.close()
    Book.builder = None


@pytest.fixture(scope="session")
def mended(tmp_path_factory):
    """The tiny book, built with the extension added by its one line."""
    book = Book(tmp_path_factory.mktemp("mended") / "book")
    book.build()
    return book


@pytest.fixture(scope="session")
def faulty(tmp_path_factory):
    """The tiny book as Jupyter Book builds it: every concern is switched off."""
    book = Book(tmp_path_factory.mktemp("faulty") / "book", lightbook_off=[*CONCERNS])
    book.build()
    return book


@pytest.fixture(scope="session")
def sphinx_book(tmp_path_factory):
    """The tiny book not yet built, for builders that jupyter-book does not start."""
    return Book(tmp_path_factory.mktemp("sphinx") / "book")


@pytest.fixture(scope="session")
def book_class():
    """The class of books, for a fixture that lives longer than a test."""
    return Book


@pytest.fixture
def new_book(tmp_path):
    """A function that makes another book in a fresh folder. Arguments as for `Book`."""

    def new_book(*args, **kwargs):
        return Book(tmp_path / "book", *args, **kwargs)

    return new_book


@pytest.fixture(scope="session")
def address_of(serve):
    """A function that serves a folder, once, and returns the address."""
    return functools.cache(serve)


@pytest.fixture
def open_page(new_context, address_of):
    """A function that opens a page of a book's site in a fresh browser context, served or from the disk.

    `before` is called with the page before it goes there.
    """

    def open_page(book, name, *, from_disk=False, before=None, **options):
        address = book.site.as_uri() if from_disk else address_of(book.site)
        page = new_context(**options).new_page()
        if before:
            before(page)
        page.goto(f"{address}/{name}")
        return page

    return open_page
