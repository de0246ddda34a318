"""After one visit this whole site is there without a network: pages, figures, cards and the search."""

import json

import pytest

NOTE = ".lightbook-offline:has-text('can be read offline')"
# Pictures and fonts that did not arrive.
BROKEN = """async () => {
    const broken = [];
    for (const image of document.images) {
        image.loading = "eager";
        await image.decode().catch(() => broken.push(image.src));
    }
    await document.fonts.ready;
    for (const font of document.fonts) if (font.status === "error") broken.push(font.family);
    return broken;
}"""
# A search has ended, and each result has its excerpt: none is being fetched any more.
FOUND = """() => {
    const has = (result) => result.querySelector(":scope > :is(p, span)") !== null;
    return document.querySelector("#search-results .search-summary").innerText.includes("found")
        && [...document.querySelectorAll("#search-results li")].every(has);
}"""


@pytest.fixture(scope="module")
def kept(site):
    """The paths of the files that are kept."""
    return set(json.loads((site / "lightbook-offline.json").read_text("utf-8"))["files"])


def test_every_chapter_and_every_figure_is_kept_and_nothing_that_no_page_needs(site, kept):
    pages = {path.relative_to(site).as_posix() for path in (site / "chapters").glob("*.html")}
    assert pages < kept
    assert sum(name.startswith("_images/") for name in kept) >= 20
    # Scripts of the cards that are loaded at first use, by an address that stands in an attribute.
    late = [path.relative_to(site).as_posix() for path in site.glob("_static/cards*.js")]
    assert kept.intersection(late)
    assert not [name for name in kept if name.endswith((".map", ".ttf", ".ipynb")) or "locales" in name]
    assert sum((site / name).stat().st_size for name in kept) < 12_000_000


def test_after_one_visit_pages_cards_study_frames_and_search_work_without_a_network(
    site, kept, new_host, new_context, violations, turn_and_study
):
    host = new_host(site, "/course/")
    context = new_context(service_workers="allow")
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(host.address("chapters/overview.html"))
    page.locator(NOTE).wait_for()
    assert violations(page) == set()  # with the note
    host.stop()

    def note(request):
        if not request.url.endswith("lightbook-offline.json"):  # the worker asks for news, no page does
            failed.append(request.url)

    errors, failed = [], []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    context.on("requestfailed", note)
    for name in sorted(name for name in kept if name.endswith(".html") and name != "404.html"):
        page.goto(host.address(name))
        page.locator("h1:visible").first.wait_for()
        assert page.evaluate(BROKEN) == [], name
        assert (errors, failed) == ([], []), name

    page.goto(host.address("chapters/flashcards.html#card-kl-penalty"))
    page.wait_for_function("() => document.getElementById('card-kl-penalty').open")
    turn_and_study(page)

    page.goto(host.address("chapters/rlhf-loop.html"))
    figure = page.locator("figure:has(.flipbook)").first
    picture, slider = figure.locator(".flipbook-picture"), figure.get_by_role("slider")
    shown = set()
    for _ in range(int(slider.get_attribute("max")) + 1):
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth > 0)")
        shown.add(picture.get_attribute("src"))
        slider.press("ArrowRight")
    assert len(shown) > 2
    assert (errors, failed) == ([], [])

    page.goto(host.address("chapters/today.html"))
    page.locator(".flipcards-start").wait_for()

    page.goto(host.address("chapters/flashcards.html"))
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Control+k")
    page.locator("dialog#pst-search-dialog[open]").wait_for()
    page.keyboard.type("flattery")
    page.keyboard.press("Enter")
    page.locator("#search-results .context:has-text('flattery')").first.wait_for()
    page.wait_for_function(FOUND)
    page.locator("#search-results a[href*='flashcards']").first.click()
    page.wait_for_selector(".flipcard[open] .highlighted")
    assert (errors, failed) == ([], [])


def test_on_a_plain_host_nothing_is_kept_and_cards_study_navigation_and_search_work(
    site, new_host, browser, turn_and_study
):
    host = new_host(site, "/course/")
    context = browser.new_context(service_workers="allow")
    context.set_default_timeout(60_000)
    errors = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    page = context.new_page()
    page.goto(host.address("chapters/flashcards.html", "plain.test"))
    assert not page.evaluate("isSecureContext")
    assert page.locator("link[rel=manifest]").count() == 0
    turn_and_study(page)

    page.goto(host.address("chapters/overview.html", "plain.test"))
    page.locator(".bd-sidebar-primary").get_by_role("link", name="LoRA").first.click()
    page.wait_for_url("**/chapters/lora.html")
    page.locator(".dropdown-download-buttons > button").click()
    page.locator(".dropdown-download-buttons .dropdown-item").first.wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("flattery")
    page.keyboard.press("Enter")
    page.locator("#search-results .context:has-text('flattery')").first.wait_for()
    page.locator("#search-results a[href*='flashcards']").first.click()
    page.wait_for_selector(".flipcard[open] .highlighted")
    assert page.locator(".lightbook-offline").first.inner_text() == ""
    assert "lightbook-worker.js" not in host.asked
    assert errors == []
    context.close()
