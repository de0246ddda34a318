"""Measures our cards beside those of jupytercards, on the same texts and in one run: `make bench`.

Each tool gets a book with Jupyter Book's own settings for every size of deck; a cell of it shows the deck.
Ours are also shown in such a book made light by sphinx-lightbook.
Numbers are medians over fresh visits, which the tools have in turn, in an order drawn anew each round.
When the first card is there differs more from visit to visit than from tool to tool: that has visits of its
own, and its aim looks at the differences within the rounds. No host but this machine can be reached.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import importlib.metadata
import itertools
import json
import os
import random
import re
import runpy
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from flipcards import Card, Deck, page
from paired import difference
from playwright.sync_api import Browser, Page, TimeoutError, sync_playwright
from servers import TOKEN, jupyter, served

HERE = Path(__file__).parent
CHROMIUM = runpy.run_path(str(HERE.parent / "tests" / "ensure_chromium.py"))
STATIC = Path(page.__file__).parent / "static"
PROBE = (HERE / "probe.js").read_text(encoding="utf-8")
SIZES = (6, 1_000, 10_000)
TIMEOUT_MS = 180_000
# By the browser itself: each request that Playwright looks at takes some milliseconds.
THIS_MACHINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
FRAME_MS = 1_000 / 60  # of a usual display; what comes earlier within it is not seen earlier
REST = 0.3  # seconds before a first card is waited for, so that the visit before is over

SUBJECTS = ["the reward model", "a rank of eight", "the reference policy", "the loss mask", "a frozen weight"]
CLAUSES = [
    "it is trained on pairs that people have ranked",
    "the update is a product of two thin matrices",
    "the penalty holds the policy near where it began",
    "only the tokens of the completion are counted",
    "its gradient is never computed, so no optimiser state is kept for it",
]

Numbers = dict[str, float]
Pages = dict[tuple[str, int], Numbers]  # by the tool's name and the number of cards
Firsts = dict[tuple[str, int], list[float]]  # ms until the first card, a visit each, in the order of rounds


@dataclass(frozen=True)
class Tool:
    """What shows cards. `parts` are the selectors that probe.js knows it by."""

    name: str
    setup: str  # the first lines of its cell
    show: str  # the last line, with {n} for the number of the deck
    extensions: tuple[str, ...]
    write: Callable[[Path, list[Card]], None]
    parts: dict[str, str]


def write_yaml(path: Path, cards: list[Card]) -> None:
    """Write a deck as flipcards reads it."""
    Deck(tuple(cards), title=path.name).save(path.with_suffix(".yml"), force=True)


def write_json(path: Path, cards: list[Card]) -> None:
    """Write a deck as jupytercards reads it."""
    path.with_suffix(".json").write_text(json.dumps([{"front": c.front, "back": c.back} for c in cards]))


OURS = Tool(
    "flipcards",
    "from flipcards import Deck\ndeck = Deck.load('deck{n}.yml')",
    "deck",
    ("flipcards.sphinx",),
    write_yaml,
    {
        "card": "details.flipcard",
        "question": ".flipcard-front",
        "answer": ".flipcard-back",
        "ready": ".flipcards-dealt",  # the style sheet turns these; the script comes after them
    },
)
THEIRS = Tool(
    "jupytercards",
    "import json\nfrom jupytercards import display_flashcards\ndeck = json.load(open('deck{n}.json'))",
    "display_flashcards(deck)",
    (),
    write_json,
    {
        "card": ".flip-container",
        "question": ".frontcard .front",
        "answer": ".frontcard .back",
        "ready": ".flip-container > .flipper",
    },
)
# As this repository builds its site: sphinx-lightbook takes the theme's scripts off the reader's processor.
LIGHT = replace(OURS, name="in a light book", extensions=(*OURS.extensions, "sphinx_lightbook"))
TOOLS = (OURS, LIGHT, THEIRS)
PACKAGES = ("flipcards", "sphinx-lightbook", "jupytercards")


def cards(count: int, first: int = 0) -> list[Card]:
    """Cards of plain text, about as long as those of a real deck."""
    made = []
    for n in range(first, first + count):
        subject, clause = SUBJECTS[n % len(SUBJECTS)], CLAUSES[n // len(SUBJECTS) % len(CLAUSES)]
        made.append(
            Card(
                id=f"card-{n}",
                front=f"What is said of {subject} in case {n}?",
                back=f"Of {subject}: {clause}. That holds in case {n}, and in most that are like it.",
            )
        )
    return made


# --- Pages -------------------------------------------------------------------------------------------


def build(folder: Path, tool: Tool, decks: list[list[Card]]) -> tuple[Path, float]:
    """Build a book of one page that shows the decks; return its site and how many seconds that took."""
    folder.mkdir(parents=True)
    body = ""
    for n, deck in enumerate(decks):
        tool.write(folder / f"deck{n}", deck)
        source = f"{tool.setup}\n{tool.show}".format(n=n)
        body += f"\n```{{code-cell}} ipython3\n:tags: [remove-input]\n{source}\n```\n"
    front_matter = "---\nfile_format: mystnb\nkernelspec: {name: python3, display_name: Python 3}\n---\n"
    (folder / "index.md").write_text(f"{front_matter}\n# Cards\n{body}", encoding="utf-8")
    (folder / "_toc.yml").write_text("format: jb-book\nroot: index\n")
    config = {
        "title": "Cards",
        "only_build_toc_files": True,
        "execute": {"execute_notebooks": "force", "timeout": 600},
        "sphinx": {"extra_extensions": list(tool.extensions)},
    }
    (folder / "_config.yml").write_text(json.dumps(config))  # JSON is YAML
    command = [str(Path(sys.executable).parent / "jupyter-book"), "build", str(folder)]
    begun = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begun
    html = folder / "_build" / "html"
    if done.returncode or not (html / "index.html").exists():
        sys.exit(f"The book of {tool.name} was not built:\n{done.stdout}{done.stderr}")
    return html, seconds


@contextlib.contextmanager
def fresh_page(browser: Browser, parts: dict[str, str], *, reduced_motion: bool = False) -> Iterator[Page]:
    """A page of a new context, which carries the probe."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800},
        reduced_motion="reduce" if reduced_motion else "no-preference",
    )
    try:
        context.set_default_timeout(TIMEOUT_MS)
        context.add_init_script(f"{PROBE}\nbench.parts = {json.dumps(parts)};")
        yield context.new_page()
    finally:
        context.close()


