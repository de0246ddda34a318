"""LoRA on one layer: the least loss a rank allows, the start, the scaling, the merge."""

import numpy as np
import pytest
from finetuning import low_rank
from finetuning.numerics import loglog_slope


@pytest.mark.parametrize("kind", low_rank.SPECTRA)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_trained_adapter_reaches_the_eckart_young_floor(kind, seed):
    ranks = (1, 4, 16) if seed else (1, 2, 4, 8, 16, 32)
    result = low_rank.rank_experiment(kind, ranks, seed=seed)
    assert result.losses == pytest.approx(result.floors, abs=1e-3)
    assert np.all(result.losses >= result.floors - 1e-12)
    assert result.full_loss < 1e-3


def test_a_rank_4_task_is_solved_at_rank_4_and_not_before():
    result = low_rank.rank_experiment("rank 4", (2, 4))
    assert result.losses == pytest.approx([0.5, 0], abs=1e-3)
    assert result.histories[:, 0] == pytest.approx([1, 1])


def test_no_matrix_of_the_rank_beats_the_floor():
    values = low_rank.spectrum("1/i", 6)
    update = low_rank.random_update(values, np.random.default_rng(0))
    left, singular, right = np.linalg.svd(update)
    assert singular == pytest.approx(values)
    best = (left[:, :2] * singular[:2]) @ right[:2]
    assert ((best - update) ** 2).sum() / 6 == pytest.approx(low_rank.eckart_young_floor(values, 2))


def test_an_unknown_spectrum_is_refused():
    with pytest.raises(ValueError, match="spectrum 'steep' is unknown; expected one of 'rank 4'"):
        low_rank.spectrum("steep", 8)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_b_zero_changes_nothing_at_first_and_only_b_gets_a_gradient(seed):
    start = low_rank.initialisation_experiment(n_steps=50, seed=seed)[0]
    assert start.name == "A random, B = 0"
    assert start.output_change == 0
    assert start.a_gradient_norm == 0
    assert start.b_gradient_norm > 0
    assert start.losses[-1] < start.losses[0]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_both_zero_never_trains_and_both_random_starts_far_from_the_base(seed):
    runs = {run.name: run for run in low_rank.initialisation_experiment(n_steps=50, seed=seed)}
    stuck = runs["A = B = 0"]
    assert stuck.a_gradient_norm == stuck.b_gradient_norm == 0
    assert np.ptp(stuck.losses) == 0
    assert runs["both random"].output_change > 1
    assert runs["both random"].losses[0] > 2 * stuck.losses[0]


def test_the_adapters_gradients_are_those_of_the_loss_on_the_inputs():
    task = low_rank.layer_task(3, 4, 20, seed=0)
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 4)), rng.normal(size=(3, 2))

    def loss(a, b):
        target = (task.weight + task.change) @ task.inputs
        output = task.weight @ task.inputs + 2.0 * b @ (a @ task.inputs)
        return ((output - target) ** 2).mean()

    value, a_gradient, b_gradient = low_rank.adapter_loss(a, b, 2.0, task.change, task.input_covariance)
    assert value == pytest.approx(loss(a, b))
    step = 1e-6
    for matrix, gradient in ((a, a_gradient), (b, b_gradient)):
        for index in np.ndindex(matrix.shape):
            matrix[index] += step
            up = loss(a, b)
            matrix[index] -= 2 * step
            down = loss(a, b)
            matrix[index] += step
            assert gradient[index] == pytest.approx((up - down) / (2 * step), abs=1e-6)


def test_the_first_sgd_update_shrinks_as_one_over_rank_unless_scaled_by_its_root():
    sizes = low_rank.scaling_experiment("sgd").sizes
    ranks = low_rank.scaling_experiment("sgd").ranks
    assert loglog_slope(ranks, sizes["alpha/r"]) == pytest.approx(-1, abs=0.15)
    assert loglog_slope(ranks, sizes["alpha/sqrt(r)"]) == pytest.approx(0, abs=0.15)


def test_with_sign_updates_the_exponents_are_half_and_zero():
    result = low_rank.scaling_experiment("sign")
    assert loglog_slope(result.ranks, result.sizes["alpha/r"]) == pytest.approx(-0.49, abs=0.05)
    assert loglog_slope(result.ranks, result.sizes["alpha/sqrt(r)"]) == pytest.approx(0.01, abs=0.05)


@pytest.mark.parametrize(
    ("dtype", "smallest", "largest"),
    [("float64", 1e-16, 1e-13), ("float32", 1e-7, 1e-4), ("float16", 1e-4, 1e-1)],
)
def test_a_merge_is_exact_up_to_rounding_and_no_further(dtype, smallest, largest):
    error = low_rank.merge_error(dtype)
    assert error.dtype == dtype
    assert smallest < error.output < largest
    assert error.weight < largest


def test_unmerging_takes_out_what_merging_put_in():
    rng = np.random.default_rng(0)
    weight, a, b = rng.normal(size=(3, 4)), rng.normal(size=(2, 4)), rng.normal(size=(3, 2))
    merged = low_rank.merge(weight, a, b, 0.5)
    assert merged == pytest.approx(weight + 0.5 * b @ a)
    assert low_rank.unmerge(merged, a, b, 0.5) == pytest.approx(weight)
