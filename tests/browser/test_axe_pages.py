"""axe-core finds nothing to mend: on each kind of page, with what opens open, light, dark and on a phone."""

import re

import pytest
from bs4 import BeautifulSoup

KINDS = {
    "first page": "chapters/overview.html",
    "cards": "chapters/flashcards.html",
    "lab": "chapters/memory.html",  # of those that have all that labs have, the shortest
    "tables": "chapters/cheat-sheet.html",
    "glossary": "chapters/vocabulary.html",
    "references": "chapters/references.html",
    "search": "search.html?q=reward",
    "index": "genindex.html",
    "no page": "no/such/page",
}
DIALOGS = {
    ".primary-toggle": "#pst-primary-sidebar-modal",
    ".secondary-toggle": "#pst-secondary-sidebar-modal",
    ".search-button__button": "#pst-search-dialog",
}
MENUS = ("launch", "source", "download")


@pytest.fixture(scope="module")
def host(site, new_host):
    """The site below the path that its 404 page names."""
    base = BeautifulSoup((site / "404.html").read_text("utf-8"), "html.parser").find("base")["href"]
    return new_host(site, base)


# What goes with scrolling has an end too, but does not come to it by itself.
MOTIONS_END = """() => Promise.all(document.getAnimations()
    .filter((one) => one.timeline === document.timeline)
    .map((one) => one.finished.catch(() => {})))"""


def settle(page):
    """Wait until nothing moves or fades: half a fade is a contrast that nobody reads."""
    page.wait_for_load_state()
    page.evaluate(MOTIONS_END)


@pytest.mark.parametrize("kind", KINDS)
def test_no_fault_in_a_whole_page(host, new_context, violations, kind):
    page = new_context(dark=kind in {"lab", "search", "no page"}).new_page()
    page.goto(host.address(KINDS[kind]))
    if kind == "search":
        page.locator("#search-results li .context").first.wait_for()
    for fold in page.locator("article details > summary:visible").all()[:8]:
        fold.click()
    found = {}
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        for again in (False, True):
            page.locator(".theme-switch-button:visible").first.click()
            page.mouse.move(0, 0)
            settle(page)
            theme = page.evaluate("document.documentElement.dataset.theme")
            found[width, theme] = violations(page, colours_only=again)
    assert {theme for _, theme in found} == {"light", "dark"}
    assert found == {state: set() for state in found}


def send_without_scripts(route):
    """Answer with the page as a browser without JavaScript has it; axe-core itself needs one with it."""
    answer = route.fetch()
    route.fulfill(response=answer, body=re.sub(r"<script\b.*?</script>", "", answer.text(), flags=re.DOTALL))


@pytest.mark.parametrize("kind", ["first page", "cards", "lab", "tables", "no page"])
def test_no_fault_of_colours_without_scripts(host, new_context, violations, kind):
    page = new_context().new_page()
    address = host.address(KINDS[kind])
    page.route(address, send_without_scripts)
    page.goto(address)
    assert page.locator("script").count() == 0
    found = {}
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        settle(page)
        found[width] = violations(page, colours_only=True)
    assert found == {1280: set(), 360: set()}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_fault_in_what_opens_and_escape_closes_it(host, new_context, violations, dark):
    page = new_context(dark=dark).new_page()
    page.goto(host.address(KINDS["cards"]))
    found = {}
    for menu in MENUS:
        button = page.locator(f".dropdown-{menu}-buttons > button")
        button.focus()
        page.keyboard.press("Enter")
        item = page.locator(f".dropdown-{menu}-buttons .dropdown-item").first
        item.wait_for()
        settle(page)
        found[menu] = violations(page, colours_only=dark)
        page.keyboard.press("Escape")
        item.wait_for(state="hidden")
        assert button.evaluate("button => button === document.activeElement")
    page.set_viewport_size({"width": 360, "height": 740})
    for button, dialog in DIALOGS.items():
        page.locator(f"{button}:visible").first.focus()
        page.keyboard.press("Enter")
        page.locator(f"{dialog}[open]").wait_for()
        settle(page)
        found[dialog] = violations(page, colours_only=dark)
        page.keyboard.press("Escape")
        page.locator(f"{dialog}[open]").wait_for(state="detached")
    assert found == {state: set() for state in found}


def test_the_first_tab_stop_skips_to_the_text(host, new_context, wait_until):
    for kind in ("lab", "no page"):
        page = new_context().new_page()
        page.goto(host.address(KINDS[kind]))
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.innerText") == "Skip to main content"
        link = page.locator("#pst-skip-link a")
        wait_until(page, lambda link=link: link.bounding_box()["y"] >= 0)  # it slides in
        page.keyboard.press("Enter")
        page.wait_for_url(host.address(f"{KINDS[kind]}#main-content"))
        page.keyboard.press("Tab")
        assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
