"""Stable forms, divergences, the optimiser and the small network."""

import numpy as np
import pytest
from finetuning import network, numerics


def numerical_gradient(function, array, step=1e-6):
    """Central differences of `function(array)` by every entry of `array`."""
    gradient = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        up, down = array.copy(), array.copy()
        up[index] += step
        down[index] -= step
        gradient[index] = (function(up) - function(down)) / (2 * step)
    return gradient


def test_log_sigmoid_is_right_where_the_naive_form_overflows():
    x = np.array([-800.0, -30.0, 0.0, 30.0, 800.0])
    with np.errstate(over="ignore", divide="ignore"):
        assert np.isneginf(np.log(1 / (1 + np.exp(-x)))[0])
    assert numerics.log_sigmoid(x)[0] == -800
    assert numerics.log_sigmoid(x)[3] == pytest.approx(-np.exp(-30.0), rel=1e-12)
    assert numerics.sigmoid(x)[[0, 2, 4]].tolist() == [0.0, 0.5, 1.0]


def test_sigmoid_and_tanh_are_those_of_numpy_up_to_the_last_digit_and_never_overflow():
    x = np.concatenate([np.linspace(-40, 40, 2001), [-1e-9, 1e-9, -1000.0, 1000.0]])
    assert np.abs(numerics.tanh(x) - np.tanh(x)).max() < 4e-16
    assert numerics.sigmoid(x) == pytest.approx(np.exp(-np.logaddexp(0, -x)), rel=1e-14, abs=0)
    assert numerics.tanh(np.array([-1e-300, 0.0, -1000.0])).tolist() == [0.0, 0.0, -1.0]


def test_softmax_of_huge_logits_is_finite_and_sums_to_one():
    logits = np.array([[1e4, 1e4 - 1, -1e4]])
    assert numerics.softmax(logits).sum() == pytest.approx(1)
    assert numerics.log_softmax(logits)[0, 2] == pytest.approx(-2e4 - np.log1p(np.exp(-1)))


def test_kl_ignores_impossible_outcomes_and_is_infinite_where_the_second_has_none():
    p, q = np.array([0.5, 0.5, 0.0]), np.array([0.25, 0.5, 0.25])
    assert numerics.kl_divergence(p, q) == pytest.approx(0.5 * np.log(2))
    assert np.isinf(numerics.kl_divergence(q, p))


def test_total_variation_is_zero_for_equal_and_one_for_disjoint():
    p = np.array([1.0, 0.0])
    assert numerics.total_variation(p, p) == 0
    assert numerics.total_variation(p, p[::-1]) == 1


def test_samples_follow_their_probabilities():
    probabilities = np.array([0.6, 0.3, 0.1])
    drawn = numerics.sample_categorical(np.tile(probabilities, (60_000, 1)), np.random.default_rng(0))
    shares = np.bincount(drawn, minlength=3) / len(drawn)
    assert shares == pytest.approx(probabilities, abs=4 * np.sqrt(0.25 / len(drawn)))


def test_adam_moves_by_the_learning_rate_first_and_finds_a_minimum():
    x = np.array([3.0, -2.0])
    optimiser = numerics.Adam([x], 0.1)
    optimiser.step([2 * x])
    assert x == pytest.approx([2.9, -1.9])
    for _ in range(300):
        optimiser.step([2 * x])
    assert x == pytest.approx([0, 0], abs=1e-2)


def test_the_networks_gradient_is_that_of_its_loss():
    rng = np.random.default_rng(0)
    weights = network.random_weights(4, 5, 3, rng)
    inputs, labels = rng.normal(size=(7, 4)), rng.integers(0, 3, 7)

    def loss(layer, matrix):
        changed = [matrix if i == layer else other for i, other in enumerate(weights)]
        return -network.log_probs(changed, inputs)[np.arange(7), labels].mean()

    targets = numerics.one_hot(labels, 3)
    for layer, gradient in enumerate(network.cross_entropy_gradients(weights, inputs, targets)):
        expected = numerical_gradient(lambda matrix, layer=layer: loss(layer, matrix), weights[layer])
        assert gradient == pytest.approx(expected, abs=1e-8)
