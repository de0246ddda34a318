"""Sets the formulas of `formulas.yml` by texmath and by MathJax, side by side in both hosts: `make mathjax`.

The built book: one page, built with `sphinx_lightbook` and without it, the latter with MathJax's files beside
the site. JupyterLab: the front of a live card beside a markdown cell, set by the MathJax that JupyterLab
brings. Each formula is taken as Chromium shows it. Prints how large each is beside MathJax's, and writes one
picture for each host.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import runpy
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from importlib.metadata import version
from pathlib import Path

import yaml
from flipcards import Card, Deck
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, sync_playwright
from servers import TOKEN, jupyter, served

ROOT = Path(__file__).parent.parent
CHROMIUM = runpy.run_path(str(ROOT / "tests" / "ensure_chromium.py"))
FORMULAS: dict[str, dict[str, str]] = yaml.safe_load(
    Path(__file__).with_name("formulas.yml").read_text("utf-8")
)
NAMES = [name for group in FORMULAS.values() for name in group]
UNMEASURED = {"a tag"}  # its box holds the tag too
SCALE = 2  # of Chromium
WIDEST = 520  # pixels of a formula in the pictures
QUALITY = 38  # of the pictures
EM = 24  # pixels of the pictures, whatever it is in a host
LONG = 120_000  # ms
# One card a row, without its shading, edge and corner: what is left is the formula.
PLAIN = """
.flipcards .flipcards-grid { grid-template-columns: 1fr }
.flipcards .flipcards-grid .flipcard > .flipcard-front {
  background: white; border-color: white; box-shadow: none;
}
.flipcards .flipcards-grid .flipcard > .flipcard-front::after { visibility: hidden }
.jp-cell-toolbar { visibility: hidden }
"""
# jupyterlab-myst sets markdown by a KaTeX of its own; the other asks whether news may be fetched.
OFF = ("jupyterlab-myst", "@jupyterlab/apputils-extension:announcements")

# Where a formula, without number or tag, and the size of its letters are to be found in a row.
BOXES = {"texmath": ".katex-base", "MathJax": "mjx-math"}
FONTS = {"texmath": ".katex-html", "MathJax": "mjx-container"}
MEASURE = """(row, [boxes, font]) => {
  const outer = row.getBoundingClientRect();
  const rects = [...row.querySelectorAll(boxes)].map((box) => box.getBoundingClientRect());
  const least = (edge) => Math.min(...rects.map((rect) => rect[edge]));
  const most = (edge) => Math.max(...rects.map((rect) => rect[edge]));
  return {
    breaks: rects.some((rect, n) => n && rect.top > rects[n - 1].bottom) ||
      [...row.querySelectorAll(".katex-display")].some((box) => box.scrollWidth > box.clientWidth),
    wrong: row.querySelector("mjx-merror") !== null,
    em: parseFloat(getComputedStyle(row.querySelector(font)).fontSize),
    box: [least("left") - outer.left, least("top") - outer.top, most("right") - outer.left,
          most("bottom") - outer.top],
  };
}"""


@dataclass(frozen=True)
class Shot:
    """A formula as a host shows it: its row, why it is not measured, and the size of its ink in em."""

    row: Image.Image
    em: float  # CSS pixels
    remark: str
    width: float
    height: float


def ink(image: Image.Image) -> tuple[int, int, int, int]:
    """The box of what differs from the background, which is the lightest grey."""
    grey = image.convert("L")
    lightest = max(value for value, count in enumerate(grey.histogram()) if count)
    return grey.point(lambda value: 255 * (value < lightest - 40)).getbbox() or (0, 0, 1, 1)


def crop(image: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    """A part of a picture, given in CSS pixels."""
    x0, y0, x1, y1 = (round(edge * SCALE) for edge in box)
    return image.crop((max(x0, 0), max(y0, 0), min(x1, image.width), min(y1, image.height)))


def shoot(row: Locator, renderer: str, inset: int = 0) -> Shot:
    """Take a row, less its edge, and measure the formula in it."""
    image = Image.open(io.BytesIO(row.screenshot(timeout=LONG))).convert("RGB")
    found = row.evaluate(MEASURE, [BOXES[renderer], FONTS[renderer]])
    em, (left, top, right, bottom) = found["em"], found["box"]
    x0, y0, x1, y1 = ink(
        crop(image, (left - 0.15 * em, top - 0.3 * em, right + 0.15 * em, bottom + 0.3 * em))
    )
    width, height = (side / SCALE - inset for side in image.size)
    shown = crop(image, (inset, max(top - 0.7 * em, inset), width, min(bottom + 0.7 * em, height)))
    remark = "too wide" * found["breaks"] or "an error" * found["wrong"]
    return Shot(shown, em, remark, (x1 - x0) / SCALE / em, (y1 - y0) / SCALE / em)


# The book ---------------------------------------------------------------------------------------------------


def page_of_book() -> str:
    """All formulas as a page in MyST."""
    parts = ["# Formulas"]
    parts += [f"$$\n{tex}\n$$" for tex in FORMULAS["display"].values()]
    parts += [f"In a line of text: ${tex}$" for tex in FORMULAS["inline"].values()]
    labels = [f"eq-{number}" for number, _ in enumerate(FORMULAS["numbered"])]
    for label, tex in zip(labels, FORMULAS["numbered"].values(), strict=True):
        parts.append(f"$$\n{tex}\n$$ ({label})")
    parts += FORMULAS["environment"].values()
    parts.append("See " + ", ".join(f"{{eq}}`{label}`" for label in [*labels, "eq-align"]) + ".")
    return "\n\n".join(parts) + "\n"


def build_book(folder: Path, mathjax: Path | None) -> Path:
    """Build the book, by MathJax or by texmath; the folder of its site."""
    folder.mkdir()
    (folder / "intro.md").write_text(page_of_book(), "utf-8")
    (folder / "_toc.yml").write_text("format: jb-book\nroot: intro\n", "utf-8")
    sphinx: dict[str, object] = {"extra_extensions": ["sphinx_lightbook"]}
    if mathjax:
        settings = {"mathjax_path": "tex-mml-chtml.js", "html_static_path": [str(mathjax / "es5")]}
        sphinx = {"config": settings}
    config = {
        "title": "Formulas",
        "author": "Somebody",
        "execute": {"execute_notebooks": "off"},
        "parse": {"myst_enable_extensions": ["amsmath", "dollarmath"]},
        "sphinx": sphinx,
    }
    (folder / "_config.yml").write_text(yaml.safe_dump(config), "utf-8")
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", "."]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(result.stdout + result.stderr)
    return folder / "_build" / "html"


def open_page(browser: Browser, address: str) -> Page:
    """Open a page in light colours, and wait for what it loads."""
    page = browser.new_context(
        viewport={"width": 1400, "height": 1000}, device_scale_factor=SCALE, color_scheme="light"
    ).new_page()
    page.goto(address, wait_until="load", timeout=LONG)
    return page


def in_book(browser: Browser, folder: Path, mathjax: Path) -> dict[str, list[Shot]]:
    """The shots of a book, by renderer."""
    shots = {}
    for renderer, files in (("texmath", None), ("MathJax", mathjax)):
        with served(build_book(folder / f"book-{renderer}", files)) as address:
            page = open_page(browser, f"{address}/intro.html")
            if files:
                loaded = page.evaluate("MathJax.startup.promise.then(() => MathJax.version)")
                print(f"the book: Sphinx {version('sphinx')}, MathJax {loaded}")
            page.evaluate("document.fonts.ready.then(() => null)")
            print(f"{renderer}:", page.locator("article p:has(a)").last.inner_text())
            rows = page.locator("article :is(div.math, p:has(> span.math))").all()
            shots[renderer] = [shoot(row, renderer) for row in rows]
            page.context.close()
    return shots


# JupyterLab -------------------------------------------------------------------------------------------------


def write_notebook(folder: Path) -> None:
    """Write a deck with a formula on each front, and a notebook: its cards, and a cell for each formula."""
    texts = [f"$$\n{tex}\n$$" for tex in FORMULAS["display"].values()]
    texts += [f"In a line of text: ${tex}$" for tex in FORMULAS["inline"].values()]
    numbered = [*FORMULAS["numbered"].values(), *FORMULAS["environment"].values()]
    # A card has no equation labels; a notebook's own are MathJax's.
    fronts = [*texts, *(f"$$\n{tex.replace(chr(92) + 'label{eq-align}', '')}\n$$" for tex in numbered)]
    cells = [*texts]
    cells += [
        f"\\begin{{equation}}\n{tex} \\label{{eq-{number}}}\n\\end{{equation}}"
        for number, tex in enumerate(FORMULAS["numbered"].values())
    ]
    cells += FORMULAS["environment"].values()
    cards = tuple(Card(id=f"formula-{n}", front=front, back=".") for n, front in enumerate(fronts))
    Deck(title="Formulas", cards=cards).save(folder / "formulas.yml")
    code = "from flipcards import Deck\nDeck.load('formulas.yml')"
    content: list[dict[str, object]] = [
        {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": code}
    ]
    content += [{"cell_type": "markdown", "metadata": {}, "source": text} for text in cells]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"cells": content, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4}
    (folder / "formulas.ipynb").write_text(json.dumps(notebook))


def switch_off_extensions(home: Path) -> None:
    """Write JupyterLab's settings of a home."""
    settings = home / "config" / "labconfig"
    settings.mkdir(parents=True)
    (settings / "page_config.json").write_text(json.dumps({"disabledExtensions": dict.fromkeys(OFF, True)}))


