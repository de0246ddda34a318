"""Under the Content-Security-Policy that its pages carry, this site works: nothing on it is refused."""

import pytest
from playwright.sync_api import expect

POLICY = 'meta[http-equiv="Content-Security-Policy"]'


@pytest.fixture
def page(new_context):
    """A page that keeps to its policy; what that refuses is an error in the console."""
    return new_context().new_page()


def test_every_page_carries_a_policy_that_refuses_nothing_on_it(site, server, page, page_errors):
    names = [
        path.relative_to(site).as_posix() for path in site.rglob("*.html") if "_static" not in path.parts
    ]
    # One leads to the first page at once, one is for addresses that are none and is written from their root.
    names = [name for name in names if name not in ("index.html", "404.html")]
    assert len(names) > 20
    for name in names:
        page.goto(f"{server}/{name}")
        assert page.locator(POLICY).count() == 1, name
        page.evaluate("document.fonts.ready")
        assert page_errors == [], name


def test_a_script_that_the_policy_does_not_know_does_not_run(server, page, page_errors, wait_until):
    page.goto(f"{server}/chapters/flashcards.html")
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
        }"""
    )
    assert page.evaluate("window.ran") is None
    wait_until(page, lambda: any("Content Security Policy" in error for error in page_errors))


def test_cards_study_figures_menus_and_search_work_under_it(server, page, page_errors):
    page.goto(f"{server}/chapters/flashcards.html")
    first = page.locator("#card-sft-goal")
    first.locator(".flipcard-front").click()
    expect(first.locator(".flipcard-back")).to_be_visible()
    page.get_by_role("button", name="Study", exact=True).click()
    asked = page.locator(".flipcards-stage .flipcard")
    first_asked = asked.get_attribute("data-card")
    page.get_by_role("button", name="Show answer").click()
    page.locator(".flipcards-ratings button").nth(2).click()
    expect(asked).not_to_have_attribute("data-card", first_asked)

    page.goto(f"{server}/chapters/rlhf-loop.html")
    figure = page.locator("figure:has(.flipbook)").first
    before = figure.locator(".flipbook-picture").get_attribute("src")
    figure.get_by_role("slider").press("ArrowRight")
    expect(figure.locator(".flipbook-picture")).not_to_have_attribute("src", before)
    page.locator(".dropdown-launch-buttons > button").click()
    expect(page.locator(".dropdown-launch-buttons .dropdown-menu")).to_be_visible()

    page.goto(f"{server}/chapters/today.html")
    expect(page.locator(".flipcards-start")).to_be_visible()

    page.goto(f"{server}/search.html?q=flattery")
    expect(page.locator("#search-results a[href*='flashcards']").first).to_be_visible()
    assert page_errors == []
