"""Each concern can be left out by its name, and what the author brings is neither dropped nor broken."""

import re

import pytest
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont
from sphinx_lightbook import CONCERNS

TABLE_OF_CONTENTS = "format: jb-book\nroot: intro\nchapters:\n  - file: maths\n"
PAGES = {
    "intro.md": "# A book\n\nWords. See {doc}`maths` and [another site](https://elsewhere.test/page).\n",
    "maths.md": "# Math page\n\nA formula: $a^2$\n",
    "static/own.css": "p { color: teal }\n",
    "static/print.css": ".used-by-nobody { color: black }\n",
    "static/own.js": "window.own = DOCUMENTATION_OPTIONS.pagename ?? 'there';\n",
}
OWN = {
    "html_static_path": ["static"],
    "html_css_files": ["own.css", ["print.css", {"media": "print"}]],
    "html_baseurl": "https://book.example/",
}


def in_page(word):
    return lambda site, page, printed: word in page


def named(file):
    return lambda site, page, printed: (site / file).is_file()


# Of each concern, what is seen in a book only with it.
SIGNS = {
    "math": lambda site, page, printed: "katex" in (site / "maths.html").read_text("utf-8"),
    "private": lambda site, page, printed: "unpkg.com" not in page,
    "theme": in_page('id="pst-primary-sidebar" role="complementary"'),
    "images": in_page("data-sized"),
    "icons": lambda site, page, printed: "fontawesome" not in page,
    "scripts": lambda site, page, printed: bool(re.search(r"lightbook-[0-9a-f]{6}\.(?:\w+\.)?js", page)),
    "styles": lambda site, page, printed: page.count('rel="stylesheet"') <= 3,
    "purge": lambda site, page, printed: (
        not any(
            ".carousel" in (site / name).read_text("utf-8")
            for name in re.findall(r'<link[^>]*href="(_static/[^"?]+\.css)', page)
        )
    ),
    "fingerprints": lambda site, page, printed: bool(re.search(r"\.[0-9a-f]{10}\.css", page)),
    "policy": in_page('name="referrer"'),
    "head": in_page('property="og:title"'),
    "notfound": named("404.html"),
    "sitemap": named("sitemap.xml"),
    "offline": named("lightbook-worker.js"),
    "report": lambda site, page, printed: "\nlightbook: " in printed,
}
# Pages are as they are without these, see `test_navigation.py` and `test_collector.py`.
UNSEEN = {"navigation", "collector"}
# Each half is left out once, and there once. Rules go from merged style sheets only.
HALF = {"private", "images", "scripts", "fingerprints", "head", "sitemap", "report", "purge"}


