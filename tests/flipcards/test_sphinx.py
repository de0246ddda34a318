"""Decks in a Sphinx book: every builder shows them, and faults stop the build by name and line."""

import io
import os
import re
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout

import nbformat
import pytest
from bs4 import BeautifulSoup
from flipcards.display import MIME_TYPE, STATIC_ENVIRONMENT
from myst_parser.mdit_to_docutils import base
from sphinx.cmd import build

CONF = """
project = "Tiny"
copyright = "2026, Ada"
extensions = ["myst_nb", "sphinxcontrib.bibtex", "flipcards.sphinx"]
myst_enable_extensions = ["dollarmath", "colon_fence"]
bibtex_bibfiles = ["works.bib"]
bibtex_reference_style = "author_year"
nb_execution_mode = "off"
html_theme = "basic"
flipcards_report_url = "https://example.org/report?card={card}&page={page}"
version = release = "1"
epub_show_urls = "no"
exclude_patterns = ["_out"]
"""
INDEX = """
# Tiny

```{toctree}
cards
words
```
"""
CARDS = """
(the-cards)=
# Cards

```{flipcards} decks/one.yml
```
"""
WORDS = """
(the-words)=
# Words

{cite:t}`ada1843` wrote the first program.

```{glossary}
Engine
  A machine that computes.
```

```{bibliography}
```
"""
BIB = "@misc{ada1843, title={Notes}, author={Lovelace, Ada}, year={1843}, url={https://example.org/notes}}\n"
DECK = r"""
title: One
cards:
  - id: first
    front: What does the {term}`Engine` compute?
    back: |
      The sum $a + b$, says {cite}`ada1843`, see {ref}`the-words` and {doc}`../words`.

      ![A dot](dot.png)

      - one
      - two

      ```python
      print("hello")
      ```
    why: Because.
    source: [ada1843]
    term: Engine
    see: the-words
    tags: [alpha, beta]
  - id: second
    front: |
      Which of these?

      1. this
      2. that
    back: "*Neither*."
"""
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d494844520000000100000001080600000"
    "01f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


