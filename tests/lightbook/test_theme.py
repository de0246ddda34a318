"""Each fault of the theme, seen in a default book and gone with the extension."""

import pytest

PHONE = {"width": 360, "height": 740}
CHAPTER = "a:text-is('Code page')"


def still_shows(page, inside):
    """Whether this is visible when all that a click does is done: for what should not change."""
    page.wait_for_timeout(300)
    return page.locator(inside).first.is_visible()


def click(page, button):
    """Click the visible button of this kind; returns the page."""
    page.locator(f"{button}:visible").first.click()
    return page


def test_on_a_phone_the_navigation_opens_and_escape_closes_it(faulty, mended, open_page, violations):
    inside = f"#pst-primary-sidebar-modal {CHAPTER}"
    assert not still_shows(click(open_page(faulty, "intro.html", **PHONE), ".primary-toggle"), inside)
    page = click(open_page(mended, "intro.html", **PHONE), ".primary-toggle")
    page.locator(inside).first.wait_for()
    assert violations(page) == set()
    page.keyboard.press("Escape")
    page.locator(inside).wait_for(state="hidden")


def test_on_a_phone_the_contents_open_and_escape_closes_them(faulty, mended, open_page, violations):
    inside = "#pst-secondary-sidebar-modal a:text-is('Second')"
    assert not still_shows(click(open_page(faulty, "intro.html", **PHONE), ".secondary-toggle"), inside)
    page = click(open_page(mended, "intro.html", **PHONE), ".secondary-toggle")
    page.locator(inside).first.wait_for()
    assert violations(page) == set()
    page.keyboard.press("Escape")
    page.locator(inside).wait_for(state="hidden")


def test_on_a_desktop_the_sidebar_closes_and_opens(faulty, mended, open_page):
    sidebar = "#pst-primary-sidebar"
    assert still_shows(click(open_page(faulty, "intro.html"), ".primary-toggle"), sidebar)
    page = click(open_page(mended, "intro.html"), ".primary-toggle")
    page.locator(sidebar).wait_for(state="hidden")
    click(page, ".primary-toggle")
    page.locator(sidebar).wait_for(state="visible")


def follow_first_hit(page, word, *, marks=True):
    """Search for a word and follow the first hit; returns what is highlighted there.

    Something is waited for, unless nothing `marks` it.
    """
    page.locator(".search-button__button:visible").first.click()
    page.keyboard.type(word)
    page.keyboard.press("Enter")
    page.locator("#search-results li a").first.click()
    page.wait_for_url(lambda address: "search.html" not in address, wait_until="load")
    if marks:
        page.locator("span.highlighted").first.wait_for(state="attached")
    return page.locator("span.highlighted").all_inner_texts()


def test_the_words_of_a_search_are_highlighted_where_it_leads(faulty, mended, open_page, violations):
    assert follow_first_hit(open_page(faulty, "intro.html"), "kangaroo", marks=False) == []
    page = open_page(mended, "intro.html")
    assert follow_first_hit(page, "kangaroo") == ["kangaroo", "kangaroo"]
    assert violations(page) == set()
    page.get_by_text("Hide Search Matches").click()
    assert page.locator("span.highlighted").count() == 0
    page.reload()
    assert page.locator("span.highlighted").count() == 0


def test_highlighting_leaves_the_navigation_alone(mended, open_page):
    page = open_page(mended, "intro.html")
    assert follow_first_hit(page, "plain")
    assert page.locator(".bd-sidebar-primary span.highlighted").count() == 0


@pytest.mark.parametrize(
    ("name", "width", "dark"),
    [
        ("plain.html", 1280, False),
        ("plain.html", 360, True),
        ("code.html", 1280, True),
        ("code.html", 360, False),
        ("search.html", 1280, False),
        ("search.html", 360, True),
        ("genindex.html", 1280, True),
    ],
)
def test_axe_finds_no_fault_in_a_whole_page(mended, open_page, violations, name, width, dark):
    page = open_page(mended, name, width=width, dark=dark)
    page.wait_for_timeout(300)
    assert violations(page) == set()


