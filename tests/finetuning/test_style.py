"""The house style: contrast in both themes, colours told apart by everyone, the same bytes twice."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
from finetuning import lora, plots, style
from finetuning.models import MODELS

# The pages' backgrounds: white, the darkest in use, and the book theme's dark.
BACKGROUNDS = ("#ffffff", "#121212", "#14181e")

# Machado, Oliveira and Fernandes 2009, table 1, severity 1.0: linear RGB as a dichromat sees it.
VISION = {
    "full": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def linear_rgb(colour):
    """Linear-light RGB of a hex colour (sRGB transfer function)."""
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(colour, background):
    """WCAG 2 contrast ratio."""
    dark, light = sorted(linear_rgb(c) @ [0.2126, 0.7152, 0.0722] for c in (colour, background))
    return (light + 0.05) / (dark + 0.05)


def lab(rgb):
    """CIE L*a*b* of linear RGB."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(np.maximum(to_xyz @ np.clip(rgb, 0, 1) / [0.9505, 1, 1.089], 0.008856))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def example():
    curves = [lora.parameter_curve(MODELS[name], "qv", [1, 8, 64]) for name in ("llama2-7b", "llama3-8b")]
    return plots.parameters_against_rank(curves)


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_colours_and_text_keep_their_contrast_on_light_and_dark(background):
    for colour in style.COLOURS:
        assert contrast(colour, background) >= 3  # WCAG 1.4.11, graphics
    assert contrast(style.GREY, background) >= 4


@pytest.mark.parametrize("vision", VISION)
def test_colours_are_told_apart_by_everyone(vision):
    seen = [lab(VISION[vision] @ linear_rgb(colour)) for colour in style.COLOURS]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 20


def test_lines_differ_in_more_than_colour():
    assert len(set(style.MARKERS)) == len(set(style.DASHES)) == len(style.COLOURS)


def test_equal_figures_give_equal_bytes_without_a_date():
    first, second = style.svg(example()), style.svg(example())
    assert first == second
    assert "<dc:date>" not in first


def test_a_figure_does_not_depend_on_global_settings():
    plain = style.svg(example())
    with plt.rc_context(
        {"font.size": 30, "axes.facecolor": "red", "xtick.labelsize": 30, "grid.color": "red"}
    ):
        assert style.svg(example()) == plain


def test_a_figure_is_transparent_closed_and_one_phone_wide():
    figure = example()
    assert figure.get_facecolor()[3] == 0
    assert not plt.get_fignums()
    assert figure.get_size_inches()[0] == style.WIDTH_IN


def test_labels_of_lines_that_end_together_do_not_overlap():
    figure, axes = style.subplots()
    axes.set(xlim=(0, 1), ylim=(0, 1))
    labels = [(1, 0.5, "one", "C0"), (1, 0.51, "two", "C1"), (1, 0.505, "three", "C2")]
    style.label_lines((axes, labels))
    figure.draw_without_rendering()
    boxes = sorted((text.get_window_extent() for text in axes.texts), key=lambda box: box.y0)
    plt.close(figure)
    assert all(below.y1 <= above.y0 for below, above in itertools.pairwise(boxes))


def test_outside_a_notebook_use_sets_the_style_only():
    with plt.rc_context():
        style.use()
        assert plt.rcParams["svg.hashsalt"] == "finetuning"