def settle(shown: Page) -> None:
    """Wait until the page has nothing left to do."""
    shown.wait_for_load_state("load")
    shown.evaluate("bench.quiet()")


def answer(shown: Page) -> tuple[float, int]:
    """Click the first card; return ms and frames until its answer is reached."""
    shown.evaluate("() => { bench.clicked = bench.answered(bench.parts); }")
    box = shown.locator(shown.evaluate("bench.parts.card")).first.bounding_box()
    assert box is not None
    shown.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    seen = shown.evaluate("bench.clicked")
    return seen["ms"], seen["frames"]


def first_card(browser: Browser, address: str, tool: Tool) -> float:
    """Visit a page; return ms until its first card is painted and can be turned."""
    with fresh_page(browser, tool.parts) as shown:
        shown.context.add_init_script("bench.first = bench.firstCard(bench.parts);")
        shown.goto("about:blank")
        time.sleep(REST)
        shown.goto(address, wait_until="load")
        return float(shown.evaluate("bench.first"))


def visit(browser: Browser, address: str, tool: Tool) -> Numbers:
    """What one reader finds beside: see the rows of the table."""
    seen: Numbers = {}
    with fresh_page(browser, tool.parts) as shown:
        shown.goto(address)
        seen["parsed"] = shown.evaluate("performance.getEntriesByType('navigation')[0].domInteractive")
        settle(shown)
        seen["load_task"] = shown.evaluate("bench.longestTask()")
        seen["answer"], _ = answer(shown)
        settle(shown)
        seen["click_task"] = shown.evaluate("bench.longestTask()")
        seen["nodes"] = shown.evaluate("document.getElementsByTagName('*').length")
        session = shown.context.new_cdp_session(shown)
        session.send("HeapProfiler.collectGarbage")
        session.send("Performance.enable")
        metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
        seen["heap"] = metrics["JSHeapUsedSize"]
        for name in ("Flip all", "Shuffle") if tool is not THEIRS else ():
            shown.get_by_role("button", name=name).click()
            settle(shown)
            seen["all_task"] = max(seen.get("all_task", 0), shown.evaluate("bench.longestTask()"))
    with fresh_page(browser, tool.parts, reduced_motion=True) as shown:
        shown.goto(address)
        shown.evaluate("bench.firstCard(bench.parts)")
        settle(shown)
        _, seen["still_frames"] = answer(shown)
    return seen


# --- Live --------------------------------------------------------------------------------------------


def run_first_cell(shown: Page) -> None:
    """Run the first cell and stay in the second; right after a notebook is opened, keys can run nothing."""
    first = shown.locator(".jp-CodeCell").first
    for _ in range(30):
        first.locator(".cm-content").click()
        shown.keyboard.press("Shift+Enter")
        with contextlib.suppress(TimeoutError):
            first.get_by_text(re.compile(r"\[\d+\]:")).wait_for(timeout=6_000)
            return
    sys.exit("Notebook does not run the first cell.")


