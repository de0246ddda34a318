"""The launch link in JupyterLab: the chapter is a notebook, its cards open, Python sees which."""

import ast
import re

import pytest
import yaml
from playwright.sync_api import expect

LONG = 120_000  # ms, for what a loaded machine may take long to do


@pytest.fixture(scope="module")
def launch_path(site):
    """What the site's launch button of the flash cards opens."""
    html = (site / "chapters" / "flashcards.html").read_text(encoding="utf-8")
    return re.search(r"urlpath=lab/tree/([^\"&]+)", html)[1]


@pytest.fixture
def notebook(lab, launch_path, new_context):
    """The flash cards' chapter, open in JupyterLab, with every cell run."""
    notebook = lab.open(new_context().new_page(), launch_path)
    lab.run_all(notebook)
    notebook.locator(".jp-OutputArea-output .flipcards .flipcard").first.wait_for(timeout=LONG)
    return notebook


def revealed(notebook):
    """Ask Python, in a new last cell, which cards of the deck shown last were revealed."""
    page = notebook.page
    notebook.locator(".jp-Cell").last.click()
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    expect(notebook.locator(".jp-Cell").last.locator(".cm-content")).to_be_focused()
    page.keyboard.insert_text("print([out for out in Out.values() if hasattr(out, 'revealed')][-1].revealed)")
    page.keyboard.press("Control+Enter")
    output = notebook.locator(".jp-CodeCell").last.locator(".jp-OutputArea-output")
    return ast.literal_eval(output.inner_text(timeout=LONG))


def card_ids(lab):
    deck = yaml.safe_load((lab.folder / "assets" / "decks" / "rapid-recall.yml").read_text(encoding="utf-8"))
    return [card["id"] for card in deck["cards"]]


def test_run_all_shows_the_six_cards_closed(lab, notebook):
    cards = notebook.locator(".flipcards .flipcard")
    expect(cards).to_have_count(6)
    shown = cards.evaluate_all("cards => cards.map(card => card.dataset.card)")
    assert shown == card_ids(lab)
    expect(notebook.locator(".flipcard[open]")).to_have_count(0)
    expect(cards.first.locator(".flipcard-front")).to_be_visible()


def test_cards_open_by_mouse_and_keyboard_and_python_sees_which(lab, notebook):
    first, second, third, *_ = card_ids(lab)

    notebook.locator(f'[data-card="{first}"] .flipcard-front').click()
    expect(notebook.locator(f'[data-card="{first}"] .flipcard-back')).to_be_visible()

    for card, key in ((second, "Enter"), (third, "Space")):
        notebook.locator(f'[data-card="{card}"] .flipcard-front').focus()
        notebook.page.keyboard.press(key)
        expect(notebook.locator(f'[data-card="{card}"] .flipcard-back')).to_be_visible()

    assert revealed(notebook) == [first, second, third]


def test_a_card_closes_by_the_same_key_and_stays_revealed(lab, notebook):
    first = card_ids(lab)[0]
    front = notebook.locator(f'[data-card="{first}"] .flipcard-front')
    back = notebook.locator(f'[data-card="{first}"] .flipcard-back')
    front.focus()
    notebook.page.keyboard.press("Enter")
    expect(back).to_be_visible()
    notebook.page.keyboard.press("Enter")
    expect(back).to_be_hidden()
    assert revealed(notebook) == [first]


def test_a_card_that_is_opened_and_closed_at_once_is_revealed_too(lab, notebook):
    first = card_ids(lab)[0]
    front = notebook.locator(f'[data-card="{first}"] .flipcard-front')
    front.evaluate("front => { front.click(); front.click(); }")  # then there is one `toggle` event of both
    assert revealed(notebook) == [first]


def test_the_live_cards_ask_no_other_host(notebook, foreign_requests):
    expect(notebook.locator(".flipcard")).to_have_count(6)
    assert foreign_requests == []


