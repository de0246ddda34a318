"""Figures about policies: the RLHF loop, PPO's clip, KL estimators, the alignment tax, direct alignment."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from finetuning import style
from finetuning.alignment_tax import Outcome, TaxResult
from finetuning.direct import BestOfNResult, FiniteDataResult, Frontier
from finetuning.kl import ESTIMATORS, EstimatorResult
from finetuning.numerics import Floats
from finetuning.ppo import ClipRun, clipped_objective
from finetuning.rlhf import SEQ_LEN, RlhfRun


@style.figure
def rlhf_run(run: RlhfRun) -> Figure:
    """One run of the loop: proxy and gold reward against step, and how many different words are left."""
    fig, (rewards, words) = style.subplots(2, height=2.5, sharex=True, height_ratios=(3, 2))
    rewards.plot(run.steps, run.proxy, color=style.ORANGE, linestyle=style.DASHES[1])
    rewards.plot(run.steps, run.gold, color=style.BLUE)
    rewards.axhline(0, color=style.GREY, linewidth=0.8)
    rewards.set_ylim(-3.4, 5.2)
    rewards.set_ylabel("reward (sd of SFT)")
    rewards.set_title(f"β = {run.beta:g}")
    words.plot(run.steps, run.distinct, color=style.PURPLE)
    words.set_ylim(0, SEQ_LEN + 0.5)
    words.set_yticks((1, 5, 10))
    words.set_ylabel("different words")
    words.set_xlabel("policy-gradient step")
    end = run.steps[-1]
    labels = [
        (end, float(run.proxy[-1]), "proxy", style.ORANGE),
        (end, float(run.gold[-1]), "gold", style.BLUE),
    ]
    style.label_lines((rewards, labels))
    plt.close(fig)
    return fig


@style.figure
def rlhf_by_beta(runs: Sequence[RlhfRun]) -> Figure:
    """Gold reward and proxy against step, a panel each, one line for each beta.

    Args:
        runs: At most five.
    """
    fig, panels = style.subplots(2, height=2.9, sharex=True)
    colours = (style.ORANGE, style.PURPLE, style.BLUE, style.GREEN, style.GREY)
    labelled = []
    for axes, field, title in zip(
        panels,
        ("proxy", "gold"),
        ("proxy: what the reward model sees", "gold: what people wanted"),
        strict=True,
    ):
        labels = []
        for index, run in enumerate(runs):
            values = getattr(run, field)
            axes.plot(run.steps, values, color=colours[index], linestyle=style.DASHES[index % 4])
            labels.append((run.steps[-1], float(values[-1]), f"β = {run.beta:g}", colours[index]))
        axes.axhline(0, color=style.GREY, linewidth=0.8)
        axes.set_title(title)
        axes.set_ylabel("reward (sd of SFT)")
        labelled.append((axes, labels))
    panels[-1].set_xlabel("policy-gradient step")
    style.label_lines(*labelled)
    plt.close(fig)
    return fig


@style.figure
def reward_against_kl(runs: Sequence[RlhfRun]) -> Figure:
    """Gold reward against √KL from the SFT policy; a dot ends each run.

    Args:
        runs: At most five.
    """
    fig, axes = style.subplots(height=3.5)
    colours = (style.ORANGE, style.PURPLE, style.BLUE, style.GREEN, style.GREY)
    freest = min(runs, key=lambda run: run.beta)
    peak = np.sqrt(freest.kl[freest.gold.argmax()])
    for index, run in enumerate(runs):
        d = np.sqrt(np.maximum(run.kl, 0))
        axes.plot(d, run.gold, color=colours[index], linestyle=style.DASHES[index % 4])
        axes.plot(d[-1], run.gold[-1], "o", color=colours[index], markersize=7)
        axes.annotate(
            f"β = {run.beta:g}",
            (d[-1], run.gold[-1]),
            xytext=(-4, 6) if d[-1] < peak else (3, 8),
            textcoords="offset points",
            ha="right" if d[-1] < peak else "left",
            color=colours[index],
            fontsize=style.LABEL_SIZE,
        )
    axes.axhline(0, color=style.GREY, linewidth=0.8)
    axes.margins(x=0.12, y=0.18)
    axes.set_xlabel("√KL(policy‖SFT), √nats")
    axes.set_ylabel("gold reward (sd of SFT)")
    plt.close(fig)
    return fig


@style.figure
def clip_objective(clip_eps: float = 0.2) -> Figure:
    """The clipped objective against the ratio, for a good action and for a bad one."""
    fig, panels = style.subplots(2, height=2.1, sharex=True)
    ratio = np.linspace(0, 2, 401)
    for axes, advantage, colour, title in zip(
        panels,
        (1.0, -1.0),
        (style.BLUE, style.ORANGE),
        ("A = +1: gain ends above 1 + ε", "A = −1: gain ends below 1 − ε"),
        strict=True,
    ):
        axes.plot(ratio, ratio * advantage, color=style.GREY, linestyle=style.DASHES[2], linewidth=1.3)
        axes.plot(ratio, clipped_objective(ratio, np.full_like(ratio, advantage), clip_eps), color=colour)
        for edge in (1 - clip_eps, 1 + clip_eps):
            axes.axvline(edge, color=style.GREY, linewidth=0.8)
        axes.plot(1, advantage, "o", color=colour, markersize=6)
        axes.set_title(title)
        axes.set_ylabel("objective")
    panels[-1].set_xticks((0, 0.5, 1 - clip_eps, 1 + clip_eps, 1.5, 2))
    panels[-1].set_xlabel("ratio π_new / π_old")
    plt.close(fig)
    return fig


@style.figure
def clip_runs(runs: Sequence[ClipRun]) -> Figure:
    """Return against update, and how far each update moved the policy: means over seeds.

    Args:
        runs: At most four.
    """
    fig, (returns, moved) = style.subplots(2, height=2.8, sharex=True)
    return_labels, moved_labels = [], []
    for index, run in enumerate(runs):
        colour = style.COLOURS[index]
        name = run.setting.name.replace(", ", ",\n")
        mean = run.returns.mean(0)
        spread = run.returns.std(0)
        steps = np.arange(len(mean))
        returns.fill_between(steps, mean - spread, mean + spread, color=colour, alpha=0.2, linewidth=0)
        returns.plot(steps, mean, **style.line(index, marker=False))
        return_labels.append((steps[-1], float(mean[-1]), name, colour))
        kl = run.kl.mean(0)
        moved.plot(steps[1:], kl, **style.line(index, marker=False))
        moved_labels.append((steps[-1], float(np.exp(np.log(kl).mean())), name, colour))
    returns.set_ylabel("true return")
    moved.set_yscale("log")
    moved.set_ylabel("KL(old‖new), nats")
    moved.set_xlabel("update, each on a fresh batch")
    style.label_lines((returns, return_labels), (moved, moved_labels))
    plt.close(fig)
    return fig


@style.figure
def estimator_curves() -> Figure:
    """The three KL estimators against the log ratio at one sample."""
    fig, axes = style.subplots(height=3.2)
    log_ratio = np.linspace(-2, 2.6, 200)
    labels = []
    for index, (name, estimator) in enumerate(ESTIMATORS.items()):
        values = estimator(log_ratio)
        axes.plot(log_ratio, values, **style.line(index, marker=False))
        labels.append((log_ratio[-1], float(values[-1]), name, style.COLOURS[index]))
    axes.axhline(0, color=style.GREY, linewidth=0.8)
    axes.set_xlabel("log π/π_ref at one sample")
    axes.set_ylabel("estimate, nats")
    style.label_lines((axes, labels))
    plt.close(fig)
    return fig


@style.figure
def estimator_means(result: EstimatorResult) -> Figure:
    """Distribution of each estimator's mean over one batch, a row each, with the true KL."""
    fig, panels = style.subplots(len(result.means), height=1.35, sharex=True)
    low = min(float(np.quantile(means, 0.002)) for means in result.means.values())
    high = max(float(np.quantile(means, 0.998)) for means in result.means.values())
    bins = np.linspace(low, high, 61)
    for index, (axes, (name, means)) in enumerate(zip(panels, result.means.items(), strict=True)):
        axes.hist(means, bins, color=style.COLOURS[index], alpha=0.75)
        axes.axvline(result.true_kl, color=style.GREY, linestyle=style.DASHES[1], linewidth=1.4)
        axes.set_title(name, color=style.COLOURS[index])
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
    panels[0].set_ylim(top=1.25 * panels[0].get_ylim()[1])
    panels[0].text(
        result.true_kl,
        1.02,
        f" true KL {result.true_kl:g}",
        transform=panels[0].get_xaxis_transform(),
        va="top",
        fontsize=style.LABEL_SIZE,
    )
    panels[-1].set_xlabel(f"mean over {result.batch} samples, nats")
    plt.close(fig)
    return fig


