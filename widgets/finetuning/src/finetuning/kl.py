"""KL between policy and reference: the estimators k1, k2 and k3, and the adaptive penalty.

log_ratio = policy_logp − ref_logp at samples of the policy; KL is KL(π‖π_ref) in nats. Estimators: Schulman
2020, Approximating KL Divergence. What is said of bias and spread holds for the value, not for its
gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from finetuning.numerics import Floats


def k1(log_ratio: Floats) -> Floats:
    """log_ratio: unbiased, high variance, can be negative."""
    return log_ratio


def k2(log_ratio: Floats) -> Floats:
    """log_ratio² / 2: never negative, biased where the policies differ much."""
    return np.asarray(log_ratio**2 / 2)


def k3(log_ratio: Floats) -> Floats:
    """exp(−log_ratio) − 1 + log_ratio: unbiased and never negative.

    Near zero `expm1` keeps the digits that exp(…) − 1 would lose.
    """
    return np.asarray(np.expm1(-log_ratio) + log_ratio)


ESTIMATORS: dict[str, Callable[[Floats], Floats]] = {"k1": k1, "k2": k2, "k3": k3}


@dataclass(frozen=True)
class EstimatorStatistics:
    """One estimator on samples of the policy, relative to the true KL."""

    name: str
    bias: float  # (mean − true) / true
    standard_error: float  # of `bias`
    spread: float  # standard deviation / true
    smallest: float  # lowest single value, nats


@dataclass(frozen=True)
class EstimatorResult:
    """The three estimators on policy N(0, 1) and reference N(shift, 1), whose KL is shift²/2."""

    shift: float
    true_kl: float
    statistics: tuple[EstimatorStatistics, ...]
    means: dict[str, Floats]  # estimator -> means of batches of `batch` samples, (n_batches,)
    batch: int


def gaussian_log_ratio(x: Floats, shift: float) -> Floats:
    """Difference log N(x; 0, 1) − log N(x; shift, 1) = shift²/2 − shift·x."""
    return np.asarray(shift**2 / 2 - shift * x)


def estimator_experiment(
    shift: float, *, n_samples: int = 400_000, batch: int = 64, n_batches: int = 4000, seed: int = 0
) -> EstimatorResult:
    """Measure bias and spread of each estimator, and the distribution of its batch means."""
    rng = np.random.default_rng(seed)
    log_ratio = gaussian_log_ratio(rng.normal(size=n_samples), shift)
    batches = gaussian_log_ratio(rng.normal(size=(n_batches, batch)), shift)
    true_kl = shift**2 / 2
    statistics = []
    for name, estimator in ESTIMATORS.items():
        values = estimator(log_ratio)
        spread = float(values.std() / true_kl)
        bias = float((values.mean() - true_kl) / true_kl)
        statistics.append(
            EstimatorStatistics(name, bias, spread / n_samples**0.5, spread, float(values.min()))
        )
    means = {name: estimator(batches).mean(1) for name, estimator in ESTIMATORS.items()}
    return EstimatorResult(shift, true_kl, tuple(statistics), means, batch)


def adapted_beta(beta: float, kl: float, target_kl: float) -> float:
    """The next penalty weight: beta · (1 + 0.1 · clip(kl/target − 1, ±0.2)).

    Ziegler et al. 2019, arXiv 1909.08593, section 2.2, as its published code has it.
    """
    return float(beta * (1 + 0.1 * np.clip(kl / target_kl - 1, -0.2, 0.2)))
