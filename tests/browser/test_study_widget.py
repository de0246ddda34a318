"""The widget of a session in Chromium, its Python beside it: what the browser keeps until Python has it."""

import json
import re
from pathlib import Path

import pytest
from flipcards import Card, Deck, reviews
from flipcards.widget import STATIC
from playwright.sync_api import expect

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "widgets" / "flipcards" / "node_modules" / "axe-core" / "axe.min.js"
LONG = 60_000  # ms

DECK = Deck(tuple(Card(f"card-{n}", f"Number {n}?", f"It is {n}.") for n in range(20)))

# A host as anywidget sees it: a model whose kernel is the function `kernel` of the test.
PAGE = """<!doctype html>
<html lang="en" data-theme="light">
<title>A notebook</title>
<style>body { font-family: sans-serif } %(css)s</style>
<main></main>
<script type="application/json">%(state)s</script>
<script type="module">
  import widget from "./flipcards.js";
  const state = JSON.parse(document.querySelector("script").textContent);
  const heard = [];
  const slots = [];
  const model = {
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; },
    save_changes() {},
    on(name, callback) { if (name === "msg:custom") heard.push(callback); },
    off() {},
    send(message) {
      kernel(message).then((answers) => {
        for (const answer of answers) for (const callback of heard) callback(answer);
      });
    },
    widget_manager: { kernel: { statusChanged: { connect: (slot) => slots.push(slot), disconnect() {} } } },
  };
  window.becomes = (status) => slots.forEach((slot) => slot(null, status));
  await widget.render({ model, el: document.querySelector("main") });
</script>
"""
OUTBOX = """
() => new Promise((resolve, reject) => {
  const opening = indexedDB.open("flipcards:outbox");
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const asked = opening.result.transaction("entries").objectStore("entries").getAllKeys();
    asked.onsuccess = () => {
      opening.result.close();
      resolve(asked.result.map(([, id]) => id));
    };
  };
})
"""
DELETE = """
() => new Promise((resolve) => { indexedDB.deleteDatabase("flipcards:outbox").onsuccess = resolve; })
"""


class Kernel:
    """A Python with a session. Nobody answers while it is not `there`; it is `killed` for good."""

    def __init__(self, path):
        self.session = DECK.study(path)
        self.there = True

    def answer(self, message):
        answers = []
        if self.there:
            self.session.receive(message, answers.append)
        return answers


@pytest.fixture
def log(tmp_path):
    return tmp_path / "progress.jsonl"


@pytest.fixture
def open_notebook(tmp_path, serve, new_context):
    """A function that shows a kernel's session on a page of a browser context, and begins to study."""
    (tmp_path / "flipcards.js").write_bytes((STATIC / "flipcards.js").read_bytes())
    css = "".join((STATIC / name).read_text("utf-8") for name in ("flipcards.css", "study.css"))
    address = serve(tmp_path)

    def open_notebook(kernel, context=None):
        widget = kernel.session.widget
        state = {"html": widget.html, "study": widget.study, "settings": widget.settings}
        text = PAGE % {"css": css, "state": json.dumps(state).replace("<", "\\u003c")}
        (tmp_path / "index.html").write_text(text, "utf-8")
        page = (context or new_context()).new_page()
        page.expose_function("kernel", kernel.answer)
        page.goto(f"{address}/index.html")
        page.get_by_role("button", name="Study", exact=True).click()
        page.locator(".flipcards-session .flipcard").wait_for()
        return page

    return open_notebook


def rate(page, *keys):
    for key in keys:
        page.keyboard.press("Space")
        page.locator(".flipcards-ratings").wait_for()
        page.keyboard.press(key)
        page.locator(".flipcards-ratings").wait_for(state="detached")


# In one task, so that no time passes in which Python might be taken to be gone. Gives what is said then.
RATE_THREE = """() => {
  const press = (selector) => document.querySelector(`.flipcards ${selector}`).click();
  for (let rated = 0; rated < 3; rated++) {
    press(".flipcards-show");
    press(".flipcards-rating-3");
  }
  return document.querySelector(".flipcards-line [role=status]").textContent;
}"""


def says(page, text):
    expect(page.locator(".flipcards-line [role=status]")).to_have_text(re.compile(text), timeout=LONG)


def kill(page, kernel):
    kernel.there = False
    page.evaluate("becomes('autorestarting')")


