"""Hostile texts in JupyterLab with a kernel: the cards run, ask, cover and restyle nothing."""

import dataclasses
import json

import nbformat
import pytest
from flipcards import Card, Deck
from flipcards.deck import DeckError

LONG = 120_000  # ms, for what a loaded machine may take long to do
CELLS = [
    "from IPython.display import HTML\nfrom flipcards import Deck\nfrom flipcards.display import bundle",
    "deck = Deck.load('hostile.yml')",
    "print('Words before.')",
    "deck",
    "HTML(bundle(deck)['text/html'])",  # what a viewer without widgets shows
    "print('Words after.')",
]
# What the notebook looks like around the cards.
SURROUNDINGS = """() => {
    const seen = {};
    const words = [...document.querySelectorAll(".jp-OutputArea-output pre")].filter(
        (line) => line.textContent.startsWith("Words "));
    const places = ["body", "[role=menubar]", ".jp-NotebookPanel-toolbar", ".jp-Notebook", ".cm-content"];
    [...words, ...places.map((place) => document.querySelector(place))].forEach((element, n) => {
        const style = getComputedStyle(element);
        for (const name of style) seen[`${n} ${name}`] = style.getPropertyValue(name);
    });
    return { ...seen, title: document.title, lines: words.length };
}"""
IS_IN_SIGHT = """(line) => {
    const { left, top, height } = line.getBoundingClientRect();
    return line.contains(document.elementFromPoint(left + 5, top + height / 2));
}"""
# A link to the web is followed by nobody here; any other would be.
STAY = """() => addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (link && /^(https?|mailto):$/.test(link.protocol)) event.preventDefault();
}, true)"""


def loads(card, folder):
    """Whether a file can hold this card."""
    try:
        Deck((card,)).save(folder / "try.yml", force=True)
        Deck.load(folder / "try.yml")
    except DeckError:
        return False
    finally:
        (folder / "try.yml").unlink(missing_ok=True)
    return True


@pytest.fixture
def count(lab, root):
    """How many cards hostile.ipynb shows: one for each text that a file can hold, in every field."""
    texts = [
        one["text"] for one in json.loads((root / "tests/flipcards/data/hostile.json").read_text("utf-8"))
    ]

    def names(text, name):
        """The fields that hold names, of which `name` is this text; what no name can be is in no file."""
        return {name: text if name in ("term", "see") else (text,)}

    cards = []
    for i, text in enumerate(text for text in texts if text.strip()):
        card = Card(f"c-{i}", text, text, why=text)
        for name in ("term", "see", "source", "tags"):
            held = dataclasses.replace(card, **names(text, name))
            if loads(held, lab.folder):
                card = dataclasses.replace(card, **names(text, name))
        cards.append(card)
    for name in ("term", "see", "source", "tags"):
        assert sum(bool(getattr(card, name)) for card in cards) > 20, name
    Deck(tuple(cards)).save(lab.folder / "hostile.yml", force=True)
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in CELLS],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(notebook, lab.folder / "hostile.ipynb")
    return len(cards)


def test_in_jupyterlab_hostile_cards_run_nothing_ask_nobody_and_stay_in_their_output(
    lab, root, count, new_context, foreign_requests, wait_until
):
    assert count >= 100
    context = new_context(width=1400, height=1000, reduced_motion="reduce")
    context.add_init_script(path=root / "tests" / "browser" / "hostile.js")
    page = context.new_page()
    page.set_default_timeout(LONG)
    opened = []
    page.on("dialog", lambda dialog: (opened.append(dialog.message), dialog.dismiss()))
    context.on("page", lambda other: opened.append(other.url))
    notebook = lab.open(page, "hostile.ipynb")
    lab.run_all(notebook)
    notebook.locator("section:has(> .flipcards-status)").wait_for(timeout=LONG)
    page.wait_for_function(
        "(count) => document.querySelectorAll('details.flipcard').length === count",
        arg=2 * count,
        timeout=LONG,
    )
    assert page.evaluate("probe.suspicious()") == []

    page.get_by_role("button", name="Flip all").click()
    page.evaluate("probe.turn(true)")
    page.wait_for_function(
        "(count) => document.querySelectorAll('details.flipcard[open]').length === count",
        arg=2 * count,
        timeout=LONG,
    )
    for words in ("Words before.", "Words after."):
        line = notebook.get_by_text(words, exact=True)
        line.scroll_into_view_if_needed()
        wait_until(page, lambda line=line: line.evaluate(IS_IN_SIGHT))
    # The menu above the notebook is still there to be used.
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.keyboard.press("Escape")

    page.evaluate(STAY)
    assert page.evaluate("probe.followLinks()") > 0
    beside_cards = page.evaluate(SURROUNDINGS)
    assert beside_cards["lines"] == 2
    assert page.evaluate("probe.useEverything()") > 4 * count  # and takes the cards away
    assert page.evaluate(SURROUNDINGS) == beside_cards
    page.evaluate("alert('what runs is seen')")
    assert page.evaluate("ran") == [["alert", "what runs is seen"]]
    assert opened == []
    assert foreign_requests == []