@style.figure
def alignment_tax(result: TaxResult, *, mark: Outcome | None = None) -> Figure:
    """Benchmark accuracy against reward, one line for rising beta and one for rising gamma.

    Args:
        result: The outcomes.
        mark: One more outcome to mark, at any beta and gamma.
    """
    fig, axes = style.subplots(height=3.9)
    labels = [
        (result.before, "before RL", style.GREY, (2, 9)),
        (result.by_beta[0], "RL alone", style.GREY, (-9, -15)),
    ]
    lines = (("β", result.by_beta, (-9, -13)), ("γ", result.by_gamma[::-1], (9, 5)))
    for index, (symbol, outcomes, offset) in enumerate(lines):
        axes.plot(
            [outcome.reward for outcome in outcomes],
            [outcome.benchmark_accuracy for outcome in outcomes],
            **style.line(index),
        )
        for outcome in outcomes:
            value = outcome.beta if symbol == "β" else outcome.gamma
            labels.append((outcome, f"{symbol} = {value:g}", style.COLOURS[index], offset))
    for outcome, *_ in labels[:2]:
        axes.plot(outcome.reward, outcome.benchmark_accuracy, "*", color=style.GREY, markersize=13)
    axes.margins(x=0.14, y=0.12)
    axes.autoscale_view()
    to_axes = axes.transData + axes.transAxes.inverted()
    labelled: list[Floats] = []
    for outcome, text, colour, offset in labels:
        point = (outcome.reward, outcome.benchmark_accuracy)
        place = to_axes.transform(point)
        if any(np.all(np.abs(place - other) < (0.15, 0.055)) for other in labelled):
            continue  # outcomes this close share the first one's label
        labelled.append(place)
        axes.annotate(
            text,
            point,
            xytext=offset,
            textcoords="offset points",
            ha="right" if offset[0] < 0 else "left",
            color=colour,
            fontsize=style.LABEL_SIZE,
        )
    if mark is not None:
        axes.plot(
            mark.reward, mark.benchmark_accuracy, "o", color=style.PURPLE, markersize=14, fillstyle="none"
        )
    axes.set_xlabel("reward on the RL prompts")
    axes.set_ylabel("benchmark accuracy")
    plt.close(fig)
    return fig


