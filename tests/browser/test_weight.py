"""What the first visit to each page of this site costs stays within its budget, and nothing moves."""

import gzip
import http.server
import threading
import time
from urllib.parse import unquote

import pytest
from bs4 import BeautifulSoup
from sphinx_lightbook.report import compressed_size, weights_of

# Bytes, compressed, of a first visit, by what is on the page. The cards' own text comes on top, but for labs.
TEXT = 45_000  # and a glossary
MATH = 75_000  # or one figure
FIGURES = 100_000  # several, or the charts of the page that studies
LAB = 130_000  # math, figures and cards

SHIFTS = """() => new Promise((resolve) => {
    let sum = 0;
    const add = (list) => list.getEntries().forEach((entry) => { sum += entry.value; });
    new PerformanceObserver(add).observe({type: "layout-shift", buffered: true});
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve(sum), 100)));
})"""


@pytest.fixture(scope="module")
def weights(site):
    """The weights of the pages; without the one that only leads to the first page."""
    return [weight for weight in weights_of(site) if weight.page != "index.html"]


def budget(site, name):
    """What a page may cost."""
    article = BeautifulSoup((site / name).read_text("utf-8"), "html.parser").select_one("article")
    if article is None:
        return TEXT
    has_math = article.select_one(".katex") is not None
    has_charts = article.select_one(".flipcards-today") is not None
    figures = len(article.select("img, .cover"))
    cards = own_text(article, ".flipcard")
    if has_math and figures and cards:
        return LAB
    return (FIGURES if has_charts or figures > 1 else MATH if has_math or figures else TEXT) + cards


def own_text(article, selector):
    """How many bytes, compressed, some elements add to an article. They are gone from it then."""
    whole = len(gzip.compress(str(article).encode()))
    for element in article.select(selector):
        element.extract()
    return whole - len(gzip.compress(str(article).encode()))


def test_every_page_keeps_its_budget(site, weights):
    allowed = {weight.page: budget(site, weight.page) for weight in weights}
    assert {w.page: (w.total, allowed[w.page]) for w in weights if w.total > allowed[w.page]} == {}
    # Not for want of pages of a kind.
    kinds = [min((TEXT, MATH, FIGURES, LAB), key=lambda kind: abs(kind - most)) for most in allowed.values()]
    assert {TEXT, MATH, LAB} <= set(kinds)


def test_no_page_asks_another_host_and_none_asks_more_than_eight_times(weights):
    assert {weight.page: weight.foreign for weight in weights if weight.foreign} == {}
    assert {weight.page: weight.requests for weight in weights if weight.requests > 8} == {}


def test_all_that_a_browser_asks_for_on_a_first_visit_is_within_the_budget(
    site, weights, server, new_context
):
    found = {}
    for weight in weights:
        if weight.page == "404.html":
            continue
        page = new_context().new_page()
        asked = set()
        page.on("request", lambda request, asked=asked: asked.add(request.url))
        page.goto(f"{server}/{weight.page}")
        page.wait_for_load_state("networkidle")
        page.context.close()
        files = [url.removeprefix(f"{server}/") for url in asked if not url.startswith("data:")]
        size = sum(compressed_size(site / unquote(name)) for name in files)
        found[weight.page] = (len(files), size, budget(site, weight.page))
    assert {name: two for name, two in found.items() if two[1] > two[2]} == {}
    assert {name: two for name, two in found.items() if two[0] > 8} == {}


@pytest.mark.parametrize("width", [1280, 360])
def test_nothing_moves_while_a_page_loads(open_page, width):
    for name in ("overview", "flashcards", "lora", "sft", "today"):
        page = open_page(f"chapters/{name}.html", width=width)
        if name == "today":  # what is due is drawn when the log has been read
            page.wait_for_selector(".flipcards-start")
        page.wait_for_load_state("networkidle")
        assert page.evaluate(SHIFTS) <= 0.01, name


@pytest.fixture
def pausing(site):
    """A function that serves the site, each page with a pause of a second before some words."""
    servers = []

    def pausing(words):
        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, format, *arguments):
                pass

            def copyfile(self, source, outputfile):
                first, found, rest = source.read().partition(words)
                outputfile.write(first)
                if found:
                    outputfile.flush()
                    time.sleep(1)
                outputfile.write(found + rest)

        server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), lambda *arguments: Handler(*arguments, directory=str(site))
        )
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield pausing
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    "words", [b'<div class="dropdown dropdown-download-buttons">', b'<button class="btn btn-sm nav-link']
)
def test_nothing_moves_when_a_page_stops_within_its_header(pausing, open_page, words):
    page = open_page(f"{pausing(words)}/chapters/sft.html", width=360)
    page.wait_for_load_state("networkidle")
    assert page.evaluate(SHIFTS) <= 0.001


def test_the_logo_has_its_place_before_it_arrives(server, new_context):
    page = new_context().new_page()
    page.route("**/_static/logo*", lambda route: None)  # never answered
    page.goto(f"{server}/chapters/overview.html", wait_until="domcontentloaded")
    box = page.locator("img.logo__image:visible").bounding_box()
    assert (box["width"], box["height"]) == (72, 72)
