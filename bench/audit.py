"""Lets Lighthouse look at every page of the built site as on a phone: `make audit`.

`python bench/audit.py LIGHTHOUSE [PAGE …]`; LIGHTHOUSE is its command. The site is served as a static host
does: text by gzip, and what carries a digest in its name to be kept for ever. Each page is visited three
times; of performance the median counts, of all else the worst. Fails where a page falls short of what
`least_of` asks of it.
"""

from __future__ import annotations

import argparse
import functools
import gzip
import http.server
import json
import os
import re
import runpy
import statistics
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import sync_playwright
from sphinx_lightbook.report import weights_of

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
CHROMIUM = runpy.run_path(str(ROOT / "tests" / "ensure_chromium.py"))
# `--no-sandbox`: root needs it, and the browser sees no page but ours.
FLAGS = ["--headless=new", "--no-sandbox", *CHROMIUM["FLAGS"]]
VISITS = 3
LEAST = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}
TEXT_PERFORMANCE = 100  # of pages with neither figures nor formulas
COMPRESSED = {".html", ".css", ".js", ".svg", ".json", ".xml", ".txt", ".webmanifest"}
KEPT = re.compile(r"\.[0-9a-f]{10}\.\w+$")
REDIRECT = "index.html"  # to the first page


def published_path() -> str:
    """Where on its host the site is published, as its page for wrong addresses says: between two slashes."""
    base = re.search(r'<base href="([^"]*)"', (SITE / "404.html").read_text("utf-8"))
    return base[1] if base else "/"


class StaticHost(http.server.SimpleHTTPRequestHandler):
    """Serves files as static hosts do, below the path where the site is published."""

    protocol_version = "HTTP/1.1"

    def translate_path(self, path: str) -> str:
        """The file at an address."""
        return super().translate_path("/" + path.removeprefix(published_path()))

    def do_GET(self) -> None:
        """Answer with a file, or with the site's page for what is not there."""
        file = Path(self.translate_path(self.path))
        found = file.is_file()
        file = file if found else Path(self.directory) / "404.html"
        content, compressed = file.read_bytes(), file.suffix in COMPRESSED
        content = gzip.compress(content, 6) if compressed else content
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", self.guess_type(file))
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", f"max-age={31_536_000 if KEPT.search(file.name) else 600}")
        if compressed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@dataclass
class Audit:
    """What visits to a page found: the scores of each, of 100, and the titles of the audits that failed."""

    page: str
    least: dict[str, int]
    scores: dict[str, list[int]] = field(default_factory=dict)
    faults: set[str] = field(default_factory=set)

    def score(self, category: str) -> int:
        """The score that counts."""
        scores = self.scores[category]
        return round(statistics.median(scores)) if category == "performance" else min(scores)

    @property
    def passes(self) -> bool:
        """Whether every score is what it has to be."""
        return all(self.score(category) >= least for category, least in self.least.items())

    def add(self, report: dict[str, object]) -> None:
        """Add what one visit found.

        Args:
            report: Lighthouse's, as JSON. See its `docs/understanding-results.md`.

        Raises:
            ValueError: the page could not be looked at.
        """
        categories, audits = report["categories"], report["audits"]
        assert isinstance(categories, dict)
        assert isinstance(audits, dict)
        for name, category in categories.items():
            if category["score"] is None:
                raise ValueError(f"{self.page}: Lighthouse gives no score for {name}")
            self.scores.setdefault(name, []).append(round(category["score"] * 100))
            if name == "performance":
                continue  # its audits are advice; the score says it all
            for reference in category["auditRefs"]:
                score = audits[reference["id"]]["score"]
                if reference["weight"] and score is not None and score < 1:
                    self.faults.add(f"{reference['id']}: {audits[reference['id']]['title']}")


def least_of(page: str) -> dict[str, int]:
    """The scores that a page of the site has to reach."""
    article = re.search(r"<article\b.*</article>", (SITE / page).read_text("utf-8"), re.DOTALL)
    text = article is not None and not re.search(r"<img\b|class=\"[^\"]*katex", article[0])
    return {**LEAST, "performance": TEXT_PERFORMANCE} if text else LEAST


def visit(lighthouse: str, address: str, browser: str) -> dict[str, object]:
    """Lighthouse's report on a page."""
    command = [
        *(lighthouse, address, "--output=json", "--quiet", f"--chrome-flags={' '.join(FLAGS)}"),
        f"--only-categories={','.join(LEAST)}",
    ]
    environment = {**os.environ, "CHROME_PATH": browser}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"{address}: Lighthouse failed\n{result.stderr}")
    report: dict[str, object] = json.loads(result.stdout)
    return report


def main() -> int:
    """Print a row for each page, and say what is wrong; 1 where a page falls short."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("lighthouse", help="Lighthouse's command")
    parser.add_argument("pages", nargs="*", help="pages, relative to the site; all where none is named")
    parser.add_argument("--visits", type=int, default=VISITS, help="to each page")
    given = parser.parse_intermixed_args()
    pages = given.pages or [weight.page for weight in weights_of(SITE) if weight.page != REDIRECT]
    with sync_playwright() as playwright:
        browser = CHROMIUM["system_chromium"]() or playwright.chromium.executable_path
    handler = functools.partial(StaticHost, directory=str(SITE))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    short = []
    print(f"| page | {' | '.join(LEAST)} | visits: performance |")
    print(f"| --- |{' ---: |' * len(LEAST)} --- |")
    for page in pages:
        audit = Audit(page, least_of(page))
        for _ in range(given.visits):
            audit.add(
                visit(
                    given.lighthouse,
                    f"http://127.0.0.1:{server.server_port}{published_path()}{page}",
                    browser,
                )
            )
        row = [page, *(str(audit.score(category)) for category in LEAST)]
        print(f"| {' | '.join(row)} | {', '.join(map(str, audit.scores['performance']))} |", flush=True)
        if not audit.passes:
            short.append(audit)
    server.shutdown()
    for audit in short:
        print(f"\n{audit.page} falls short of {audit.least}")
        for fault in sorted(audit.faults):
            print(f"  {fault}")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
