"""Each page of this site: its first visit is within its budget, nothing moves, and axe-core finds nothing."""

import gzip
import http.server
import itertools
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


# The levels of the headings that are to be seen.
HEADINGS = """() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6, [role=heading]")]
    .filter((heading) => heading.checkVisibility())
    .map((heading) => Number(heading.ariaLevel ?? heading.tagName[1]))"""


@pytest.fixture(scope="module")
def host(site, new_host):
    """The site below the path that its 404 page names."""
    base = BeautifulSoup((site / "404.html").read_text("utf-8"), "html.parser").find("base")["href"]
    return new_host(site, base)


def test_on_its_first_visit_a_page_is_light_lies_still_and_has_no_fault(
    site, weights, host, new_context, violations, layout_shift
):
    """On a desktop in light, and on a phone in the dark, each in a fresh browser."""
    faults = {}
    for weight, width in itertools.product(weights, (1280, 360)):
        page = new_context(width=width, dark=width == 360).new_page()
        asked = set()
        page.on("request", lambda request, asked=asked: asked.add(request.url))
        page.goto(host.address("no/such/page" if weight.page == "404.html" else weight.page))
        if weight.page == "chapters/today.html":  # what is due is drawn when the log has been read
            page.wait_for_selector(".flipcards-start")
        page.wait_for_load_state("networkidle")
        moved = layout_shift(page)
        names = [unquote(url.removeprefix(host.address())) for url in asked if not url.startswith("data:")]
        files = [name.replace("no/such/page", "404.html") for name in names]
        levels = page.evaluate(HEADINGS)
        found = {
            "bytes": sum(compressed_size(site / name) for name in files) > budget(site, weight.page),
            "requests": len(files) > 8,
            "moves": moved > 0.01,
            "first headings": levels.count(1) != 1,
            "order of headings": any(after - before > 1 for before, after in itertools.pairwise(levels)),
            # The other modes and widths, and what opens, on a page of each kind: `test_axe_pages.py`.
            "axe": violations(page) if width == 1280 else violations(page, only=["target-size"]),
        }
        page.context.close()
        faults |= {(weight.page, width, what): fault for what, fault in found.items() if fault}
    assert len(weights) >= 20
    assert faults == {}


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
def test_nothing_moves_when_a_page_stops_within_its_header(pausing, open_page, words, layout_shift):
    page = open_page(f"{pausing(words)}/chapters/sft.html", width=360)
    page.wait_for_load_state("networkidle")
    assert layout_shift(page) <= 0.001


def test_the_logo_has_its_place_before_it_arrives(server, new_context):
    page = new_context().new_page()
    page.route("**/_static/logo*", lambda route: None)  # never answered
    page.goto(f"{server}/chapters/overview.html", wait_until="domcontentloaded")
    box = page.locator("img.logo__image:visible").bounding_box()
    assert (box["width"], box["height"]) == (72, 72)
