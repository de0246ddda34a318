"""Flipbooks: every setting drawn once and alike, faults named, and what each builder and host shows."""

import base64
import io
import json
import re
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from flipcards import Flipbook, FlipbookError
from flipcards.display import STATIC_ENVIRONMENT
from flipcards.flipbook import MIME_TYPE, SMALL_SVG, picture, shown
from matplotlib.figure import Figure
from sphinx.cmd import build

plt.switch_backend("agg")


def line(model, rank):
    """A small figure, and its key numbers."""
    figure, axes = plt.subplots(figsize=(2, 1.5))
    axes.plot([0, rank])
    axes.set_title(model)
    return figure, {"size": 1000 * rank, "share": rank / 1000, "kind": "<small>"}


def cloud(seed):
    """A figure of many points, which is large as SVG."""
    figure, axes = plt.subplots(figsize=(2, 1.5))
    axes.plot(*np.random.default_rng(seed).normal(size=(2, 6000)), ".")
    return figure


@pytest.fixture
def building(monkeypatch):
    """As if a book were being built."""
    monkeypatch.setenv(STATIC_ENVIRONMENT, "1")


@pytest.fixture
def live(monkeypatch):
    """No book is being built."""
    monkeypatch.delenv(STATIC_ENVIRONMENT, raising=False)


def made():
    return Flipbook(line, model=["A", "B"], rank=[1, 8, 64]).label(rank="rank r").start(rank=8)


# --- Drawing ---


def test_there_is_a_frame_for_every_setting_and_the_last_knob_turns_fastest(building):
    output = made().to_dict()
    assert [frame["numbers"][0] for frame in output["frames"]] == [
        ["size", size] for size in ("1,000", "8,000", "64,000") * 2
    ]
    assert output["knobs"] == [
        {"name": "model", "label": "model", "values": ["A", "B"], "ordered": False},
        {"name": "rank", "label": "rank r", "values": ["1", "8", "64"], "ordered": True},
    ]
    assert output["start"] == 1


def test_every_build_gives_the_same_bytes(building):
    first, second = (json.dumps(made().to_dict()) for _ in range(2))
    assert first == second
    svg = base64.b64decode(made().to_dict()["pictures"][0]["content"]).decode()
    assert "<dc:date>" not in svg
    assert "Matplotlib" not in svg


def test_a_picture_that_settings_share_is_stored_once(building):
    output = Flipbook(lambda rank, note: line("A", rank), rank=[1, 2], note=["x", "y"]).to_dict()
    assert len(output["pictures"]) == 2
    assert [frame["picture"] for frame in output["frames"]] == [0, 0, 1, 1]


def test_the_smaller_of_svg_and_lossless_webp_is_kept(live):
    drawn, dotted = picture(line("A", 8)[0]), picture(cloud(0))
    assert drawn.kind == "svg"
    assert drawn.sent_bytes <= SMALL_SVG
    assert dotted.kind == "webp"
    figure = cloud(0)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg")
    assert dotted.sent_bytes < len(buffer.getvalue()) / 4
    assert (dotted.width_px, dotted.height_px) == (192, 144)
    assert picture(cloud(0)).content == dotted.content
    plt.close("all")


def test_figures_are_closed(building):
    made()
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4_194_304, "4,194,304"),
        (0.062217, "0.06222"),
        (-0.85, "−0.85"),
        ("0.0622 %", "0.0622 %"),
        (True, "True"),
    ],
)
def test_numbers_are_shown_as_they_read_best_and_text_as_it_is(value, text):
    assert shown(value) == text


@pytest.mark.parametrize(
    ("values", "ordered"),
    [
        ([0, 0.05, 1], True),
        ([3, 2, 1], True),
        ([1, 3, 2], False),
        (["a", "b"], False),
        ([True, False], False),
    ],
)
def test_numbers_in_order_make_a_slider(live, values, ordered):
    (knob,) = Flipbook(line, knob=values).knobs
    assert knob.ordered == ordered


# --- Faults ---


def fails(rank, model):
    if rank < 1:
        raise ValueError(f"rank must be at least 1, got {rank}")
    return line(model, rank)


def test_settings_that_fail_are_named_all_at_once_while_a_book_is_built(building):
    message = (
        r"fails fails at 2 of 4 settings:\n"
        r"rank = −1, model = A: ValueError: rank must be at least 1, got -1\n"
        r"rank = −1, model = B: ValueError: rank must be at least 1, got -1$"
    )
    with pytest.raises(FlipbookError, match=message) as raised:
        Flipbook(fails, rank=[-1, 1], model=["A", "B"])
    assert isinstance(raised.value.__cause__, ValueError)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Flipbook(line), "needs a knob"),
        (lambda: Flipbook(line, rank=[]), "knob 'rank' has 0 values; give it at least two"),
        (lambda: Flipbook(line, rank=[1, 1.0]), "knob 'rank' shows a value twice in 1, 1"),
        (
            lambda: Flipbook(line, a=range(20), b=range(20)),
            r"400 settings \(20 of a × 20 of b\); at most 200 are drawn: leave out values or a knob",
        ),
        (lambda: Flipbook(line, rank=[1, 2]).start(rank=3), "knob 'rank' has no value 3; it has 1, 2"),
        (lambda: Flipbook(line, rank=[1, 2]).start(rang=1), "there is no knob 'rang'; there is rank"),
        (lambda: Flipbook(line, rank=[1, 2]).label(rang="r"), "there is no knob 'rang'; there is rank"),
    ],
)
def test_a_fault_of_the_knobs_is_told_before_anything_is_drawn(live, make, message):
    with pytest.raises(FlipbookError, match=message):
        make()


