"""Under the Content-Security-Policy that its pages carry, this site works: nothing on it is refused."""

import re

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import expect

POLICY = 'meta[http-equiv="Content-Security-Policy"]'


@pytest.fixture
def page(new_context):
    """A page that keeps to its policy; what that refuses is an error in the console."""
    return new_context().new_page()


# In full, but for the hashes of what stands in a page. To some browsers, one opened from a disk has no self.
DIRECTIVES = {
    "default-src": {"'self'", "file:"},
    "script-src": {"'self'", "file:"},
    "style-src-elem": {"'self'", "file:"},
    "style-src-attr": {"'unsafe-inline'"},
    "style-src": {"'self'", "file:", "'unsafe-inline'"},
    "img-src": {"'self'", "file:", "data:", "blob:"},
    "font-src": {"'self'", "file:", "data:"},
    "media-src": {"'self'", "file:", "data:", "blob:"},
    "worker-src": {"'self'", "file:", "blob:"},
    "base-uri": {"'self'", "file:"},
}
HASHED = {"script-src", "style-src-elem"}
HASH = re.compile(r"'sha256-[A-Za-z0-9+/]{43}='")


def test_the_policy_of_every_page_allows_what_is_its_own_and_nothing_else(site):
    seen = set()
    for path in site.rglob("*.html"):
        name = path.relative_to(site).as_posix()
        # Of files that are no pages, the theme's, and of the one that leads to the first page there is none.
        if "_static" in path.parts or name == "index.html":
            continue
        page = BeautifulSoup(path.read_text("utf-8"), "html.parser")
        metas = page.select("meta[http-equiv=Content-Security-Policy i]")
        assert len(metas) == 1, name
        # It binds only what comes after it.
        assert not metas[0].find_all_previous(["script", "style", "link"]), name
        directives = [directive.split() for directive in metas[0]["content"].split(";")]
        assert [directive[0] for directive in directives] == [*DIRECTIVES], name
        for directive, *sources in directives:
            hashes = {source for source in sources if HASH.fullmatch(source)}
            assert {*sources} - hashes == DIRECTIVES[directive], (name, directive)
            assert not hashes or directive in HASHED, (name, directive)
        seen.add(name)
    assert {"404.html", "search.html", "genindex.html", "chapters/flashcards.html"} <= seen
    assert len(seen) > 20


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


def test_cards_study_figures_menus_and_search_work_under_it(server, page, page_errors, turn_and_study):
    page.goto(f"{server}/chapters/flashcards.html")
    turn_and_study(page)

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
