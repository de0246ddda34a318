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
from flipcards.deck import Card, Deck
from flipcards.widget import STATIC, Cards
from playwright.sync_api import expect
from sphinx.cmd import build

HERE = Path(__file__).parent
TEXTS = [e["text"] for e in json.loads((HERE.parent / "flipcards/data/hostile.json").read_text("utf-8"))]
FACES = ("front", "back", "why")
NAMES = ("term", "see", "source")  # each names something of the book; a text that names nothing is refused
FIELDS = (*FACES, *NAMES, "tags")
FILE = '"><img src=x onerror=alert(1)>'  # a deck's file can have any name
TITLE = " ".join(text for text in TEXTS if text.isprintable())
CONF = """
project = "Hostile"
extensions = ["myst_nb", "sphinxcontrib.bibtex", "flipcards.sphinx", "sphinx_lightbook"]
myst_enable_extensions = {syntax}
bibtex_bibfiles = ["works.bib"]
nb_execution_mode = "off"
html_theme = "sphinx_book_theme"
exclude_patterns = ["_out"]
flipcards_decks = ["many.yml"]
"""
# All that an author can add to MyST.
SYNTAX = [
    *("amsmath", "attrs_block", "attrs_inline", "colon_fence", "deflist", "dollarmath", "fieldlist"),
    *("html_admonition", "html_image", "replacements", "smartquotes", "strikethrough", "substitution"),
    "tasklist",
]
BEFORE, AFTER = '<p id="before">Words before.</p>', '<p id="after">Words after.</p>'
HARMLESS = [Card(f"plain-{i}", "What is $x$?", "That.", tags=("some",)) for i in range(9)]


def card(field, number):
    """A card with a hostile text in one field."""
    text = TEXTS[number]
    value = (text,) if field in ("source", "tags") else text
    return Card(**{"id": f"{field}-{number}", "front": "Q", "back": "A", field: value})


def write_page(folder, name, decks):
    """Write a page of a book that shows decks, between words of its own; a deck is its name and cards."""
    shown = ""
    for deck, cards in decks.items():
        Deck(tuple(cards), title=TITLE).save(folder / f"{deck}.yml", force=True)
        shown += f"```{{flipcards}} {deck}.yml\n```\n\n"
    (folder / f"{name}.md").write_text(f"# Cards\n\n{BEFORE}\n\n{shown}{AFTER}\n")


