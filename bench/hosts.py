"""Shows a deck in Voilà and marimo, which CI does not run, and looks at it in Chromium: `make hosts`.

The hosts run from an environment of their own (bench/hosts-requirements.txt). In each, a card is turned, and
what Python knows of it is read from the page. Exits with 1 where a host does not show what it should.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import runpy
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Error, expect, sync_playwright

CHROMIUM = runpy.run_path(str(Path(__file__).parent.parent / "tests" / "ensure_chromium.py"))
LONG = 120_000  # ms
DECK = "cards:\n  - {id: one, front: What is $x$?, back: The first.}\n  - {id: two, front: Q, back: A}\n"

MARIMO = """\
import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo
    from flipcards import Cards, Deck

    known, set_known = mo.state([])
    widget = Cards(Deck.load("deck.yml"))
    widget.observe(lambda change: set_known(change["new"]), "revealed")
    mo.ui.anywidget(widget)
    return known, mo


@app.cell
def _(known, mo):
    mo.plain_text(f"Python knows {known()}")


if __name__ == "__main__":
    app.run()
"""
VOILA = """\
import ipywidgets
from flipcards import Cards, Deck

cards = Cards(Deck.load("deck.yml"))
known = ipywidgets.Label("Python knows []")
cards.observe(lambda change: setattr(known, "value", f"Python knows {change['new']}"), "revealed")
ipywidgets.VBox([cards, known])
"""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def running(command: list[str], folder: Path, port: int) -> Iterator[str]:
    """Run a host in a folder until its port answers; gives its address."""
    address = f"http://127.0.0.1:{port}"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + 120
            while time.monotonic() < deadline and process.poll() is None:
                with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=60):
                    yield address
                    return
                time.sleep(0.2)
            raise RuntimeError(f"it did not start:\n{(folder / 'log').read_text()[-2000:]}")
        finally:
            process.terminate()
            process.wait(timeout=30)


def voila(python: Path, folder: Path, port: int) -> list[str]:
    """The command that shows a notebook in Voilà."""
    cell: dict[str, object]
    cell = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": VOILA}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4}
    (folder / "cards.ipynb").write_text(json.dumps(notebook))
    options = ["--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"]
    return [str(python), "-m", "voila", "cards.ipynb", *options]


def marimo(python: Path, folder: Path, port: int) -> list[str]:
    """The command that shows a notebook in marimo."""
    (folder / "cards.py").write_text(MARIMO)
    options = ["--headless", "--no-token", "--host", "127.0.0.1", "--port", str(port)]
    return [str(python), "-m", "marimo", "run", "cards.py", *options]


HOSTS = {"Voilà": voila, "marimo": marimo}


def look(browser: Browser, address: str, picture: Path | None) -> list[str]:
    """Turn a card, and require that Python knows it; returns the hosts that were asked for something."""
    foreign: list[str] = []
    page = browser.new_page()
    page.on(
        "request",
        lambda request: (
            foreign.append(request.url.split("/")[2])
            if request.url.startswith("http") and "//127.0.0.1:" not in request.url
            else None
        ),
    )
    page.goto(address)
    cards = page.locator(".flipcard")
    expect(cards).to_have_count(2, timeout=LONG)
    expect(cards.first.locator(".katex").first).to_be_visible()
    cards.first.locator(".flipcard-front").click()
    expect(cards.first.locator(".flipcard-back")).to_be_visible()
    expect(page.get_by_text("Python knows ['one']")).to_be_visible(timeout=LONG)
    if picture:
        page.screenshot(path=picture)
    page.close()
    return sorted(set(foreign))


def main() -> int:
    """Look at the deck in every host, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", type=Path, help="of the environment that has the hosts")
    parser.add_argument("--pictures", type=Path, help="a folder for a picture of each host")
    options = parser.parse_args()
    failed = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM["system_chromium"](), args=CHROMIUM["FLAGS"]
        )
        for name, command in HOSTS.items():
            with tempfile.TemporaryDirectory() as place:
                folder, port = Path(place), free_port()
                (folder / "deck.yml").write_text(DECK)
                picture = options.pictures / f"{name}.png" if options.pictures else None
                try:
                    with running(command(options.python.absolute(), folder, port), folder, port) as address:
                        foreign = look(browser, address, picture)
                except (AssertionError, Error, RuntimeError) as error:
                    failed += 1
                    print(f"{name}: failed\n{error}", flush=True)
                    continue
            asked = f"; the host's page asked {', '.join(foreign)}" if foreign else ""
            print(f"{name}: the cards turn, and Python knows it{asked}", flush=True)
        browser.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