@style.figure
def reward_kl_frontier(result: Frontier) -> Figure:
    """The best reward for each KL, with random policies below it and some betas named."""
    fig, axes = style.subplots(height=3.4)
    near = result.random_kl < 2.6
    kl, reward = result.random_kl[near], result.random_reward[near]
    axes.plot(kl, reward, ".", color=style.GREY, markersize=3, alpha=0.6)
    axes.plot(result.kl, result.reward, color=style.BLUE)
    for beta in (3, 1, 0.5, 0.2, 0.1):
        index = int(np.abs(np.log(result.betas / beta)).argmin())
        axes.plot(result.kl[index], result.reward[index], "o", color=style.BLUE, markersize=6)
        axes.annotate(
            f"β ≈ {beta:g}",
            (result.kl[index], result.reward[index]),
            xytext=(-4, 7),
            textcoords="offset points",
            ha="right",
            color=style.BLUE,
            fontsize=style.LABEL_SIZE,
        )
    axes.set_xlim(-0.7, 2.6)
    axes.margins(y=0.12)
    axes.set_xlabel("KL(π‖π_ref), nats")
    axes.set_ylabel("expected reward")
    plt.close(fig)
    return fig


@style.figure
def best_of_n_kl(result: BestOfNResult) -> Figure:
    """KL of best-of-n against n: the formula, many answers, and a few."""
    fig, axes = style.subplots(height=3.2)
    axes.plot(result.n, result.formula, color=style.GREY, linestyle=style.DASHES[1])
    axes.plot(result.n, result.many, "o", color=style.BLUE, fillstyle="none", markersize=8)
    axes.plot(result.n, result.few, color=style.ORANGE, marker="s")
    axes.set_xscale("log", base=4)
    axes.set_xticks((1, 4, 16, 64, 256, 1024))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:.0f}"))
    axes.set_xlabel("n")
    axes.set_ylabel("KL(best-of-n‖reference), nats")
    labels = [
        (result.n[-1], float(result.formula[-1]), "log n − (n−1)/n", style.GREY),
        (result.n[-1], float(result.many[-1]) - 0.01, f"{result.n_many:,} answers", style.BLUE),
        (result.n[-1], float(result.few[-1]), f"{result.k} answers", style.ORANGE),
    ]
    style.label_lines((axes, labels))
    plt.close(fig)
    return fig


@style.figure
def dpo_from_finite_data(result: FiniteDataResult) -> Figure:
    """Distance of DPO's policy from the optimum against the number of pairs: each seed, and their mean."""
    fig, axes = style.subplots(height=3.0)
    for seed in range(result.distance.shape[1]):
        axes.plot(result.n_pairs, result.distance[:, seed], ".", color=style.GREY, markersize=6, alpha=0.7)
    axes.plot(result.n_pairs, result.distance.mean(1), **style.line(0))
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:,.0f}"))
    axes.set_ylim(bottom=0)
    axes.set_xlabel("labelled pairs")
    axes.set_ylabel("total variation to optimum", fontsize=10)
    plt.close(fig)
    return fig
