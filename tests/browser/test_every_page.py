"""Each page of this site: its first visit is within its budget, nothing moves, and axe-core finds nothing."""

import http.server
import itertools
import threading
import time
from urllib.parse import unquote

import pytest
from bs4 import BeautifulSoup
from sphinx_lightbook.report import compressed_size, weights_of

# Bytes, compressed, of all that a page's HTML names; but for labs, a page's own text comes on top.
TEXT = 45_000
MATH = 75_000
FIGURES = 100_000
LAB = 130_000
# Script and style of cards, where a page has neither math nor figures. The style is that of study too: it has
# to be there when a session opens, without a flash of a page that has none.
CARDS = 5_000
# Of the page that studies at once, whose first words are what is due: the log's replay says it, by the script
# that studies.
STUDY = 19_200
FRAME = 4_000  # of a page's HTML: what is around its text

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


def budget(site, weight):
    """What a page may cost by what is on it."""
    html = (site / weight.page).read_text("utf-8")
    article = BeautifulSoup(html, "html.parser").select_one("article")
    if article and article.select_one("img"):
        return LAB
    own = weight.bytes_by_kind["page"] - FRAME
    base = MATH if "lightbook-math" in html or (article and article.select_one(".katex")) else TEXT
    if base == TEXT and "data-study" in html:
        base += CARDS
    if article and article.select_one("[data-flipcards-today], .flipcards-today"):
        base += STUDY
    return base + own


def test_every_page_keeps_its_budget(site, weights):
    over = {w.page: (w.total, budget(site, w)) for w in weights if w.total > budget(site, w)}
    assert over == {}


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


def most_of_first_visit(site, weight):
    """What all that a browser asks for may weigh."""
    article = BeautifulSoup((site / weight.page).read_text("utf-8"), "html.parser").select_one("article")
    pictures = len(article.select("img")) if article else 0
    cards = bool(article and article.select_one(".flipcard"))
    return LAB if pictures and cards else FIGURES if pictures > 1 else budget(site, weight)


def test_on_its_first_visit_a_page_is_light_lies_still_and_has_no_fault(
    site, weights, host, new_context, violations
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
        moved = page.evaluate(SHIFTS)
        names = [unquote(url.removeprefix(host.address())) for url in asked if not url.startswith("data:")]
        files = [name.replace("no/such/page", "404.html") for name in names]
        levels = page.evaluate(HEADINGS)
        found = {
            "bytes": sum(compressed_size(site / name) for name in files) > most_of_first_visit(site, weight),
            "requests": len(files) > 8,
            "moves": moved > 0.01,
            "first headings": levels.count(1) != 1,
            "order of headings": any(after - before > 1 for before, after in itertools.pairwise(levels)),
            # The other modes and widths, and what opens, on a page of each kind: `test_axe_pages.py`.
            "axe": width == 1280 and violations(page),
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
