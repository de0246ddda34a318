"""Figures about supervised fine-tuning: the loss mask, unseen tasks, forgetting."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from finetuning import style
from finetuning.forgetting import ForgettingRun
from finetuning.instructions import GeneralisationResult
from finetuning.masking import ExampleNll, MaskingResult


@style.figure
def loss_mask(example: ExampleNll) -> Figure:
    """NLL of each token before and after SFT; tokens the loss counts are filled, the others outlined."""
    fig, panels = style.subplots(2, height=1.9, sharex=True, sharey=True)
    places = np.arange(len(example.tokens))
    for axes, nll, title in zip(panels, (example.base, example.tuned), ("before", "after SFT"), strict=True):
        counted = example.loss_mask
        axes.bar(places[counted], nll[counted], color=style.ORANGE, width=0.7)
        axes.bar(
            places[~counted], nll[~counted], facecolor="none", edgecolor=style.GREY, width=0.7, linewidth=1.2
        )
        for place in places[counted]:
            axes.text(
                place,
                nll[place],
                f"{nll[place]:.1f}",
                ha="center",
                va="bottom",
                color=style.ORANGE,
                fontsize=9,
            )
        axes.set_title(title)
        axes.set_ylabel("nats / token")
        axes.grid(axis="x", visible=False)
    first = int(np.flatnonzero(example.loss_mask)[0])
    top = panels[0]
    top.set_ylim(0, 1.25 * max(example.base.max(), example.tuned.max()))
    height = top.get_ylim()[1]
    top.text((first - 1) / 2, 0.97 * height, "prompt: loss_mask 0", ha="center", va="top", fontsize=10)
    top.text(
        (first + len(places) - 1) / 2,
        0.97 * height,
        "completion: 1",
        ha="center",
        va="top",
        fontsize=style.LABEL_SIZE,
        color=style.ORANGE,
    )
    panels[-1].set_xticks(places, example.tokens)
    panels[-1].set_xlabel("token")
    plt.close(fig)
    return fig


@style.figure
def masking_nll(result: MaskingResult) -> Figure:
    """Held-out NLL against SFT step with and without the mask: completion tokens, then prompt tokens."""
    fig, panels = style.subplots(2, height=2.6, sharex=True)
    fields = ("completion_nll", "prompt_nll")
    labelled = []
    titles = ("completion tokens: both learn them", "prompt tokens: only one learns them")
    for axes, field, title in zip(panels, fields, titles, strict=True):
        labels = []
        runs = (("with mask", result.masked), ("without", result.unmasked))
        for index, (name, evaluations) in enumerate(runs):
            values = [getattr(evaluation, field) for evaluation in evaluations]
            axes.plot(result.steps, values, **style.line(index, marker=False))
            labels.append((result.steps[-1], values[-1], name, style.COLOURS[index]))
        axes.axhline(result.uniform_nll, color=style.GREY, linestyle=style.DASHES[2], linewidth=1.2)
        axes.text(
            result.steps[-1],
            result.uniform_nll,
            "guessing",
            ha="right",
            va="bottom",
            fontsize=style.LABEL_SIZE,
        )
        axes.set_ylim(bottom=0)
        axes.set_title(title)
        axes.set_ylabel("NLL, nats / token")
        labelled.append((axes, labels))
    panels[-1].set_xlabel("SFT step")
    style.label_lines(*labelled)
    plt.close(fig)
    return fig


@style.figure
def unseen_task_accuracy(results: Sequence[GeneralisationResult]) -> Figure:
    """Accuracy on unseen tasks against the number of tuning tasks: mean and standard deviation over seeds."""
    names = {"instruction": "described by\nan instruction", "id": "random id"}
    fig, axes = style.subplots(height=3.2)
    labels = []
    for index, result in enumerate(results):
        mean, spread = result.unseen.mean(1), result.unseen.std(1)
        axes.fill_between(
            result.n_tasks, mean - spread, mean + spread, color=style.COLOURS[index], alpha=0.2, linewidth=0
        )
        axes.plot(result.n_tasks, mean, **style.line(index))
        labels.append((result.n_tasks[-1], mean[-1], names[result.kind], style.COLOURS[index]))
    axes.axhline(0.5, color=style.GREY, linestyle=style.DASHES[2], linewidth=1.2)
    labels.append((results[0].n_tasks[-1], 0.5, "guessing", style.GREY))
    axes.set_ylim(0.4, 1)
    axes.set_xticks(results[0].n_tasks)
    axes.set_xlabel("tuning tasks (same number of examples)")
    axes.set_ylabel("accuracy on 8 unseen tasks")
    style.label_lines((axes, labels))
    plt.close(fig)
    return fig


@style.figure
def forgetting_against_learning(runs: Sequence[ForgettingRun]) -> Figure:
    """What was forgotten of A against the error on B, which falls to the right; a dot ends each run."""
    fig, axes = style.subplots(height=4.0)
    ranks = sorted(run.method.rank for run in runs if run.method.rank is not None)
    learned_best = min(float(run.b_error[-1]) for run in runs)
    for run in runs:
        name = run.method.name
        if run.method.n_replay:
            colour, dash = style.GREEN, 1
        elif run.method.rank is None:
            colour, dash = style.ORANGE, 0
        else:
            colour, dash = style.BLUE, (2, 3, 0)[min(ranks.index(run.method.rank), 2)]
        axes.plot(run.b_error, run.forgotten, color=colour, linestyle=style.DASHES[dash])
        axes.plot(run.b_error[-1], run.forgotten[-1], "o", color=colour, markersize=6)
        if run.method.n_replay:
            offset, side, height = (0, -7), "center", "top"
        elif run.method.rank is None or run.b_error[-1] == learned_best:
            offset, side, height = (8, 0), "left", "center"
        else:
            offset, side, height = (0, 7), "center", "bottom"
        axes.annotate(
            name,
            (run.b_error[-1], run.forgotten[-1]),
            xytext=offset,
            textcoords="offset points",
            ha=side,
            va=height,
            color=colour,
            fontsize=style.LABEL_SIZE,
        )
    left = max(float(run.b_error.max()) for run in runs)
    right = min(float(run.b_error.min()) for run in runs)
    axes.set_xlim(1.1 * left, right - 0.1 * left)
    axes.margins(y=0.12)
    axes.set_xlabel("error on B in nats (learning →)")
    axes.set_ylabel("forgotten of A in nats")
    plt.close(fig)
    return fig