def test_axe_finds_these_faults_in_a_default_book(faulty, open_page, violations):
    page = open_page(faulty, "code.html")
    page.wait_for_timeout(300)
    found = {"empty-table-header", "label-content-name-mismatch", "region", "summary-name"}
    assert violations(page) == found


NAMES = {
    "search button": ("plain.html", "button.search-button-field:visible", "Search"),
    "colour button": ("plain.html", "button.theme-switch-button", "Color mode"),
    "code": ("code.html", "details.hide summary", "Show code cell source"),
    "chevron": ("plain.html", "nav summary", "Math page"),
    "sidebar": ("plain.html", "#pst-primary-sidebar", "A tiny book"),
}


def accessible(page, selector):
    """Name and role of an element as assistive technology gets them."""
    page.locator(selector).first.evaluate("element => element.setAttribute('data-probe', '')")
    devtools = page.context.new_cdp_session(page)
    root = devtools.send("DOM.getDocument")["root"]["nodeId"]
    node = devtools.send("DOM.querySelector", {"nodeId": root, "selector": "[data-probe]"})["nodeId"]
    tree = devtools.send("Accessibility.getPartialAXTree", {"nodeId": node, "fetchRelatives": False})
    return tree["nodes"][0]["name"]["value"], tree["nodes"][0]["role"]["value"]


@pytest.mark.parametrize("what", NAMES)
def test_controls_are_called_what_they_show(faulty, mended, open_page, what):
    name, selector, expected = NAMES[what]
    assert accessible(open_page(mended, name), selector)[0] == expected
    if what not in {"search button", "colour button"}:
        assert accessible(open_page(faulty, name), selector)[0] != expected


def test_the_sidebar_is_a_landmark(faulty, mended, open_page):
    assert accessible(open_page(faulty, "plain.html"), "#pst-primary-sidebar")[1] == "generic"
    assert accessible(open_page(mended, "plain.html"), "#pst-primary-sidebar")[1] == "complementary"


@pytest.mark.parametrize("dark", [False, True])
def test_the_colours_are_right_before_the_theme_s_script_has_run(faulty, mended, open_page, dark):
    def without_script(page):
        page.route("**/*.js*", lambda route: route.abort())

    theme = "document.documentElement.dataset.theme"
    assert open_page(faulty, "plain.html", before=without_script, dark=dark).evaluate(theme) == ""
    expected = "dark" if dark else "light"
    assert open_page(mended, "plain.html", before=without_script, dark=dark).evaluate(theme) == expected


def test_a_chosen_colour_mode_stays(mended, open_page):
    page = open_page(mended, "plain.html")
    page.locator(".theme-switch-button:visible").first.click()
    assert page.evaluate("document.documentElement.dataset.mode") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_mode_is_no_error_at_first(faulty, open_page, page_errors, wait_until):
    page = open_page(faulty, "plain.html")
    # test_private sees none in a mended book.
    wait_until(page, lambda: any("invalid theme mode" in error for error in page_errors))


def test_a_page_without_an_icon_says_so(faulty, mended):
    assert 'rel="icon"' not in faulty.html("plain.html")
    assert mended.html("plain.html").count('rel="icon" href="data:,"') == 1


def test_an_excerpt_shows_sentences_and_code_only_for_words_that_stand_nowhere_else(mended, open_page):
    expected = {
        "hello": "The page says hello to its reader.",
        "intslider": "ipywidgets.IntSlider()",
        "macro": "Inline a2 and b1, a macro x∈R and one with an argument",
    }
    for word, text in expected.items():
        page = open_page(mended, f"search.html?q={word}")
        excerpt = page.locator("#search-results .context").first.inner_text()
        assert text in excerpt
        assert ("print(" in excerpt) == (word == "intslider")
        assert "\\" not in excerpt


def test_the_field_of_the_search_page_leaves_its_icon_free(mended, open_page):
    form = open_page(mended, "search.html").locator(".bd-search-container form.bd-search")
    icon, field = form.locator("i").bounding_box(), form.locator("input").bounding_box()
    assert icon["x"] + icon["width"] <= field["x"]