@pytest.mark.parametrize("returned", ["text", (None, {}), (Figure(), 3)])
def test_a_function_that_returns_no_figure_is_told_what_to_return(live, returned):
    with pytest.raises(FlipbookError, match="return a Figure, or a Figure and a dictionary of numbers"):
        Flipbook(lambda rank: returned, rank=[1, 2]).frame(rank=1)


# --- Live ---


def test_a_live_notebook_gets_controls_and_other_viewers_the_first_figure(live):
    bundle = made()._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert MIME_TYPE not in bundle
    still = BeautifulSoup(bundle["text/html"], "html.parser")
    assert still.img["src"].startswith("data:image/svg+xml;base64,")
    assert still.figcaption.get_text() == "model = A, rank r = 8; size: 8,000; share: 0.008; kind: <small>"
    assert bundle["text/plain"] == "Flipbook of line (model: 2 values, rank: 3 values)"


def test_live_nothing_is_drawn_before_it_is_shown(live):
    calls = []
    Flipbook(lambda rank: calls.append(rank), rank=[1, 2])
    assert calls == []


def test_the_controls_draw_any_number_and_show_what_fails(live):
    from flipcards.controls import controls

    book = Flipbook(fails, model=["A", "B"], rank=[1, 8, 64])
    box = controls(book, {"model": "A", "rank": 8})
    menu, (slider, field) = box.children[0], box.children[1].children
    drawn = []
    book._draw = lambda **setting: drawn.append(setting) or fails(**setting)
    slider.value = 64
    field.value = 5  # not among the values
    menu.value = "B"
    field.value = 0
    assert drawn == [
        {"model": "A", "rank": 64},
        {"model": "A", "rank": 5},
        {"model": "B", "rank": 5},
        {"model": "B", "rank": 0},
    ]
    assert slider.value == 64
    field.value = 1
    assert slider.value == 1


# --- A book ---

CONF = """
project = "Tiny"
copyright = "2026, Ada"
extensions = ["myst_nb", "flipcards.sphinx"]
nb_execution_mode = "off"
html_theme = "basic"
numfig = True
version = release = "1"
epub_show_urls = "no"
exclude_patterns = ["_out"]
"""
INDEX = """# Tiny

{numref}`fig:line` turns.

```{toctree}
book
```
"""
CELL_METADATA = {
    "mystnb": {
        "figure": {"caption": "A line.", "name": "fig:line"},
        "image": {"alt": "A line that rises & rises."},
    }
}


