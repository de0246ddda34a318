"""SFT with and without a loss mask."""

import numpy as np
import pytest
from finetuning import masking


@pytest.fixture(scope="module", params=range(4))
def result(request):
    return masking.masking_experiment(seed=request.param)


def test_completions_are_learned_with_and_without_the_mask(result):
    assert result.base.completion_accuracy < 0.2
    assert result.masked[-1].completion_accuracy > 0.98
    assert result.unmasked[-1].completion_accuracy > 0.98


def test_with_the_mask_the_model_gets_worse_at_prompts_and_without_it_better(result):
    assert result.masked[-1].prompt_nll > result.base.prompt_nll
    assert result.unmasked[-1].prompt_nll < result.base.prompt_nll


def test_without_a_mask_most_of_the_gradient_comes_from_the_prompt(result):
    assert 0.6 < result.prompt_gradient_share < 0.8


def test_masked_tokens_get_no_gradient_and_the_others_that_of_the_mean_nll():
    rng = np.random.default_rng(0)
    logits, targets = rng.normal(size=(4, 3)), np.array([0, 2, 1, 1])
    mask = np.array([False, True, True, False])
    nll, gradient = masking.masked_nll(logits, targets, mask)
    by_hand = [np.log(np.exp(row).sum()) - row[target] for row, target in zip(logits, targets, strict=True)]
    assert nll == pytest.approx((by_hand[1] + by_hand[2]) / 2)
    assert np.all(gradient[~mask] == 0)
    step = 1e-6
    for index in np.ndindex(logits.shape):
        moved = logits.copy()
        moved[index] += step
        change = (masking.masked_nll(moved, targets, mask)[0] - nll) / step
        assert gradient[index] == pytest.approx(change, abs=1e-5)


def test_every_prompt_has_one_keyword_and_its_answer_follows():
    world = masking.world(seed=0)
    sequences = masking.prompts_with_answers(world, 50, np.random.default_rng(0))
    prompts, completions = sequences[:, : masking.PROMPT_LEN], sequences[:, masking.PROMPT_LEN :]
    keywords = prompts < masking.N_KEYWORDS
    assert np.all(keywords.sum(1) == 1)
    assert np.array_equal(completions, world.answers[prompts[keywords]])


def test_the_loss_mask_is_one_on_completion_tokens():
    sequences = masking.prompts_with_answers(masking.world(), 2, np.random.default_rng(0))
    batch = masking.token_batch(sequences)
    assert batch.loss_mask.reshape(masking.SEQ_LEN, 2)[:, 0].tolist() == [False] * 8 + [True] * 3
    assert np.array_equal(batch.targets.reshape(masking.SEQ_LEN, 2).T, sequences)


def test_features_of_a_token_see_only_earlier_tokens():
    sequences = masking.prompts_with_answers(masking.world(), 1, np.random.default_rng(0))
    changed = sequences.copy()
    changed[0, 5] = (changed[0, 5] + 1) % masking.VOCAB_SIZE
    before, after = masking.token_batch(sequences).features, masking.token_batch(changed).features
    assert np.array_equal(before[:6], after[:6])
    assert not np.array_equal(before[6], after[6])
