"""What the book theme does for a reader, each thing driven: on this site, and in a book of one added line."""

import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

PHONE = {"width": 360, "height": 740}

SMALL_BOOK = {
    "_config.yml": """\
        title: A small book
        author: Somebody
        execute: {execute_notebooks: cache}
        repository: {url: https://github.com/somebody/book, branch: main}
        launch_buttons: {binderhub_url: https://binder.example}
        html: {use_repository_button: true, use_issues_button: true}
        sphinx: {extra_extensions: [sphinx_lightbook]}
        """,
    "_toc.yml": """\
        format: jb-book
        root: intro
        chapters:
          - file: first
            sections:
              - file: deeper
        """,
    "intro.md": """\
        # A small book

        Words. See {doc}`first`.
        """,
    "deeper.md": """\
        # A deeper page

        A wallaby.

        ## Of another kind

        A second wallaby.
        """,
    "first.md": """\
        ---
        file_format: mystnb
        kernelspec: {display_name: Python 3, language: python, name: python3}
        ---
        # First page

        ```{code-cell} ipython3
        :tags: [hide-input]
        print("hello")
        ```

        ````{tab-set}
        ```{tab-item} One
        The first tab.
        ```
        ```{tab-item} Two
        The second tab.
        ```
        ````

        ```{dropdown} More of it
        Inside the drop-down.
        ```

        ```{admonition} A hint
        :class: dropdown
        Inside the admonition.
        ```

        ```python
        print("copied")
        ```
        """,
}
SECTION = "\n## Section {}\n\n" + "A kangaroo jumps.\n\n" * 20


@dataclass
class Book:
    """A site, and where on it a feature can be seen: addresses and texts."""

    address: str
    page: str  # with sections, hidden code, code to copy, a drop-down admonition
    word: str  # that the search finds on one page
    has_tabs: bool = False  # and drop-downs of the design, and chapters below a chapter


@pytest.fixture(scope="module", params=["this site", "a small book"])
def book(request, tmp_path_factory, serve):
    """This site; and a default Jupyter Book with the extension added by its one line."""
    if request.param == "this site":
        return Book(
            request.getfixturevalue("server"),
            page="chapters/lora.html",
            word="flattery",
        )
    folder = tmp_path_factory.mktemp("features")
    for name, text in SMALL_BOOK.items():
        (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")
    with (folder / "first.md").open("a", encoding="utf-8") as first:
        first.writelines(SECTION.format(number) for number in range(1, 6))
    command = [Path(sys.executable).with_name("jupyter-book"), "build", ".", "-W", "--keep-going"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return Book(
        serve(folder / "_build" / "html"),
        page="first.html",
        word="wallaby",
        has_tabs=True,
    )


@pytest.fixture(scope="module")
def contexts(browser):
    """Contexts of the browser by size: a feature is driven on a fresh page, not in a fresh browser."""
    made = {}

    def context(width, height):
        if (width, height) not in made:
            made[width, height] = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="light",
                service_workers="block",
                permissions=["clipboard-read", "clipboard-write"],
            )
            made[width, height].set_default_timeout(20_000)
        return made[width, height]

    yield context
    for one in made.values():
        one.close()


@pytest.fixture
def open_page(book, contexts):
    """A function that opens a page of the book, where nothing is stored yet."""
    pages = []

    def open_page(name=None, width=1280, height=800):
        page = contexts(width, height).new_page()
        pages.append(page)
        page.goto(f"{book.address}/{name or book.page}")
        return page

    yield open_page
    for page in pages:
        page.evaluate("localStorage.clear(); sessionStorage.clear()")
        page.close()


def colours(page):
    """The mode asked for, the theme shown, and the colour behind the text."""
    return page.evaluate(
        """() => [document.documentElement.dataset.mode, document.documentElement.dataset.theme,
        getComputedStyle(document.body).backgroundColor]"""
    )


def shows(page, selector):
    """Wait until an element is visible."""
    page.locator(selector).first.wait_for(state="visible")


def hides(page, selector):
    """Wait until an element is not visible."""
    page.locator(selector).first.wait_for(state="hidden")


def until(page, expression, arg=None):
    """Wait until an expression is true, without making a script from text: a page's policy forbids that."""
    for _ in range(400):
        if page.evaluate(expression, arg):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"not true after 20 s: {expression}")


# Colours ----------------------------------------------------------------------------------------------------


def test_the_colour_mode_changes_and_stays_for_the_next_page(open_page):
    page = open_page()
    mode, theme, light = colours(page)
    assert (mode, theme) == ("auto", "light")
    page.locator(".theme-switch-button:visible").first.click()
    mode, theme, dark = colours(page)
    assert (mode, theme) == ("dark", "dark")
    assert dark != light
    before = page.url
    page.locator(".prev-next-area a").first.click()
    page.wait_for_url(lambda url: url != before)
    assert colours(page) == ["dark", "dark", dark]
    page.locator(".theme-switch-button:visible").first.click()
    assert colours(page)[:2] in (["light", "light"], ["auto", "light"])


