"""Every page of the site in a browser with scripts: no other host is asked, and nothing needs a network."""

import re
from html.parser import HTMLParser

import pytest

# Attributes by which a tag loads something on its own. A link that a reader follows is none of them.
LOADS = {
    **dict.fromkeys(
        ("audio", "embed", "iframe", "img", "input", "script", "source", "track", "video"), ("src",)
    ),
    "body": ("background",),
    "form": ("action",),
    "frame": ("src",),
    "image": ("href", "xlink:href"),
    "link": ("href", "imagesrcset"),
    "object": ("data", "codebase"),
    "use": ("href", "xlink:href"),
}
ALWAYS = ("srcset", "poster", "ping", "formaction", "manifest")
# Links to what is not loaded: the page's own address, licences and the like.
NOT_LOADED = {"author", "canonical", "help", "license", "next", "prev", "search"}
FOREIGN = re.compile(r"\s*(https?:|wss?:|ftp:|//)", re.IGNORECASE)
FOREIGN_IN_CSS = re.compile(
    r"(?:url\(|@import|image-set\()\s*[\"']?\s*(?:https?:)?//[^\"')\s]+", re.IGNORECASE
)
FOREIGN_REFRESH = re.compile(r"(url\s*=\s*[\"']?\s*|-src\s+)(https?:)?//", re.IGNORECASE)
# What makes a script's string an address that it asks.
FOREIGN_IN_SCRIPT = re.compile(
    r"(?:fetch|import|importScripts|Worker|WebSocket|EventSource|sendBeacon|open)\s*\(\s*[^)]{0,40}"
    r"[\"'`](?:https?:|wss?:)?//|\.(?:src|href|action)\s*=\s*[\"'`](?:https?:)?//"
)


class Loads(HTMLParser):
    """Gathers what a page would load from another host, by its tags and its style sheets."""

    def __init__(self):
        super().__init__()
        self.found = []
        self.inside = None

    def handle_starttag(self, tag, attributes):
        attrs = dict(attributes)
        rel = set((attrs.get("rel") or "").lower().split())
        self.inside = tag if tag in ("style", "script") else None
        for name, value in attributes:
            loads = name in LOADS.get(tag, ()) and not (tag == "link" and rel and rel <= NOT_LOADED)
            # A picture that stands in its address loads nothing; the address says which namespaces it is of.
            loads = loads and not (tag in ("img", "link") and (value or "").startswith("data:image/"))
            if value and (loads or name in ALWAYS) and FOREIGN.search(value):
                self.found.append(f"<{tag} {name}={value}>")
            if name == "style" and FOREIGN_IN_CSS.search(value or ""):
                self.found.append(f"<{tag} style={value}>")
        if tag == "meta" and attrs.get("http-equiv") and FOREIGN_REFRESH.search(attrs.get("content") or ""):
            self.found.append(f"<meta {attrs}>")

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        pattern = {"style": FOREIGN_IN_CSS, "script": FOREIGN_IN_SCRIPT}.get(self.inside)
        if pattern:
            self.found += pattern.findall(data)


def loads_of(html):
    """What a page would load from another host."""
    reader = Loads()
    reader.feed(html)
    return reader.found


@pytest.fixture(scope="module")
def pages(site):
    """The paths of all pages of the site, but the one that a host shows for an address that is none."""
    found = sorted(
        path.relative_to(site).as_posix()
        for path in site.rglob("*.html")
        if "_static" not in path.parts and path.name != "404.html"
    )
    assert len(found) >= 10
    return found


# --- What the files say ------------------------------------------------------------------------------


def test_no_page_loads_anything_from_another_host(site, pages):
    found = {name: loads_of((site / name).read_text("utf-8")) for name in pages}
    assert {name: loads for name, loads in found.items() if loads} == {}


def test_no_style_sheet_loads_anything_from_another_host(site):
    sheets = [*site.rglob("*.css"), *site.rglob("*.svg")]
    assert len(sheets) > 5
    found = {sheet.name: FOREIGN_IN_CSS.findall(sheet.read_text("utf-8", "replace")) for sheet in sheets}
    assert {name: loads for name, loads in found.items() if loads} == {}


def test_no_script_asks_another_host(site):
    scripts = list(site.rglob("*.js"))
    assert len(scripts) > 5
    found = {s.name: FOREIGN_IN_SCRIPT.findall(s.read_text("utf-8", "replace")) for s in scripts}
    assert {name: loads for name, loads in found.items() if loads} == {}