def build_book(folder, syntax=SYNTAX):
    """Build a book of the pages in a folder, in this process; return the exit code and what was printed."""
    (folder / "conf.py").write_text(CONF.format(syntax=syntax))
    (folder / "works.bib").write_text("")
    printed = io.StringIO()
    hook = sys.excepthook
    with redirect_stdout(printed), redirect_stderr(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Sphinx's own and its other extensions'
        code = build.main(["-q", "-b", "html", str(folder), str(folder / "_out")])
    sys.excepthook = hook
    return code, re.sub(r"\x1b\[[0-9;]*m", "", printed.getvalue())


class Book:
    """A book that was offered every text in every field of a card, until it refused none.

    `kept` and `refused` hold a pair for each: the field and the number of the text.
    """

    def __init__(self, folder):
        write_page(folder, "harmless", {"plain": HARMLESS})
        today = f"# Today\n\n{BEFORE}\n\n```{{flipcards-today}}\n```\n\n{AFTER}\n"
        (folder / "today.md").write_text(today)
        self.site = folder / "_out"
        self.kept = {(field, number) for field in FIELDS for number in range(len(TEXTS))}
        self.refused = set()
        while True:
            write_page(
                folder,
                "index",
                {
                    "many": [card(*one) for one in sorted(self.kept)],
                    FILE: [Card("few", "Q", "A")],
                },
            )
            code, printed = build_book(folder)
            if code == 0:
                return
            found = re.findall(r"^many\.yml:\d+: card '(\w+)-(\d+)': ", printed, re.MULTILINE)
            assert found, printed
            faulty = {(field, int(number)) for field, number in found}
            self.refused |= faulty
            self.kept -= faulty


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """The book of every text that it does not refuse."""
    return Book(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def deck():
    """A deck of every text in every field, which no file could hold and no build has seen."""
    cards = [
        Card(f"c-{i}", text, text, text, source=(text,), term=text, see=text, tags=(text,))
        for i, text in enumerate(TEXTS)
    ]
    return Deck(tuple(cards), title=TITLE, path=Path(f"{FILE}.yml"))


class Hostile:
    """An open page with hostile cards, and everything it did: see hostile.js."""

    def __init__(self, context, address, without):
        self.asked = []
        self.opened = []
        context.add_init_script(path=HERE / "hostile.js")
        # A link that is followed is answered without content, so that the page stays.
        context.route(re.compile("^(?!https?://127\\.0\\.0\\.1)"), self._answer)
        self.page = context.new_page()
        if without:
            self.page.route(without, lambda route: route.abort())
        self.page.on("dialog", self._dismiss)
        context.on("page", lambda page: self.opened.append(page.url))
        self.page.goto(address)
        self.page.wait_for_load_state("networkidle")
        self.address = self.page.url

    def _answer(self, route):
        self.asked.append(route.request.url)
        route.fulfill(status=204)

    def _stay(self, route):
        if route.request.is_navigation_request():
            self._answer(route)
        else:
            route.fallback()

    def _dismiss(self, dialog):
        self.opened.append(dialog.message)
        dialog.dismiss()

    def assert_quiet(self, links=()):
        """Nothing ran, and nothing was asked for but these links."""
        assert self.page.evaluate("top.ran") == []
        assert self.opened == []
        assert [url for url in self.asked if url not in links] == []
        assert self.page.url.partition("#")[0] == self.address.partition("#")[0]

    def look(self, probe):
        """Ask hostile.js for what it sees."""
        return self.page.evaluate(f"probe.{probe}()")

    def use(self, cards):
        """Turn all cards, look at the page, and use every element of every card."""
        assert self.page.locator("details.flipcard").count() == cards
        self.assert_quiet()
        assert self.look("suspicious") == []
        self.page.evaluate("probe.turn(true)")
        assert self.look("covering") == []
        hrefs = self.page.evaluate(
            """[...document.querySelectorAll('details a[href]')]
            .flatMap(({href}) => [href, href.split('#')[0]])"""
        )
        self.page.route("**", self._stay)
        self.look("followLinks")
        assert self.look("useEverything") > 2 * cards
        self.assert_quiet(links=hrefs)


def differences(seen, expected):
    """What two pages do not share: a pair of values for each name."""
    names = [*seen, *expected]
    return {n: (seen.get(n), expected.get(n)) for n in names if seen.get(n) != expected.get(n)}


@pytest.fixture
def open_hostile(new_context):
    """A function that opens an address in a fresh context and returns the `Hostile` page."""
    return lambda address, *, without=None: Hostile(
        new_context(height=3000, reduced_motion="reduce"), address, without
    )


# --- What the tests would see ---------------------------------------------------------------------------

CARELESS = {
    "runs on load": "<img src=x onerror=alert(1)>",
    "runs on a click": "<b onclick=alert(1)>x</b>",
    "runs on a click that nothing tells": (
        "<b>x</b><script>document.currentScript.previousSibling.onclick = () => alert(1);"
        "document.currentScript.remove()</script>"
    ),
    "runs by a link": "<a href='javascript:alert(1)'>x</a>",
    "runs in a frame": "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "asks": "<img src='https://hostile.example/pixel.png'>",
    "covers": "<p style='position: absolute; inset: 0; z-index: 9'>x</p>",
    "takes an id": "<p id=before>x</p>",
    "leaves its card": "</details></section><section class=flipcards><details class=flipcard>",
}


@pytest.mark.parametrize("what", CARELESS)
def test_a_careless_page_is_found_out(serve, open_hostile, tmp_path, what):
    card = f'<details class="flipcard" data-card="one"><summary>Q</summary>{CARELESS[what]}</details>'
    html = f'<link rel="icon" href="data:,">{BEFORE}<section class="flipcards">{card}</section>{AFTER}'
    (tmp_path / "index.html").write_text(html, "utf-8")
    hostile = open_hostile(f"{serve(tmp_path)}/index.html")
    with pytest.raises(AssertionError, match=r"assert"):
        hostile.use(1)


# --- In a book ---------------------------------------------------------------------------------------


def test_a_book_refuses_most_texts_and_every_name_that_is_none(book):
    refused = {field: {number for name, number in book.refused if name == field} for field in FIELDS}
    for field in NAMES:
        assert refused[field] == set(range(len(TEXTS)))
    assert refused["front"] == refused["back"] == refused["why"]
    assert 150 < len(refused["front"]) < len(TEXTS) - 75


def test_in_a_book_nothing_runs_loads_or_covers_on_loading_turning_and_using_cards(
    book, serve, open_hostile, page_errors
):
    hostile = open_hostile(f"{serve(book.site)}/index.html")
    # The many turn in part before they all do, which their status line tells. Those below wait to come near.
    hostile.page.locator("section.flipcards").last.scroll_into_view_if_needed()
    expect(hostile.page.locator("section > .flipcards-status")).to_have_count(2)
    assert hostile.page.locator("section:has(> .flipcards-status)").count() == 2
    hostile.use(len(book.kept) + 1)
    assert page_errors == []


def test_in_a_book_whose_cards_do_not_turn_nothing_runs_loads_or_covers_either(book, serve, open_hostile):
    hostile = open_hostile(f"{serve(book.site)}/index.html", without="**/cards.*")
    assert hostile.page.locator("section:has(> .flipcards-status)").count() == 0
    hostile.use(len(book.kept) + 1)


def test_where_decks_are_gathered_nothing_runs_loads_or_covers_before_and_after_they_are_opened(
    book, serve, open_hostile, page_errors
):
    hostile = open_hostile(f"{serve(book.site)}/today.html")
    hostile.page.locator(".flipcards-start").wait_for()
    assert hostile.page.locator(".flipcards-deck .flipcard").count() == 0
    hostile.assert_quiet()
    for deck in hostile.page.locator(".flipcards-deck > summary").all():
        deck.click()
    hostile.page.locator(".flipcards-deck section:has(> .flipcards-status)").first.wait_for()
    assert page_errors == []
    hostile.use(len(book.kept))


def test_in_a_book_the_page_around_hostile_cards_is_as_around_harmless_ones(book, serve, open_hostile):
    address = serve(book.site)
    expected = open_hostile(f"{address}/harmless.html").look("surroundings")
    hostile = open_hostile(f"{address}/index.html")
    for is_open in (False, True):
        hostile.page.evaluate("(open) => probe.turn(open)", is_open)
        assert differences(hostile.look("surroundings"), expected) == {}


@pytest.mark.parametrize(
    "text", ["[x](https://a.example){#before .flipcard-why}", "{#before .flipcard-why}\ntext"]
)
def test_no_syntax_of_the_author_lets_a_face_take_ids_and_classes(tmp_path, text):
    write_page(tmp_path, "index", {"deck": [Card("one", "Q", text)]})
    code, printed = build_book(tmp_path, ["attrs_inline", "attrs_block"])
    assert code == 0 or "card 'one': 'back'" in printed, printed
    if code == 0:
        html = (tmp_path / "_out/index.html").read_text("utf-8")
        assert html.count('id="before"') == 1
        assert not re.search(r'class="[^"]*flipcard-why', html)


@pytest.mark.parametrize("field", NAMES)
def test_a_name_with_an_exclamation_mark_is_refused_like_any_other(tmp_path, field):
    name = "!nothing"
    one = Card("one", "Q", "A", **{field: (name,) if field == "source" else name})
    write_page(tmp_path, "index", {"deck": [one]})
    code, printed = build_book(tmp_path)
    assert code != 0
    assert re.search(r"deck\.yml:\d+: card 'one'", printed)


# --- As plain HTML, and in the widget ----------------------------------------------------------------

# The widget's view with a model of our own, as a notebook would call it.
VIEW = """<div id="view"></div>
<script type="application/json" id="html">%s</script>
<script type="module">
import widget from "./flipcards.js";
const { html, count, answers } = JSON.parse(document.getElementById("html").textContent);
const handlers = {};
const model = {
  get: (name) => ({ html, count })[name],
  send({ type, from }) {
    if (type === "more") setTimeout(() => handlers["msg:custom"](answers[from]));
  },
  on(name, handler) { handlers[name] = handler; },
  off() {},
};
widget.render({ model, el: document.getElementById("view") });
</script>"""


# A view asks for the cards of a large deck bit by bit.
ARRIVED = "count => document.querySelectorAll('details.flipcard').length === count"


def as_plain_html(deck):
    """What a notebook shows where there is no widget."""
    return plain.section(deck)


def as_widget(deck):
    """What a notebook shows where there is one."""
    cards, answers = Cards(deck), {}
    cards.send = lambda answer: answers.update({answer["from"]: answer})
    have = cards.html.count("<details")
    while have < cards.count:  # as the view will ask
        cards._receive(cards, {"type": "more", "from": have}, [])
        have = answers[have]["to"]
    model = {"html": cards.html, "count": cards.count, "answers": answers}
    return VIEW % json.dumps(model).replace("<", "\\u003c")


@pytest.fixture(params=[as_plain_html, as_widget], ids=["plain HTML", "widget"])
def host(request, deck, tmp_path, serve):
    """The address of a bare page with the hostile cards, and of one with harmless cards."""
    (tmp_path / "flipcards.js").write_bytes((STATIC / "flipcards.js").read_bytes())
    style = "body { margin: 16px } .output { overflow: auto }"  # as notebooks show outputs
    if request.param is as_widget:
        style += (STATIC / "flipcards.css").read_text("utf-8")
    head = f'<meta charset="utf-8"><title>Cards</title><link rel="icon" href="data:,"><style>{style}</style>'
    for name, shown in (("hostile", deck), ("harmless", Deck(tuple(HARMLESS)))):
        body = f'<h1>Cards</h1>{BEFORE}<div class="output">{request.param(shown)}</div>{AFTER}'
        html = f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>'
        (tmp_path / f"{name}.html").write_text(html, "utf-8")
    address = serve(tmp_path)
    return f"{address}/hostile.html", f"{address}/harmless.html"


def test_outside_a_book_nothing_runs_loads_or_covers_on_loading_turning_and_using_cards(
    host, deck, open_hostile, page_errors
):
    hostile = open_hostile(host[0])
    hostile.page.wait_for_function(ARRIVED, arg=len(deck))
    hostile.use(len(deck))
    assert page_errors == []


def test_outside_a_book_the_page_around_hostile_cards_is_as_around_harmless_ones(host, deck, open_hostile):
    expected = open_hostile(host[1]).look("surroundings")
    hostile = open_hostile(host[0])
    hostile.page.wait_for_function(ARRIVED, arg=len(deck))
    for is_open in (False, True):
        hostile.page.evaluate("(open) => probe.turn(open)", is_open)
        assert differences(hostile.look("surroundings"), expected) == {}
