"""Four-bit codebooks: nearest values, and which one suits which weights."""

import numpy as np
import pytest
from finetuning import quantisation


@pytest.mark.parametrize("name", quantisation.CODEBOOKS)
def test_every_weight_becomes_the_nearest_value_of_its_codebook(name):
    codebook = quantisation.CODEBOOKS[name]
    weights = np.random.default_rng(0).normal(size=640)
    codes, scales = quantisation.quantise(weights, codebook)
    scaled = weights.reshape(-1, 64) / scales
    assert np.abs(scaled).max() == 1
    nearest = np.abs(scaled[..., None] - codebook).min(-1)
    assert np.abs(scaled - codebook[codes]) == pytest.approx(nearest)


def test_codebooks_are_sorted_hold_zero_and_have_at_most_16_values():
    for codebook in quantisation.CODEBOOKS.values():
        assert np.all(np.diff(codebook) > 0)
        assert 0 in codebook
        assert len(codebook) <= 16
        assert codebook[-1] == -codebook[0] == 1


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_nf4_beats_int4_on_gaussian_weights_and_loses_on_uniform_ones(seed):
    errors = quantisation.quantisation_experiment(1000, seed=seed).errors
    assert errors["Gaussian"]["NF4"] < errors["Gaussian"]["int4"] < errors["Gaussian"]["fp4"]
    assert errors["uniform"]["int4"] < errors["uniform"]["NF4"]
    assert errors["Student-t"]["NF4"] < errors["Student-t"]["int4"]


def test_the_errors_are_those_the_book_prints():
    errors = quantisation.quantisation_experiment().errors
    printed = {"NF4": 0.092, "int4": 0.108, "fp4": 0.122}
    assert {name: round(error, 3) for name, error in errors["Gaussian"].items()} == printed
    assert round(errors["uniform"]["int4"], 3) == 0.070
    assert round(errors["uniform"]["NF4"], 3) == 0.091


def test_nf4_codes_are_not_used_alike():
    usage = quantisation.quantisation_experiment().nf4_usage
    assert usage.sum() == pytest.approx(1)
    assert 100 * usage.min() == pytest.approx(1.7, abs=0.1)
    assert 100 * usage.max() == pytest.approx(9.2, abs=0.1)


def test_a_block_of_zeros_stays_zeros():
    codes, scales = quantisation.quantise(np.zeros(64), quantisation.NF4)
    assert np.all(quantisation.dequantise(codes, scales, quantisation.NF4) == 0)


def test_weights_that_fill_no_whole_block_are_refused():
    with pytest.raises(ValueError, match="100 weights do not fill blocks of 64"):
        quantisation.quantise(np.ones(100), quantisation.NF4)


def test_unknown_weights_are_refused():
    with pytest.raises(ValueError, match="weights 'Cauchy' are unknown"):
        quantisation.random_weights("Cauchy", 64, np.random.default_rng(0))
