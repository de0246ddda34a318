"""A session of study in Chromium: question, answer, rating; what is kept, undone, hidden, and said."""

import json
import re
from datetime import datetime, timedelta

import pytest
from flipcards import Deck
from flipcards.page import section
from flipcards.sphinx import STATIC

DECK = """\
title: Tiny
cards:
  - {id: sft, front: What does SFT train on?, back: Prompt and response pairs., tags: [sft, data]}
  - {id: lora, front: What does LoRA freeze?, back: "[Weights](https://example.org).", tags: [lora]}
  - {id: kl, front: What does the KL penalty hold?, back: The policy., why: Near the reference., tags: [rlhf]}
  - {id: rm, front: What does a reward model learn?, back: Preferences of people., tags: [rlhf, data]}
"""
POLICY = "default-src 'self'; style-src 'self'; img-src data:"
IDS = ["sft", "lora", "kl", "rm"]
NOON = datetime.fromisoformat("2026-11-24T12:00:00+01:00")


@pytest.fixture(scope="module")
def pages(serve, tmp_path_factory):
    """The folder of a page with two decks, and its address."""
    folder = tmp_path_factory.mktemp("study")
    for file in STATIC.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "one.yml").write_text(DECK, encoding="utf-8")
    (folder / "two.yml").write_text(
        "cards:\n  - {id: ppo, front: 'What does PPO clip?', back: The ratio.}\n", encoding="utf-8"
    )
    one, two = (Deck.load(folder / f"{name}.yml") for name in ("one", "two"))
    write(folder / "index.html", section(one, ids=True), section(two, ids=True))
    write(folder / "twice.html", section(one, ids=True), section(one))
    return folder, serve(folder)


def write(file, *decks):
    file.write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Cards</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        '<link rel="stylesheet" href="flipcards.css">'
        '<script defer src="cards.js" data-study="study.js" data-book="tiny" data-today="today.html">'
        "</script></head>"
        f"<body><main><h1>Cards</h1>{''.join(decks)}</main></body></html>",
        encoding="utf-8",
    )


@pytest.fixture
def new_reader(new_context, pages):
    """A function that makes a reader: a function that opens the page in a tab, at a time, in one profile."""

    def new_reader(**options):
        context = new_context(timezone_id="Europe/Berlin", **options)

        def tab(*, at=NOON, script="", address=None):
            page = context.new_page()
            page.clock.install(time=at)
            if script:
                page.add_init_script(script)
            page.goto(address or f"{pages[1]}/index.html")
            return page

        return tab

    return new_reader


def study(page, deck="one"):
    """Begin a session and wait for its first card."""
    page.locator(f"[data-deck={deck}]").get_by_role("button", name="Study").click()
    page.wait_for_selector(".flipcards-stage > *")


def asked(page):
    """The id of the card that is asked; None at the end of the session."""
    return page.evaluate("document.querySelector('.flipcards-stage .flipcard')?.dataset.card ?? null")


def answer(page, *keys):
    """Show the answer and rate it, card by card."""
    for key in keys:
        page.keyboard.press("Space")
        page.wait_for_selector(".flipcards-ratings")
        page.keyboard.press(key)


def log_of(page):
    """The entries of the log, by the file that a reader downloads."""
    dialog = page.locator("dialog.flipcards-options")
    # One that was closed goes a moment later, and gives the focus back; until then no role finds it.
    dialog.wait_for(state="detached")
    page.keyboard.press("o")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download progress").click()
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert download.value.suggested_filename == "progress.jsonl"
    return [json.loads(line) for line in download.value.path().read_text("utf-8").splitlines()]


def end_of(page):
    return re.sub(r"\s+", " ", page.locator(".flipcards-end").inner_text())


# --- One card after another -------------------------------------------------------------------------


