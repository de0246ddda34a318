"""Figures about 4-bit weights."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from finetuning import style
from finetuning.quantisation import CODEBOOKS, QuantisationResult


@style.figure
def codebooks() -> Figure:
    """The values of each codebook on one scale, below the bell of Gaussian weights in blocks of 64."""
    fig, axes = style.subplots(height=2.9)
    x = np.linspace(-1, 1, 201)
    # the largest of 64 Gaussian weights is about 2.4 standard deviations, which becomes 1
    bell = 3.4 + 1.3 * np.exp(-((2.4 * x) ** 2) / 2)
    axes.fill_between(x, bell, 3.4, color=style.GREY, alpha=0.35, linewidth=0)
    axes.text(0, 3.55, "Gaussian weights", ha="center", fontsize=style.LABEL_SIZE)
    for index, (name, values) in enumerate(CODEBOOKS.items()):
        row = 2.4 - index
        axes.vlines(values, row, row + 0.55, color=style.COLOURS[index], linewidth=2.2)
        axes.text(-1.08, row + 0.27, name, color=style.COLOURS[index], ha="right", va="center")
    axes.set_ylim(0.1, 4.8)
    axes.set_yticks([])
    axes.set_xticks((-1, -0.5, 0, 0.5, 1))
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False)
    axes.set_xlabel("weight / largest absolute weight of its block")
    plt.close(fig)
    return fig


@style.figure
def quantisation_errors(result: QuantisationResult) -> Figure:
    """Relative RMS error of each codebook, a row for each kind of weights."""
    fig, axes = style.subplots(height=3.0)
    kinds = list(result.errors)
    for row, kind in enumerate(kinds):
        errors = result.errors[kind]
        axes.plot([min(errors.values()), max(errors.values())], [row, row], color=style.GREY, linewidth=1)
        for index, (name, error) in enumerate(errors.items()):
            axes.plot(error, row, marker=style.MARKERS[index], color=style.COLOURS[index], markersize=9)
            if row == 0:
                axes.annotate(
                    name,
                    (error, row),
                    xytext=(0, 11),
                    textcoords="offset points",
                    color=style.COLOURS[index],
                    ha="center",
                    fontsize=style.LABEL_SIZE,
                )
    axes.set_yticks(range(len(kinds)), kinds)
    axes.set_ylim(len(kinds) - 0.5, -0.75)
    axes.set_xlim(left=0)
    axes.set_xlabel("relative RMS error (smaller is better)")
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    plt.close(fig)
    return fig