# Search -----------------------------------------------------------------------------------------------------


def test_the_search_dialog_opens_by_button_and_keys_and_escape_closes_it(open_page):
    page = open_page()
    dialog = "dialog#pst-search-dialog[open]"
    page.locator("button.search-button__button:visible").first.click()
    shows(page, dialog)
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.press("Escape")
    hides(page, dialog)
    page.keyboard.press("Control+k")
    shows(page, dialog)
    page.keyboard.press("Control+k")
    hides(page, dialog)


def test_a_search_lists_its_hits_and_the_hit_shows_the_words(open_page, book):
    page = open_page()
    page.locator("button.search-button__button:visible").first.click()
    field = page.locator("dialog#pst-search-dialog[open] input[name=q]")
    field.fill(book.word)
    field.press("Enter")
    hits = page.locator("#search-results ul.search li")
    hits.first.wait_for()
    # The excerpt is cut from the page found, and arrives after it.
    until(
        page,
        """word => [...document.querySelectorAll("#search-results .context")].some(
        (excerpt) => excerpt.textContent.toLowerCase().includes(word))""",
        arg=book.word,
    )
    hits.first.locator("a").first.click()
    marked = page.locator("article span.highlighted")
    marked.first.wait_for(state="attached")
    assert {word.lower() for word in marked.all_text_contents()} == {book.word}
    page.get_by_text("Hide Search Matches").click()
    until(page, "!document.querySelector('span.highlighted')")


# Menus ------------------------------------------------------------------------------------------------------

MENUS = ("launch", "source", "download")


def test_each_menu_opens_and_a_click_elsewhere_or_escape_closes_it(open_page):
    page = open_page()
    for name in MENUS:
        button, menu = f".dropdown-{name}-buttons > button", f".dropdown-{name}-buttons .dropdown-menu"
        page.locator(button).click()
        shows(page, f"{menu} .dropdown-item")
        shows(page, f"{button}[aria-expanded='true']")
        page.keyboard.press("Escape")  # with the pointer over it, which alone would show the menu
        hides(page, f"{menu} .dropdown-item")
        shows(page, f"{button}[aria-expanded='false']")
        page.locator(button).click()
        shows(page, f"{menu} .dropdown-item")
        page.locator("article h1").first.click()
        hides(page, f"{menu} .dropdown-item")


def test_a_menu_can_be_used_by_keyboard(open_page):
    page = open_page()
    page.locator(".dropdown-download-buttons > button").focus()
    page.keyboard.press("Enter")
    shows(page, ".dropdown-download-buttons .dropdown-item")
    shows(page, ".dropdown-download-buttons > button[aria-expanded='true']")
    page.keyboard.press("ArrowDown")
    inside = "document.activeElement.matches('.dropdown-download-buttons .dropdown-item')"
    until(page, inside)
    first = page.evaluate("document.activeElement.innerText")
    page.keyboard.press("ArrowDown")
    until(page, "first => document.activeElement.innerText !== first", arg=first)
    assert page.evaluate(inside)
    page.keyboard.press("Escape")
    hides(page, ".dropdown-download-buttons .dropdown-item")
    assert page.evaluate("document.activeElement.matches('.dropdown-download-buttons > button')")


def test_the_menus_lead_to_the_launcher_the_source_and_the_file(open_page):
    page = open_page()
    addresses = {
        name: page.locator(f".dropdown-{name}-buttons a").first.get_attribute("href") for name in MENUS
    }
    assert "/v2/gh/" in addresses["launch"] or "/v2/git" in addresses["launch"]
    assert addresses["source"].startswith("https://")
    assert page.request.get(page.evaluate("path => new URL(path, location).href", addresses["download"])).ok


def test_printing_is_in_the_download_menu(open_page):
    page = open_page()
    page.evaluate("window.print = () => { window.printed = true; }")
    page.locator(".dropdown-download-buttons > button").click()
    page.locator(".btn-download-pdf-button").click()
    until(page, "window.printed")


def test_a_tooltip_appears_on_hover_and_on_focus(open_page):
    page = open_page()
    button = page.locator(".btn-fullscreen-button")
    button.hover()
    shows(page, ".tooltip:has-text('Fullscreen')")
    page.mouse.move(640, 700)
    hides(page, ".tooltip")
    button.focus()
    shows(page, ".tooltip:has-text('Fullscreen')")


