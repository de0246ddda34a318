"""The list of all pages, made once, is what Sphinx makes for each page."""

import pytest
from bs4 import BeautifulSoup
from sphinx_lightbook import CONCERNS, navigation

PAGES = ["intro", "one", "part/two", "part/inner/three", "part/inner/four", "five & six", "seven", "eight"]
TOC = """\
    format: jb-book
    root: intro
    parts:
      - caption: The first & the last
        chapters:
          - file: one
            sections:
              - file: part/two
                sections:
                  - file: part/inner/three
                  - file: part/inner/four
                    title: "<Four> at home@example.org"
          - url: https://elsewhere.test/page
            title: Elsewhere
      - caption: Second
        numbered: true
        chapters:
          - file: five & six
          - file: seven
          - file: eight
    """


LIST = "nav.bd-docs-nav"

# An extension of the book: counts how often Sphinx is asked, and may have it answer something of its own.
WATCHING = """\
    from pathlib import Path

    from sphinx.builders.html import StandaloneHTMLBuilder
    from sphinx.environment.adapters import toctree

    ask = StandaloneHTMLBuilder._get_local_toctree

    def setup(app):
        def asked(self, docname, **kwargs):
            with (Path(app.confdir) / "asked").open("a") as file:
                file.write(f"{docname}\\n")
            html = ask(self, docname, **kwargs)
            return html.replace("</li>", f"<i>{docname}</i></li>") if app.config.lists_differ else html

        StandaloneHTMLBuilder._get_local_toctree = asked
        app.add_config_value("lists_differ", False, "env")
        app.add_config_value("other_sphinx", False, "env")
        app.connect("builder-inited", forget)

    def forget(app):
        if app.config.other_sphinx:
            del toctree.global_toctree_for_doc
    """


class Lists:
    """Builds a book of pages below pages, in folders and with other characters in their names."""

    def __init__(self, new_book):
        pages = {f"{name}.md": f"# Page *{name}*, $x$\n\n## A section\n\nWords.\n" for name in PAGES}
        self.book = new_book({**pages, "watching.py": WATCHING}, TOC)

    def of(self, builder, off, **settings):
        """The list on each page of the site without these concerns, and how often Sphinx was asked."""
        config = {"lightbook_off": sorted(off), **settings}
        sphinx = {"extra_extensions": ["sphinx_lightbook", "watching"], "config": config}
        self.book.configure({"sphinx": sphinx})
        for name in ("conf.py", "asked"):
            (self.book.folder / name).unlink(missing_ok=True)
        folder = self.book.build_with_sphinx(builder, "-E", "-a")
        pages = {path: path.read_text("utf-8") for path in folder.rglob("*.html")}
        found = {
            path.relative_to(folder).as_posix(): str(BeautifulSoup(page, "html.parser").select_one(LIST))
            for path, page in pages.items()
            if "bd-docs-nav" in page
        }
        assert len(found) >= len(PAGES)
        return found, (self.book.folder / "asked").read_text().count("\n")


@pytest.fixture
def lists(new_book, monkeypatch):
    lists = Lists(new_book)
    monkeypatch.setenv("PYTHONPATH", str(lists.book.folder))
    return lists


@pytest.mark.parametrize("kind", ["html", "dirhtml"])
def test_every_page_has_the_list_that_sphinx_makes_for_it_and_few_are_asked_for(lists, kind):
    theirs, asked_before = lists.of(kind, CONCERNS)
    ours, asked = lists.of(kind, CONCERNS.keys() - {"navigation"})
    assert ours == theirs
    assert asked_before == len(theirs)
    assert asked == navigation.COMPARED


@pytest.mark.parametrize(
    "settings",
    [{"html_theme_options": {"collapse_navbar": True}}, {"lists_differ": True}, {"other_sphinx": True}],
    ids=["folded", "made otherwise", "another version of Sphinx"],
)
def test_where_lists_differ_in_more_or_cannot_be_read_sphinx_makes_them(lists, settings):
    theirs, _ = lists.of("html", CONCERNS, **settings)
    ours, asked = lists.of("html", CONCERNS.keys() - {"navigation"}, **settings)
    assert ours == theirs
    assert asked == len(theirs)
