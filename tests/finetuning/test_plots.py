"""Every figure: closed, labelled, one phone wide, inside its frame, and the same bytes twice."""

import functools
import inspect
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pytest
from finetuning import (
    alignment_tax,
    direct,
    forgetting,
    instructions,
    kl,
    lora,
    low_rank,
    masking,
    memory,
    overoptimisation,
    plots,
    ppo,
    preferences,
    quantisation,
    rlhf,
    style,
)
from finetuning.models import MODELS

# Figures whose rows have names instead of a vertical axis.
NAMED_ROWS = {"codebooks", "estimator_means", "memory_by_method", "quantisation_errors"}


@pytest.fixture(scope="module")
def figures():
    """One drawing function for each figure, on small results."""
    tuned = masking.masking_experiment(n_pairs=40, n_held_out=20, n_steps=20)
    world = forgetting.pretrained_world(n_steps=20)
    runs = rlhf.rlhf_experiment((0, 0.05, 0.2, 0.5, 1), n_steps=10)
    shape = MODELS["llama3-8b"]
    states = [memory.full_states(shape), memory.lora_states(shape), memory.qlora_states(shape)]
    results = {
        "alignment_tax": alignment_tax.tax_experiment((0, 0.3, 3), n_steps=30),
        "best_of_n_kl": direct.best_of_n_experiment(n_many=500),
        "clip_objective": 0.2,
        "clip_runs": [ppo.clip_experiment(setting, n_updates=4, n_seeds=2) for setting in ppo.SETTINGS],
        "codebooks": None,
        "dpo_from_finite_data": direct.finite_data_experiment((50, 200), n_seeds=2),
        "estimator_curves": None,
        "estimator_means": kl.estimator_experiment(1.0, n_samples=100, n_batches=200),
        "first_update_against_rank": [
            low_rank.scaling_experiment(optimiser, (1, 8, 64), n_seeds=2) for optimiser in ("sgd", "sign")
        ],
        "forgetting_against_learning": [
            forgetting.fine_tune(world, "facts", method, n_steps=40) for method in forgetting.METHODS
        ],
        "loss_against_rank": [
            low_rank.rank_experiment(kind, (1, 4), d=12, n_steps=100) for kind in low_rank.SPECTRA
        ],
        "loss_mask": tuned.example,
        "losses_by_initialisation": low_rank.initialisation_experiment(n_steps=10),
        "masking_nll": tuned,
        "memory_by_method": states,
        "overoptimisation": overoptimisation.overoptimisation_experiment(
            "mis-specified", n_candidates=20_000
        ),
        "parameters_against_rank": [lora.parameter_curve(shape, "qv", (1, 8, 64))],
        "quantisation_errors": quantisation.quantisation_experiment(100),
        "ranking_worth": preferences.ranking_experiment((2, 4), n_seeds=2),
        "reward_against_kl": runs,
        "reward_kl_frontier": direct.frontier(n_random=20),
        "reward_model_accuracy": preferences.reward_model_experiment((10, 50), n_seeds=2, n_held_out=1000),
        "rlhf_by_beta": runs,
        "rlhf_run": runs[0],
        "unseen_task_accuracy": [
            instructions.generalisation_experiment(kind, (1, 4), n_seeds=2, n_steps=10)
            for kind in instructions.CODES
        ],
    }
    return {
        name: functools.partial(getattr(plots, name), *([] if result is None else [result]))
        for name, result in results.items()
    }


def test_every_figure_function_is_drawn_here(figures):
    assert set(figures) == set(plots.__all__)


def test_every_figure_function_says_what_it_shows():
    assert all(inspect.getdoc(getattr(plots, name)) for name in plots.__all__)


@pytest.fixture(scope="module")
def drawn(figures):
    """Each figure and its SVG text, drawn once."""

    @functools.cache
    def draw(name):
        figure = figures[name]()
        return figure, style.svg(figure)

    return draw


@pytest.mark.parametrize("name", plots.__all__)
def test_a_figure_is_closed_and_gives_the_same_bytes_twice(figures, drawn, name):
    _, text = drawn(name)
    assert not plt.get_fignums()
    assert style.svg(figures[name]()) == text
    assert "<dc:date>" not in text
    assert ElementTree.fromstring(text).tag.endswith("svg")
    assert len(text) < 150_000


@pytest.mark.parametrize("name", plots.__all__)
def test_a_figure_is_one_phone_wide_with_labelled_axes_and_legible_text_inside_its_frame(drawn, name):
    figure, _ = drawn(name)
    assert figure.get_size_inches()[0] == style.WIDTH_IN
    assert figure.axes[-1].get_xlabel()
    figure.draw_without_rendering()
    frame = figure.bbox.padded(2)
    for axes in figure.axes:
        assert axes.get_ylabel() or name in NAMED_ROWS
        ticks = axes.get_xticklabels() + axes.get_yticklabels()
        for text in [*axes.texts, axes.xaxis.label, axes.yaxis.label, axes.title, *ticks]:
            if not (text.get_visible() and text.get_text()):
                continue
            assert text.get_fontsize() >= 9
            if text not in ticks:  # ticks beyond the limits are kept but not drawn
                box = text.get_window_extent()
                assert frame.containsx(box.x0), text
                assert frame.containsx(box.x1), text
                assert frame.containsy(box.y0), text
                assert frame.containsy(box.y1), text


def test_the_memory_figure_names_the_models_when_there_are_several():
    states = [memory.full_states(MODELS[name]) for name in ("llama2-7b", "llama3-8b")]
    figure = plots.memory_by_method(states)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "Llama-2-7B full\n107.8 GB",
        "Llama-3-8B full\n128.5 GB",
    ]


def test_marks_are_drawn_where_they_are_asked_for():
    curve = lora.parameter_curve(MODELS["llama2-7b"], "qv", (1, 8, 64))
    assert not plots.parameters_against_rank([curve]).axes[0].texts[0].get_text().startswith(" r =")
    marked = [text.get_text() for text in plots.parameters_against_rank([curve], mark_rank=8).axes[0].texts]
    assert " r = 8" in marked
    result = alignment_tax.tax_experiment((0, 1), n_steps=10)
    before, after = (plots.alignment_tax(result, mark=mark) for mark in (None, result.by_gamma[1]))
    assert len(after.axes[0].lines) == len(before.axes[0].lines) + 1
    rings = parameters_with_a_ring(curve)
    assert rings == [(8, curve.trainable[1])]
    result = overoptimisation.overoptimisation_experiment("mis-specified", n_candidates=20_000)
    squares = [
        line for line in plots.overoptimisation(result, mark_d=1.2).axes[0].lines if line.get_marker() == "s"
    ]
    gold = np.interp(1.2, result.d, result.gold)
    assert [float(line.get_ydata()[0]) for line in squares][1] == pytest.approx(gold)


def parameters_with_a_ring(curve):
    """Where the figure has its ring: rank and count."""
    axes = plots.parameters_against_rank([curve], mark_rank=8, mark_model=curve.model).axes[0]
    return [
        (line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines if line.get_fillstyle() == "none"
    ]
