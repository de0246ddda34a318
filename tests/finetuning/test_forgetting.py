"""Forgetting, replay and LoRA, in four worlds."""

import pytest
from finetuning import forgetting


@pytest.fixture(scope="module", params=range(4))
def runs(request):
    world = forgetting.pretrained_world(seed=request.param)
    return {
        (task, method.name): forgetting.fine_tune(world, task, method)
        for task in forgetting.TASKS
        for method in forgetting.METHODS
    }


def test_pretraining_learns_a():
    world = forgetting.pretrained_world()
    assert forgetting.error(world, world.weights, "A", world.all_contexts, 0) < 0.2


@pytest.mark.parametrize("task", forgetting.TASKS)
def test_full_fine_tuning_forgets_and_replay_repairs_most_of_it(runs, task):
    full, replay = runs[task, "full"], runs[task, "full + replay"]
    assert full.forgotten[0] == 0
    assert full.forgotten[-1] > 0.5
    assert replay.forgotten[-1] < 0.25 * full.forgotten[-1]


def test_replay_learns_the_facts_more_slowly(runs):
    assert runs["facts", "full + replay"].b_error[-1] > runs["facts", "full"].b_error[-1]


@pytest.mark.parametrize("name", ["LoRA r=1", "LoRA r=4"])
def test_lora_of_low_rank_forgets_less_on_the_style(runs, name):
    assert runs["style", name].forgotten[-1] < runs["style", "full"].forgotten[-1]


@pytest.mark.parametrize("name", ["LoRA r=4", "LoRA r=16"])
def test_lora_forgets_more_on_new_facts_when_it_learns_them(runs, name):
    assert runs["facts", name].forgotten[-1] > runs["facts", "full"].forgotten[-1]


def test_rank_1_forgets_less_on_new_facts_and_fails_to_learn_them(runs):
    run = runs["facts", "LoRA r=1"]
    assert run.forgotten[-1] < runs["facts", "full"].forgotten[-1]
    assert run.b_error[-1] > 1.5
    assert run.forgotten_when_learned(1.5) is None


def test_compared_at_equal_learning_replay_still_forgets_less_of_the_facts(runs):
    full, replay = (runs["facts", name].forgotten_when_learned(1.5) for name in ("full", "full + replay"))
    assert replay < full


def test_an_unknown_task_is_refused():
    with pytest.raises(ValueError, match="task 'poetry' is unknown; expected one of 'style', 'facts'"):
        forgetting.fine_tune(forgetting.pretrained_world(n_steps=0), "poetry", forgetting.METHODS[0])