CARELESS = [
    "<script src='https://cdn.example/x.js'></script>",
    "<script>import('https://cdn.example/x.js')</script>",
    "<script>const s = document.createElement('script'); s.src = 'https://cdn.example/x.js'</script>",
    "<link rel='stylesheet' href='//fonts.example/x.css'>",
    "<link rel='preconnect' href='https://fonts.example'>",
    "<style>@import 'https://fonts.example/x.css';</style>",
    "<p style='background: url(https://pictures.example/x.png)'>x</p>",
    "<img srcset='https://pictures.example/x.png 2x'>",
    "<meta http-equiv='refresh' content='0; url=https://elsewhere.example/'>",
]


@pytest.mark.parametrize("html", CARELESS)
def test_a_page_that_would_load_something_is_found_out(html):
    assert len(loads_of(html)) == 1


@pytest.mark.parametrize(
    "html", ["<a href='https://fine.example/'>x</a>", "<link rel='license' href='https://x.example'>"]
)
def test_a_link_that_a_reader_follows_is_no_load(html):
    assert loads_of(html) == []


# --- What a browser does -----------------------------------------------------------------------------

MENUS = (".dropdown-launch-buttons", ".dropdown-source-buttons", ".dropdown-download-buttons")

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


def read(page):
    """Do with a page what a reader can: turn cards, unfold what is folded, open menus, change colours."""
    page.evaluate(
        """() => {
            const isFolded = (summary) => summary.checkVisibility() && !summary.parentElement.open;
            for (const one of document.querySelectorAll("details > summary")) if (isFolded(one)) one.click();
        }"""
    )
    for menu in MENUS:
        if page.locator(menu).count():
            page.locator(f"{menu} > button").click()
            page.locator(f"{menu} .dropdown-menu.show").wait_for()
            page.keyboard.press("Escape")
    for _ in range(3):
        page.locator(".theme-switch-button:visible").first.click()


@pytest.mark.parametrize("from_disk", [False, True], ids=["served", "from a disk, without a network"])
def test_reading_every_page_asks_no_other_host_and_logs_no_error(
    site, pages, server, new_context, foreign_requests, page_errors, from_disk
):
    context = new_context(offline=from_disk)
    failed = []
    context.on("requestfailed", lambda request: failed.append(request.url))
    context.on("response", lambda response: response.status >= 400 and failed.append(response.url))
    page = context.new_page()
    address = site.as_uri() if from_disk else server
    menus = 0
    for name in pages:
        page.goto(f"{address}/{name}")
        page.wait_for_selector("main")
        menus += page.locator(", ".join(MENUS)).count()
        read(page)
        if not from_disk:  # once is enough to see what a page asks for late
            page.wait_for_load_state("networkidle")
        assert page.evaluate(BROKEN) == [], name
        assert (foreign_requests, page_errors, failed) == ([], [], []), name
    assert menus > len(pages)


def test_without_a_network_the_search_finds_a_card_and_its_math_has_its_fonts(site, new_context, page_errors):
    page = new_context(offline=True).new_page()
    page.goto(f"{site.as_uri()}/search.html?q=parameters")
    page.locator("#search-results a[href*='flashcards']").first.click()
    page.wait_for_selector(".flipcard[open] .highlighted")
    assert page.locator(".katex").count() > 0
    page.wait_for_function(
        "() => [...document.fonts].some((f) => f.status === 'loaded' && f.family.startsWith('texmath'))"
    )
    assert page_errors == []


def test_on_a_phone_the_sidebars_open_without_asking_another_host(open_page, foreign_requests, page_errors):
    page = open_page("chapters/flashcards.html", width=360, height=740)
    for toggle, inside in (
        (".primary-toggle", "#pst-primary-sidebar-modal"),
        (".secondary-toggle", "#pst-secondary-sidebar-modal"),
    ):
        button = page.locator(f"{toggle}:visible")
        if button.count():
            button.first.click()
            page.locator(f"{inside} a").first.wait_for()
            page.keyboard.press("Escape")
            page.locator(inside).wait_for(state="hidden")
    page.wait_for_load_state("networkidle")
    assert foreign_requests == []
    assert page_errors == []
