"""The house style of figures: legible on a phone, in light and dark themes, for colour-blind readers.

Figures have a transparent background. Text and colours are of middle lightness, so that they keep their
contrast on white and on near-black alike. Colour is never alone: lines also differ in dash or marker, and
carry their name. The same figure always gives the same bytes.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeAlias

import matplotlib as mpl
import matplotlib.pyplot as plt
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

BLUE = "#4463e6"
ORANGE = "#d4430f"
GREEN = "#2e9f6a"
PURPLE = "#b146ac"
GREY = "#7a7f87"  # text, axes and whatever is context
COLOURS = (BLUE, ORANGE, GREEN, PURPLE)
MARKERS = ("o", "s", "^", "D")
DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))

WIDTH_IN = 4.6  # 442 CSS pixels: little is lost when a 360 px screen scales it down
LABEL_SIZE = 10  # points, for whatever is written inside the axes
TICK_SIZE = 10  # points
LABEL_GAP = 1.3  # distance of two labels, in text heights

RC: Any = {
    "axes.edgecolor": GREY,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.grid.which": "major",
    "axes.labelcolor": GREY,
    "axes.labelsize": 11,
    "axes.linewidth": 0.8,
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": GREY,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "figure.constrained_layout.use": True,
    "figure.dpi": 144,
    "figure.facecolor": "none",
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same glyphs everywhere
    "font.size": 11,
    "grid.alpha": 0.22,
    "grid.color": GREY,
    "grid.linewidth": 0.7,
    "hatch.color": GREY,
    "legend.frameon": False,
    "legend.fontsize": LABEL_SIZE,
    "legend.labelcolor": GREY,
    "lines.linewidth": 2,
    "lines.markersize": 5,
    "path.simplify": True,
    "path.simplify_threshold": 0.5,
    "savefig.edgecolor": "none",
    "savefig.facecolor": "none",
    "svg.fonttype": "path",
    "svg.hashsalt": "finetuning",
    "text.color": GREY,
    "xtick.color": GREY,
    "xtick.labelsize": TICK_SIZE,
    "xtick.minor.visible": False,
    "ytick.color": GREY,
    "ytick.labelsize": TICK_SIZE,
    "ytick.minor.visible": False,
}

SVG_OPTIONS: dict[str, Any] = {"bbox_inches": None, "metadata": {"Date": None, "Creator": None}}

Parameters = ParamSpec("Parameters")


def use() -> None:
    """Draw in the house style from now on; in a notebook show figures as SVG, without dates or random ids."""
    mpl.rcParams.update(RC)
    try:
        from IPython.core.getipython import get_ipython
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ImportError:
        return
    if get_ipython() is not None:
        set_matplotlib_formats("svg", **SVG_OPTIONS)  # type: ignore[no-untyped-call]


def figure(draw: Callable[Parameters, Figure]) -> Callable[Parameters, Figure]:
    """Make `draw` draw in the house style, whatever the global settings are."""

    @functools.wraps(draw)
    def styled(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Figure:
        with mpl.rc_context(RC):
            return draw(*args, **kwargs)

    return styled


def subplots(n_rows: int = 1, *, height: float = 3.2, **options: Any) -> tuple[Figure, Any]:
    """A figure one phone screen wide with its panels below each other; `height` in inches for each panel."""
    drawn, panels = plt.subplots(n_rows, 1, figsize=(WIDTH_IN, n_rows * height), **options)
    for axes in drawn.axes:
        # ticks are made when the figure is drawn, and would take other settings from there
        axes.tick_params(
            which="both",
            colors=GREY,
            labelsize=TICK_SIZE,
            width=RC["axes.linewidth"],
            grid_color=GREY,
            grid_alpha=RC["grid.alpha"],
            grid_linewidth=RC["grid.linewidth"],
        )
    return drawn, panels


def line(index: int, *, marker: bool = True) -> dict[str, Any]:
    """Options of the line with this number: colour, dash and, if wanted, marker."""
    options: dict[str, Any] = {"color": COLOURS[index], "linestyle": DASHES[index]}
    return options | ({"marker": MARKERS[index]} if marker else {})


def svg(drawn: Figure) -> str:
    """The figure as SVG text: equal figures give equal text."""
    with mpl.rc_context(RC):
        buffer = io.StringIO()
        drawn.savefig(buffer, format="svg", **SVG_OPTIONS)
    return buffer.getvalue()


Label: TypeAlias = tuple[float, float, str, str]  # x and y of a line's end in data coordinates, text, colour


def label_lines(*panels: tuple[Axes, Sequence[Label]]) -> None:
    """Write each label right of its point, moved up or down just enough that no two of a panel overlap.

    Args:
        panels: Axes of one figure, each with its labels. Set limits and scales before.
    """
    drawn = panels[0][0].get_figure(root=True)
    assert drawn is not None
    layout = drawn.get_layout_engine()
    if layout is not None:
        layout.execute(drawn)  # so that data coordinates have a place; drawing it all takes longer
    for axes, labels in panels:
        line_height = LABEL_GAP * LABEL_SIZE / 72 * drawn.dpi / axes.get_window_extent().height
        to_axes = axes.transData + axes.transAxes.inverted()
        placed = sorted((to_axes.transform((x, y))[1], x, text, colour) for x, y, text, colour in labels)
        heights = _spread(
            [label[0] for label in placed], [line_height * (1 + label[2].count("\n")) for label in placed]
        )
        for (_, x, text, colour), height in zip(placed, heights, strict=True):
            axes.annotate(
                text,
                (x, height),
                xycoords=("data", "axes fraction"),
                xytext=(7, 0),
                textcoords="offset points",
                color=colour,
                fontsize=LABEL_SIZE,
                va="center",
                annotation_clip=False,
            )


def _spread(wanted: list[float], sizes: list[float]) -> list[float]:
    """Positions nearest to the sorted `wanted` ones at which intervals of these sizes do not overlap."""
    # A cluster is (start, sizes): overlapping neighbours merge around the mean of their wanted starts.
    clusters: list[tuple[float, list[float]]] = []
    for centre, size in zip(wanted, sizes, strict=True):
        clusters.append((centre - size / 2, [size]))
        while len(clusters) > 1 and clusters[-2][0] + sum(clusters[-2][1]) > clusters[-1][0]:
            (start_b, sizes_b), (start_a, sizes_a) = clusters.pop(), clusters.pop()
            n_a, n_b = len(sizes_a), len(sizes_b)
            start = (n_a * start_a + n_b * (start_b - sum(sizes_a))) / (n_a + n_b)
            clusters.append((start, sizes_a + sizes_b))
    positions = []
    for start, members in clusters:
        for size in members:
            positions.append(start + size / 2)
            start += size
    return positions
