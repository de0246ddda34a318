"""What a reader does with the cards of the site: without JavaScript, on paper, by keyboard, from a search."""

import io
import re

import pypdf
import pytest

CARDS = "chapters/flashcards.html"
IDS = [
    "sft-goal",
    "catastrophic-forgetting",
    "lora-parameters",
    "rlhf-steps",
    "why-reward-model",
    "kl-penalty",
]
# A few words of the question, the answer and the note of each card.
WORDS = {
    "sft-goal": ("primary goal", "adapt a pre-trained", "poor at adding facts"),
    "catastrophic-forgetting": (
        "catastrophic forgetting",
        "loses general knowledge",
        "Mixing old data back in",
    ),
    "lora-parameters": ("trainable parameters", "freezes the original weights", "starts at zero"),
    "rlhf-steps": ("three core steps", "on demonstrations", "can be repeated"),
    "why-reward-model": ("need a reward model", "cannot score the millions", "256k episodes"),
    "kl-penalty": ("KL penalty", "reward hacking", "does not prevent"),
}


# What goes with scrolling does not end by itself.
MOTIONS_END = """() => Promise.all(document.getAnimations()
    .filter((one) => one.timeline === document.timeline)
    .map((one) => one.finished.catch(() => {}))).then(() => null)"""


def squeezed(text):
    return re.sub(r"\s+", " ", text)


def visible_words(page, card):
    return squeezed(page.locator(f"#card-{card}").inner_text())


def test_without_javascript_every_card_opens_and_closes(open_page):
    page = open_page(CARDS, javascript=False)
    assert page.locator("details.flipcard").count() == 6
    for card in IDS:
        question, answer, note = WORDS[card]
        details = page.locator(f"#card-{card}")
        assert question in visible_words(page, card)
        assert answer not in visible_words(page, card)
        details.locator("summary").click()
        assert answer in visible_words(page, card)
        assert note in visible_words(page, card)
        details.locator("summary").click()
        assert answer not in visible_words(page, card)


def test_without_javascript_every_card_has_round_corners(open_page):
    page = open_page(CARDS, javascript=False)
    corners = page.evaluate(
        "[...document.querySelectorAll('.flipcard')].map((card) => getComputedStyle(card).borderRadius)"
    )
    assert len(corners) == 6
    assert len(set(corners)) == 1


def test_on_paper_every_card_has_round_corners(open_page):
    page = open_page(CARDS)
    page.wait_for_selector(".flipcards-status")
    page.emulate_media(media="print")
    corners = page.evaluate(
        "[...document.querySelectorAll('.flipcard')].map((card) => getComputedStyle(card).borderRadius)"
    )
    assert len(corners) == 6
    assert set(corners) == {"12px"}


@pytest.mark.parametrize("opened", [[], ["sft-goal", "kl-penalty"]], ids=["closed", "two open"])
@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])
def test_on_paper_question_answer_and_note_are_there_and_readable(open_page, javascript, opened):
    page = open_page(CARDS, javascript=javascript)
    for card in opened:
        page.locator(f"#card-{card} summary").click()
    pdf = pypdf.PdfReader(io.BytesIO(page.pdf(format="A4")))
    text = squeezed(" ".join(sheet.extract_text() for sheet in pdf.pages))
    for card in IDS:
        for words in WORDS[card]:
            assert words in text
    answers = [text.index(WORDS[card][1]) for card in IDS]
    assert answers == sorted(answers)


def test_a_card_opens_and_closes_by_keyboard(open_page):
    page = open_page(CARDS)
    first = page.locator("#card-sft-goal summary")
    first.focus()
    for key in ("Enter", "Space"):
        page.keyboard.press(key)
        page.wait_for_function("() => document.getElementById('card-sft-goal').open")
        assert WORDS["sft-goal"][1] in visible_words(page, "sft-goal")
        page.keyboard.press(key)
        page.wait_for_function("() => !document.getElementById('card-sft-goal').open")


def test_an_answer_is_there_as_soon_as_its_card_is_open(open_page):
    page = open_page(CARDS)
    page.wait_for_selector(".flipcards-status")
    for _ in range(2):  # once it comes anew, once out of a turn back that has not ended
        words = page.evaluate("""() => {
            const card = document.getElementById("card-sft-goal");
            card.querySelector("summary").click();
            return card.innerText;
        }""")
        assert WORDS["sft-goal"][1] in squeezed(words)
        page.locator("#card-sft-goal summary").press("Enter")
        page.wait_for_function("() => !document.getElementById('card-sft-goal').open")