def ids(path):
    return [json.loads(line)["id"] for line in path.read_text("utf-8").splitlines()]


def test_what_a_dead_kernel_missed_is_downloaded_or_delivered_to_the_next(
    log, open_notebook, new_context, wait_until
):
    context = new_context()
    kernel = Kernel(log)
    page = open_notebook(kernel, context)
    rate(page, "3", "4")
    says(page, r"^Saved in progress.jsonl: 2 entries$")
    kill(page, kernel)
    says(page, "^Python has stopped")
    rate(page, "1", "3")
    says(page, "2 ratings wait in this browser")
    wait_until(page, f"async () => (await ({OUTBOX})()).length === 2")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download progress").click()
    assert len(set(ids(download.value.path()))) == 4
    assert len(ids(log)) == 2
    page.close()

    page = open_notebook(Kernel(log), context)
    says(page, r"^Saved in progress.jsonl: 4 entries$")
    assert sorted(ids(log)) == sorted(set(ids(download.value.path())))
    wait_until(page, f"async () => (await ({OUTBOX})()).length === 0")


def test_a_busy_kernel_is_said_not_to_answer_and_gets_everything_when_it_does(log, open_notebook):
    kernel = Kernel(log)
    page = open_notebook(kernel)
    expect(page.locator(".flipcards-line")).to_have_attribute("data-link", "live")
    kernel.there = False
    assert page.evaluate(RATE_THREE) == "3 ratings on the way to progress.jsonl"
    says(page, "^Python does not answer: it is busy, or gone. 3 ratings wait")
    kernel.there = True
    says(page, r"^Saved in progress.jsonl: 3 entries$")
    assert len(reviews.read(log)) == len(ids(log)) == 3


def test_a_reason_python_has_is_shown_and_the_rating_arrives_when_it_is_gone(log, open_notebook):
    page = open_notebook(Kernel(log))
    rate(page, "3")
    says(page, ": 1 entry$")
    good = log.read_bytes()
    log.write_bytes(b"spoilt\n" + good)
    rate(page, "3")
    says(page, r"^Python could not keep a rating: .*progress.jsonl:1: this line is no JSON")
    log.write_bytes(good)
    says(page, ": 2 entries$")
    assert len(ids(log)) == 2


def test_the_outbox_outlives_the_deletion_of_its_database(log, open_notebook, new_context, wait_until):
    context = new_context()
    kernel = Kernel(log)
    page = open_notebook(kernel, context)
    page.evaluate(DELETE)
    kill(page, kernel)
    rate(page, "3")
    wait_until(page, f"async () => (await ({OUTBOX})()).length === 1")
    page.close()
    says(open_notebook(Kernel(log), context), ": 1 entry$")


def test_a_browser_that_keeps_nothing_says_so_when_python_is_away(log, open_notebook, new_context):
    context = new_context()
    context.add_init_script("Object.defineProperty(window, 'indexedDB', { value: undefined })")
    kernel = Kernel(log)
    page = open_notebook(kernel, context)
    rate(page, "3")
    says(page, ": 1 entry$")
    expect(page.locator(".flipcards-session > .flipcards-notice")).to_be_hidden()
    kill(page, kernel)
    rate(page, "4")
    notice = page.locator(".flipcards-session > .flipcards-notice")
    expect(notice).to_contain_text("This browser keeps nothing for a notebook")
    with page.expect_download() as download:
        notice.get_by_role("button", name="Download progress").click()
    assert len(ids(download.value.path())) == 2


def test_two_notebooks_on_one_file_show_each_others_ratings_when_they_are_looked_at(log, open_notebook):
    one, two = open_notebook(Kernel(log)), open_notebook(Kernel(log))
    rate(two, "3", "3")
    says(two, ": 2 entries$")
    one.bring_to_front()
    one.evaluate("dispatchEvent(new Event('focus'))")
    says(one, ": 2 entries$")
    rate(one, "3")
    says(one, ": 3 entries$")
    assert len(set(ids(log))) == len(ids(log)) == 3


def test_axe_finds_nothing_while_python_answers_and_when_it_is_gone(log, open_notebook):
    kernel = Kernel(log)
    page = open_notebook(kernel)
    page.evaluate(AXE.read_text("utf-8"))
    for _ in range(2):
        found = page.evaluate("axe.run('.flipcards')")
        assert found["violations"] == []
        kill(page, kernel)
        says(page, "^Python has stopped")
