"""Reward models: Bradley–Terry, the noise ceiling, rankings."""

import numpy as np
import pytest
from finetuning import preferences


@pytest.fixture(scope="module")
def result():
    return preferences.reward_model_experiment()


def test_accuracy_rises_to_within_a_hundredth_of_the_noise_ceiling(result):
    accuracy = result.label_accuracy.mean(1)
    assert result.n_pairs[-1] == 5000
    assert accuracy[-1] == pytest.approx(result.ceiling, abs=0.01)
    assert accuracy[0] < result.ceiling - 0.1
    assert np.all(accuracy <= result.ceiling + 0.005)


def test_agreement_with_the_true_order_has_no_such_ceiling(result):
    assert result.gold_agreement[-1].mean() > 0.95 > result.ceiling


def test_two_annotators_agree_less_often_than_the_best_model_is_right(result):
    assert 0.6 < result.annotator_agreement < result.ceiling


def test_the_fit_finds_the_size_of_the_reward_not_only_its_direction(result):
    assert result.fitted_length == pytest.approx(result.true_length, rel=0.05)


def test_pairs_of_rankings_are_worth_fewer_independent_pairs():
    result = preferences.ranking_experiment()
    assert result.n_pairs == (108, 360, 1080)  # 9 · 8 / 2 pairs for each ranking
    assert np.all(result.from_rankings < result.from_independent_pairs - 0.01)


def test_every_pair_of_a_ranking_follows_bradley_terry():
    people = preferences.annotators(d=1, sharpness=1.0, seed=1)
    pairs = people.ranked(4000, 3, np.random.default_rng(0))
    margins = pairs @ people.reward
    for low, high in ((-1.5, -0.5), (-0.25, 0.25), (0.5, 1.5)):
        # of all pairs at this distance, the share in which the better one was ranked first
        first = np.mean((margins > low) & (margins < high))
        second = np.mean((-margins > low) & (-margins < high))
        middle = (low + high) / 2
        assert first / (first + second) == pytest.approx(1 / (1 + np.exp(-middle)), abs=0.03)


def test_adding_a_constant_to_every_reward_changes_nothing():
    scores = np.random.default_rng(0).normal(size=(2, 50))
    shifted = scores + 100
    before = preferences.bradley_terry_loss(scores[0] - scores[1])
    assert preferences.bradley_terry_loss(shifted[0] - shifted[1]) == pytest.approx(before, rel=1e-12)


def test_the_loss_is_log_2_without_a_margin_and_falls_with_it():
    assert preferences.bradley_terry_loss(np.zeros(3)) == pytest.approx(np.log(2))
    assert preferences.bradley_terry_loss(np.array([2.0])) < np.log(2)
    assert preferences.bradley_terry_loss(np.array([-1000.0])) == 1000  # the naive form is infinite here


def test_the_fit_is_where_the_penalised_loss_has_no_slope():
    people = preferences.annotators(d=3)
    pairs = people.labelled(60, np.random.default_rng(0))
    weights = preferences.fit_reward(pairs, ridge=0.1)

    def loss(w):
        return preferences.bradley_terry_loss(pairs @ w) + 0.05 * w @ w

    for direction in np.eye(3):
        slope = (loss(weights + 1e-5 * direction) - loss(weights - 1e-5 * direction)) / 2e-5
        assert slope == pytest.approx(0, abs=1e-8)


def test_separable_pairs_have_a_finite_fit():
    assert np.all(np.isfinite(preferences.fit_reward(np.array([[1.0], [2.0]]))))


def test_the_ceiling_is_exact_on_one_margin():
    margin = np.array([np.log(3), -np.log(3)])  # p = 0.75
    assert preferences.noise_ceiling(margin) == pytest.approx(0.75)
    assert preferences.annotator_agreement(margin) == pytest.approx(0.75**2 + 0.25**2)