def sphinx(*arguments):
    """Run sphinx-build in this process, which spares its imports; return its code and what it printed."""
    printed = io.StringIO()
    hook = sys.excepthook
    with redirect_stdout(printed), redirect_stderr(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Sphinx's own and its other extensions'
        code = build.main(["-q", *arguments])
    sys.excepthook = hook
    return code, printed.getvalue()


class Tiny:
    """A tiny Sphinx project in a folder."""

    def __init__(self, folder):
        self.folder = folder
        files = {"conf.py": CONF, "index.md": INDEX, "cards.md": CARDS, "words.md": WORDS, "works.bib": BIB}
        for name, text in files.items():
            self.write(name, text)
        self.write("decks/one.yml", DECK)
        (folder / "decks" / "dot.png").write_bytes(PNG)

    def write(self, name, text):
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")

    def edit(self, name, old, new):
        text = (self.folder / name).read_text("utf-8")
        assert old in text
        self.write(name, text.replace(old, new, 1))

    def build(self, builder="html", *options):
        """Build; return the exit code and what was printed."""
        out = self.folder / "_out" / builder
        return sphinx(
            "-b",
            builder,
            "-n",
            "-W",
            "--keep-going",
            "-d",
            str(self.folder / "_out" / "trees" / builder),
            *options,
            str(self.folder),
            str(out),
        )

    def page(self, name="cards.html", builder="html"):
        return BeautifulSoup((self.folder / "_out" / builder / name).read_text("utf-8"), "html.parser")


@pytest.fixture
def tiny(tmp_path):
    return Tiny(tmp_path)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    tiny = Tiny(tmp_path_factory.mktemp("tiny"))
    code, printed = tiny.build()
    assert code == 0, printed
    return tiny


def test_the_page_has_the_html_shape(built):
    section = built.page().select_one("section.flipcards")
    assert section["data-deck"] == "one"
    (grid,) = section.find_all("div", class_="flipcards-grid", recursive=False)
    first, second = grid.find_all("details", recursive=False)
    assert first["id"] == "card-first"
    assert first["data-card"] == "first"
    assert first["data-tags"] == "alpha beta"
    assert "flipcard" in first["class"]
    summary, back = first.find_all(True, recursive=False)
    assert summary.name == "summary"
    assert "flipcard-front" in summary["class"]
    assert summary.get_text() == "What does the Engine compute?"
    assert "flipcard-back" in back["class"]
    # What takes room on a face that turns is there from the start, for the eye alone.
    question = back.find(True)
    assert question["class"] == ["flipcard-question"]
    assert question["aria-hidden"] == "true"
    assert question.get_text() == summary.get_text()
    assert back.select(".flipcard-foot > :last-child")[0]["href"] == "#card-first"
    assert back.select_one(".flipcard-why").get_text(strip=True) == "Because."
    assert second.get("data-tags") is None
    assert [item.get_text(strip=True) for item in second.select("summary ol li")] == ["this", "that"]


@pytest.mark.parametrize("fault", [False, True])
def test_after_a_build_its_process_shows_live_cards_again(tiny, monkeypatch, fault):
    monkeypatch.delenv(STATIC_ENVIRONMENT, raising=False)
    if fault:
        tiny.edit("decks/one.yml", "id: first", "id: First")
    code, printed = tiny.build()
    assert (code != 0) == fault, printed
    assert STATIC_ENVIRONMENT not in os.environ


def test_images_code_lists_math_and_roles_work_in_a_face(built):
    back = built.page().select_one("#card-first .flipcard-back")
    image = back.select_one("img")
    assert (built.folder / "_out" / "html" / image["src"]).read_bytes() == PNG
    assert image["alt"] == "A dot"
    assert "hello" in back.select_one("div.highlight pre").get_text()
    assert [item.get_text(strip=True) for item in back.select("ul li")] == ["one", "two"]
    assert back.select_one(".math") is not None
    links = {link.get_text(): link["href"] for link in back.select("a.reference")}
    assert links["Words"].startswith("words.html")
    assert any(href.startswith("words.html#id") for href in links.values())


def test_a_question_holds_no_link_and_its_links_come_with_the_answer(built):
    card = built.page().select_one("#card-first")
    assert card.select("summary a") == []
    moved = card.select_one(".flipcard-links a")
    assert moved["href"] == "words.html#term-Engine"


def test_the_foot_names_source_term_place_and_where_to_report(built):
    foot = built.page().select_one("#card-first .flipcard-foot")
    assert foot.select_one(".flipcard-source").get_text() == "Source: [Lovelace, 1843]"
    assert foot.select_one(".flipcard-term a")["href"] == "words.html#term-Engine"
    assert foot.select_one(".flipcard-see a").get_text() == "Words"
    assert foot.select_one(".flipcard-report a")["href"] == "https://example.org/report?card=first&page=cards"


def test_a_card_can_be_referred_to_like_any_label(tiny):
    tiny.edit("words.md", "# Words\n", "# Words\n\nSee {ref}`card-second` and {ref}`there <card-first>`.\n")
    code, printed = tiny.build()
    assert code == 0, printed
    links = {a["href"]: a.get_text() for a in tiny.page("words.html").select("a.reference")}
    assert links["cards.html#card-first"] == "there"
    assert "cards.html#card-second" in links


def test_only_pages_with_cards_load_the_front_end(built):
    page = built.page()
    (script,) = page.select("script[src*='cards.js']")
    # Nothing waits for it, and it waits for no other script.
    assert "defer" in script.attrs
    waiting = [other for other in page.select("script[src]") if {"async", "defer"} & set(other.attrs)]
    assert waiting[0] is script
    # The browser finds it early enough; a preload would come before the style sheets.
    assert not page.select("head link[rel=preload][href*='cards.js']")
    assert not built.page("words.html").select("script[src*='cards.js'], link[href*='flipcards.css']")


def test_a_borrowed_card_has_no_id_and_links_home(tiny):
    tiny.write("index.md", INDEX + "\n```{flipcards} decks/one.yml\n:cards: second\n:borrowed:\n```\n")
    code, printed = tiny.build()
    assert code == 0, printed
    (card,) = tiny.page("index.html").select("details.flipcard")
    assert card.get("id") is None
    assert card["data-home"] == "cards.html#card-second"
    assert card.select_one(".flipcard-home a")["href"] == "cards.html#card-second"


def test_a_page_of_nothing_but_a_notebook_cell_shows_its_deck(tiny):
    output = nbformat.v4.new_output("display_data", {MIME_TYPE: {"deck": "decks/one.yml"}})
    cell = nbformat.v4.new_code_cell("deck", outputs=[output])
    heading = nbformat.v4.new_markdown_cell("(the-cards)=\n# Cards")
    metadata = {"language_info": {"name": "python", "pygments_lexer": "python"}}
    notebook = nbformat.v4.new_notebook(metadata=metadata, cells=[heading, cell])
    nbformat.write(notebook, tiny.folder / "cards.ipynb")
    (tiny.folder / "cards.md").unlink()
    code, printed = tiny.build()
    assert code == 0, printed
    assert [card["data-card"] for card in tiny.page().select("details")] == ["first", "second"]


def test_a_face_costs_no_document_of_its_own(tiny, monkeypatch):
    made = []
    make_document = base.make_document
    monkeypatch.setattr(base, "make_document", lambda *args: made.append(args) or make_document(*args))
    cards = "".join(f"  - {{id: more-{n}, front: Q, back: A}}\n" for n in range(30))
    tiny.write("decks/one.yml", DECK + cards)
    code, printed = tiny.build()
    assert code == 0, printed
    assert 0 < len(made) < 20


def test_a_selection_by_tag_and_by_id_keeps_only_those_cards(tiny):
    tiny.write("cards.md", CARDS.replace("one.yml\n", "one.yml\n:tags: beta\n"))
    code, printed = tiny.build()
    assert code == 0, printed
    assert [card["data-card"] for card in tiny.page().select("details")] == ["first"]


@pytest.mark.parametrize(
    "builder", ["latex", "text", "man", "texinfo", "epub", "linkcheck", "dirhtml", "xml"]
)
def test_every_builder_shows_question_and_answer(tiny, builder):
    if builder == "linkcheck":
        tiny.edit("conf.py", "version", 'linkcheck_ignore = [".*"]\nversion')
    code, printed = tiny.build(builder)
    assert code == 0, printed
    out = tiny.folder / "_out" / builder
    if builder == "linkcheck":
        return
    names = {
        "latex": "*.tex",
        "epub": "cards.xhtml",
        "dirhtml": "cards/index.html",
        "man": "*.1",
        "texinfo": "*.texi",
    }
    text = "".join(file.read_text("utf-8") for file in out.glob(names.get(builder, "cards.*")))
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text))
    assert "What does the" in text
    assert "Because." in text
    assert "Neither" in text
    assert text.index("What does the") < text.index("Because.") < text.index("Neither")


