"""Every page of the site, read by a browser with scripts: no other host is asked, and nothing needs a network."""

import re
from html.parser import HTMLParser

import pytest

# Menus, sidebars and the colour button of the theme, at a width that shows them.
CONTROLS = {
    "desktop": (1280, [".dropdown-launch-buttons", ".dropdown-download-buttons", ".dropdown-source-buttons"]),
    "phone": (360, [".primary-toggle", ".secondary-toggle"]),
}
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
            if value and (loads or name in ALWAYS) and FOREIGN.search(value):
                self.found.append(f"<{tag} {name}={value}>")
            if name == "style" and FOREIGN_IN_CSS.search(value or ""):
                self.found.append(f"<{tag} style={value}>")
        if tag == "meta" and (attrs.get("http-equiv") or "").lower() == "refresh":
            self.found.append(f"<meta refresh {attrs.get('content')}>")

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
    """The paths of all pages of the site."""
    found = sorted(
        path.relative_to(site).as_posix() for path in site.rglob("*.html") if "_static" not in path.parts
    )
    assert len(found) >= 10
    return found


@pytest.fixture
def is_quiet(foreign_requests, page_errors):
    """A function that requires that until now nothing was asked of another host and no error was logged."""

    def is_quiet(name):
        assert foreign_requests == [], name
        assert page_errors == [], name

    return is_quiet


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
