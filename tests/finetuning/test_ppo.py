"""PPO's clip."""

import numpy as np
import pytest
from finetuning import ppo


@pytest.fixture(scope="module", params=range(4))
def runs(request):
    return {setting.name: ppo.clip_experiment(setting, seed=request.param) for setting in ppo.SETTINGS}


def test_ten_epochs_with_the_clip_end_well_above_ten_without(runs):
    clip, free = (runs[f"10 epochs, {name}"].returns[:, -1].mean() for name in ("clip", "no clip"))
    assert clip > free + 0.15


def test_without_the_clip_each_update_moves_more_than_five_times_as_far(runs):
    clip, free = (runs[f"10 epochs, {name}"].kl.mean() for name in ("clip", "no clip"))
    assert free > 5 * clip


def test_without_the_clip_learning_is_faster_at_first(runs):
    clip, free = (runs[f"10 epochs, {name}"].returns[:, 5].mean() for name in ("clip", "no clip"))
    assert free > clip


def test_the_clip_does_not_keep_ratios_inside(runs):
    assert 0.3 < runs["10 epochs, clip"].outside.mean() < 0.45


def test_the_objective_is_the_smaller_of_the_two_terms():
    ratio = np.array([0.5, 0.9, 1.1, 1.5])
    assert ppo.clipped_objective(ratio, np.ones(4), 0.2) == pytest.approx([0.5, 0.9, 1.1, 1.2])
    assert ppo.clipped_objective(ratio, -np.ones(4), 0.2) == pytest.approx([-0.8, -0.9, -1.1, -1.5])


def test_the_gradient_vanishes_only_where_moving_on_gains_beyond_the_clip():
    ratio = np.array([0.5, 0.9, 1.1, 1.5])
    for sign in (1.0, -1.0):
        advantage = np.full(4, sign)
        step = 1e-6
        slope = (
            ppo.clipped_objective(ratio + step, advantage, 0.2)
            - ppo.clipped_objective(ratio - step, advantage, 0.2)
        ) / (2 * step)
        assert ppo.clipped_gradient(ratio, advantage, 0.2) == pytest.approx(slope)
    assert ppo.clipped_gradient(ratio, np.ones(4), 0.2)[3] == 0
    assert ppo.clipped_gradient(ratio, -np.ones(4), 0.2)[0] == 0
    assert ppo.clipped_gradient(ratio, -np.ones(4), 0.2)[3] == -1  # the way back is never barred