def test_a_card_is_rated_only_after_its_answer_was_shown(new_reader, page_errors):
    page = new_reader()()
    study(page)
    assert asked(page) == "sft"
    stage = page.locator(".flipcards-stage")
    assert "Prompt and response" not in stage.inner_text()
    assert page.get_by_role("button", name="Good").count() == 0
    for key in "1234":
        page.keyboard.press(key)
    assert asked(page) == "sft"
    page.get_by_role("button", name="Show answer").click()
    stage.get_by_text("Prompt and response").wait_for()
    names = page.locator(".flipcards-ratings button").all_inner_texts()
    assert [re.sub(r"\s+", " ", name) for name in names] == [
        "Again <1 min 1",
        "Hard <6 min 2",
        "Good <10 min 3",
        "Easy 9 d 4",
    ]
    page.get_by_role("button", name="Good").click()
    assert asked(page) == "lora"
    (entry,) = log_of(page)
    assert (entry["kind"], entry["card"], entry["rating"]) == ("review", "sft", 3)
    assert entry["offset_minutes"] == 60
    assert entry["at"].startswith("2026-11-24T11:")
    assert entry["decided"]["state"] == "learning"
    assert page_errors == []


def test_a_whole_session_by_keyboard_ends_with_what_was_learned_and_when_to_return(new_reader):
    page = new_reader()()
    study(page)
    answer(page, "4", "4", "4", "3")
    assert asked(page) == "rm", "the one in learning comes back"
    page.keyboard.press("Space")
    page.keyboard.press("Space")  # Good
    assert asked(page) is None
    said = end_of(page)
    assert "5 reviews of 4 cards" in said
    assert "4 new cards begun" in said
    assert re.search(r"cards? (is|are) due (tomorrow|in \d+ days)\.", said)
    assert page.evaluate("document.activeElement.className") == "flipcards-end"
    said = page.locator(".flipcards-session [role=status]").inner_text()
    assert said.startswith("Done for now. ")
    assert ".." not in said
    assert page.get_by_role("link", name="Go to Today").get_attribute("href") == "today.html"
    page.keyboard.press("Escape")
    assert page.locator(".flipcards-session").count() == 0
    assert page.evaluate("document.activeElement.textContent") == "Study"
    assert page.locator("[data-deck=one] .flipcard").first.is_visible()


def test_a_key_held_down_shows_one_answer_and_rates_nothing(new_reader):
    page = new_reader()()
    study(page)
    for _ in range(5):
        page.keyboard.down("Space")
    page.keyboard.up("Space")
    assert asked(page) == "sft"
    page.wait_for_selector(".flipcards-ratings")
    for _ in range(5):
        page.keyboard.down("3")
    page.keyboard.up("3")
    assert asked(page) == "lora"
    assert page.get_by_role("button", name="Show answer").is_visible()


def test_a_click_on_the_card_shows_the_answer_and_another_one_the_question_again(new_reader):
    page = new_reader()()
    study(page)
    page.locator(".flipcards-stage summary").click()
    page.wait_for_selector(".flipcards-ratings")
    is_open = "document.querySelector('.flipcards-stage .flipcard').open"
    assert page.evaluate(is_open)
    page.locator(".flipcards-stage .flipcard-back").click(position={"x": 20, "y": 20})
    assert not page.evaluate(is_open)
    assert page.locator(".flipcards-ratings").is_visible()


def test_arrows_move_along_the_ratings(new_reader):
    page = new_reader()()
    study(page)
    page.keyboard.press("Space")
    page.wait_for_selector(".flipcards-ratings")
    reached = []
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
        reached.append(page.evaluate("document.activeElement.dataset.rating"))
    assert reached == ["3", "4", "4", "3", "2"]
    page.keyboard.press("Enter")
    assert log_of(page)[0]["rating"] == 2


def test_the_keys_are_listed_and_none_of_them_reaches_the_page_around(new_reader):
    page = new_reader()()
    page.evaluate(
        "addEventListener('keydown', (event) => (window.seen = [...(window.seen ?? []), event.key]))"
    )
    study(page)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    assert "Again, Hard, Good, Easy" in dialog.inner_text()
    page.keyboard.press("Escape")
    assert dialog.count() == 0
    for key in ("Space", "f", "s", "u", "ArrowRight", "u"):
        page.keyboard.press(key)
    assert asked(page) == "sft"
    assert page.evaluate("window.seen ?? []") == []


