"""A deck in other hosts of notebooks: Notebook 7, where it is live, and nbconvert, where it is a page."""

import contextlib
import json
import re
import subprocess
import sys

import pytest
from playwright.sync_api import TimeoutError, expect

LONG = 120_000  # ms, for what a loaded machine may take long to do
DECK = """\
title: Small
cards:
  - {id: one, front: What is $x$?, back: The first.}
  - {id: two, front: Q, back: A}
"""
CELLS = [
    "from flipcards import Deck\ndeck = Deck.load('deck.yml')\ndeck",
    "deck.revealed",
    "from flipcards import Card\nDeck(tuple(Card(f'c{n}', f'Q{n}', f'A{n}') for n in range(900)))",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a deck and a notebook that shows it."""
    folder = tmp_path_factory.mktemp("hosts")
    (folder / "deck.yml").write_text(DECK)
    cells = [
        {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}
        for source in CELLS
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4}
    (folder / "cards.ipynb").write_text(json.dumps(notebook))
    return folder


def test_in_notebook_7_the_cards_are_live_and_python_knows_what_was_turned(
    folder, open_in_notebook, new_context, foreign_requests
):
    page = new_context().new_page()
    page.set_default_timeout(LONG)
    open_in_notebook(page, folder, "cards.ipynb")
    # A kernel can be idle before the cells are drawn, which come one by one.
    cells = page.locator(".jp-CodeCell")
    expect(cells).to_have_count(len(CELLS), timeout=LONG)
    shown, known, large = (cells.nth(place) for place in range(len(CELLS)))
    # Right after a notebook is opened, keys can run nothing: then again.
    begun = shown.get_by_text(re.compile(r"\[[*\d]+\]:")).first
    for _ in range(10):
        shown.locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")
        with contextlib.suppress(TimeoutError):
            begun.wait_for(timeout=10_000)
            break
    cards = shown.locator(".flipcards .flipcard")
    expect(cards).to_have_count(2, timeout=LONG)
    expect(cards.first.locator(".katex").first).to_be_visible()
    cards.first.locator(".flipcard-front").click()
    expect(cards.first.locator(".flipcard-back")).to_be_visible()
    known.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    expect(known.locator(".jp-OutputArea-output")).to_have_text("['one']", timeout=LONG)
    # The cards of a large deck come bit by bit.
    page.keyboard.press("Shift+Enter")
    expect(large.locator(".flipcards-count")).to_have_text("900 cards", timeout=LONG)
    expect(large.locator(".flipcard")).to_have_count(900)
    assert foreign_requests == []


@pytest.mark.parametrize("javascript", [True, False])
def test_nbconvert_makes_a_page_of_cards_that_open_without_a_kernel(folder, new_context, javascript):
    page_file = folder / "cards.html"
    if not page_file.exists():
        options = ["--to", "html", "--execute", "--ExecutePreprocessor.store_widget_state=False"]
        command = [sys.executable, "-m", "nbconvert", *options, "cards.ipynb"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    page = new_context(javascript=javascript).new_page()
    page.goto(page_file.as_uri())
    sections = page.locator("section.flipcards")
    expect(sections).to_have_count(2)
    small, large = sections.all()
    cards = small.locator("details.flipcard")
    expect(cards).to_have_count(2)
    expect(large.locator("details.flipcard")).to_have_count(500)
    expect(page.get_by_text("400 cards more: run the notebook to see them.")).to_be_visible()
    expect(cards.first.locator("math").first).to_be_visible()
    expect(cards.first.locator(".flipcard-back")).to_be_hidden()
    cards.first.locator("summary").click()
    expect(cards.first.locator(".flipcard-back")).to_be_visible()
