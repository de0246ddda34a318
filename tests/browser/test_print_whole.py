"""Cards on paper that are hard to print: longer than a sheet, wide, turned and filtered, or being studied."""

import io
import re
import struct
import zlib
from pathlib import Path

import flipcards
import pypdf
import pytest
import texmath
from flipcards import Card, Deck, page

STATIC = Path(flipcards.__file__).parent / "static"
A4 = {"width": 703, "height": 1000}  # less its margins, in CSS pixels
LINES = 150  # no sheet has so many
COLUMNS = [f"hydrogen{column}" for column in range(11)]


def png(width, height):
    """A grey picture."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = zlib.compress((b"\0" + b"\x99" * width) * height)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


TABLE = "\n".join(
    ["| " + " | ".join(COLUMNS) + " |", "| " + " | ".join("-" * len(COLUMNS)) + " |"]
    + ["| " + " | ".join(f"T{row}C{column}Z" for column in range(11)) + " |" for row in range(4)]
)
CARDS = (
    Card("plain", "Question Q0Z?", "Answer A0Z.", "Why W0Z.", tags=("short",)),
    Card(
        "long", "Question Q1Z?", "\n\n".join(f"Line L{n}Z." for n in range(LINES)), "Why W1Z.", tags=("long",)
    ),
    Card("table", "Question Q2Z?", f"Answer A2Z:\n\n{TABLE}", "Why W2Z.", tags=("wide", "short")),
    Card("image", "Question Q3Z?", "Answer A3Z: ![a wide picture](wide.png)", "Why W3Z.", tags=("wide",)),
    Card("tall", "Question Q4Z?", "Answer A4Z: ![a tall picture](tall.png)", "Why W4Z.", tags=("wide",)),
    Card(
        "code",
        "Question Q5Z?",
        "Answer A5Z:\n\n```python\n" + " + ".join(f"word_{n}" for n in range(40)) + "  # E5Z\n```",
        "Why W5Z.",
        tags=("wide",),
    ),
    Card(
        "math",
        "Question Q6Z?",
        f"Answer A6Z:\n\n$$\n{'+'.join(f'x_{{{n}}}^2' for n in range(60))}\n$$",
        "Why W6Z.",
    ),
)
# What stands on paper of each card, in order.
MARKS = {
    card.id: [
        f"Q{number}Z",
        *([f"L{n}Z" for n in range(LINES)] if card.id == "long" else [f"A{number}Z"]),
        *([f"T{row}C{column}Z" for row in range(4) for column in range(11)] if card.id == "table" else []),
        *(["E5Z"] if card.id == "code" else []),
        f"W{number}Z",
    ]
    for number, card in enumerate(CARDS)
}


@pytest.fixture(scope="module")
def address(serve, tmp_path_factory):
    """The address of a page with the cards."""
    folder = tmp_path_factory.mktemp("paper")
    for file in STATIC.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "wide.png").write_bytes(png(3000, 200))
    (folder / "tall.png").write_bytes(png(400, 4000))
    deck = Deck(CARDS)
    deck.save(folder / "deck.yml")
    html = page.section(Deck.load(folder / "deck.yml"))
    (folder / "texmath.css").write_text(texmath.css(used=[html]), encoding="utf-8")
    (folder / "index.html").write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Cards</title>'
        '<link rel="icon" href="data:,"><link rel="stylesheet" href="texmath.css">'
        '<link rel="stylesheet" href="flipcards.css">'
        '<script defer src="cards.js" data-study="study.js" data-book="paper"></script></head>'
        f"<body><main><h1>Cards</h1>{html}</main></body></html>",
        encoding="utf-8",
    )
    return f"{serve(folder)}/index.html"


@pytest.fixture
def opened(new_context, address):
    """The page, opened."""
    opened = new_context().new_page()
    opened.goto(address)
    opened.wait_for_selector(".flipcards-status", state="attached")
    return opened


def sheets_of(opened):
    """The sheets of paper: the marks on each in order, and how many pictures."""
    opened.evaluate("Promise.allSettled(document.getAnimations().map((turn) => turn.finished)).then(() => 0)")
    pdf = pypdf.PdfReader(io.BytesIO(opened.pdf(format="A4")))
    return [
        (re.findall(r"[QALWE]\d+Z|T\d+C\d+Z", sheet.extract_text()), len(sheet.images)) for sheet in pdf.pages
    ]


def printed(opened):
    """The marks on paper, in order."""
    return [mark for found, _ in sheets_of(opened) for mark in found]


def marks(ids):
    """What stands on paper of these cards."""
    return [mark for card in ids for mark in MARKS[card]]


# What lies beyond the paper, or in a box that hides or scrolls what is too large for it.
CUT = """() => [...document.querySelectorAll(".flipcards .flipcard, .flipcards .flipcard *")]
    .filter((part) => part.checkVisibility() && !part.closest(".katex-mathml"))
    .filter((part) => {
        const { overflowX, overflowY } = getComputedStyle(part);
        const [across, down] = [part.scrollWidth - part.clientWidth, part.scrollHeight - part.clientHeight];
        return part.getBoundingClientRect().right > innerWidth
            || (!part.closest(".katex") && overflowX !== "visible" && across > 1)
            || (!part.closest(".katex") && overflowY !== "visible" && down > 1);
    })
    .map((part) => `${part.closest("[data-card]").dataset.card}: ${part.tagName} ${part.className}`)"""


def turn(opened, *cards):
    for card in cards:
        opened.locator(f"[data-card={card}] .flipcard-front").click()


def leave(opened, tag, count):
    """Leave the cards with a tag."""
    opened.locator(".flipcards-tags").get_by_role("button", name=re.compile(tag)).click()
    opened.wait_for_function(
        """count => [...document.querySelectorAll(".flipcard")]
            .filter((card) => card.checkVisibility()).length === count""",
        arg=count,
    )


def study(opened):
    opened.get_by_role("button", name="Study").click()
    opened.wait_for_selector(".flipcards-stage > *")


def test_a_card_longer_than_a_sheet_goes_on_on_the_next_and_every_other_stands_on_one(opened):
    sheets = sheets_of(opened)
    assert [mark for found, _ in sheets for mark in found] == marks(MARKS)
    for card, expected in MARKS.items():
        on = [number for number, (found, _) in enumerate(sheets) if set(found) & set(expected)]
        assert len(on) == (6 if card == "long" else 1), card
        assert on == list(range(on[0], on[-1] + 1))
    assert all(found for found, _ in sheets), "no sheet is empty"


def test_a_picture_stands_on_one_sheet_with_its_question(opened):
    where = [set(found) & {"Q3Z", "Q4Z"} for found, pictures in sheets_of(opened) for _ in range(pictures)]
    assert sorted(map(sorted, where)) in ([["Q3Z"], ["Q4Z"]], [["Q3Z", "Q4Z"]] * 2)


@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_of_a_card_is_cut_off_at_the_edge_of_the_paper(opened, width):
    opened.set_viewport_size({"width": width, "height": 800})
    opened.emulate_media(media="print")
    opened.set_viewport_size(A4)
    assert opened.evaluate(CUT) == []


def test_cards_that_are_turned_and_filtered_are_printed_whole_and_the_others_not_at_all(opened):
    turn(opened, "plain", "table")
    leave(opened, "wide", 4)
    turn(opened, "image", "code")
    assert printed(opened) == marks(["table", "image", "tall", "code"])
    opened.set_viewport_size(A4)
    opened.emulate_media(media="print")
    assert opened.evaluate(CUT) == []


@pytest.mark.parametrize("answered", [False, True], ids=["question", "answer"])
def test_while_a_session_is_open_every_card_is_on_paper_once_the_asked_one_too(opened, answered):
    study(opened)
    if answered:
        opened.keyboard.press("Space")
        opened.wait_for_selector(".flipcards-ratings")
    assert printed(opened) == marks(MARKS)
    opened.set_viewport_size(A4)
    opened.emulate_media(media="print")
    assert opened.evaluate(CUT) == []
    opened.emulate_media(media="screen")
    assert opened.locator(".flipcards-stage .flipcard").get_attribute("data-card") == "plain"


def test_without_javascript_every_card_is_on_paper(new_context, address):
    opened = new_context(javascript=False).new_page()
    opened.goto(address)
    assert printed(opened) == marks(MARKS)
