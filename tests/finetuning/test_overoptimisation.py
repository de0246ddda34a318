"""Over-optimisation: noise flattens, misspecification turns down."""

import numpy as np
import pytest
from finetuning import overoptimisation


@pytest.fixture(scope="module", params=range(4))
def noisy(request):
    return overoptimisation.overoptimisation_experiment("noisy", seed=request.param)


@pytest.fixture(scope="module", params=range(4))
def misspecified(request):
    return overoptimisation.overoptimisation_experiment("mis-specified", seed=request.param)


def test_a_noisy_proxy_shows_no_clear_turnover(noisy):
    assert noisy.gold[-1] >= 0.98 * noisy.gold.max()
    assert noisy.proxy[-1] > noisy.gold[-1] > 1  # it gains less than it promises


def test_a_mis_specified_proxy_has_its_gold_peak_inside(misspecified):
    assert 0 < misspecified.peak < len(misspecified.gold) - 5
    assert misspecified.gold[-1] < 0.75 * misspecified.gold.max()
    assert np.all(np.diff(misspecified.proxy) > 0)


def test_best_of_n_turns_down_as_well(misspecified):
    peak = misspecified.best_of_n_gold.argmax()
    assert 0 < peak < len(misspecified.n) - 1


def test_the_quadratic_law_fits_a_mis_specified_proxy(misspecified):
    quadratic = overoptimisation.fit_law(misspecified.d, misspecified.gold, "quadratic")
    assert quadratic.r_squared > 0.99
    assert quadratic.alpha > 0
    assert quadratic.beta > 0


def test_the_formula_for_best_of_n_holds_with_many_candidates(noisy):
    assert noisy.best_of_n_kl_error < 1e-3


def test_the_optimum_has_no_kl_for_a_huge_beta_and_picks_the_best_for_a_tiny_one():
    proxy, gold = np.array([0.0, 1.0, 2.0]), np.array([5.0, 6.0, 7.0])
    assert overoptimisation.optimum(proxy, gold, 1e9) == pytest.approx((0, 1, 6), abs=1e-6)
    assert overoptimisation.optimum(proxy, gold, 1e-3) == pytest.approx((np.log(3), 2, 7))


def test_a_law_is_found_in_data_made_from_it():
    d = np.linspace(0.2, 3, 20)
    fit = overoptimisation.fit_law(d, d * (1.5 - 0.4 * np.log(d)), "logarithmic")
    assert (fit.alpha, fit.beta, fit.r_squared) == pytest.approx((1.5, 0.4, 1))


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="proxy 'perfect' is unknown; expected one of 'noisy'"):
        overoptimisation.responses("perfect", n=10)
    with pytest.raises(ValueError, match="law 'cubic' is unknown"):
        overoptimisation.fit_law(np.ones(3), np.ones(3), "cubic")
