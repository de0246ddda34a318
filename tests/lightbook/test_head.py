"""What a page says about itself, the sitemap, and the page for an address that is none."""

import json
import re
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from sphinx_lightbook.head import (
    LONGEST_DESCRIPTION,
    keep_one_viewport,
    write_language_as_html_does,
)

TABLE_OF_CONTENTS = """\
    format: jb-book
    root: intro
    chapters:
      - file: plain
      - file: "deep er/wörter"
      - file: said
    """
PAGES = {
    "intro.md": "# A *tiny* book\n\nWords about $a^2$ & more. See {doc}`plain`.\n",
    "plain.md": "# Plain page\n\n```{note}\nNot this.\n```\n\n"
    + "Fifty words that go on and on. " * 10
    + "\n",
    "deep er/wörter.md": "# Wörter\n\n## Only a heading\n",
    "said.md": "---\nmyst:\n  html_meta:\n    description: The author's words.\n---\n# Said page\n",
}
BASE = "https://book.example/some/place"


@pytest.fixture(scope="module")
def book(tmp_path_factory, book_class):
    """A tiny book that knows its address, not yet built."""
    folder = tmp_path_factory.mktemp("head") / "book"
    return book_class(folder, PAGES, TABLE_OF_CONTENTS, html_baseurl=BASE, language="pt_BR")


@pytest.fixture(scope="module")
def site(book):
    """Its site."""
    return book.build_with_sphinx("html")


@pytest.fixture(scope="module")
def site_of_folders(book, site):
    """Its site of a folder for each page."""
    return book.build_with_sphinx("dirhtml")


@pytest.fixture(scope="module")
def unaddressed(book, site, site_of_folders):
    """The site of the same book without an address."""
    return book.build_with_sphinx("singlehtml", "-D", "html_baseurl=")


def head(file):
    """The head of a page: what its tags say by name, and its links by relation."""
    soup = BeautifulSoup(file.read_text("utf-8"), "html.parser").head
    said = {}
    for tag in soup.find_all("meta"):
        name = tag.get("name") or tag.get("property") or tag.get("http-equiv")
        assert name not in said, f"{name} twice"
        said[name] = tag.get("content")
    canonical = [tag["href"] for tag in soup.find_all("link", rel="canonical")]
    return said, canonical


# Pages ------------------------------------------------------------------------------------------------------


def test_every_page_has_one_description_and_open_graph(site):
    for name in ("intro", "plain", "deep er/wörter", "said", "search", "genindex", "404"):
        said, _ = head(site / f"{name}.html")
        assert 0 < len(said["description"]) <= LONGEST_DESCRIPTION, name
        assert said["og:description"] == said["description"]
        assert said["og:site_name"] == "A tiny book"
        assert said["og:title"]
        assert said["og:type"] == ("website" if name == "intro" else "article")


def test_the_description_is_the_author_s_or_the_first_words_or_the_title(site):
    assert head(site / "said.html")[0]["description"] == "The author's words."
    assert head(site / "intro.html")[0]["description"] == "Words about & more. See Plain page."
    assert re.fullmatch(
        r"(Fifty words that go on and on\. ?){3,5}", head(site / "plain.html")[0]["description"]
    )
    assert head(site / "deep er/wörter.html")[0]["description"] == "Wörter: A tiny book"


def test_the_canonical_address_is_the_one_that_links_lead_to(site, site_of_folders):
    for folder, address in (
        (site, f"{BASE}/deep%20er/w%C3%B6rter.html"),
        (site_of_folders, f"{BASE}/deep%20er/w%C3%B6rter/"),
    ):
        file = folder / "deep er" / ("wörter.html" if folder == site else "wörter/index.html")
        said, canonical = head(file)
        assert canonical == [address]
        assert said["og:url"] == address


def test_the_language_is_one_that_browsers_know(site):
    assert '<html lang="pt-BR"' in (site / "intro.html").read_text("utf-8")
    assert write_language_as_html_does('<html lang="de" x>') == '<html lang="de" x>'


def test_the_web_manifest_says_the_language_as_pages_do(site):
    assert json.loads((site / "manifest.webmanifest").read_text("utf-8"))["lang"] == "pt-BR"


def test_one_tag_about_the_viewport_stays():
    tag = '<meta name="viewport" content="a" />'
    page = f"<head>1{tag}2{tag}\n3{tag}4</head>{tag}"
    assert keep_one_viewport(page) == f"<head>1{tag}234</head>{tag}"
    assert keep_one_viewport("<head></head>") == "<head></head>"


# The sitemap ------------------------------------------------------------------------------------------------


def addresses(folder):
    tree = ElementTree.parse(folder / "sitemap.xml")
    return [element.text for element in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]


def test_the_sitemap_lists_the_author_s_pages_by_their_canonical_addresses(site, site_of_folders):
    names = ["deep%20er/w%C3%B6rter", "intro", "plain", "said"]
    assert addresses(site) == [f"{BASE}/{name}.html" for name in names]
    assert addresses(site_of_folders) == [f"{BASE}/{name}/" for name in names]


def test_a_book_without_an_address_has_no_sitemap_and_no_canonical_address(unaddressed):
    assert not (unaddressed / "sitemap.xml").exists()
    said, canonical = head(unaddressed / "intro.html")
    assert canonical == []
    assert "og:url" not in said
    assert said["og:title"]


# The page for an address that is none -----------------------------------------------------------------------


@pytest.mark.parametrize("builder", ["html", "dirhtml"])
def test_at_any_depth_a_wrong_address_shows_a_page_that_leads_on(
    request, new_host, new_context, page_errors, violations, builder
):
    folder = request.getfixturevalue("site" if builder == "html" else "site_of_folders")
    host = new_host(folder, "/some/place/")
    page = new_context().new_page()
    answers = []
    page.on("response", lambda answer: answers.append((answer.status, answer.url)))
    for wrong in ("nowhere", "no/such/page.html", "a/b/c/d/"):
        page.goto(host.address(wrong))
        assert page.locator("article h1").inner_text().startswith("Page not found")
        page.wait_for_load_state("networkidle")
        assert [url for status, url in answers if status >= 400] == [host.address(wrong)]
        answers.clear()
    assert page.evaluate("getComputedStyle(document.querySelector('.bd-sidebar-primary')).display") == "flex"
    assert violations(page) == set()
    page.keyboard.press("Control+k")
    page.keyboard.type("fifty")
    page.keyboard.press("Enter")
    page.locator("#search-results li a").first.click()
    page.locator("article h1:has-text('Plain page')").wait_for()
    page.goto(host.address("a/b/c"))
    page.get_by_role("link", name="Go to the first page").click()
    page.locator("article h1:has-text('A tiny book')").wait_for()
    page.goto(host.address("a/b?c=d#e"))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(host.address("a/b?c=d#main-content"))
    assert page.locator("#main-content:target").count() == 1
    assert [error for error in page_errors if "404" not in error] == []


def test_the_author_s_own_page_for_wrong_addresses_stays(book_class, tmp_path):
    pages = {"intro.md": "# A book\n", "404.md": "# Lost\n\nMy own words.\n"}
    toc = "format: jb-book\nroot: intro\nchapters:\n  - file: '404'\n"
    site = book_class(tmp_path / "book", pages, toc).build_with_sphinx("html")
    page = (site / "404.html").read_text("utf-8")
    assert "My own words." in page
    assert '<base href="/" />' in page
