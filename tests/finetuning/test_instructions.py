"""Unseen tasks work when they are described, not when they are numbered."""

import numpy as np
import pytest
from finetuning import instructions


@pytest.fixture(scope="module")
def described():
    return instructions.generalisation_experiment("instruction", (1, 22))


@pytest.fixture(scope="module")
def numbered():
    return instructions.generalisation_experiment("id", (22,))


def test_instructions_carry_over_to_unseen_tasks(described):
    assert described.unseen[1].mean() >= 0.7


def test_one_task_does_not_teach_the_others(described):
    assert described.unseen[0].mean() <= 0.6
    assert described.tuned[0].mean() > 0.95


def test_random_ids_do_not_carry_over_though_the_tuned_tasks_are_learned(numbered):
    assert numbered.unseen[0].mean() <= 0.6
    assert numbered.tuned[0].mean() > 0.85


def test_both_codes_have_the_same_size_and_length():
    rng = np.random.default_rng(0)
    codes = [instructions.task_codes(kind, rng) for kind in instructions.CODES]
    assert codes[0].shape == codes[1].shape == (30, 10)
    for code in codes:
        assert np.linalg.norm(code, axis=1) == pytest.approx(np.sqrt(3))


def test_answers_follow_the_task():
    codes = instructions.task_codes("instruction", np.random.default_rng(0))
    task = np.array([9])  # input 1, sign −1, threshold −0.5
    assert instructions.TASKS[9].tolist() == [1, 1, 0]
    features, answers = instructions.examples(task, 100, codes, np.random.default_rng(0))
    assert np.array_equal(answers == 1, -features[:, 1] > -0.5)


def test_a_number_of_tasks_that_leaves_none_unseen_is_refused():
    with pytest.raises(ValueError, match="n_tasks is 23, expected 1 to 22"):
        instructions.unseen_task_accuracy("id", 23)


def test_an_unknown_code_is_refused():
    with pytest.raises(ValueError, match="code 'name' is unknown"):
        instructions.task_codes("name", np.random.default_rng(0))
