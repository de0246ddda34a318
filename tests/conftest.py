"""What several folders of tests share: the built site, a web server for it and a Chromium."""

import functools
import http.server
import runpy
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = runpy.run_path(str(ROOT / "tests" / "ensure_chromium.py"))


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
    scripts do not run. Any further option goes to Playwright's `Browser.new_context`.
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
            **options,
        )
        context.set_default_timeout(20_000)
        context.route(is_foreign, refuse)
        context.on("weberror", lambda error: page_errors.append(str(error.error)))
        context.on("console", log)
        contexts.append(context)
        return context

    yield new_context
    for context in contexts:
        context.close()
