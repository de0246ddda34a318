"""Hostile cards in JupyterLab with a kernel: the widget and its plain HTML run, ask and cover nothing."""

import json

import nbformat
import pytest
from flipcards import Card, Deck

SECOND = 1_000
CELLS = [
    "from IPython.display import HTML\nfrom flipcards import Deck, page\ndeck = Deck.load('hostile.yml')",
    "print('Words before.')",
    "deck",
    "HTML(page.section(deck))",
    "print('Words after.')",
]


@pytest.fixture
def hostile_notebook(lab, root):
    """A notebook beside a deck that has every hostile text that a file can hold; returns how many cards."""
    texts = [e["text"] for e in json.loads((root / "tests/flipcards/data/hostile.json").read_text("utf-8"))]
    texts = [text for text in texts if text.strip()]
    cards = [
        Card(f"c-{i}", text, text, why=text, tags=() if set(text) & set(" \n\t\xa0\u2028") else (text,))
        for i, text in enumerate(texts)
    ]
    Deck(tuple(cards)).save(lab.folder / "hostile.yml", force=True)
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), lab.folder / "hostile.ipynb")
    return len(cards)


def test_in_jupyterlab_hostile_cards_run_nothing_ask_nobody_and_stay_in_their_output(
    lab, root, hostile_notebook, new_context, foreign_requests
):
    context = new_context(width=1400, height=1000, reduced_motion="reduce")
    context.add_init_script(path=root / "tests" / "browser" / "hostile.js")
    dialogs = []
    page = context.new_page()
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(lab.tree("hostile.ipynb"))
    notebook = page.locator(".jp-NotebookPanel:visible")
    notebook.wait_for(timeout=60 * SECOND)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60 * SECOND)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    notebook.get_by_text("Words after.", exact=True).wait_for(timeout=60 * SECOND)
    notebook.locator(".flipcards-turning").wait_for(timeout=60 * SECOND)
    assert notebook.locator("details.flipcard").count() == 2 * hostile_notebook

    assert page.evaluate("probe.suspicious()") == []
    page.get_by_role("button", name="Flip all").click()
    page.evaluate("probe.turn(true)")
    shell = page.evaluate("document.querySelector('#jp-main-dock-panel, #main') !== null && document.title")
    assert shell
    for words in ("Words before.", "Words after."):
        line = notebook.get_by_text(words, exact=True)
        line.scroll_into_view_if_needed()
        assert line.evaluate(
            """(line) => {
                const { left, top, height } = line.getBoundingClientRect();
                return line.contains(document.elementFromPoint(left + 5, top + height / 2));
            }"""
        )
    # The menu above the notebook is still there to be used.
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.keyboard.press("Escape")
    assert foreign_requests == []
    page.evaluate("probe.useEverything()")
    assert page.evaluate("ran") == []
    assert dialogs == []