def test_jupyters_own_keys_do_nothing_while_a_card_has_the_focus(notebook):
    page = notebook.page
    kinds = (
        "cells => cells.map(cell => [...cell.classList].filter(name => /^jp-\\w+Cell$/.test(name)).join())"
    )
    cells = notebook.locator(".jp-Cell")
    before = cells.evaluate_all(kinds)
    front = notebook.locator(".flipcard-front").first
    front.focus()
    opened = False
    for key in ("a", "b", "d", "d", "m", "y", "x", "c", "v", "z", "1", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
        front.press("Enter")  # handled after it
        opened = not opened
        expect(notebook.locator(".flipcard").first).to_have_js_property("open", opened)
        assert cells.evaluate_all(kinds) == before, key
    # Elsewhere they do what they always do.
    cells.last.click()
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    expect(cells).to_have_count(len(before) + 1)


SEEN = """(card) => {
    card.scrollIntoView({ block: "center" });
    const { left, top, width, height } = card.getBoundingClientRect();
    const at = document.elementFromPoint(left + width / 2, top + height / 2);
    if (at.closest(".flipcard-front")) return "front";
    return at.closest(".flipcard") === card ? "back" : "nothing";
}"""


def test_in_jupyterlab_the_cards_are_whole_in_light_and_dark(notebook, violations, wait_until):
    page = notebook.page
    page.emulate_media(reduced_motion="reduce")
    cards = notebook.locator(".flipcards .flipcard")
    look = ".flipcards"

    def show(*expected):
        """Wait until the cards show these sides: JupyterLab itself scrolls and lays out for some time."""
        wait_until(page, lambda: [card.evaluate(SEEN) for card in cards.all()] == list(expected))

    def shown():
        return [card.get_attribute("data-card") for card in cards.all() if card.is_visible()]

    for theme in ("light", "dark"):
        if theme == "dark":
            page.get_by_role("menuitem", name="Settings", exact=True).click()
            page.locator(".lm-Menu-item", has_text=re.compile("^Theme$")).hover()
            page.locator(".lm-Menu-item", has_text=re.compile("^JupyterLab Dark$")).click()
            page.locator("body[data-jp-theme-light=false]").wait_for(state="attached")
        show(*["front"] * 6)
        assert violations(page, include=look) == set(), (theme, "fronts")
        cards.first.locator(".flipcard-front").click()
        show("back", *["front"] * 5)
        assert violations(page, include=look) == set(), (theme, "mixed")
        notebook.get_by_role("button", name="Flip all").click()
        show(*["back"] * 6)
        assert violations(page, include=look) == set(), (theme, "backs")
        notebook.get_by_role("button", name="Flip all").click()
    deck = shown()
    cards.first.locator(".flipcard-front").focus()
    page.keyboard.press("ArrowRight")
    focused = "document.activeElement.closest('.flipcard').dataset.card"
    assert page.evaluate(focused) == deck[1]
    notebook.get_by_role("button", name="lora", exact=True).click()
    assert 0 < len(shown()) < 6
    notebook.get_by_role("button", name="All", exact=True).click()
    notebook.get_by_role("button", name="Shuffle").click()
    assert sorted(shown()) == sorted(deck)
    # The keyboard leaves the cards again.
    cards.last.locator(".flipcard-front").focus()
    for _ in range(4):
        page.keyboard.press("Tab")
    assert not page.evaluate("document.activeElement.matches('.flipcards, .flipcards *')")


TURNING = """---
jupytext: {text_representation: {extension: .md, format_name: myst, format_version: 0.13}}
kernelspec: {display_name: Python 3, language: python, name: python3}
---

```{code-cell} ipython3
import matplotlib.pyplot as plt
from flipcards import Flipbook

def draw(model, rank):
    if rank < 1:
        raise ValueError("rank must be at least 1")
    figure, axes = plt.subplots(figsize=(2, 1.5))
    axes.plot([0, rank])
    return figure, {"parameters": f"{model} {8192 * rank:,}"}

Flipbook(draw, model=["A", "B"], rank=[1, 8, 64]).start(rank=8)
```
"""


def test_a_flipbook_draws_what_its_controls_say_and_shows_what_fails(lab, new_context):
    (lab.folder / "chapters" / "turning.md").write_text(TURNING, encoding="utf-8")
    notebook = lab.open(new_context().new_page(), "chapters/turning.md")
    lab.run_all(notebook)
    shown = notebook.locator(".jp-OutputArea-output .widget-output")
    expect(shown).to_contain_text("parameters: A 65,536", timeout=LONG)
    expect(shown.locator("svg, img").first).to_be_visible()
    notebook.locator(".widget-dropdown select").select_option("B")
    expect(shown).to_contain_text("parameters: B 65,536", timeout=LONG)
    field = notebook.locator(".widget-text input[type=number]")
    field.fill("5")  # not among the values
    field.press("Enter")
    expect(shown).to_contain_text("parameters: B 40,960", timeout=LONG)
    field.fill("0")
    field.press("Enter")
    expect(shown.get_by_role("alert")).to_have_text(
        "model = B, rank = 0: ValueError: rank must be at least 1", timeout=LONG
    )