def wait_until(page: Page, condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + LONG / 1000
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError("JupyterLab does not come to show the formulas")
        page.wait_for_timeout(200)


def in_jupyterlab(browser: Browser, folder: Path) -> dict[str, list[Shot]]:
    """The shots of JupyterLab, by renderer."""
    work, home = folder / "work", folder / "home"
    work.mkdir()
    home.mkdir()
    write_notebook(work)
    licences = Path(sys.prefix) / "share" / "jupyter" / "lab" / "static" / "third-party-licenses.json"
    packages = {package["name"]: package for package in json.loads(licences.read_text("utf-8"))["packages"]}
    print(f"JupyterLab {version('jupyterlab')}: MathJax {packages['mathjax-full']['versionInfo']}")
    switch_off_extensions(home)
    with jupyter("jupyterlab", work, home) as address:
        page = open_page(browser, f"{address}/lab/tree/formulas.ipynb?token={TOKEN}&reset")
        page.set_default_timeout(LONG)
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        cards = page.locator(".jp-OutputArea-output .flipcard-front")
        cells = page.locator(".jp-MarkdownOutput")

        def run() -> bool:
            # Run All right after opening can run nothing.
            page.get_by_role("menuitem", name="Run", exact=True).click()
            page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
            page.wait_for_timeout(3000)
            return cards.count() == len(NAMES)

        wait_until(page, run)
        page.add_style_tag(content=PLAIN)
        shots = {"texmath": [shoot(row, "texmath") for row in cards.all()]}
        shots["MathJax"] = []
        for row in cells.all():
            row.scroll_into_view_if_needed()
            row.locator("mjx-math").first.wait_for()
            shots["MathJax"].append(shoot(row, "MathJax", inset=3))
        page.context.close()
    return shots


# The pictures and the table ---------------------------------------------------------------------------------


def cropped(shot: Shot, whole: bool) -> Image.Image:
    """The row without its empty edges, as wide as it is where its number is to be seen.

    1 em is EM pixels, or less where that would be too wide.
    """
    pad = 3 * SCALE
    x0, y0, x1, y1 = ink(shot.row)
    x0, x1 = (0, shot.row.width) if whole else (max(x0 - pad, 0), min(x1 + pad, shot.row.width))
    image = shot.row.crop((x0, max(y0 - pad, 0), x1, min(y1 + pad, shot.row.height)))
    factor = min(EM / (shot.em * SCALE), WIDEST / image.width)
    size = (round(image.width * factor), round(image.height * factor))
    return image.resize(size, Image.Resampling.LANCZOS)


def data_url(image: Image.Image) -> str:
    """An image inside a page."""
    out = io.BytesIO()
    image.save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


STYLE = """
body { font: 18px sans-serif; margin: 8px; width: max-content; background: white; display: flex; gap: 24px;
       align-items: start; }
table { border-collapse: collapse; }
td, th { border-block-end: 1px solid #ddd; padding: 4px 8px; text-align: start; }
th { font-weight: 600; }
td:first-child { width: 110px; color: #555; }
img { display: block; }
"""


def picture(browser: Browser, shots: dict[str, list[Shot]], whole: set[str], path: Path) -> None:
    """Write all formulas of a host side by side: the name, ours, MathJax's; some with their whole row."""
    rows = []
    for number, name in enumerate(NAMES):
        images = [cropped(shots[renderer][number], name in whole) for renderer in ("texmath", "MathJax")]
        cells = "".join(f'<td><img src="{data_url(image)}" alt="">' for image in images)
        rows.append(f"<tr><td>{escape(name)}{cells}")
    head = "<tr><th><th>texmath<th>MathJax"
    half = NAMES.index("roots")
    tables = "".join(f"<table>{head}{''.join(part)}</table>" for part in (rows[:half], rows[half:]))
    page = browser.new_page(viewport={"width": 4000, "height": 1000})
    page.set_content(f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><body>{tables}")
    image = Image.open(io.BytesIO(page.locator("body").screenshot())).convert("RGB")
    page.close()
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, "WEBP", quality=QUALITY, method=6)


def table(host: str, shots: dict[str, list[Shot]]) -> None:
    """Print how large each formula is beside MathJax's, both in em."""
    print(f"\n{host}: 1 em is", ", ".join(f"{found[0].em:.2f} px by {name}" for name, found in shots.items()))
    print("\n| formula | width, times MathJax's | height |\n| --- | ---: | ---: |")
    ratios = []
    for name, ours, theirs in zip(NAMES, shots["texmath"], shots["MathJax"], strict=True):
        if name in UNMEASURED or ours.remark or theirs.remark:
            remarks = (
                f"{shot.remark} by {of}"
                for of, shot in (("texmath", ours), ("MathJax", theirs))
                if shot.remark
            )
            print(f"| {name} | {', '.join(remarks)} | |")
            continue
        ratios.append((ours.width / theirs.width, ours.height / theirs.height))
        print(f"| {name} | {ratios[-1][0]:.3f} | {ratios[-1][1]:.3f} |")
    middle = [statistics.median(ratio[side] for ratio in ratios) for side in (0, 1)]
    print(f"| the middle one of {len(ratios)} | {middle[0]:.3f} | {middle[1]:.3f} |", flush=True)


def main() -> None:
    """Look at both hosts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mathjax", type=Path, help="the folder of npm's package mathjax")
    parser.add_argument("--pictures", type=Path, default=ROOT / "widgets" / "texmath" / "docs")
    parser.add_argument("--rows", type=Path, help="a folder for a picture of each formula")
    parser.add_argument("--host", choices=["book", "jupyterlab"], help="only this one")
    options = parser.parse_args()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as place:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM["system_chromium"](), args=CHROMIUM["FLAGS"]
        )
        print(f"Chromium {browser.version}")
        hosts: dict[str, Callable[[], dict[str, list[Shot]]]] = {
            "book": lambda: in_book(browser, Path(place), options.mathjax.absolute()),
            "jupyterlab": lambda: in_jupyterlab(browser, Path(place)),
        }
        for host, look in hosts.items():
            if options.host not in (None, host):
                continue
            shots = look()
            if options.rows:
                for renderer, found in shots.items():
                    for name, shot in zip(NAMES, found, strict=True):
                        options.rows.mkdir(parents=True, exist_ok=True)
                        shot.row.save(options.rows / f"{host} {NAMES.index(name):02} {renderer}.png")
            table(host, shots)
            whole = (
                {"a tag", *FORMULAS["numbered"], *FORMULAS["environment"]} if host == "book" else {"a tag"}
            )
            picture(browser, shots, whole, options.pictures / f"beside-mathjax-{host}.webp")
        browser.close()


if __name__ == "__main__":
    main()