def test_the_tab_key_reaches_every_card_and_leaves_the_last(open_page):
    page = open_page(CARDS)
    page.locator("#card-sft-goal summary").focus()
    reached = []
    for _ in range(20):
        card = page.evaluate("document.activeElement.closest('.flipcard')?.dataset.card ?? null")
        if card is None:
            break
        reached.append(card)
        page.keyboard.press("Tab")
    assert reached == IDS


@pytest.mark.parametrize(
    "name", ["overview", "flashcards", "cheat-sheet", "vocabulary", "lora", "next-steps", "references"]
)
def test_no_page_scrolls_sideways_on_a_phone(open_page, name):
    page = open_page(f"chapters/{name}.html", width=360, height=740)
    for summary in page.locator("summary.flipcard-front").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_every_card_is_whole_on_a_phone(open_page):
    page = open_page(CARDS, width=360, height=740)
    for card in IDS:
        page.locator(f"#card-{card} summary").click()
    page.evaluate(MOTIONS_END)
    for card in IDS:
        for part in ("summary", ".flipcard-back"):
            box = page.locator(f"#card-{card} {part}").first.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 360
        cut = page.locator(f"#card-{card} .flipcard-back").evaluate(
            "e => e.scrollHeight - e.clientHeight > 2 && getComputedStyle(e).overflowY === 'hidden'"
        )
        assert not cut


def test_the_roots_in_answers_are_drawn(open_page):
    page = open_page("chapters/lora.html", javascript=False)
    for summary in page.locator(".flipcard:has(.katex svg) summary").all():
        summary.click()
    heights = page.eval_on_selector_all(
        ".flipcard .katex svg",
        "drawings => drawings.map((drawing) => drawing.getBoundingClientRect().height)",
    )
    assert heights
    assert min(heights) > 10


def test_the_address_of_a_card_opens_it(open_page):
    page = open_page(f"{CARDS}#card-kl-penalty")
    page.wait_for_function("() => document.getElementById('card-kl-penalty').open")
    assert not page.evaluate("document.getElementById('card-sft-goal').open")
    box = page.locator("#card-kl-penalty").bounding_box()
    assert 0 <= box["y"] < 800
    page.evaluate("location.hash = '#card-sft-goal'")
    page.wait_for_function("() => document.getElementById('card-sft-goal').open")


def test_the_first_screen_starts_the_first_card_in_one_click(open_page):
    page = open_page("chapters/overview.html")
    start = page.get_by_role("link", name="Start with the first card")
    assert start.bounding_box()["y"] < 700
    start.click()
    page.wait_for_url("**/chapters/flashcards.html#six-cards")
    page.wait_for_function("() => document.activeElement.matches('#card-sft-goal > summary')")
    page.wait_for_load_state("load")
    card = page.locator("#card-sft-goal")
    assert card.get_attribute("open") is None, "the reader recalls the answer before it is shown"
    box = card.bounding_box()
    assert 0 < box["y"] < 500
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.getElementById('card-sft-goal').open")


# The words stand in one answer only, so that the hit is that card.
@pytest.mark.parametrize(
    ("words", "card"), [("verbosity flattery", "kl-penalty"), ("repetitive nonsense", "kl-penalty")]
)
def test_the_search_finds_words_of_a_card_and_the_hit_opens_it(open_page, words, card):
    page = open_page(f"search.html?q={words.replace(' ', '+')}")
    hit = page.locator("#search-results a[href*='flashcards']").first
    hit.wait_for()
    hit.click()
    page.wait_for_url("**/flashcards.html*")
    page.wait_for_function(f"() => document.getElementById('card-{card}').open")
    marked = page.locator(f"#card-{card} .highlighted")
    assert {word.lower() for word in marked.all_inner_texts()} >= set(words.split())
    page.wait_for_function(
        f"""() => {{ const box = document.querySelector('#card-{card} .highlighted').getBoundingClientRect();
        return box.top >= 0 && box.bottom <= innerHeight; }}"""
    )