def test_full_screen_is_entered_and_left(open_page):
    page = open_page()
    button = page.locator(".btn-fullscreen-button")
    button.click()
    until(page, "document.fullscreenElement !== null")
    button.click()
    until(page, "document.fullscreenElement === null")


# In the text ------------------------------------------------------------------------------------------------


def test_code_is_copied_by_its_button(open_page):
    page = open_page()
    block = page.locator("div.highlight:has(button.copybtn):visible").first
    block.hover()
    block.locator("button.copybtn").click()
    until(page, "navigator.clipboard.readText().then((text) => text !== '')")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert re.sub(r"\s+", "", copied) == re.sub(r"\s+", "", block.locator("pre").inner_text())


def test_hidden_code_is_shown(open_page):
    page = open_page()
    hidden = page.locator("details.hide").first
    code = hidden.locator("pre").first
    assert not code.is_visible()
    hidden.locator("summary").click()
    code.wait_for(state="visible")
    hidden.locator("summary").click()
    code.wait_for(state="hidden")


def test_a_drop_down_admonition_opens_and_closes_by_mouse_and_keyboard(open_page):
    page = open_page()
    admonition = page.locator("article .admonition.dropdown").first
    content = admonition.locator("p:not(.admonition-title)").first
    content.wait_for(state="hidden")
    admonition.locator(".admonition-title").click()
    content.wait_for(state="visible")
    admonition.locator("button.toggle-button").focus()
    page.keyboard.press("Enter")
    content.wait_for(state="hidden")


def test_a_drop_down_of_the_design_opens(open_page, book):
    page = open_page()
    assert book.has_tabs == (page.locator("details.sd-dropdown").count() > 0)
    if book.has_tabs:
        page.locator("details.sd-dropdown summary").click()
        shows(page, "text=Inside the drop-down.")


def test_a_tab_shows_its_text_and_hides_the_other_s(open_page, book):
    page = open_page()
    assert book.has_tabs == (page.locator(".sd-tab-set").count() > 0)
    if book.has_tabs:
        page.get_by_text("Two", exact=True).click()
        shows(page, "text=The second tab.")
        hides(page, "text=The first tab.")


# Finding one's way ------------------------------------------------------------------------------------------


def test_the_contents_mark_the_section_in_sight(open_page):
    page = open_page()
    links = page.locator("#pst-page-toc-nav a")
    assert links.count() >= 3
    for link in (links.nth(2), links.nth(1)):
        target = link.get_attribute("href")
        page.locator(f"article [id='{target[1:]}'] > h2, article [id='{target[1:]}'] > h3").first.evaluate(
            "heading => heading.scrollIntoView({block: 'start', behavior: 'instant'})"
        )
        shows(page, f"#pst-page-toc-nav a.active[href='{target}']")


def test_the_sidebar_goes_and_comes_back(open_page):
    page = open_page()
    page.locator(".primary-toggle:visible").first.click()
    hides(page, "#pst-primary-sidebar")
    page.locator(".primary-toggle:visible").first.click()
    shows(page, "#pst-primary-sidebar")


def test_a_chapter_in_the_navigation_unfolds(open_page, book):
    page = open_page("intro.html" if book.has_tabs else None)
    assert book.has_tabs == (page.locator(".bd-docs-nav details").count() > 0)
    if book.has_tabs:
        page.locator(".bd-docs-nav summary .toctree-toggle").first.click()
        page.locator(".bd-docs-nav details[open] a").first.click()
        page.wait_for_url("**/deeper.html")


def test_a_button_leads_back_to_the_top(open_page):
    page = open_page(width=1000)  # the theme has it on screens narrower than 1200 pixels
    page.evaluate("scrollTo({top: document.documentElement.scrollHeight, behavior: 'instant'})")
    page.mouse.move(500, 400)
    button = page.locator("#pst-back-to-top")
    for _ in range(100):  # it shows while the reader scrolls up, once its script is there
        page.mouse.wheel(0, -20)
        page.wait_for_timeout(50)
        if button.is_visible():
            break
    button.click()
    until(page, "scrollY < 50")


@pytest.mark.parametrize(
    ("button", "inside"),
    [
        (".primary-toggle", "#pst-primary-sidebar-modal[open]"),
        (".secondary-toggle", "#pst-secondary-sidebar-modal[open]"),
    ],
    ids=["navigation", "contents"],
)
def test_on_a_phone_a_sidebar_opens_leads_on_and_closes(open_page, button, inside):
    page = open_page(**PHONE)
    page.locator(f"{button}:visible").first.click()
    shows(page, f"{inside} nav a")
    page.keyboard.press("Escape")
    hides(page, inside)
    page.locator(f"{button}:visible").first.click()
    link = page.locator(f"{inside} nav a:visible").last
    before, words = page.url, link.inner_text()
    link.click()
    page.wait_for_url(lambda url: url != before)
    assert words