def test_without_scripts_the_navigation_stands_below_the_text_and_menus_open_by_focus(
    faulty, mended, open_page
):
    for book in (faulty, mended):
        page = open_page(book, "plain.html", width=360, javascript=False)
        link = page.locator("#pst-primary-sidebar").get_by_role("link", name="Math page")
        assert link.is_visible() == (book is mended)
    assert link.bounding_box()["y"] > page.get_by_text("A kangaroo.").bounding_box()["y"]
    for nothing in (".primary-toggle", ".btn-fullscreen-button"):
        assert page.locator(f"{nothing}:visible").count() == 0
    page.locator(".dropdown-download-buttons > button").focus()
    assert page.locator(".dropdown-download-buttons .dropdown-item").first.is_visible()
    link.click()
    page.wait_for_url("**/maths.html")


# What scrolls sideways on a phone: its page and where it is.
SCROLLS = {
    "code": ("code.html", ".highlight-python pre"),
    "table": ("code.html", ".pst-scrollable-table-container"),
    "formula": ("maths.html", ".katex-display"),
}


@pytest.mark.parametrize("what", SCROLLS)
def test_without_scripts_the_keyboard_reaches_and_scrolls_what_is_wider_than_the_page(
    mended, open_page, what
):
    """A browser makes a tab stop of what scrolls and has none inside: Firefox, and Chromium since 130."""
    name, selector = SCROLLS[what]
    page = open_page(mended, name, width=360, javascript=False)
    is_wide = "boxes => boxes.filter((box) => box.scrollWidth > box.clientWidth).length"
    assert page.locator(selector).evaluate_all(is_wide) > 0
    stops = page.locator(selector).evaluate_all("boxes => boxes.filter((box) => box.tabIndex >= 0).length")
    assert stops == 0, "no attribute makes it one"
    for _ in range(100):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            break
    box = page.locator(f"{selector}:focus")
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)
    assert box.evaluate("box => box.scrollLeft") > 0


def test_a_hit_is_highlighted_in_each_tab_that_it_is_opened_in(mended, open_page):
    page = open_page(mended, "search.html?q=kangaroo")
    hit = page.locator("#search-results li > a").first
    for _ in range(2):  # Sphinx's storage has the words once
        with page.context.expect_page() as opened:
            hit.click(modifiers=["Control"])
        tab = opened.value
        tab.locator("article .highlighted").first.wait_for(state="attached")
        assert "highlight" not in tab.url


def test_from_a_disk_every_page_works_and_search_finds_and_highlights(mended, open_page, page_errors):
    for name in ("intro.html", "maths.html", "code.html", "search.html"):
        open_page(mended, name, from_disk=True).wait_for_timeout(200)
    page = open_page(mended, "intro.html", from_disk=True)
    assert follow_first_hit(page, "kangaroo") == ["kangaroo", "kangaroo"]
    assert page_errors == []


def test_from_a_disk_a_default_book_s_search_ends_in_errors(faulty, open_page, page_errors, wait_until):
    page = open_page(faulty, "plain.html", from_disk=True)
    follow_first_hit(page, "kangaroo", marks=False)
    wait_until(page, lambda: any("fetch" in error.lower() or "file:" in error for error in page_errors))


def point_at_button(page):
    page.locator(".btn-fullscreen-button").hover()


def focus_button(page):
    page.locator(".search-button__button:visible").first.focus()  # so that the next is reached by a key
    while not page.locator(".btn-fullscreen-button").evaluate("button => button.matches(':focus-visible')"):
        page.keyboard.press("Tab")


@pytest.mark.parametrize("reach", [point_at_button, focus_button])
def test_escape_closes_a_tooltip_which_comes_back_when_it_is_asked_for_again(
    faulty, mended, open_page, reach
):
    for book in (faulty, mended):
        page = open_page(book, "plain.html")
        tooltip = page.locator(".tooltip:has-text('Fullscreen')")
        reach(page)
        tooltip.wait_for()
        page.keyboard.press("Escape")
        assert still_shows(page, ".tooltip") == (book is faulty)
    assert page.locator(".btn-fullscreen-button").get_attribute("aria-describedby") is None
    page.mouse.move(640, 700)
    page.locator(".btn-fullscreen-button").blur()
    reach(page)
    tooltip.wait_for()