def test_tab_leaves_the_session_in_both_directions(new_reader):
    page = new_reader()()
    study(page)
    outside = "document.activeElement.closest('.flipcards-session') === null"
    for key in ("Tab", "Shift+Tab"):
        page.locator(".flipcards-stage summary").focus()
        for _ in range(12):
            page.keyboard.press(key)
            if page.evaluate(outside):
                break
        assert page.evaluate(outside), key


# --- The schedule ------------------------------------------------------------------------------------


def test_a_reload_finds_the_cards_scheduled_and_a_day_later_they_are_due(new_reader, leave):
    tab = new_reader()
    page = tab()
    study(page)
    answer(page, "3", "4", "4", "4", "3")  # the first two are Good, the rest comes back in days
    leave(page)
    page = tab()
    study(page)
    assert "Nothing to study now" in end_of(page)
    page.close()
    page = tab(at=NOON + timedelta(days=60))
    study(page)
    assert asked(page) in IDS
    assert page.locator(".flipcards-sum").inner_text().startswith("0 done · 4 left")


def test_undo_brings_back_card_and_schedule_to_the_first_step(new_reader):
    page = new_reader()()
    study(page)
    undo = page.get_by_role("button", name="Undo")
    assert undo.is_disabled()
    answer(page, "4")
    page.keyboard.press("b")
    assert asked(page) == "kl"
    page.keyboard.press("u")
    assert (asked(page), page.locator(".flipcards-ratings").count()) == ("lora", 0)
    page.keyboard.press("u")
    assert asked(page) == "sft"
    assert page.locator(".flipcards-ratings").is_visible(), "it is rated anew at once"
    assert undo.is_disabled()
    assert "Easy 9 d" in re.sub(r"\s+", " ", page.locator(".flipcards-ratings").inner_text())
    log = log_of(page)
    assert [entry["kind"] for entry in log] == ["review", "bury", "undo", "undo"]
    assert [entry["undoes"] for entry in log[2:]] == [log[1]["id"], log[0]["id"]]


def test_a_buried_card_comes_back_tomorrow_and_a_suspended_one_when_it_is_called(new_reader, leave):
    tab = new_reader()
    page = tab()
    study(page)
    page.keyboard.press("b")
    assert "Hidden until tomorrow" in page.locator(".flipcards-session [role=status]").first.inner_text()
    page.keyboard.press("s")
    assert asked(page) == "kl"
    leave(page)
    page = tab()
    study(page)
    assert asked(page) == "kl"
    page.close()
    page = tab(at=NOON + timedelta(days=1))
    study(page)
    assert asked(page) == "sft"
    page.keyboard.press("b")
    assert asked(page) == "kl"
    page.keyboard.press("o")
    page.get_by_role("button", name="Bring them back").click()
    assert "1 card brought back." in page.get_by_role("dialog").inner_text()
    page.get_by_role("button", name="Study these").click()
    assert asked(page) == "lora"


def test_cram_asks_every_card_and_writes_nothing(new_reader):
    page = new_reader()()
    study(page)
    page.keyboard.press("o")
    page.get_by_label("Cram").check()
    page.get_by_role("button", name="Study these").click()
    assert page.get_by_text("Cram: nothing is recorded").is_visible()
    answer(page, "1", "3", "3", "3")
    assert asked(page) == "sft", "what was forgotten is asked again"
    answer(page, "4")
    assert "Nothing was recorded" in end_of(page)
    assert log_of(page) == []