def live(browser: Browser, folder: Path, tool: Tool, count: int) -> Numbers:
    """How long a notebook takes from the keys that run its cell to a card that can be read and turned."""
    folder.mkdir(parents=True)
    tool.write(folder / "deck0", cards(count))
    cells: list[dict[str, object]] = [
        {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}
        for source in (tool.setup.format(n=0), tool.show)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4}
    (folder / "cards.ipynb").write_text(json.dumps(notebook))
    rate = ["--ServerApp.iopub_data_rate_limit=1e9"]
    with (
        jupyter("notebook", folder, folder / ".home", rate) as address,
        fresh_page(browser, tool.parts) as shown,
    ):
        shown.goto(f"{address}/notebooks/cards.ipynb?token={TOKEN}")
        # A notebook without a kernel is called idle too.
        shown.locator(".jp-Toolbar-kernelName").get_by_text("Python 3 (ipykernel)").wait_for()
        shown.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
        run_first_cell(shown)
        settle(shown)
        shown.evaluate("bench.longestTask()")
        shown.evaluate("() => { bench.shown = bench.firstCardAfterKey(bench.parts, 'Enter'); }")
        shown.keyboard.press("Shift+Enter")
        seen = {"live": shown.evaluate("bench.shown")}
        settle(shown)
        seen["live_task"] = shown.evaluate("bench.longestTask()")
        seen["live_answer"], _ = answer(shown)
    return seen


# --- The table ---------------------------------------------------------------------------------------


def milliseconds(value: float) -> str:
    """A time as the table shows it."""
    return f"{value:,.0f} ms"


def task(value: float) -> str:
    """The length of a task; the browser reports those of 50 ms and more."""
    return milliseconds(value) if value else "< 50 ms"


def kilobytes(value: float) -> str:
    """A size as the table shows it."""
    return f"{value / 1000:,.1f} kB"


ROWS: list[tuple[str, str, Callable[[float], str]]] = [
    ("build", "build of the book", lambda value: f"{value:.1f} s"),
    ("html", "HTML of the page", kilobytes),
    ("html_gz", "… gzipped", kilobytes),
    ("first", "first card can be read and turned", milliseconds),
    ("parsed", "page parsed", milliseconds),
    ("load_task", "longest task while loading", task),
    ("answer", "click → answer, in motion", milliseconds),
    ("still_frames", "… frames, with reduced motion", lambda value: f"{value:.0f}"),
    ("click_task", "longest task after the click", task),
    ("all_task", "longest task of flip all, shuffle", task),
    ("nodes", "elements of the page", lambda value: f"{value:,.0f}"),
    ("heap", "heap, after a collection", lambda value: f"{value / 1e6:.1f} MB"),
    ("live", "Notebook 7: run → first card", milliseconds),
    ("live_task", "… longest task", task),
    ("live_answer", "… click → answer", milliseconds),
]


def table(results: Pages, sizes: list[int]) -> str:
    """The results, a column for each size and tool."""
    columns = [(tool.name, size) for size in sizes for tool in TOOLS]
    lines = [["", *(f"{size:,}" for _, size in columns)], ["", *(name for name, _ in columns)]]
    for key, label, words in ROWS:
        row = [results[column].get(key) for column in columns]
        lines.append([label, *("" if value is None else words(value) for value in row)])
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns) + 1)]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))]
        )
        for line in lines
    )


def no_later(ours: list[float], theirs: list[float], slack: float) -> tuple[str, str]:
    """Whether a first card is no later than theirs by more than `slack` ms: the verdict and what it rests on.

    Where the interval of 95 % holds both, that many visits do not tell.
    """
    apart = difference(ours, theirs)
    if apart.high <= slack:
        verdict = "reached"
    elif apart.low > 0:
        verdict = "MISSED"
    else:
        verdict = "not told"
    words = f"{apart.estimate:+.0f} ms, {apart.low:+.0f} to {apart.high:+.0f} in {len(ours)} rounds"
    return verdict, f"{words}; up to {slack:+.0f}"


def aims(results: Pages, firsts: Firsts, sizes: list[int]) -> list[tuple[str, str, str]]:
    """What the cards aim at: the aim, what was measured, whether it is reached."""
    found: list[tuple[str, str, str]] = []

    def at_most(aim: str, value: float, limit: float, words: Callable[[float], str]) -> None:
        found.append((aim, f"{words(value)} of {words(limit)}", "reached" if value <= limit else "MISSED"))

    for size, tool in itertools.product(sizes, (OURS, LIGHT)):
        ours, theirs = results[tool.name, size], results[THEIRS.name, size]
        where = f"{size:,} cards{'' if tool is OURS else f', {tool.name}'}"
        at_most(f"answer within 50 ms, {where}", ours["answer"], 50, milliseconds)
        at_most(f"one frame with reduced motion, {where}", ours["still_frames"], 1, lambda v: f"{v:.0f}")
        aim = f"first card no later than theirs, to a {'frame' if size <= 1_000 else 'fifth'}, {where}"
        slack = FRAME_MS if size <= 1_000 else 0.2 * theirs["first"]
        verdict, words = no_later(firsts[tool.name, size], firsts[THEIRS.name, size], slack)
        found.append((aim, words, verdict))
        if size > 1_000:
            longest = max(ours[key] for key in ("load_task", "click_task", "all_task"))
            at_most(f"no task over 200 ms, {where}", longest, 200, task)
            at_most(f"build within 60 s, {where}", ours["build"], 60, lambda value: f"{value:.1f} s")
        if "live" in ours:
            at_most(f"live in Notebook 7 within 2 s, {where}", ours["live"], 2_000, milliseconds)
    return found