def test_the_search_finds_and_marks_british_words_in_american_spelling(open_page):
    page = open_page("search.html?q=quantization")
    page.locator("#search-results a[href*='chapters/memory.html']").first.click()
    page.wait_for_url("**/memory.html*")
    marked = page.locator("article .highlighted")
    marked.first.wait_for(state="attached")  # a folded cell may hold it
    assert {word.lower() for word in marked.all_text_contents()} == {"quantisation"}


def test_in_an_excerpt_of_the_search_a_term_stands_apart_from_its_definition(open_page):
    page = open_page("search.html?q=quantisation")
    excerpt = page.locator("#search-results .context", has_text="Quantising the constants")
    assert "double quantisation Quantising the constants" in squeezed(excerpt.inner_text())


def test_an_excerpt_of_the_search_begins_with_no_footer_of_another_card(open_page):
    page = open_page("search.html?q=forgetting")
    excerpt = page.locator("#search-results .context", has_text="What is catastrophic forgetting?")
    assert "Report a mistake" not in excerpt.inner_text()
    page.goto(page.url.replace("q=forgetting", "q=report+mistake"))  # words of footers are found all the same
    page.locator("#search-results .context", has_text="Report a mistake").first.wait_for()


def test_an_excerpt_of_the_search_has_each_question_once(open_page):
    """The build writes it again, for the eye, on the other side of the card."""
    page = open_page("search.html?q=catastrophic")
    excerpt = page.locator("#search-results .context", has_text="What is catastrophic forgetting?").first
    assert excerpt.inner_text().count("What is catastrophic forgetting?") == 1


def test_an_excerpt_of_the_search_has_no_words_of_the_buttons_that_show_code(open_page):
    page = open_page("search.html?q=sixteen")
    excerpt = page.locator("#search-results .context", has_text="Training keeps more than the weights.")
    assert "loses. Sixteen bytes per parameter" in squeezed(excerpt.inner_text())


def test_on_a_phone_the_bytes_of_a_parameter_stand_beside_their_names(open_page):
    page = open_page("chapters/memory.html", width=360)
    output = page.locator(".output:has(> table)", has_text="Bytes for one trained parameter.")
    assert output.evaluate("box => box.scrollWidth <= box.clientWidth")


def test_find_in_page_opens_the_card_that_holds_the_words(open_page):
    # window.find does not look into closed cards; a text fragment uses the browser's own find-in-page.
    page = open_page(CARDS + "#:~:text=loses%20general%20knowledge")
    page.wait_for_function("() => document.getElementById('card-catastrophic-forgetting').open")


def test_a_card_in_the_overview_leads_to_its_own_page(open_page):
    page = open_page("chapters/overview.html")
    card = page.locator("details.flipcard[data-card='sft-goal']")
    card.locator("summary").click()
    card.locator(".flipcard-home a").click()
    page.wait_for_url("**/chapters/flashcards.html#card-sft-goal")


def test_every_card_and_every_page_has_a_way_to_report_a_mistake(open_page):
    page = open_page(CARDS)
    for card in IDS:
        report = page.locator(f"#card-{card} .flipcard-report a").get_attribute("href")
        assert "/issues/new?" in report
        assert card in report
    assert page.locator("a[href*='/issues/new']:not(.flipcard *)").count() >= 1


def test_the_cards_ask_no_other_host_and_throw_no_error(open_page, foreign_requests, page_errors):
    page = open_page(CARDS)
    for card in IDS:
        page.locator(f"#card-{card} summary").click()
    page.wait_for_load_state("networkidle")
    assert foreign_requests == []
    assert page_errors == []


def test_the_cards_open_from_a_file_without_a_server(open_page, site, page_errors):
    page = open_page((site / CARDS).as_uri() + "#card-rlhf-steps")
    page.wait_for_function("() => document.getElementById('card-rlhf-steps').open")
    assert page_errors == []


def test_a_turned_card_still_shows_its_question_to_the_eye(open_page):
    page = open_page(CARDS)
    page.locator("#card-kl-penalty summary").click()
    question = page.locator("#card-kl-penalty .flipcard-question")
    question.wait_for()
    assert "What is the KL penalty in PPO for?" in squeezed(question.inner_text())
    assert question.get_attribute("aria-hidden") == "true"
