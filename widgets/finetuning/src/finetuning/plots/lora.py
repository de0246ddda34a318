"""Figures about LoRA: size against rank, what a rank can reach, how to start, how to scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from finetuning import style
from finetuning.lora import ParameterCurve
from finetuning.low_rank import InitialisationRun, RankResult, ScalingResult


def rank_axis(axes: Axes, ranks: Sequence[int]) -> None:
    """A logarithmic axis with ranks on it, at most six of them written."""
    axes.set_xscale("log", base=2)
    axes.set_xticks(ranks[:: 1 if len(ranks) <= 6 else 2])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda rank, _: f"{rank:.0f}"))
    axes.set_xlabel("rank r")


@style.figure
def parameters_against_rank(
    curves: Sequence[ParameterCurve],
    *,
    mark_rank: int | None = None,
    mark_model: str | None = None,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Trainable parameters against rank, one line for each model; both axes logarithmic.

    Args:
        curves: One for each model, at most four.
        mark_rank: A rank to mark with a vertical line.
        mark_model: The model to mark with a ring at that rank.
        limits: Ends of the vertical axis, for figures to be compared.
    """
    fig, axes = style.subplots(height=3.7)
    labels = []
    for index, curve in enumerate(curves):
        colour = style.COLOURS[index]
        axes.plot(curve.ranks, curve.trainable, **style.line(index))
        labels.append((curve.ranks[-1], curve.trainable[-1], curve.model, colour))
        if curve.model == mark_model and mark_rank is not None:
            count = curve.trainable[0] * mark_rank / curve.ranks[0]  # proportional to the rank
            axes.plot(mark_rank, count, "o", color=colour, markersize=13, fillstyle="none")
    rank_axis(axes, curves[0].ranks)
    axes.set_yscale("log")
    axes.set_ylim(limits)
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(_millions))
    axes.set_ylabel("trainable parameters")
    if mark_rank is not None:
        axes.axvline(mark_rank, color=style.GREY, linestyle=style.DASHES[1], linewidth=1.2, zorder=1)
        axes.text(
            mark_rank,
            1,
            f" r = {mark_rank}",
            transform=axes.get_xaxis_transform(),
            va="top",
            fontsize=style.LABEL_SIZE,
        )
    style.label_lines((axes, labels))
    plt.close(fig)
    return fig


def _millions(count: float, _: object) -> str:
    return f"{count / 1e9:g} B" if count >= 1e9 else f"{count / 1e6:g} M"


@style.figure
def loss_against_rank(results: Sequence[RankResult], *, mark_rank: int | None = None) -> Figure:
    """Final loss of trained adapters against rank, with the Eckart–Young floor as a cross at each rank.

    Args:
        results: One for each spectrum of the needed update, at most four.
        mark_rank: A rank to mark with a vertical line and its losses.
    """
    fig, axes = style.subplots(height=3.6)
    cross: dict[str, Any] = {
        "color": style.GREY,
        "linestyle": "",
        "marker": "x",
        "markersize": 9,
        "zorder": 3,
    }
    labels = []
    for index, result in enumerate(results):
        axes.plot(result.ranks, result.losses, **style.line(index))
        axes.plot(result.ranks, result.floors, **cross)
        labels.append((result.ranks[-1], result.losses[-1], result.spectrum, style.COLOURS[index]))
    axes.plot([], [], **cross, label="best possible at this rank")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1), handletextpad=0.2)
    rank_axis(axes, results[0].ranks)
    axes.set_ylim(-0.04, 1.04)
    axes.set_ylabel("loss (1 = no adaptation)")
    if mark_rank is not None:
        axes.axvline(mark_rank, color=style.GREY, linestyle=style.DASHES[1], linewidth=1.2, zorder=1)
    style.label_lines((axes, labels))
    plt.close(fig)
    return fig


@style.figure
def losses_by_initialisation(runs: Sequence[InitialisationRun]) -> Figure:
    """Loss against gradient step, one line for each way to initialise A and B.

    Args:
        runs: At most four.
    """
    fig, axes = style.subplots(height=3.4)
    labels = []
    for index, run in enumerate(runs):
        axes.plot(run.losses, **style.line(index, marker=False))
        labels.append((len(run.losses) - 1, float(run.losses[-1]), run.name, style.COLOURS[index]))
    axes.set_yscale("log")
    axes.set_yticks((0.07, 0.1, 0.2, 0.4), ("0.07", "0.1", "0.2", "0.4"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("gradient step")
    axes.set_ylabel("mean squared error")
    style.label_lines((axes, labels))
    plt.close(fig)
    return fig


@style.figure
def first_update_against_rank(results: Sequence[ScalingResult]) -> Figure:
    """Size of the first update against rank, relative to rank 1, a panel for each optimiser."""
    titles = {"sgd": "gradient descent", "sign": "sign updates, as in Adam's first step"}
    fig, panels = style.subplots(len(results), height=2.7, sharex=True, sharey=True)
    labelled = []
    for axes, result in zip(np.atleast_1d(panels), results, strict=True):
        labels = []
        for index, (scaling, sizes) in enumerate(result.sizes.items()):
            axes.plot(result.ranks, sizes / sizes[0], **style.line(index))
            name = scaling.replace("alpha", "α").replace("sqrt(r)", "√r")
            labels.append((result.ranks[-1], sizes[-1] / sizes[0], name, style.COLOURS[index]))
        rank_axis(axes, result.ranks)
        axes.set_yscale("log")
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:g}"))
        axes.set_title(titles[result.optimiser])
        axes.set_ylabel("first update (rank 1 = 1)", fontsize=10)
        labelled.append((axes, labels))
    for axes, _ in labelled[:-1]:
        axes.set_xlabel("")
    style.label_lines(*labelled)
    plt.close(fig)
    return fig
