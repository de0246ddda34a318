"""Measures what `sphinx_lightbook` adds to the build of a book: `make bench`.

The same book of 200 pages with formulas, figures and cards is built with the extension and without it, in
turn: from nothing, again with nothing changed, and after one page was edited. Seconds are medians. Those of
the processors are of all processes of a build, and say more than the clock's on a machine with other work.
"""

from __future__ import annotations

import argparse
import functools
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import yaml
from flipcards import Card, Deck
from matplotlib.figure import Figure

PAGES = 200
RUNS = 3
# At most this many times what the build takes without the extension.
AIMS = {"cold": 1.1, "nothing changed": 1.2, "one page edited": 1.2}
TEXT = r"""
# Page {n}

Words of page {n}, on a loss $\ell_{{{n}}}(\theta) = -\sum_t \log \pi_\theta(y_t \mid x, y_{{<t}})$.

## A formula

$$ \nabla_\theta J = \sum_{{t=0}}^{{{n}}} \left[ \frac{{\pi_\theta(a_t)}}{{\pi(a_t)}} A_t \right] $$

{words}

## A figure

![A random walk of {n} steps.](walk{n}.{suffix})

```python
walk = rng.normal(size={n}).cumsum()
```

## Cards

```{{flipcards}} deck{n}.yml
```
"""
WORDS = "The update is a product of two thin matrices, and only they are trained. " * 12


@dataclass
class Seconds:
    """How long builds of one kind took, by the clock and by processors."""

    clock: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


def write_page(folder: Path, n: int) -> None:
    """Write a page with its figure and its deck. Each second figure is a drawing."""
    suffix = ("png", "svg")[n % 2]
    (folder / f"page{n}.md").write_text(TEXT.lstrip().format(n=n, suffix=suffix, words=WORDS), "utf-8")
    figure = Figure(figsize=(6, 3))
    figure.subplots().plot(np.random.default_rng(n).normal(size=200).cumsum())
    figure.savefig(folder / f"walk{n}.{suffix}")
    cards = tuple(
        Card(id=f"page-{n}-{k}", front=f"What is card {k} of page {n}?", back=rf"It is $x_{{{k}}} = {n}$.")
        for k in range(4)
    )
    Deck(title=f"Page {n}", cards=cards).save(folder / f"deck{n}.yml")


def write_book(folder: Path, pages: int) -> None:
    """Write the book, but for its configuration."""
    folder.mkdir()
    (folder / "intro.md").write_text("# A book\n\nWords.\n", "utf-8")
    chapters = [{"file": f"page{n}"} for n in range(1, pages + 1)]
    contents = {"format": "jb-book", "root": "intro", "chapters": chapters}
    (folder / "_toc.yml").write_text(yaml.safe_dump(contents), "utf-8")
    for n in range(1, pages + 1):
        write_page(folder, n)


def configure(folder: Path, *extensions: str) -> None:
    """Write the configuration: Jupyter Book's own, with these extensions besides that of the cards."""
    config = {
        "title": "A book",
        "author": "Somebody",
        "execute": {"execute_notebooks": "off"},
        "sphinx": {"extra_extensions": ["flipcards.sphinx", *extensions]},
    }
    (folder / "_config.yml").write_text(yaml.safe_dump(config), "utf-8")


def build(folder: Path, seconds: Seconds) -> None:
    """Build the book and add how long it took."""
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", "."]
    clock, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if result.returncode:
        sys.exit(result.stdout + result.stderr)
    seconds.clock.append(time.perf_counter() - clock)
    seconds.processor.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def remove(folder: Path) -> None:
    """Let the next build begin from nothing."""
    shutil.rmtree(folder / "_build", ignore_errors=True)


def edit(folder: Path, run: int) -> None:
    """Add a word and a formula to a page in the middle."""
    pages = sorted(folder.glob("page*.md"))
    with pages[len(pages) // 2].open("a", encoding="utf-8") as file:
        file.write(f"\nEdited, ${run}^2$.\n")


def measure(books: dict[str, Path], runs: int) -> dict[str, dict[str, Seconds]]:
    """The seconds of each kind of build, by kind and by book. The books have their turns."""
    found = {kind: {name: Seconds() for name in books} for kind in AIMS}
    for run in range(runs):
        acts: dict[str, Callable[[Path], None]] = {
            "cold": remove,
            "nothing changed": lambda folder: None,
            "one page edited": functools.partial(edit, run=run),
        }
        for kind, act in acts.items():
            for name in sorted(books, reverse=run % 2 == 1):
                act(books[name])
                build(books[name], found[kind][name])
    return found


def main() -> int:
    """Print a row for each kind of build; 1 where an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--runs", type=int, default=RUNS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        books = {name: Path(folder) / name for name in ("with", "without")}
        write_book(books["with"], given.pages)
        shutil.copytree(books["with"], books["without"])
        configure(books["with"], "sphinx_lightbook")
        configure(books["without"])
        found = measure(books, given.runs)
    print(f"\n{given.pages} pages, {given.runs} runs of each, {os.cpu_count()} processors\n")
    print("| build | without, s | with, s | times | processor: without, s | with, s | times | aim |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    missed = False
    for kind, by_book in found.items():
        cells = []
        for unit in ("clock", "processor"):
            without, with_ = (statistics.median(getattr(by_book[name], unit)) for name in ("without", "with"))
            cells += [f"{without:.1f}", f"{with_:.1f}", f"{with_ / without:.2f}"]
            missed |= unit == "clock" and with_ / without > AIMS[kind]
        print(f"| {kind} | {' | '.join(cells)} | {AIMS[kind]} |")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
