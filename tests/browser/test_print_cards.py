"""Cards on paper: a list that breaks well over pages, turned or not, whatever is filtered."""

import io
import re
from pathlib import Path

import flipcards
import pypdf
import pytest
from flipcards import Card, Deck, page

STATIC = Path(flipcards.__file__).parent / "static"
LONG = " ".join(["and so on,"] * 60)
CARDS = [
    Card(
        f"c{number}",
        f"Question Q{number}Z?",
        f"Answer A{number}Z {LONG if number % 7 == 0 else ''}",
        f"Why W{number}Z.",
        tags=("odd" if number % 2 else "even",),
    )
    for number in range(60)
]


@pytest.fixture
def sheets(new_context, serve, tmp_path):
    """A function that opens the cards, does something with the page, and returns the text of each sheet."""
    for name in ("cards.js", "flipcards.css"):
        (tmp_path / name).write_bytes((STATIC / name).read_bytes())
    (tmp_path / "index.html").write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Cards</title>'
        '<link rel="stylesheet" href="flipcards.css"><script type="module" src="cards.js"></script></head>'
        f"<body><main><h1>Cards</h1>{page.section(Deck(tuple(CARDS)))}</main></body></html>",
        encoding="utf-8",
    )
    address = serve(tmp_path)

    def sheets(do, **options):
        opened = new_context(**options).new_page()
        opened.goto(f"{address}/index.html")
        if options.get("javascript", True):
            opened.wait_for_selector(".flipcards-status", state="attached")
            wait_for_shown(opened, len(CARDS))
        do(opened)
        opened.evaluate(
            "Promise.allSettled(document.getAnimations().map((turn) => turn.finished)).then(() => 0)"
        )
        pdf = pypdf.PdfReader(io.BytesIO(opened.pdf(format="A4")))
        return [sheet.extract_text() for sheet in pdf.pages]

    return sheets


def wait_for_shown(opened, count):
    """Wait until so many cards are shown: many are laid out in several tasks."""
    opened.wait_for_function(
        """count => [...document.querySelectorAll(".flipcard")]
            .filter((card) => card.checkVisibility()).length === count""",
        arg=count,
    )


def turned(opened):
    """Turn a few cards."""
    for card in ("c0", "c1", "c8"):
        opened.locator(f"[data-card={card}] .flipcard-front").click()


def filtered(opened):
    """Leave half of the cards."""
    opened.get_by_role("button", name=re.compile("even")).click()
    wait_for_shown(opened, len(CARDS) // 2)


def marks(numbers):
    """What stands on paper of these cards, in order."""
    return [f"{side}{number}Z" for number in numbers for side in "QAW"]


def test_a_filtered_deck_is_printed_as_it_is_filtered(sheets):
    text = "".join(sheets(filtered))
    assert re.findall(r"[QAW]\d+Z", text) == marks(range(0, len(CARDS), 2))


def test_without_javascript_every_card_is_printed(sheets):
    text = "".join(sheets(lambda opened: None, javascript=False))
    assert re.findall(r"[QAW]\d+Z", text) == marks(range(len(CARDS)))


def test_turned_or_not_a_card_stands_whole_on_a_sheet_and_no_sheet_is_wasted(sheets):
    printed = sheets(turned)
    for side in "QAW":
        found = re.findall(rf"{side}\d+Z", "".join(printed))
        assert found == [f"{side}{number}Z" for number in range(len(CARDS))]
    for number in range(len(CARDS)):
        on = [at for at, text in enumerate(printed) if re.search(f"[QAW]{number}Z", text)]
        assert len(on) == 1, f"card {number} is on sheets {on}"
    assert 5 < len(printed) < 20
    assert all(len(re.findall(r"Q\d+Z", text)) >= 2 for text in printed[:-1])


def test_the_ring_of_the_focus_stays_off_paper(sheets):
    rings = []

    def focus(opened):
        opened.locator(".flipcard-front").first.focus()
        opened.keyboard.press("ArrowRight")
        ring = """() => [...document.querySelectorAll(".flipcard, .flipcard-front")]
            .filter((part) => getComputedStyle(part).outlineStyle !== "none").length"""
        rings.append(opened.evaluate(ring))
        opened.emulate_media(media="print")
        rings.append(opened.evaluate(ring))

    sheets(focus)
    assert rings == [1, 0]
