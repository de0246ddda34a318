"""The RLHF loop with and without the KL penalty, in four worlds."""

import itertools

import numpy as np
import pytest
from finetuning import rlhf


@pytest.fixture(scope="module", params=range(4))
def runs(request):
    return {run.beta: run for run in rlhf.rlhf_experiment((0, 0.2), seed=request.param)}


def test_without_a_penalty_the_loop_ends_in_one_repeated_word(runs):
    run = runs[0]
    assert run.distinct[-1] <= 1.5
    assert run.gold[-1] < 0
    assert run.proxy[-1] > 3
    most_common = max(rlhf.WORDS, key=run.final_texts[0].split().count)
    assert run.final_texts[0].split().count(most_common) >= 9


def test_with_a_penalty_the_true_reward_stays_up(runs):
    run = runs[0.2]
    assert run.gold[-1] > 0.3
    assert run.distinct[-1] > 3
    assert run.kl[-1] < runs[0].kl[-1] / 2


def test_the_true_reward_first_rises_even_without_a_penalty(runs):
    assert runs[0].gold.max() > 0.4
    assert 0 < runs[0].gold.argmax() < len(runs[0].steps) - 1


def test_the_loop_starts_from_the_sft_policy(runs):
    for run in runs.values():
        assert run.kl[0] == pytest.approx(0, abs=1e-12)
        assert run.proxy[0] == pytest.approx(0, abs=0.15)
        assert run.gold[0] == pytest.approx(0, abs=0.15)


def test_the_reward_model_is_right_more_often_than_not_but_not_always():
    assert 0.65 < rlhf.sft_and_reward_model().pair_accuracy < 0.9


def test_the_reward_model_cannot_see_repetition_and_the_true_reward_can():
    once, ten_times = np.arange(10)[None], np.zeros((1, 10), dtype=np.int64)
    setup = rlhf.sft_and_reward_model()
    assert rlhf.true_reward(ten_times)[0] == pytest.approx(1 - 9 * 0.25)
    assert rlhf.true_reward(once)[0] == pytest.approx(rlhf.WORD_VALUES.sum())
    assert setup.proxy(ten_times)[0] > setup.proxy(once)[0]


def test_counts_and_distinct_words_of_a_text():
    tokens = np.array([[0, 0, 1, 0]])
    assert rlhf.counts(tokens)[0, :3].tolist() == [3, 1, 0]
    assert rlhf.distinct(tokens) == 2
    assert rlhf.text(tokens[0]) == "thanks thanks clear thanks"


def test_the_policy_gradient_is_that_of_reward_minus_beta_kl():
    # Two words with probabilities 3/4 and 1/4 in every context: the 16 rows below are the exact distribution
    # of texts of length 2, so that means over them are exact expectations.
    beta, words = 0.3, (0, 0, 0, 1)
    tokens = np.array(list(itertools.product(words, words)))
    reward = np.array([2.0, -1.0, 0.5, 3.0])[2 * tokens[:, 0] + tokens[:, 1]]
    rng = np.random.default_rng(0)
    reference = np.full((rlhf.VOCAB_SIZE + 1, rlhf.VOCAB_SIZE), -60.0)
    reference[:, :2] = np.log(rng.dirichlet([2, 2], size=rlhf.VOCAB_SIZE + 1))
    logits = np.full_like(reference, -60.0)
    logits[:, :2] = np.log([0.75, 0.25])

    def log_policy(logits):
        return logits - np.log(np.exp(logits).sum(1, keepdims=True))

    def objective(logits):
        total = 0.0
        for first, second in itertools.product((0, 1), (0, 1)):
            logp = log_policy(logits)[rlhf.START, first] + log_policy(logits)[first, second]
            ref = reference[rlhf.START, first] + reference[first, second]
            value = np.array([2.0, -1.0, 0.5, 3.0])[2 * first + second]
            total += np.exp(logp) * (value - beta * (logp - ref))
        return total

    contexts = np.column_stack([np.full(16, rlhf.START), tokens[:, 0]])
    log_ratio = (log_policy(logits) - reference)[contexts, tokens]
    gradient = rlhf.policy_gradient(log_policy(logits), tokens, reward, log_ratio, beta)
    for row, column in itertools.product((rlhf.START, 0, 1), (0, 1)):
        up, down = logits.copy(), logits.copy()
        up[row, column] += 1e-5
        down[row, column] -= 1e-5
        expected = (objective(up) - objective(down)) / 2e-5
        assert gradient[row, column] == pytest.approx(expected, abs=1e-8)