def sphinx(*arguments):
    """Run sphinx-build in this process; return its code and what it printed."""
    printed = io.StringIO()
    hook = sys.excepthook
    with redirect_stdout(printed), redirect_stderr(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Sphinx's own and its other extensions'
        code = build.main(["-q", *arguments])
    sys.excepthook = hook
    return code, printed.getvalue()


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A function that builds a book with one flipbook by a builder, once, and returns the folder it wrote."""
    folder = tmp_path_factory.mktemp("book")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(STATIC_ENVIRONMENT, "1")
        output = nbformat.v4.new_output("execute_result", {MIME_TYPE: made().to_dict()}, execution_count=1)
    cell = nbformat.v4.new_code_cell("made()", outputs=[output], metadata=CELL_METADATA, execution_count=1)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Book"), cell])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "python3"}
    nbformat.write(notebook, folder / "book.ipynb")
    (folder / "conf.py").write_text(CONF, "utf-8")
    (folder / "index.md").write_text(INDEX, "utf-8")
    written = {}

    def book(builder):
        if builder not in written:
            out = folder / "_out" / builder
            options = ["-n", "-W", "--keep-going", "-d", str(folder / "_out" / "trees" / builder)]
            code, printed = sphinx("-b", builder, *options, str(folder), str(out))
            assert code == 0, printed
            written[builder] = out
        return written[builder]

    return book


def page(file):
    return BeautifulSoup(file.read_text("utf-8"), "html.parser")


@pytest.mark.parametrize(("builder", "path"), [("html", "book.html"), ("dirhtml", "book/index.html")])
def test_a_page_shows_the_first_setting_with_caption_name_and_alt(book, builder, path):
    file = book(builder) / path
    figure = page(file).select_one("figure#fig-line")
    assert figure.select_one("figcaption .caption-text").get_text() == "A line."
    image = figure.select_one("div.flipbook > img.flipbook-still")
    assert image["alt"] == (
        "model = A, rank r = 8; size: 8,000; share: 0.008; kind: <small>. A line that rises & rises."
    )
    assert (image["width"], image["height"], image["loading"]) == ("192", "144", "lazy")
    assert (file.parent / image["src"]).read_bytes().startswith(b"<?xml")
    assert page(book(builder) / "index.html").select_one("a[href$='#fig-line']").get_text() == "Fig. 1"


def test_a_page_holds_what_the_front_end_reads_and_each_picture_is_a_file(book):
    file = book("html") / "book.html"
    script = page(file).select_one(".flipbook > script[type='application/json']")
    assert "<" not in script.string
    data = json.loads(script.string)
    assert data.keys() == {"knobs", "frames", "start", "pictures"}
    assert [knob["values"] for knob in data["knobs"]] == [["A", "B"], ["1", "8", "64"]]
    assert len(data["frames"]) == 6
    for frame in data["frames"]:
        picture = data["pictures"][frame["picture"]]
        assert (file.parent / picture["source"]).is_file()
        assert picture.keys() == {"source", "width_px", "height_px"}
    assert data["frames"][5]["setting"] == "model = B, rank r = 64"
    assert data["frames"][5]["alt"].startswith("model = B, rank r = 64; size: 64,000;")
    assert len({picture["source"] for picture in data["pictures"]}) == 6
    assert list(file.parent.rglob("flipbook-*.png")) == []


def test_a_page_holds_the_numbers_of_every_setting_in_an_open_table(book):
    numbers = page(book("html") / "book.html").select_one(".flipbook > details[open].flipbook-numbers")
    rows = [[cell.get_text(strip=True) for cell in row.select("th, td")] for row in numbers.select("tr")]
    assert rows[0] == ["model", "rank r", "size", "share", "kind"]
    assert rows[1] == ["A", "1", "1,000", "0.001", "<small>"]
    assert len(rows) == 7


def test_a_page_is_the_same_whether_its_cell_was_just_executed_or_cached(book):
    script = page(book("html") / "book.html").select_one(".flipbook > script[type='application/json']").string
    # A cached notebook has its keys sorted; this is what any order becomes.
    data = json.loads(script)
    assert script.replace("\\u003c", "<") == json.dumps(
        data, ensure_ascii=False, separators=(",", ":"), sort_keys=True
    )


def test_only_pages_with_a_flipbook_load_its_front_end(book):
    files = "script[src*='flipbook.js'], link[href*='flipbook.css']"
    assert len(page(book("html") / "book.html").select(files)) == 2
    assert page(book("html") / "index.html").select(files) == []
    assert page(book("html") / "book.html").select("script[src*='cards.js']") == []


@pytest.mark.parametrize("builder", ["latex", "epub", "text"])
def test_a_builder_without_scripts_shows_the_first_figure_and_then_the_numbers(book, builder):
    out = book(builder)
    if builder == "latex":
        text = next(out.glob("*.tex")).read_text("utf-8")
        (still,) = re.findall(r"\\sphinxincludegraphics[^{]*\{\{(flipbook-\w+)\}\.png\}", text)
        assert (out / f"{still}.png").read_bytes().startswith(b"\x89PNG")
        assert text.index(still) < text.index(r"\end{figure}") < text.index("64,000")
    elif builder == "epub":
        shown = page(out / "book.xhtml")
        assert shown.select("script, details, input") == []
        image = shown.select_one("figure#fig-line img")
        assert (out / image["src"]).is_file()
        assert shown.select_one("figure ~ table, figure ~ div table").get_text().count("64,000") == 2
    else:
        text = (out / "book.txt").read_text("utf-8")
        assert text.index("A line that rises & rises") < text.index("64,000")


CHAPTER = """---
file_format: mystnb
kernelspec: {display_name: Python 3, language: python, name: python3}
---
# Book

```{code-cell} ipython3
from matplotlib.figure import Figure
from flipcards import Flipbook

def draw(rank):
    1 / rank
    return Figure(figsize=(1, 1)), {"rank": rank}

Flipbook(draw, rank=[VALUES])
```
"""


def test_a_kernel_draws_every_setting_and_a_failing_one_stops_the_build_by_its_name(tmp_path):
    shown = "nb_execution_raise_on_error = nb_execution_show_tb = True\n"  # as Jupyter Book does
    conf = CONF.replace('"off"', '"cache"') + shown
    (tmp_path / "conf.py").write_text(conf, "utf-8")
    (tmp_path / "index.md").write_text(CHAPTER.replace("VALUES", "1, 2"), "utf-8")
    out = tmp_path / "_out"
    code, printed = sphinx("-b", "html", "-W", "--keep-going", str(tmp_path), str(out))
    assert code == 0, printed
    assert len(list(out.rglob("flipbook-*.svg"))) == 1  # both figures are empty, so equal
    assert len(page(out / "index.html").select(".flipbook-numbers tbody tr")) == 2
    (tmp_path / "index.md").write_text(CHAPTER.replace("VALUES", "0, 1"), "utf-8")
    code, printed = sphinx("-b", "html", "-W", "--keep-going", str(tmp_path), str(out))
    assert code != 0
    assert "draw fails at 1 of 2 settings:" in printed
    assert "rank = 0: ZeroDivisionError: division by zero" in printed
