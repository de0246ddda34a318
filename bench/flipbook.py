"""Measures the flipbooks of the built site: bytes per figure, and how soon the next setting is up.

`python bench/flipbook.py` after `make book`. SVG counts gzipped, as web servers send it. The time is from
the key to the frame in which the browser paints the picture, which was loaded before.
"""

from __future__ import annotations

import gzip
import json
import re
import runpy
import statistics
from pathlib import Path

from playwright.sync_api import Locator, sync_playwright
from servers import served

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
CHROMIUM = runpy.run_path(str(ROOT / "tests" / "ensure_chromium.py"))
TURNS = 20
DATA = re.compile(
    r'<figure[^>]* id="([^"]+)">\s*<div class="flipbook">.*?<script type="application/json">(.*?)<', re.S
)
# Turns one knob to and fro; resolves with the milliseconds of each turn.
TURN = """async (book, turns) => {
  const slider = book.querySelector("input[type=range]"), times = [];
  const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  for (let turn = 0; turn < turns; turn++) {
    const shown = new Promise((done) => new MutationObserver((_, seen) => (seen.disconnect(), done()))
      .observe(book, { attributeFilter: ["data-frame"] }));
    const start = performance.now();
    slider.valueAsNumber = slider.valueAsNumber === 0 ? 1 : 0;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await shown; await painted();
    times.push(performance.now() - start);
  }
  return times;
}"""


def sent_bytes(file: Path) -> int:
    """Bytes that a reader downloads for a picture."""
    content = file.read_bytes()
    return len(gzip.compress(content, 9, mtime=0)) if file.suffix == ".svg" else len(content)


def turning_ms(book: Locator) -> list[float]:
    """Milliseconds of each turn once both pictures are loaded: the first two turns load them."""
    times: list[float] = book.evaluate(f"(book) => ({TURN})(book, {TURNS + 2})")
    return times[2:]


def main() -> None:
    """Print a row for each flipbook of the site."""
    print("| figure | settings | files | bytes each, median | most | all | next setting, ms, median | most |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    with served(SITE) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM["system_chromium"](), args=CHROMIUM["FLAGS"]
        )
        for file in sorted(SITE.rglob("*.html")):
            for name, written in DATA.findall(file.read_text(encoding="utf-8")):
                data = json.loads(written)
                sizes = [sent_bytes(file.parent / picture["source"]) for picture in data["pictures"]]
                page = browser.new_page()
                page.goto(f"{address}/{file.relative_to(SITE).as_posix()}")
                times = turning_ms(page.locator(f"#{name} .flipbook-turning"))
                page.close()
                print(
                    f"| {name} | {len(data['frames'])} | {len(sizes)} | {statistics.median(sizes):,.0f} "
                    f"| {max(sizes):,} | {sum(sizes):,} | {statistics.median(times):.0f} | {max(times):.0f} |"
                )
        browser.close()


if __name__ == "__main__":
    main()
