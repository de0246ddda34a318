"""Measures study where a reader has much behind them: `make bench`, or `python bench/study.py`.

A book of 10,000 cards has a Today page, and the reader's log has 100,000 reviews: it is loaded as a file, as
a reader would. Numbers are medians over visits, each in a tab of its own, of one browser profile.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from cards import CHROMIUM, PROBE, TIMEOUT_MS, Numbers, cards, milliseconds, task
from flipcards import Deck
from flipcards.scheduler import Scheduler
from playwright.sync_api import BrowserContext, sync_playwright
from servers import served

DECK = 500  # cards a page
DAY_MS = 86_400_000
TODAY = "today.html"
BOOK = "bench"

# What the reader sees is there once an element is, in a frame that was painted.
SEEN = """(selector) => new Promise((done) => {
  const look = () => document.querySelector(selector)
    ? requestAnimationFrame(() => setTimeout(() => done(performance.now())))
    : requestAnimationFrame(look);
  look();
})"""

# From a key to the frame that shows another card than before.
NEXT_CARD = """(key) => new Promise((done) => {
  const asked = () => document.querySelector(".flipcards-stage .flipcard")?.dataset.card;
  const before = asked();
  addEventListener("keydown", ({ timeStamp }) => {
    let frames = 0;
    const look = () => {
      frames += 1;
      if (asked() && asked() !== before) done({ ms: performance.now() - timeStamp, frames });
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }, { capture: true, once: true });
})"""

# Whether frontend/storage.js has kept a snapshot of the log.
HAS_SNAPSHOT = """async () => {
  const [{ name }] = await indexedDB.databases();
  return new Promise((done) => {
    const opening = indexedDB.open(name);
    opening.onsuccess = () => {
      const reading = opening.result.transaction("meta").objectStore("meta").get("snapshot");
      reading.onsuccess = () => { opening.result.close(); done(Boolean(reading.result)); };
    };
  });
}"""


def build(folder: Path, count: int, *, light: bool = True) -> tuple[Path, float]:
    """Build a book with a page for each deck and one for Today; return its site and the seconds it took.

    It is built as the site of this repository is, with sphinx-lightbook, unless it is not to be `light`.
    """
    folder.mkdir()
    pages = []
    for number, first in enumerate(range(0, count, DECK)):
        deck = Deck(tuple(cards(min(DECK, count - first), first)), title=f"Deck {number}")
        deck.save(folder / f"deck{number}.yml", force=True)
        pages.append(f"page{number}")
        text = f"# Page {number}\n\n```{{flipcards}} deck{number}.yml\n```\n"
        (folder / f"page{number}.md").write_text(text)
    (folder / "today.md").write_text("# Today\n\n```{flipcards-today}\n```\n")
    toc = {"format": "jb-book", "root": "today", "chapters": [{"file": page} for page in pages]}
    (folder / "_toc.yml").write_text(json.dumps(toc))  # JSON is YAML
    config = {
        "title": "Cards",
        "only_build_toc_files": True,
        "execute": {"execute_notebooks": "off"},
        "sphinx": {
            "extra_extensions": ["flipcards.sphinx", *(["sphinx_lightbook"] if light else [])],
            "config": {"flipcards_decks": ["deck*.yml"], "flipcards_book": BOOK},
        },
    }
    (folder / "_config.yml").write_text(json.dumps(config))
    command = [str(Path(sys.executable).parent / "jupyter-book"), "build", str(folder)]
    begun = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    site = folder / "_build" / "html"
    if done.returncode or not (site / TODAY).exists():
        sys.exit(f"The book was not built:\n{done.stdout}{done.stderr}")
    return site, time.perf_counter() - begun


def reviews(count: int, each: int) -> list[dict[str, object]]:
    """The log of a reader who studied every card `each` times over the last months, in order."""
    chance = random.Random(0)
    now_ms = time.time() * 1000
    made: list[dict[str, object]] = []
    for number in range(count):
        for when in sorted(chance.random() for _ in range(each)):
            at = datetime.fromtimestamp((now_ms - (1 - when) * 200 * DAY_MS) / 1000, UTC)
            made.append(
                {
                    "schema": 1,
                    "id": str(UUID(int=chance.getrandbits(128), version=4)),
                    "kind": "review",
                    "card": f"card-{number}",
                    "at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                    "offset_minutes": 60,
                    "device": str(UUID(int=1)),
                    "rating": chance.choices([1, 2, 3, 4], [1, 1, 7, 1])[0],
                    "duration_ms": 5_000,
                    "decided": {
                        "state": "review",
                        "due": "2026-11-24T03:00:00.000Z",
                        "interval_days": 9,
                        "stability": 8.29561234,
                        "difficulty": 5.01234567,
                    },
                }
            )
    return sorted(made, key=lambda entry: str(entry["at"]))


def visit(context: BrowserContext, address: str) -> Numbers:
    """What a reader finds who comes back: see the rows of the table."""
    page = context.new_page()
    try:
        page.goto(f"{address}/{TODAY}", wait_until="commit")
        seen = {"ready": page.evaluate(SEEN, ".flipcards-figures > *")}
        seen["parsed"] = page.evaluate("performance.getEntriesByType('navigation')[0].domInteractive")
        page.evaluate("bench.quiet()")
        seen["ready_task"] = page.evaluate("bench.longestTask()")
        clicked = page.evaluate("performance.now()")
        page.locator(".flipcards-start").click()
        seen["first"] = page.evaluate(SEEN, ".flipcards-stage .flipcard") - clicked
        waits: list[Numbers] = []
        page.evaluate("bench.quiet()")
        page.evaluate("bench.longestTask()")
        for _ in range(10):
            page.keyboard.press("Space")
            page.locator(".flipcards-ratings").wait_for()
            page.evaluate("bench.quiet()")
            page.evaluate(f"() => {{ bench.next = ({NEXT_CARD})(); }}")
            page.keyboard.press("3")
            waits.append(page.evaluate("bench.next"))
        seen["next"] = statistics.median(wait["ms"] for wait in waits)
        seen["next_frames"] = statistics.median(wait["frames"] for wait in waits)
        page.evaluate("bench.quiet()")
        seen["next_task"] = page.evaluate("bench.longestTask()")
        session = context.new_cdp_session(page)
        session.send("HeapProfiler.collectGarbage")
        session.send("Performance.enable")
        metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        return seen | {"heap": metrics["JSHeapUsedSize"]}
    finally:
        page.close()


def in_python(entries: list[dict[str, object]]) -> float:
    """How many seconds Python takes to fold the log."""
    begun = time.perf_counter()
    scheduler = Scheduler()
    # The entries are made above as plain dictionaries, as a file's lines would be.
    scheduler.add(entries)  # type: ignore[arg-type]
    scheduler.states()
    return time.perf_counter() - begun


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cards", type=int, default=10_000)
    parser.add_argument("--reviews", type=int, default=10, help="of each card (10)")
    parser.add_argument("--repeat", type=int, default=5, help="visits (5)")
    parser.add_argument("--plain", action="store_true", help="a book without sphinx-lightbook")
    options = parser.parse_args()
    entries = reviews(options.cards, options.reviews)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        site, build_seconds = build(Path(name) / "book", options.cards, light=not options.plain)
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM["system_chromium"](), args=CHROMIUM["FLAGS"]
        )
        with served(site) as address:
            context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
            context.set_default_timeout(TIMEOUT_MS)
            context.add_init_script(PROBE)
            fresh = visit(context, address)
            page = context.new_page()
            page.goto(f"{address}/{TODAY}")
            log = Path(name) / "progress.jsonl"
            log.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries), encoding="utf-8")
            page.locator(".flipcards-board input[type=file]").set_input_files(log)
            while not page.evaluate(HAS_SNAPSHOT):
                page.wait_for_timeout(500)
            page.close()
            seen = [visit(context, address) for _ in range(options.repeat)]
            context.close()
        browser.close()
    median = {key: statistics.median(one[key] for one in seen) for key in seen[0]}
    kind = "plain" if options.plain else "light"
    print(
        f"{options.cards:,} cards, {len(entries):,} reviews; a {kind} book, built in {build_seconds:.0f} s\n"
    )
    rows = [
        ("page parsed", "parsed", milliseconds),
        ("Today ready", "ready", milliseconds),
        ("… longest task", "ready_task", task),
        ("start → first card", "first", milliseconds),
        ("rating → next card", "next", milliseconds),
        ("… frames", "next_frames", lambda value: f"{value:.0f}"),
        ("… longest task", "next_task", task),
        ("heap, after a collection", "heap", lambda value: f"{value / 1e6:.1f} MB"),
    ]
    print(f"{'':28}{'no log':>12}{'this log':>12}")
    for label, key, words in rows:
        print(f"{label:28}{words(fresh[key]):>12}{words(median[key]):>12}")
    print(f"\nthe same log in Python: {in_python(entries):.1f} s\n")
    aims = [
        ("Today ready within 1 s", median["ready"] <= 1_000),
        ("a rating to the next card within one frame", median["next_frames"] <= 1),
    ]
    for aim, reached in aims:
        print(f"{'reached' if reached else 'MISSED '}  {aim}")


if __name__ == "__main__":
    main()
