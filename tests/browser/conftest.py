"""Opens pages of the built site in Chromium."""

import pytest
from playwright.sync_api import expect


@pytest.fixture
def open_page(new_context, server):
    """A function that opens a page of the site in a fresh context and returns Playwright's `Page`.

    `path` is relative to the site (`chapters/flashcards.html#card-sft-goal`), or a whole address
    (`file:` too). The options are those of `new_context`.
    """

    def open_page(path="index.html", **options):
        page = new_context(**options).new_page()
        page.goto(path if ":" in path.split("/")[0] else f"{server}/{path}")
        return page

    return open_page


# A reading waits for all writing that has begun.
READ = """() => new Promise((done, failed) => {
  const book = document.querySelector("script[data-book]").dataset.book;
  const opening = indexedDB.open(`flipcards:${book}`);
  opening.onerror = () => failed(opening.error);
  opening.onsuccess = () => {
    const reading = opening.result.transaction("blocks").objectStore("blocks").count();
    reading.onsuccess = () => {
      opening.result.close();
      done(reading.result);
    };
  };
})"""


@pytest.fixture
def leave():
    """A function that closes a page, once what was rated on it is on disk."""

    def leave(page):
        page.evaluate(READ)
        page.close()

    return leave


@pytest.fixture
def turn_and_study():
    """A function that turns a card of the flash cards in a page, and rates one in a session."""

    def turn_and_study(page):
        page.locator("#card-sft-goal summary").click()
        answer = page.locator("#card-sft-goal .flipcard-back")
        expect(answer).to_contain_text("adapt a pre-trained")
        expect(answer).to_be_visible()

        page.get_by_role("button", name="Study", exact=True).click()
        asked = page.locator(".flipcards-stage .flipcard")
        first = asked.get_attribute("data-card")
        page.get_by_role("button", name="Show answer").click()
        page.locator(".flipcards-ratings button").nth(2).click()
        expect(asked).not_to_have_attribute("data-card", first)

    return turn_and_study