def test_cards_are_chosen_by_tag_in_the_bar_and_by_tag_and_kind_in_the_options(new_reader):
    page = new_reader()()
    page.locator("[data-deck=one]").get_by_role("button", name="rlhf").click()
    study(page)
    assert page.locator(".flipcards-sum").inner_text().startswith("0 done · 2 left")
    assert asked(page) == "kl"
    page.locator("[data-deck=one]").get_by_role("button", name="Browse").click()
    page.locator("[data-deck=one]").get_by_role("button", name="All", exact=True).click()
    study(page)
    answer(page, "1")
    page.keyboard.press("o")
    page.get_by_role("combobox", name="Cards", exact=True).select_option("Due only")
    page.get_by_role("button", name="Study these").click()
    assert page.locator(".flipcards-sum").inner_text().startswith("0 done · 1 left")
    assert asked(page) == "sft"
    page.keyboard.press("o")
    page.get_by_role("combobox", name="Tag").select_option("rlhf")
    page.get_by_role("combobox", name="Cards", exact=True).select_option("New only")
    page.get_by_role("button", name="Study these").click()
    assert page.locator(".flipcards-sum").inner_text().startswith("0 done · 2 left")


def test_settings_are_checked_used_and_remembered_for_the_book(new_reader):
    tab = new_reader()
    page = tab()
    study(page)
    page.keyboard.press("o")
    dialog = page.get_by_role("dialog", name="Options")
    for label, wrong, right, message in (
        ("New cards a day", "many", "2", "whole number of new cards"),
        ("Desired retention", "100", "80 %", "70 to 99"),
        ("Learning steps", "0", "2 20", "whole minutes"),
    ):
        field = dialog.get_by_label(label)
        field.fill(wrong)
        field.press("Tab")
        assert message in dialog.get_by_role("status").inner_text()
        assert field.get_attribute("aria-invalid") == "true"
        field.fill(right)
        field.press("Tab")
        assert field.get_attribute("aria-invalid") is None
    page.get_by_role("button", name="Study these").click()
    assert page.locator(".flipcards-sum").inner_text().startswith("0 done · 2 left")
    page.close()
    page = tab()
    study(page)
    page.keyboard.press("Space")
    names = re.sub(r"\s+", " ", page.locator(".flipcards-ratings").inner_text())
    assert "Again <2 min" in names
    assert "Good <20 min" in names
    page.keyboard.press("4")
    answer(page, "4")
    assert "2 new cards are left" in end_of(page)
    page.get_by_role("button", name="Learn 2 more new cards").click()
    assert asked(page) == "kl"


def test_leaving_the_options_takes_what_was_typed_and_shows_once_what_makes_no_sense(new_reader):
    page = new_reader()()
    study(page)
    page.keyboard.press("o")
    dialog = page.get_by_role("dialog", name="Options")
    dialog.get_by_label("Desired retention").fill("80")
    new = dialog.get_by_label("New cards a day")
    new.fill("many")
    page.keyboard.press("Escape")
    said = "from 0 to 9999. Close once more to leave it as it was."
    assert said in dialog.get_by_role("status").inner_text()
    assert new.evaluate("field => field === document.activeElement")
    dialog.get_by_role("button", name="Close").click()
    dialog.wait_for(state="detached")
    page.keyboard.press("o")
    assert dialog.get_by_label("New cards a day").input_value() == "10"
    assert dialog.get_by_label("Desired retention").input_value() == "80"
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")


def test_the_meter_moves_with_each_rating_also_where_a_card_comes_again(new_reader):
    page = new_reader()()
    study(page)
    answer(page, "3")  # Good, of a new card: it comes again in this session
    assert page.locator(".flipcards-sum").inner_text().startswith("0 done · 4 left, 1 of them again")
    assert page.locator(".flipcards-meter").evaluate("meter => [meter.value, meter.max]") == [0.5, 4]


def test_a_suspended_card_is_not_counted_as_done(new_reader):
    page = new_reader()()
    study(page)
    page.keyboard.press("s")
    assert page.locator(".flipcards-sum").inner_text().startswith("0 done · 3 left")
    answer(page, "4")
    assert page.locator(".flipcards-sum").inner_text().startswith("1 done · 2 left")


# --- Progress is shared, saved and loaded --------------------------------------------------------------


def test_a_card_rated_in_one_tab_is_passed_over_in_another(new_reader):
    tab = new_reader()
    one, two = tab(), tab()
    for page in (one, two):
        study(page)
    assert (asked(one), asked(two)) == ("sft", "sft")
    one.bring_to_front()
    answer(one, "4")
    two.locator(".flipcards-stage .flipcard[data-card=lora]").wait_for()
    assert two.locator(".flipcards-sum").inner_text().startswith("0 done · 3 left")


