"""Study in JupyterLab: Python has every rating that is said to be saved, whatever happens to its kernel."""

import json
import os
import signal

import nbformat
from playwright.sync_api import expect

SAID = ".flipcards-line [role=status]"
LONG = 300_000  # ms, for what a loaded machine may take long to do

DECK = """
from pathlib import Path
from flipcards import Card, Deck
deck = Deck(tuple(Card(f"card-{n}", f"Number {n}?", f"It is {n}.") for n in range(COUNT)))
session = deck.study(PROGRESS, new_per_day=2000, fuzz=False)
session
"""
TELL = "import os; Path('kernel.pid').write_text(str(os.getpid()))"

# Rates as fast as the session goes, in a task each; the messages to Python have room between them.
# However fast it is, some are left for when the kernel has been killed.
RATE = """
async () => {
  const press = (selector) => document.querySelector(`.flipcards ${selector}`).click();
  const killed = new Promise((resolve) => { window.go = resolve; });
  for (let rated = 0; rated < 1000; rated++) {
    if (rated === 600) await killed;
    press(".flipcards-show");
    press(".flipcards-rating-1"); // Again: the session never ends
    await new Promise((resolve) => setTimeout(resolve));
  }
}
"""
# The entries that wait in the browser, by id.
OUTBOX = """
() => new Promise((resolve, reject) => {
  const opening = indexedDB.open("flipcards:outbox");
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const asked = opening.result.transaction("entries").objectStore("entries").getAll();
    asked.onsuccess = () => {
      opening.result.close();
      resolve(asked.result.map(({ id }) => id));
    };
  };
})
"""


def write_notebook(lab, name, *cells):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.strip()) for cell in cells])
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
    }
    nbformat.write(notebook, lab.folder / name)


def open_notebook(lab, page, name):
    notebook = lab.open(page, name)
    lab.run_all(notebook)
    notebook.locator(".flipcards .flipcards-line[data-link=live]").first.wait_for(timeout=LONG)
    return notebook


def ids_in(path):
    """The ids of a log's lines, twice where they are there twice; the last line may be cut off."""
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [json.loads(line)["id"] for line in lines]


def python_says(notebook, expression):
    """What an expression gives in a new last cell."""
    page = notebook.page
    notebook.locator(".jp-CodeCell .jp-InputArea-prompt").last.click()
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    expect(notebook.locator(".jp-CodeCell").last.locator(".cm-content")).to_be_focused()
    page.keyboard.insert_text(f"import json; print(json.dumps({expression}))")
    page.keyboard.press("Control+Enter")
    output = notebook.locator(".jp-CodeCell").last.locator(".jp-OutputArea-output")
    return json.loads(output.inner_text(timeout=LONG))


def answer(cell, *keys):
    """Answer cards by keyboard, each with a key."""
    page = cell.page
    for key in keys:
        page.keyboard.press("Space")
        cell.locator(".flipcards-ratings").wait_for()
        page.keyboard.press(key)
        cell.locator(".flipcards-ratings").wait_for(state="detached")


def begin(cell):
    """Begin to study, and wait for the first question, which comes in sight where a grid of cards was."""
    cell.get_by_role("button", name="Study", exact=True).click()
    question = cell.locator(".flipcards-session .flipcard")
    question.wait_for(timeout=LONG)
    cell.page.wait_for_timeout(500)  # the notebook lays out anew
    expect(question).to_be_in_viewport(ratio=0.5)


def test_cards_are_rated_by_keyboard_and_two_views_and_two_tabs_share_one_log(
    lab, new_context, foreign_requests
):
    code = DECK.replace("COUNT", "30").replace("PROGRESS", "'few.jsonl'")
    write_notebook(lab, "few.ipynb", code, "session")
    context = new_context()
    notebook = open_notebook(lab, context.new_page(), "few.ipynb")
    cells = notebook.locator(".jp-CodeCell")
    begin(cells.nth(0))
    answer(cells.nth(0), "1", "3", "4")
    notebook.page.keyboard.press("u")
    for cell in range(2):  # the other one is a view of the same session
        expect(cells.nth(cell).locator(SAID)).to_have_text("Saved in few.jsonl: 4 entries", timeout=LONG)
    assert len(ids_in(lab.folder / "few.jsonl")) == 4
    assert python_says(notebook, "[one['rating'] for one in session.reviews]") == [1, 3]
    assert python_says(notebook, "[session.stats['counts'][state] for state in ('new', 'learning')]") == [
        28,
        2,
    ]

    notebook.page.keyboard.press("Control+s")
    expect(notebook.page.locator(".jp-mod-dirty")).to_have_count(0, timeout=LONG)
    other = lab.open(context.new_page(), "few.ipynb").locator(".jp-CodeCell").nth(0)
    expect(other.locator(SAID)).to_have_text("Saved in few.jsonl: 4 entries", timeout=LONG)
    begin(other)
    answer(other, "4")
    for cell in (other, cells.nth(0)):
        expect(cell.locator(SAID)).to_have_text("Saved in few.jsonl: 5 entries", timeout=LONG)
    assert len(set(ids_in(lab.folder / "few.jsonl"))) == len(ids_in(lab.folder / "few.jsonl")) == 5
    assert foreign_requests == []


def test_a_kernel_killed_amid_a_thousand_ratings_loses_none(lab, new_context, wait_until):
    code = DECK.replace("COUNT", "30").replace("PROGRESS", "'many.jsonl'")
    write_notebook(lab, "many.ipynb", code, TELL)
    # A thousand turning cards, painted without a graphics card, are most of the test's time.
    page = new_context(width=800, height=500, reduced_motion="reduce").new_page()
    page.add_locator_handler(  # that the kernel has died
        page.locator(".jp-Dialog"), lambda dialog: dialog.locator(".jp-mod-accept").click()
    )
    notebook = open_notebook(lab, page, "many.ipynb")
    log = lab.folder / "many.jsonl"
    line = notebook.locator(".flipcards-line")
    begin(notebook)
    page.evaluate(f"() => {{ window.rating = ({RATE})(); }}")
    page.wait_for_function("document.querySelector('.flipcards-line').dataset.saved >= 200", timeout=LONG)
    os.kill(int((lab.folder / "kernel.pid").read_text()), signal.SIGKILL)
    page.evaluate("window.go()")
    notebook.locator(".flipcards-line[data-link=gone]").wait_for(timeout=LONG)
    page.evaluate("window.rating")

    # What the reader was told is saved is in the file; the rest waits, and the page says so.
    saved, waiting = (int(line.get_attribute(f"data-{name}")) for name in ("saved", "waiting"))
    assert 200 <= saved <= 600
    assert saved + waiting == 1000
    expect(line).to_contain_text(f"{waiting} ratings wait in this browser")
    wait_until(page, f"async () => (await ({OUTBOX})()).length === {waiting}")
    kept = page.evaluate(OUTBOX)
    written = ids_in(log)
    assert len(written) == len(set(written))
    assert len(set(written) | set(kept)) == 1000
    with page.expect_download() as download:
        line.get_by_role("button", name="Download progress").click()
    assert len(set(ids_in(download.value.path()))) == 1000

    # The next kernel gets what the last one did not.
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=LONG)
    lab.run_all(notebook)
    expect(notebook.locator(SAID)).to_have_text("Saved in many.jsonl: 1,000 entries", timeout=LONG)
    written = ids_in(log)
    assert len(written) == len(set(written)) == 1000
    assert set(kept) < set(written)
    assert python_says(notebook, "len(session.reviews)") == 1000
    wait_until(page, f"async () => (await ({OUTBOX})()).length === 0")