def test_an_epub_hides_nothing_behind_a_control_it_may_not_have(tiny):
    code, printed = tiny.build("epub")
    assert code == 0, printed
    page = tiny.page("cards.xhtml", "epub")
    assert page.select("details, summary") == []
    assert len(page.select("div.flipcard")) == 2


FAULTS = {
    "an unknown term": ("`Engine`", "`Motor`", r"decks/one\.yml:5: card 'first': unknown term 'Motor'"),
    "an unknown source": (
        "[ada1843]",
        "[ada1844]",
        r"decks/one\.yml:18: card 'first': unknown source 'ada1844'",
    ),
    "an unknown label": (
        "see: the-words",
        "see: the-wards",
        r"decks/one\.yml:20: .*unknown label 'the-wards'",
    ),
    "an unknown citation in a face": (
        "{cite}`ada1843`",
        "{cite}`bob`",
        r"decks/one\.yml:7: .*unknown source 'bob'",
    ),
    "an unknown page": ("{doc}`../words`", "{doc}`../wards`", r"decks/one\.yml:7: .*unknown page '../wards'"),
    "a missing image": ("dot.png", "dat.png", r"decks/one\.yml:9: .*dat\.png"),
    "an unknown role": ("{ref}`the-words`", "{rif}`the-words`", r"decks/one\.yml:7: .*rif"),
    "TeX that cannot be set": (
        "$a + b$,",
        "$a + \\fraction b$,",
        r"decks/one\.yml:\d+: card 'first': 'back': TeX: Undefined control sequence: \\fraction, at: ",
    ),
    "a doubled id": (
        "id: second",
        "id: first",
        r"decks/one\.yml:22: card 'first': the id is taken by line 4",
    ),
    "a target in a face": (
        "why: Because.",
        'why: "(x)=\\n\\n# Because"',
        r"decks/one\.yml:17: card 'first': 'why'",
    ),
    "a numbered equation": (
        "$a + b$,",
        "\n\n      $$a$$ (eq-a)\n\n      ",
        r"decks/one\.yml:\d+: card 'first': 'back'",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_fails_the_build_and_names_deck_and_line(tiny, name):
    old, new, message = FAULTS[name]
    tiny.edit("decks/one.yml", old, new)
    code, printed = tiny.build()
    assert code != 0
    assert re.search(message, printed), printed
    assert "cards.md:" not in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize("name", ["an unknown term", "an unknown source", "an unknown label", "a doubled id"])
def test_a_fault_fails_the_build_without_warnings_as_errors_too(tiny, name):
    old, new, message = FAULTS[name]
    tiny.edit("decks/one.yml", old, new)
    code, printed = sphinx(str(tiny.folder), str(tiny.folder / "_out" / "plain"))
    assert code != 0
    assert re.search(message, printed), printed
    assert not list((tiny.folder / "_out" / "plain").glob("*.html"))


def test_all_faults_of_a_book_are_told_at_once(tiny):
    for name in ("an unknown term", "an unknown source", "an unknown label"):
        tiny.edit("decks/one.yml", *FAULTS[name][:2])
    code, printed = tiny.build()
    assert code != 0
    for name in ("an unknown term", "an unknown source", "an unknown label"):
        assert re.search(FAULTS[name][2], printed), printed


def test_a_missing_deck_names_the_page_and_line(tiny):
    tiny.edit("cards.md", "decks/one.yml", "decks/two.yml")
    code, printed = tiny.build()
    assert code != 0
    assert re.search(r"cards\.md:5: there is no deck decks/two\.yml; paths are relative to the page", printed)


def test_cards_that_a_page_asks_for_in_vain_name_the_page_and_line(tiny):
    tiny.edit("cards.md", "decks/one.yml\n", "decks/one.yml\n:cards: nine\n")
    code, printed = tiny.build()
    assert code != 0
    assert re.search(r"cards\.md:5: no card 'nine'.* in decks/one\.yml", printed), printed


def test_two_decks_with_one_id_fail_and_name_both_places(tiny):
    tiny.write("decks/two.yml", DECK)
    tiny.write("words.md", WORDS + "\n```{flipcards} decks/two.yml\n```\n")
    code, printed = tiny.build()
    assert code != 0
    assert re.search(r"decks/two\.yml:4: card 'first': the id is taken by decks/one\.yml:4", printed), printed


def test_a_card_at_home_on_two_pages_fails_and_says_what_to_do(tiny):
    tiny.write("words.md", WORDS + "\n```{flipcards} decks/one.yml\n```\n")
    code, printed = tiny.build()
    assert code != 0
    assert re.search(
        r"decks/one\.yml:4: card 'first': is on cards and on words, .* write `:borrowed:` below", printed
    )


def test_a_source_in_a_book_without_a_bibliography_fails_and_says_what_to_do(tiny):
    tiny.edit("conf.py", '"sphinxcontrib.bibtex", ', "")
    code, printed = tiny.build()
    assert code != 0
    assert re.search(r"decks/one\.yml:\d+: card '\w+': has a source, but .* bibtex_bibfiles", printed), (
        printed
    )


def test_a_card_that_is_only_borrowed_fails_and_says_what_to_do(tiny):
    tiny.write("cards.md", CARDS.replace("one.yml\n", "one.yml\n:borrowed:\n"))
    code, printed = tiny.build()
    assert code != 0
    assert "decks/one.yml:4: card 'first': is on no page of its own (cards only borrows it); show" in printed


def test_configured_decks_are_checked_before_anything_is_read(tiny):
    tiny.edit("conf.py", "version", 'flipcards_decks = ["decks/*.yml"]\nversion')
    tiny.write("decks/unused.yml", "cards:\n  - id: lone\n    front: Where?\n")
    code, printed = tiny.build()
    assert code != 0
    assert re.search(r"decks/unused\.yml:2: card 'lone': 'back' is missing; write the answer", printed)


def test_parallel_reading_and_writing_gives_the_same_page(tiny, built):
    for number in range(8):
        tiny.write(f"more{number}.md", f"# More {number}\n")
    tiny.edit("index.md", "words\n", "words\n" + "".join(f"more{number}\n" for number in range(8)))
    code, printed = tiny.build("html", "-j", "2")
    assert code == 0, printed
    assert str(tiny.page().select_one("section.flipcards")) == str(
        built.page().select_one("section.flipcards")
    )


def many_cards(count):
    cards = "".join(f"  - {{id: c{n}, front: Question {n}?, back: Answer {n}.}}\n" for n in range(count))
    return f"cards:\n{cards}"


def test_a_large_deck_comes_in_groups_that_lose_no_card_and_keep_the_order(tiny):
    tiny.write("decks/one.yml", many_cards(100))
    code, printed = tiny.build()
    assert code == 0, printed
    section = tiny.page().select_one("section.flipcards")
    bar, first, script, *others = section.find_all(True, recursive=False)
    assert bar["class"] == ["flipcards-bar", "flipcards-place"]
    grids = [first, *others]
    assert {grid.name for grid in grids} == {"div"}
    assert [len(grid.select("details")) for grid in grids] == [6, 24, 24, 24, 22]
    assert [card["data-card"] for card in section.select("details")] == [f"c{n}" for n in range(100)]
    assert script.name == "script"  # which does nothing, as the next test says


def test_where_a_deck_is_very_large_the_browser_is_let_up_for_air(tiny):
    tiny.edit("conf.py", "version", 'suppress_warnings = ["flipcards.many"]\nversion')
    tiny.write("decks/one.yml", many_cards(24 * 45))
    code, printed = tiny.build()
    assert code == 0, printed
    section = tiny.page().select_one("section.flipcards")
    parts = [part.name for part in section.find_all(True, recursive=False)]
    assert [n for n, name in enumerate(parts) if name == "script"] == [2, 23, 44]
    # A script of no words needs no leave of any policy, and says nothing.
    assert [script.get_text() for script in section.select("script")] == ["", "", ""]
    assert not section.select("script[src]")


def test_more_than_500_cards_on_a_page_are_warned_of(tiny):
    tiny.write("decks/one.yml", many_cards(501))
    code, printed = tiny.build()
    assert code != 0
    assert re.search(r"cards\.md:5: WARNING: 501 cards on one page", printed), printed
    tiny.edit("conf.py", "version", 'suppress_warnings = ["flipcards.many"]\nversion')
    code, printed = tiny.build()
    assert code == 0, printed


def test_the_cards_of_all_decks_of_a_page_are_counted_and_told_once(tiny):
    more = [many_cards(300).replace("id: c", f"id: {deck}-") for deck in ("one", "two", "three")]
    for name, deck in zip(("one", "two", "three"), more, strict=True):
        tiny.write(f"decks/{name}.yml", deck)
    decks = "\n".join(f"```{{flipcards}} decks/{name}.yml\n```\n" for name in ("one", "two", "three"))
    tiny.write("cards.md", f"# Cards\n\n{decks}")
    _, printed = tiny.build()
    assert re.findall(r"cards\.md:(\d+): WARNING: (\d+) cards on one page", printed) == [("6", "600")], (
        printed
    )
    tiny.write("cards.md", "# Cards\n\n```{flipcards} decks/one.yml\n```\n")
    tiny.edit("words.md", "# Words\n", "# Words\n\n```{flipcards} decks/two.yml\n```\n")
    _, printed = tiny.build()
    assert "cards on one page" not in printed  # of two pages


def test_a_second_deck_of_a_page_brings_no_script_and_no_style(tiny):
    def brought():
        page = tiny.page()
        tags = [*page.select("script[src]"), *page.select("link[rel=stylesheet]"), *page.select("style")]
        files = [tag.get("src") or tag.get("href") or tag.get_text() for tag in tags]
        return sorted(
            file.partition("?")[0] for file in files
        )  # an address may get its digest at the next build

    assert tiny.build()[0] == 0
    alone = brought()
    tiny.write("decks/two.yml", many_cards(3))
    tiny.edit("cards.md", "decks/one.yml\n```", "decks/one.yml\n```\n\n```{flipcards} decks/two.yml\n```")
    code, printed = tiny.build()
    assert code == 0, printed
    assert len(tiny.page().select("section.flipcards")) == 2
    assert brought() == alone