def test_a_card_rated_in_one_session_of_a_page_is_not_asked_at_once_in_another(new_reader, pages):
    page = new_reader()(address=f"{pages[1]}/twice.html")
    for at in (0, 1):
        page.locator("[data-deck=one]").nth(at).get_by_role("button", name="Study").click()
    first, second = (page.locator("[data-deck=one]").nth(at).locator(".flipcards-stage") for at in (0, 1))
    second.locator(".flipcard[data-card=sft]").wait_for()
    first.locator("summary").focus()
    answer(page, "1")
    # It is due again in a minute: neither session has it before the others.
    for session in (first, second):
        session.locator(".flipcard[data-card=lora]").wait_for()
    second.locator("summary").focus()
    answer(page, "4", "4", "4")
    first.locator(".flipcard[data-card=sft]").wait_for()
    assert [entry["card"] for entry in log_of(page)] == ["sft", "lora", "kl", "rm"]


def test_progress_is_downloaded_and_loaded_twice_with_the_effect_of_once(new_reader, tmp_path):
    page = new_reader()()
    study(page)
    answer(page, "4", "1")
    entries = log_of(page)
    file = tmp_path / "progress.jsonl"
    file.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")

    other = new_reader()()
    study(other)
    assert asked(other) == "sft"
    other.keyboard.press("o")
    dialog = other.get_by_role("dialog")
    for said in ("2 entries loaded, 0 known already.", "Nothing new: all its 2 entries are known already."):
        dialog.get_by_label("Load progress").set_input_files(file)
        dialog.get_by_text(said).wait_for()
    other.keyboard.press("Escape")
    assert asked(other) == "lora", "what was rated there is passed over here"
    assert log_of(other) == entries


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<html>no log</html>\n", r"notes\.txt:1: .*Nothing was changed\."),
        ('{"schema": 1, "id": 5}\n', r"notes\.txt:1: .*lower case\. Nothing was changed\."),
        ("", r"notes\.txt: the file is empty; choose a file of progress\. Nothing was changed\."),
    ],
    ids=["foreign", "damaged", "empty"],
)
def test_a_file_that_is_no_log_is_refused_with_place_and_reason(new_reader, tmp_path, content, message):
    page = new_reader()()
    study(page)
    page.keyboard.press("o")
    file = tmp_path / "notes.txt"
    file.write_text(content, encoding="utf-8")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Load progress").set_input_files(file)
    dialog.locator(".flipcards-said.flipcards-fault").wait_for()
    assert re.search(message, dialog.get_by_role("status").inner_text())
    page.keyboard.press("Escape")
    assert log_of(page) == []


def test_of_a_file_that_is_cut_off_the_whole_lines_are_loaded_when_the_reader_says_so(new_reader, tmp_path):
    page = new_reader()()
    study(page)
    answer(page, "4", "1")
    entries = log_of(page)
    file = tmp_path / "progress.jsonl"
    file.write_text("".join(json.dumps(entry) + "\n" for entry in entries) + '{"schema": 1, "id', "utf-8")
    other = new_reader()()
    study(other)
    other.keyboard.press("o")
    dialog = other.get_by_role("dialog")
    dialog.get_by_label("Load progress").set_input_files(file)
    dialog.get_by_text("progress.jsonl:3: the last line is cut off").wait_for()
    assert "can be kept. Nothing was changed." in dialog.get_by_role("status").inner_text()
    assert other.locator(".flipcards-sum").inner_text().startswith("0 done · 4 left")
    dialog.get_by_role("button", name="Load the 2 entries before it").click()
    dialog.get_by_text("2 entries loaded, 0 known already.").wait_for()
    other.keyboard.press("Escape")
    assert log_of(other) == entries


REFUSED = """for (const name of ["localStorage", "sessionStorage", "indexedDB"]) {
    Object.defineProperty(window, name, { get() { throw new DOMException("refused", "SecurityError"); } });
}"""