@pytest.mark.parametrize("off", [HALF, CONCERNS.keys() - HALF], ids=["one half", "the other half"])
def test_what_is_named_is_left_out_and_the_rest_does_its_work(new_book, off):
    assert SIGNS.keys() == CONCERNS.keys() - UNSEEN
    pages = {**PAGES, "logo.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>'}
    # Thebe and MathJax come from other hosts.
    hosts = ["unpkg.com", "cdn.jsdelivr.net"]
    book = new_book(
        pages,
        TABLE_OF_CONTENTS,
        config={"logo": "logo.svg"},
        lightbook_off=sorted(off),
        lightbook_allow_hosts=hosts,
        **OWN,
    )
    printed = book.build()
    page = book.html("intro.html")
    seen = {name for name, sign in SIGNS.items() if sign(book.site, page, printed)}
    without_purge = {"purge"} if "styles" in off else set()
    assert seen == SIGNS.keys() - off - without_purge
    assert "WARNING" not in printed


# The author's own -------------------------------------------------------------------------------------------


def scripts(book, name):
    return BeautifulSoup(book.html(name), "html.parser").select("script[src]")


@pytest.mark.parametrize("attributes", [{}, {"defer": "defer"}, {"type": "module"}], ids=str)
def test_an_author_s_script_that_names_sphinx_s_finds_it(new_book, open_page, page_errors, attributes):
    book = new_book(PAGES, TABLE_OF_CONTENTS, html_js_files=[["own.js", attributes]], **OWN)
    book.build()
    page = open_page(book, "maths.html")
    page.wait_for_load_state("networkidle")
    # Beside it, one that runs at once finds all scripts as Sphinx had them.
    assert page.evaluate("window.own") in ("maths", "there")
    assert (len(scripts(book, "maths.html")) > 6) == (attributes == {})
    own = next(tag for tag in scripts(book, "maths.html") if "own." in tag["src"])
    assert {key: own[key] for key in attributes} == attributes
    assert page.locator(".bd-sidebar-primary").is_visible()
    assert page_errors == []


# Of an author who uses what the theme brings: Bootstrap, clipboard.js, and icons by a name put together.
USING = """\
    addEventListener("load", () => {
        const add = (html) => document.querySelector("article").insertAdjacentHTML("beforeend", html);
        const name = "rocket";
        add(`<button id="tip" title="A tip">Tip</button><button id="copy">Copy</button>`);
        add(`<i id="icon" class="fa-solid fa-${name}"></i>`);
        new bootstrap.Tooltip("#tip");
        const copying = new ClipboardJS("#copy", { text: () => "copied words" });
        copying.on("success", ({ text }) => { document.body.dataset.copied = text; });
    });
    """
DRAWING = 'document.body.dataset.drawn = FontAwesome.icon({prefix: "fas", iconName: "rocket"}).html[0];\n'


@pytest.mark.parametrize("draws", [False, True], ids=["by the font", "by Font Awesome's script"])
def test_an_author_s_script_finds_bootstrap_clipboard_and_icons(new_book, open_page, page_errors, draws):
    pages = {**PAGES, "static/own.js": USING.replace('"load", () => {', '"load", () => {' + DRAWING * draws)}
    book = new_book(pages, TABLE_OF_CONTENTS, html_js_files=[["own.js", {"defer": "defer"}]], **OWN)
    printed = book.build()
    page = open_page(book, "maths.html")
    page.locator("#tip").hover()
    page.locator(".tooltip:has-text('A tip')").wait_for()
    page.locator("#copy").click()
    page.locator("body[data-copied='copied words']").wait_for()
    if draws:
        assert "<svg" in page.locator("body").get_attribute("data-drawn")
        assert page.locator("svg#icon path").count() == 1
    else:
        assert "all icons kept: a script makes their names" in printed
        shown = "getComputedStyle(document.querySelector('#icon'), '::before').content"
        assert page.evaluate(shown) == '"\uf135"'
        assert page.evaluate("document.fonts.ready.then(() => document.fonts.size)") > 0
        css = "".join(sheet.read_text("utf-8") for sheet in book.site.glob("_static/*.css"))
        (font,) = set(re.findall(r'url\("?([^")]*fa-solid-900[^")]*woff2)', css))
        assert 0xF135 in TTFont((book.site / "_static" / font).resolve()).getBestCmap()
        drawn = "document.fonts.check('900 1em \"Font Awesome 6 Free\"', '\uf135')"
        assert page.evaluate(drawn)
    assert page_errors == []


def test_an_author_s_style_sheets_hold_where_the_author_said(new_book, open_page):
    book = new_book(PAGES, TABLE_OF_CONTENTS, **OWN)
    book.build()
    page = open_page(book, "maths.html")
    colour = "getComputedStyle(document.querySelector('article p')).color"
    assert page.evaluate(colour) == "rgb(0, 128, 128)"
    printed = page.locator("link[rel=stylesheet][media=print]")
    assert ".used-by-nobody" in (book.site / printed.get_attribute("href")).read_text("utf-8")


def test_a_link_to_another_site_does_not_say_where_the_reader_came_from(new_book, new_context, address_of):
    book = new_book(PAGES, TABLE_OF_CONTENTS, **OWN)
    book.build()
    context = new_context()
    page, asked = context.new_page(), []

    def answer(route):
        asked.append(route.request.all_headers())
        route.fulfill(body="Elsewhere.")

    context.route("https://elsewhere.test/**", answer)
    page.goto(f"{address_of(book.site)}/intro.html")
    page.get_by_role("link", name="another site").click()
    page.wait_for_url("https://elsewhere.test/page")
    assert [headers.get("referer") for headers in asked] == [None]
    page.go_back()
    with page.expect_request("**/maths.html") as own:
        page.locator("article").get_by_role("link", name="Math page").click()
    assert own.value.all_headers()["referer"].endswith("/intro.html")


# Fewer files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["", "globalThis.flipcardsWords = 'Deutsch';\n"], ids=["English", "German"])
def test_the_script_of_flipbooks_goes_with_the_others_but_after_its_words(new_book, open_page, words):
    own = {
        "static/flipcards-words.js": words or "// none\n",
        "static/flipbook.js": "document.body.dataset.said = globalThis.flipcardsWords ?? 'English';\n",
    }
    files = [*(["flipcards-words.js"] if words else []), "flipbook.js"]
    book = new_book(
        {**PAGES, **own},
        TABLE_OF_CONTENTS,
        **{**OWN, "html_js_files": [[name, {"defer": "defer"}] for name in files]},
    )
    book.build()
    page = open_page(book, "maths.html")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.body.dataset.said") == ("Deutsch" if words else "English")
    apart = [tag["src"] for tag in scripts(book, "maths.html") if "flipbook" in tag["src"]]
    assert len(apart) == (1 if words else 0)


@pytest.mark.parametrize("size", ["small", "large"])
def test_a_small_logo_stands_in_the_page_and_so_does_the_icon_that_it_is(new_book, open_page, size):
    shapes = "".join(
        f'<path d="M{n} {n * n % 83}l{n * n % 71} 7z"/>' for n in range(3 if size == "small" else 90)
    )
    logo = f"<svg xmlns='http://www.w3.org/2000/svg' width='90' height='60' fill='#0a7'>{shapes}</svg>"
    pages = {**PAGES, "logo.svg": logo}
    book = new_book(pages, TABLE_OF_CONTENTS, config={"logo": "logo.svg"}, html_favicon="logo.svg", **OWN)
    book.build()
    page = open_page(book, "maths.html")
    shown = page.locator("img.logo__image").first
    icon = page.locator("link[rel=icon]")
    for address in (shown.get_attribute("src"), icon.get_attribute("href")):
        assert address.startswith("data:image/svg+xml,") == (size == "small")
    assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") == 90