def second_deck(folder: Path, tool: Tool) -> str:
    """What a second deck of 100 other cards adds to a page, beside the bytes of its own text."""
    first, second = cards(100), cards(100, first=100)
    one, _ = build(folder / "one", tool, [first])
    two, _ = build(folder / "two", tool, [first, second])
    added = (two / "index.html").stat().st_size - (one / "index.html").stat().st_size
    text = sum(len(card.front.encode()) + len(card.back.encode()) for card in second)
    around = (added - text) / len(second)
    return f"{kilobytes(added)}, of which text {kilobytes(text)}: {around:,.0f} bytes around each card"


def measure(
    browser: Browser, folder: Path, sizes: list[int], repeat: int, rounds: int
) -> tuple[Pages, Firsts]:
    """Build and visit every page."""
    results: Pages = {}
    firsts: Firsts = {}
    for size in sizes:
        sites = {}
        for tool in TOOLS:
            site, seconds = build(folder / f"{tool.name}-{size}", tool, [cards(size)])
            sites[tool.name] = site
            html = (site / "index.html").read_bytes()
            results[tool.name, size] = {
                "build": seconds,
                "html": len(html),
                "html_gz": len(gzip.compress(html, 6)),
            }
            firsts[tool.name, size] = []
            print(f"built {size:,} cards, {tool.name}: {seconds:.1f} s", flush=True)
        visits: dict[str, list[Numbers]] = {tool.name: [] for tool in TOOLS}
        with contextlib.ExitStack() as stack:
            address = {
                name: f"{stack.enter_context(served(site))}/index.html" for name, site in sites.items()
            }
            for n in range(rounds + 1):
                for tool in random.sample(TOOLS, len(TOOLS)):  # none is always the first after a pause
                    first = first_card(browser, address[tool.name], tool)
                    if n:  # the first round warms the machine up
                        firsts[tool.name, size].append(first)
            for _ in range(repeat):
                for tool in random.sample(TOOLS, len(TOOLS)):
                    visits[tool.name].append(visit(browser, address[tool.name], tool))
        for tool in TOOLS:
            seen = visits[tool.name]
            results[tool.name, size] |= {key: statistics.median(one[key] for one in seen) for key in seen[0]}
            results[tool.name, size]["first"] = statistics.median(firsts[tool.name, size])
        print(f"visited {size:,} cards", flush=True)
    return results, firsts


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, help="cards in a deck; 6, 1000 and 10000 when left out")
    parser.add_argument("--repeat", type=int, default=5, help="visits to each page (5)")
    parser.add_argument("--rounds", type=int, default=60, help="visits that wait for a first card (60)")
    parser.add_argument("--no-live", action="store_true", help="leave Notebook 7 out")
    options = parser.parse_args()
    if options.repeat < 1 or options.rounds < 6:
        parser.error("--repeat must be 1 at least, and --rounds 6, for an interval of 95 %")
    sizes = options.sizes or list(SIZES)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM["system_chromium"](), args=[*CHROMIUM["FLAGS"], THIS_MACHINE]
        )
        results, firsts = measure(browser, folder, sizes, options.repeat, options.rounds)
        if not options.no_live:
            for tool in (OURS, THEIRS):
                found = live(browser, folder / f"{tool.name}-live", tool, sizes[-1])
                results[tool.name, sizes[-1]] |= found
        versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
        print(f"\n{versions}; Chromium {browser.version}; {os.cpu_count()} processors\n")
        browser.close()
        print(table(results, sizes))
        for tool in (OURS, THEIRS):
            added = second_deck(folder / f"{tool.name}-2", tool)
            print(f"\nA second deck of 100 cards with {tool.name} adds {added}")
    module = len(gzip.compress((STATIC / "cards.js").read_bytes(), 9))
    checked = [
        *aims(results, firsts, sizes),
        (
            "the page's module at most 5 kB gzipped",
            f"{module:,} of 5,120 bytes",
            "reached" if module <= 5_120 else "MISSED",
        ),
    ]
    print()
    for aim, words, verdict in checked:
        print(f"{verdict:8}  {aim}: {words}")


if __name__ == "__main__":
    main()
