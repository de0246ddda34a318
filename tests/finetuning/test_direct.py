"""Closed form, DPO, best-of-n."""

import numpy as np
import pytest
from finetuning import direct


@pytest.fixture(scope="module")
def optima():
    return direct.compare_optima()


def test_policy_gradient_and_dpo_reach_the_closed_form(optima):
    for optimum in optima:
        assert optimum.gradient_ascent < 1e-2
        assert optimum.dpo < 1e-2


def test_its_value_is_beta_log_z(optima):
    of = direct.random_answers()
    for optimum in optima:
        assert optimum.value == pytest.approx(direct.optimum_value(of, optimum.beta), rel=1e-9)
        assert optimum.value == pytest.approx(optimum.expected_reward - optimum.beta * optimum.kl)


@pytest.mark.parametrize("beta", [0.1, 1.0, 10.0])
def test_no_other_policy_has_a_larger_value(beta):
    of = direct.random_answers(5, seed=1)
    best = direct.objective(direct.closed_form(of, beta), of, beta)
    for policy in np.random.default_rng(0).dirichlet(np.ones(5), 200):
        assert direct.objective(policy, of, beta) <= best + 1e-12


def test_finite_data_miss_the_optimum_and_miss_it_less_the_more_there_are():
    result = direct.finite_data_experiment()
    distance = result.distance.mean(1)
    assert np.all(np.diff(distance) < 0)
    assert distance[result.n_pairs.index(200)] == pytest.approx(0.20, abs=0.05)
    assert distance[-1] < 0.05
    assert result.reference_reward < result.optimum_reward


def test_the_dpo_loss_is_log_2_at_the_reference_and_infinite_nowhere():
    assert direct.dpo_loss(np.zeros(2), np.zeros(2), beta=0.1) == pytest.approx(np.log(2))
    assert direct.dpo_loss(np.array([-1e5]), np.array([0.0]), beta=0.1) == pytest.approx(1e4)
    assert direct.dpo_loss(np.array([1.0]), np.array([0.0]), 0.1) < np.log(2)


@pytest.mark.parametrize(("n", "nats"), [(4, 0.636), (16, 1.835), (1024, 5.932)])
def test_the_kl_of_best_of_n(n, nats):
    assert round(direct.best_of_n_kl(n), 3) == nats


def test_with_few_answers_the_formula_is_an_upper_bound_and_the_kl_saturates():
    result = direct.best_of_n_experiment()
    assert result.many == pytest.approx(result.formula, abs=2e-3)
    assert np.all(result.few <= result.formula + 1e-12)
    assert result.few[-1] == pytest.approx(result.limit, abs=1e-3)
    assert round(result.limit, 3) == 2.273


def test_best_of_n_probabilities_are_those_of_all_draws():
    reference = np.array([0.5, 0.3, 0.2])
    expected = np.zeros(3)
    for draws in np.ndindex(3, 3, 3):
        expected[max(draws)] += reference[list(draws)].prod()
    assert direct.best_of_n_probabilities(reference, 3) == pytest.approx(expected)
    assert direct.best_of_n_probabilities(reference, 1) == pytest.approx(reference)


def test_a_very_rare_best_answer_keeps_its_probability_where_the_naive_form_loses_it():
    reference = np.array([1 - 1e-20, 1e-20])
    cumulative = reference.cumsum()
    assert cumulative[1] ** 5 - cumulative[0] ** 5 == 0
    assert direct.best_of_n_probabilities(reference, 5)[1] == pytest.approx(5e-20)


def test_an_impossible_worst_answer_is_never_chosen():
    chosen = direct.best_of_n_probabilities(np.array([0.0, 0.5, 0.5]), 2)
    assert chosen == pytest.approx([0, 0.25, 0.75])


def test_no_policy_lies_above_the_frontier():
    result = direct.frontier(n_random=300)
    order = np.argsort(result.kl)
    reachable = np.interp(result.random_kl, result.kl[order], result.reward[order])
    inside = result.random_kl < result.kl.max()
    assert np.all(result.random_reward[inside] <= reachable[inside] + 1e-3)
