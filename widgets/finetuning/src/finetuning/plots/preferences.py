"""Figures about reward models and their over-optimisation."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from finetuning import style
from finetuning.overoptimisation import OveroptimisationResult
from finetuning.preferences import RankingResult, RewardModelResult


@style.figure
def reward_model_accuracy(result: RewardModelResult) -> Figure:
    """Quality of a reward model against the number of comparisons, with the ceiling that label noise sets."""
    fig, axes = style.subplots(height=3.5)
    labels = []
    lines = (("true order", result.gold_agreement), ("noisy labels", result.label_accuracy))
    for index, (name, values) in enumerate(lines):
        mean, spread = values.mean(1), values.std(1)
        axes.fill_between(
            result.n_pairs, mean - spread, mean + spread, color=style.COLOURS[index], alpha=0.2, linewidth=0
        )
        axes.plot(result.n_pairs, mean, **style.line(index))
        labels.append((result.n_pairs[-1], mean[-1], name, style.COLOURS[index]))
    axes.axhline(result.ceiling, color=style.GREY, linestyle=style.DASHES[1], linewidth=1.2)
    labels.append((result.n_pairs[-1], result.ceiling, f"ceiling {result.ceiling:.2f}", style.GREY))
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:,.0f}"))
    axes.set_ylim(0.5, 1)
    axes.set_xlabel("comparisons")
    axes.set_ylabel("share of held-out pairs right")
    style.label_lines((axes, labels))
    plt.close(fig)
    return fig


@style.figure
def ranking_worth(result: RankingResult) -> Figure:
    """Agreement with the true order from pairs of rankings and from as many independent pairs."""
    fig, axes = style.subplots(height=2.9)
    labels = []
    lines = (
        ("independent pairs", result.from_independent_pairs),
        (f"rankings of {result.n_responses}", result.from_rankings),
    )
    for index, (name, values) in enumerate(lines):
        axes.plot(result.n_pairs, values, **style.line(index))
        labels.append((result.n_pairs[-1], float(values[-1]), name, style.COLOURS[index]))
    axes.set_xscale("log")
    axes.set_xticks(result.n_pairs, [f"{n:,}" for n in result.n_pairs])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("pairs")
    axes.set_ylabel("agreement with true order", fontsize=10)
    style.label_lines((axes, labels))
    plt.close(fig)
    return fig


@style.figure
def overoptimisation(result: OveroptimisationResult, *, mark_d: float | None = None) -> Figure:
    """Proxy and gold reward against the distance from the reference, with best-of-n and the gold peak.

    Args:
        result: The rewards.
        mark_d: A distance to mark with a vertical line and dots on both rewards.
    """
    fig, axes = style.subplots(height=3.7)
    axes.plot(result.d, result.proxy, color=style.ORANGE, linestyle=style.DASHES[1])
    axes.plot(result.d, result.gold, color=style.BLUE)
    near = result.best_of_n_d <= result.d[-1]
    best_of_n_d, best_of_n_gold = result.best_of_n_d[near], result.best_of_n_gold[near]
    axes.plot(best_of_n_d, best_of_n_gold, ".", color=style.PURPLE, markersize=6, markeredgewidth=0)
    peak = result.peak
    if peak < len(result.d) - 1:
        axes.plot(result.d[peak], result.gold[peak], "o", color=style.BLUE, markersize=7)
        axes.annotate(
            "gold peak",
            (result.d[peak], result.gold[peak]),
            xytext=(0, -17),
            textcoords="offset points",
            ha="center",
            color=style.BLUE,
            fontsize=style.LABEL_SIZE,
        )
    if mark_d is not None:
        axes.axvline(mark_d, color=style.GREY, linestyle=style.DASHES[1], linewidth=1.2, zorder=1)
        for reward, colour in ((result.proxy, style.ORANGE), (result.gold, style.BLUE)):
            axes.plot(mark_d, np.interp(mark_d, result.d, reward), "s", color=colour, markersize=7)
    axes.axhline(0, color=style.GREY, linewidth=0.8)
    axes.set_xlim(0, 1.02 * result.d[-1])
    axes.set_xlabel("√KL(policy‖reference), √nats")
    axes.set_ylabel("reward (sd of reference)")
    end = result.d[-1]
    labels = [
        (end, float(result.proxy[-1]), "proxy", style.ORANGE),
        (end, float(result.gold[-1]), "gold", style.BLUE),
        (end, float(best_of_n_gold[-1]), "gold,\nbest-of-n", style.PURPLE),
    ]
    style.label_lines((axes, labels))
    plt.close(fig)
    return fig
