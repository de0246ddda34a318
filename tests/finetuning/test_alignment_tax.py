"""The alignment tax, in four worlds."""

import pytest
from finetuning import alignment_tax


@pytest.fixture(scope="module", params=range(4))
def result(request):
    return alignment_tax.tax_experiment((0, 0.1, 0.3, 10), seed=request.param)


def test_rl_on_narrow_prompts_costs_benchmark_accuracy(result):
    after = result.by_beta[0]
    assert after.reward > result.before.reward + 1
    assert after.benchmark_accuracy < result.before.benchmark_accuracy - 0.2


def test_at_equal_high_reward_gamma_keeps_a_tenth_more_accuracy_than_beta(result):
    reward = result.by_beta[1].reward  # beta = 0.1 costs little reward
    by_beta, by_gamma = (
        alignment_tax.benchmark_at_reward(outcomes, reward) for outcomes in (result.by_beta, result.by_gamma)
    )
    assert reward > result.before.reward + 1
    assert by_gamma > by_beta + 0.1


def test_gamma_does_not_restore_the_benchmark_fully(result):
    best = max(outcome.benchmark_accuracy for outcome in result.by_gamma)
    assert best < result.before.benchmark_accuracy - 0.02


def test_a_large_beta_gives_back_the_pretrained_model(result):
    held = result.by_beta[-1]
    assert held.kl < 0.01
    assert held.benchmark_accuracy == pytest.approx(result.before.benchmark_accuracy, abs=0.02)
    assert held.reward == pytest.approx(result.before.reward, abs=0.2)


def test_interpolation_outside_the_outcomes_is_refused(result):
    with pytest.raises(ValueError, match=r"reward 99\.000 is outside"):
        alignment_tax.benchmark_at_reward(result.by_beta, 99)
