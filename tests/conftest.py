"""What several folders of tests share: the built site, a web server for it and a Chromium."""

import functools
import http.server
import io
import os
import runpy
import subprocess
import sys
import threading
import time
import urllib.parse
from pathlib import Path

import axe_playwright_python
import hypothesis
import pytest
from PIL import Image, ImageChops
from playwright.sync_api import expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
CHROMIUM = runpy.run_path(str(ROOT / "tests" / "ensure_chromium.py"))
PATIENCE_MS = 20_000  # of a page and of `expect`, which would give up after 5 s
expect.set_options(timeout=PATIENCE_MS)

# The same examples each time: a test is red for what was changed. Others by HYPOTHESIS_RANDOM=1.
hypothesis.settings.register_profile("repeatable", derandomize=not os.environ.get("HYPOTHESIS_RANDOM"))
hypothesis.settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def root():
    """The folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def site():
    """The folder of the built site. `make test` has built it; a bare pytest builds it when it is missing."""
    pages = ROOT / "_build" / "html"
    if not (pages / "index.html").exists():
        command = [Path(sys.executable).parent / "jupyter-book", "build", ROOT, "-n", "-W", "--keep-going"]
        subprocess.run(command, check=True)
    return pages


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files without a line in the log for each."""

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture(scope="session")
def serve():
    """A function that serves a folder on a free port of the loopback and returns the address."""
    servers = []

    def serve(folder):
        handler = functools.partial(QuietHandler, directory=str(folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


class Host:
    """Serves a folder below a path, as a host of several sites does; another folder can take its place.

    `asked` lists the paths asked for, relative to the site; a request for one of `broken` is answered by 503,
    and one for one of `cut` not at all: the connection ends. What is `slow` takes a second. `caching` is
    what browsers are told of keeping an answer.
    """

    def __init__(self, folder, path="/"):
        self.folder, self.path = folder, path
        self.asked, self.broken, self.cut, self.slow = [], set(), set(), set()
        self.caching = "no-cache"
        self.server, self.port = None, 0
        self.start()

    def start(self):
        """Answer, on the same port as before."""
        host = self

        class Handler(QuietHandler):
            def do_GET(self):
                name = urllib.parse.unquote(self.path.partition("?")[0]).removeprefix(host.path)
                host.asked.append(name)
                if name in host.slow:
                    time.sleep(1)
                if name in host.cut:
                    self.close_connection = True
                elif name in host.broken:
                    self.send_error(503)
                elif self.path.startswith(host.path) and Path(self.translate_path(self.path)).exists():
                    super().do_GET()
                else:
                    self.send_not_found()

            def end_headers(self):
                self.send_header("Cache-Control", host.caching)
                super().end_headers()

            def translate_path(self, path):
                self.directory = str(host.folder)
                return super().translate_path("/" + path.removeprefix(host.path))

            def send_not_found(self):
                page = host.folder / "404.html"
                self.send_response(404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(page.read_bytes() if page.is_file() else b"There is no such page.")

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def stop(self):
        """Answer nothing any more."""
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.thread.join()
            self.server = None

    def address(self, name="", host="127.0.0.1"):
        """The address of a page, by default on the loopback."""
        return f"http://{host}:{self.port}{self.path}{urllib.parse.quote(name, safe='/?=#&')}"


@pytest.fixture(scope="module")
def new_host():
    """A function that makes a `Host`."""
    hosts = []

    def new_host(folder, path="/"):
        hosts.append(Host(folder, path))
        return hosts[-1]

    yield new_host
    for host in hosts:
        host.stop()


@pytest.fixture(scope="session")
def server(site, serve):
    """The address of the built site, without a final /."""
    return serve(site)


# One browser a module, not a session: while Playwright runs, its event loop is in the way of any other.
@pytest.fixture(scope="module")
def browser():
    """A headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM["system_chromium"](), args=CHROMIUM["FLAGS"]
        )
        yield browser
        browser.close()


@pytest.fixture
def foreign_requests():
    """The addresses on other hosts that the test's pages asked for. The requests are refused."""
    return []


@pytest.fixture
def page_errors():
    """What the test's pages threw, and what they logged as an error."""
    return []


@pytest.fixture
def new_context(browser, foreign_requests, page_errors):
    """A function that opens a fresh browser context, which may reach the loopback only.

    `width` and `height` are CSS pixels; `dark` asks for the dark colour scheme; with `javascript=False`
    scripts do not run. Any further option goes to Playwright's `Browser.new_context`. No page keeps the
    book for reading offline, unless `service_workers="allow"`. A page's policy holds, for the tests' own
    style sheets and texts of scripts too, unless `bypass_csp=True`; functions can be waited for.
    """
    contexts = []

    def is_foreign(url):
        return url.startswith(("http:", "https:", "ws:", "wss:")) and "//127.0.0.1:" not in url

    def refuse(route):
        foreign_requests.append(route.request.url)
        route.abort()

    def log(message):
        if message.type == "error":
            page_errors.append(message.text)

    def new_context(*, width=1280, height=800, dark=False, javascript=True, **options):
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
            **{"service_workers": "block", **options},
        )
        context.set_default_timeout(PATIENCE_MS)
        context.route(is_foreign, refuse)
        context.on("weberror", lambda error: page_errors.append(str(error.error)))
        context.on("console", log)
        contexts.append(context)
        return context

    yield new_context
    for context in contexts:
        context.close()


# Of axe-core's rules: those whose findings another theme can change.
OF_COLOURS = ("color-contrast", "link-in-text-block")


@pytest.fixture
def wait_until():
    """A function that waits until what a script promises, or a Python function returns, is true.

    Playwright's own `wait_for_function` takes any promise to be true.
    """

    def wait_until(page, condition, *, seconds=120):
        deadline = time.monotonic() + seconds
        while not (condition() if callable(condition) else page.evaluate(condition)):
            assert time.monotonic() < deadline, f"never true: {condition}"
            page.wait_for_timeout(50)

    return wait_until


@pytest.fixture
def layout_shift():
    """A function that tells how much of an open page has moved since it was opened, as browsers count it."""

    def layout_shift(page):
        return page.evaluate(
            """() => new Promise((resolve) => {
                let sum = 0;
                const add = (list) => list.getEntries().forEach((entry) => { sum += entry.value; });
                new PerformanceObserver(add).observe({type: "layout-shift", buffered: true});
                requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve(sum), 100)));
            })"""
        )

    return layout_shift


@pytest.fixture
def violations():
    """A function that runs axe-core in an open page and returns the names of the rules that fail.

    With `colours_only`, only the rules about colours are asked, with `only` those of these names; `include`
    and `exclude` are selectors of what is looked at and what is left out.
    Two rules are named: axe-core leaves out that of the size of targets (WCAG 2.2), and older releases the
    other, as experimental. No more than the names leaves the page: that would take as long as the run.
    """

    def violations(page, *, colours_only=False, only=(), include="html", exclude=None):
        if not page.evaluate("'axe' in window"):
            page.evaluate(AXE.read_text(encoding="utf-8"))
        options = {"resultTypes": ["violations"], "selectors": False, "elementRef": False}
        if only or colours_only:
            options["runOnly"] = only or OF_COLOURS
        else:
            named = ("target-size", "label-content-name-mismatch")
            options["rules"] = {rule: {"enabled": True} for rule in named}
        run = """async ([context, options]) =>
            (await axe.run(context, options)).violations.map(({ id }) => id)"""
        context = {"include": [include], **({"exclude": [exclude]} if exclude else {})}
        return set(page.evaluate(run, [context, options]))

    return violations


@pytest.fixture
def differing():
    """A function that tells the share of pixels in which two pictures of a page differ."""

    def differing(before, after, channel=16):
        """A channel differs by more than this, of 255: less is how edges are smoothed."""
        assert before.size == after.size
        red, green, blue = ImageChops.difference(before, after).split()
        worst = ImageChops.lighter(ImageChops.lighter(red, green), blue)
        assert len(after.convert("L").getcolors()) > 8, "something is drawn"
        return sum(worst.histogram()[channel + 1 :]) / (worst.width * worst.height)

    return differing


@pytest.fixture
def pictures_of_what_opens():
    """A function that opens what the theme has to open on a page, each by itself, and takes pictures."""

    def pictures_of_what_opens(page):
        pictures = {}

        def look(name):
            shot = None
            for _ in range(20):  # until nothing changes: a busy machine marks the current heading late
                last, shot = shot, page.screenshot(animations="disabled")
                if shot == last:
                    break
            pictures[name] = Image.open(io.BytesIO(shot)).convert("RGB")

        for number, button in enumerate(page.locator(".bd-header-article .dropdown > button:visible").all()):
            button.click()
            menu = page.locator(".bd-header-article .dropdown-menu.show")
            menu.wait_for()
            page.mouse.move(640, 790)
            look(f"menu {number}")
            page.keyboard.press("Escape")
            menu.wait_for(state="hidden")
        page.locator(".btn-fullscreen-button").hover()
        page.locator(".tooltip.show").wait_for()
        look("tooltip")
        page.mouse.move(640, 790)
        page.locator(".tooltip").wait_for(state="detached")
        for button in (".search-button__button", ".primary-toggle", ".secondary-toggle"):
            if page.viewport_size["width"] < 900 or "search" in button:
                page.locator(f"{button}:visible").first.click()
                page.locator("dialog[open]").wait_for()
                look(button)
                page.keyboard.press("Escape")
                page.locator("dialog[open]").wait_for(state="detached")
        for fold in (
            ".admonition.dropdown button",
            "details.hide > summary",
            "details.sd-dropdown > summary",
        ):
            place = page.locator(f"article {fold}").first
            if place.count():
                place.click()
                page.mouse.move(640, 790)
                place.evaluate("place => place.scrollIntoView({ block: 'center', behavior: 'instant' })")
                look(fold)
        return pictures

    return pictures_of_what_opens