def test_where_nothing_is_kept_study_works_says_so_and_offers_the_file(new_reader, page_errors):
    page = new_reader()(script=REFUSED)
    study(page)
    notice = page.locator(".flipcards-notice")
    notice.wait_for()
    assert "Progress is not kept" in notice.inner_text()
    answer(page, "4", "4", "4", "4")
    assert "4 new cards begun" in end_of(page)
    with page.expect_download() as download:
        notice.get_by_role("button", name="Download progress").click()
    assert len(download.value.path().read_text("utf-8").splitlines()) == 4
    assert page_errors == []


def test_the_browser_is_asked_to_keep_progress_once_and_after_a_whole_session(new_reader):
    page = new_reader()(
        script="navigator.storage.persist = async () => Boolean((window.asked = (window.asked ?? 0) + 1))"
    )
    study(page)
    answer(page, "4", "4", "4")
    assert page.evaluate("window.asked") is None
    answer(page, "4")
    assert page.evaluate("window.asked") == 1
    page.keyboard.press("Escape")
    study(page, "two")
    answer(page, "4")
    assert page.evaluate("window.asked") == 1


# --- Hosts ---------------------------------------------------------------------------------------------


def test_study_is_loaded_at_first_use_only_and_a_failure_is_said(new_reader, pages):
    page = new_reader()()
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.route("**/study.js", lambda route: route.abort())
    assert page.evaluate("'flipcardsStudy' in window") is False
    page.locator("[data-deck=one]").get_by_role("button", name="Study").click()
    page.get_by_text("The study session could not be loaded.").wait_for(state="attached")
    assert page.locator("[data-deck=one] .flipcard").first.is_visible()
    page.unroute("**/study.js")
    study(page)
    page.keyboard.press("Escape")
    study(page, "two")
    assert asked(page) == "ppo"
    assert sum(url.endswith("study.js") for url in requests) == 2


def test_a_session_runs_on_a_page_opened_as_a_file(new_reader, pages, page_errors):
    page = new_reader()(address=(pages[0] / "index.html").as_uri())
    study(page)
    answer(page, "4", "4")
    assert asked(page) == "kl"
    assert page_errors == []


def test_a_session_leaves_the_cards_of_the_page_as_they_were(new_reader):
    page = new_reader()()
    page.wait_for_selector(".flipcards-status")
    cards = "document.querySelector('[data-deck=one]').innerHTML"
    before = page.evaluate(cards)
    study(page)
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))
    answer(page, "4", "4")
    page.keyboard.press("Escape")
    assert page.evaluate(cards) == before


def test_a_link_to_a_card_ends_the_session_and_opens_it(new_reader):
    page = new_reader()()
    study(page)
    page.evaluate("location.hash = '#card-kl'")
    page.wait_for_function("() => document.getElementById('card-kl').open")
    assert page.locator(".flipcards-session").count() == 0
    assert page.locator("#card-kl").is_visible()


def test_controls_are_as_large_as_a_finger_on_a_phone_and_nothing_is_wider(new_reader):
    page = new_reader(width=360, has_touch=True)()
    small = """[...document.querySelectorAll(".flipcards-session :is(button, summary, input, select, label)")]
        .filter((control) => control.checkVisibility() && !control.matches("label input, .flipcards-field"))
        .filter((control) => control.offsetHeight < 44 || control.offsetWidth < 44)
        .map((control) => [control.textContent, control.offsetWidth, control.offsetHeight])"""
    study(page)
    assert page.evaluate(small) == []
    page.locator(".flipcards-stage summary").tap()
    page.wait_for_selector(".flipcards-ratings")
    assert page.evaluate(small) == []
    page.get_by_role("button", name="Options").tap()
    page.get_by_role("dialog", name="Options").wait_for()
    assert page.evaluate(small) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_without_motion_nothing_moves_in_a_session(new_reader):
    page = new_reader(reduced_motion="reduce")()
    study(page)
    page.keyboard.press("Space")
    page.wait_for_selector(".flipcards-ratings")
    assert page.evaluate("document.getAnimations({ subtree: true }).length") == 0
