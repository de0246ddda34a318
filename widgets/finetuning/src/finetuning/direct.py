"""Direct alignment on a handful of answers: the closed form, DPO, and best-of-n.

For the objective E[r] − beta·KL(π‖π_ref) the best policy is π_ref · exp(r/beta) / Z, and its value is
beta·log Z; Korbak et al. 2022, arXiv 2205.11275; Rafailov et al. 2023, DPO, arXiv 2305.18290.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finetuning.numerics import (
    Adam,
    Floats,
    kl_divergence,
    log_sigmoid,
    log_softmax,
    log_sum_exp,
    sigmoid,
    softmax,
    total_variation,
)


@dataclass(frozen=True)
class Answers:
    """A few answers to one prompt: probability under the reference policy and reward, both (k,)."""

    reference: Floats
    reward: Floats


def random_answers(k: int = 12, *, seed: int = 0) -> Answers:
    """Draw a reference policy and rewards."""
    rng = np.random.default_rng(seed)
    return Answers(rng.dirichlet(np.full(k, 2.0)), rng.normal(size=k))


def objective(policy: Floats, of: Answers, beta: float) -> float:
    """E[r] − beta·KL(π‖π_ref)."""
    return float(policy @ of.reward - beta * kl_divergence(policy, of.reference))


def closed_form(of: Answers, beta: float) -> Floats:
    """The policy that maximises the objective: π_ref · exp(r/beta) / Z."""
    return softmax(np.log(of.reference) + of.reward / beta)


def optimum_value(of: Answers, beta: float) -> float:
    """The largest value of the objective: beta · log Z, Z = Σ π_ref · exp(r/beta)."""
    return float(beta * log_sum_exp(np.log(of.reference) + of.reward / beta)[0])


def policy_gradient_ascent(of: Answers, beta: float, *, n_steps: int = 20_000) -> Floats:
    """The policy reached by exact gradient ascent on the objective, from the reference."""
    log_reference = np.log(of.reference)
    logits = log_reference.copy()
    learning_rate = 0.1 / max(beta, 0.3)
    for _ in range(n_steps):
        log_probs = log_softmax(logits)
        policy = np.exp(log_probs)
        gain = of.reward - beta * (log_probs - log_reference)
        logits += learning_rate * policy * (gain - policy @ gain)
    return softmax(logits)


def dpo_loss(log_ratio_chosen: Floats, log_ratio_rejected: Floats, beta: float) -> float:
    """Mean of −log sigmoid(beta·(log_ratio_chosen − log_ratio_rejected)); log_ratio = log π/π_ref."""
    return float(-log_sigmoid(beta * (log_ratio_chosen - log_ratio_rejected)).mean())


def dpo_population(of: Answers, beta: float, *, n_steps: int = 4000, learning_rate: float = 0.02) -> Floats:
    """The policy DPO reaches with unlimited Bradley–Terry labels on pairs drawn from the reference."""
    pair_weight = np.outer(of.reference, of.reference)  # of first answer i and second answer j
    first_wins = sigmoid(of.reward[:, None] - of.reward[None, :])
    log_reference = np.log(of.reference)
    logits = log_reference.copy()
    optimiser = Adam([logits], learning_rate)
    for step in range(n_steps):
        log_ratio = logits - log_reference  # the normaliser cancels in every pair
        believed = sigmoid(beta * (log_ratio[:, None] - log_ratio[None, :]))
        push = beta * pair_weight * (first_wins - believed)  # towards the first answer
        optimiser.step([push.sum(0) - push.sum(1)], 1 - (step + 1) / (n_steps + 1))
    return softmax(logits)


def dpo_from_pairs(
    of: Answers, beta: float, n_pairs: int, rng: np.random.Generator, *, ridge: float = 1e-3
) -> Floats:
    """The policy DPO reaches from `n_pairs` labelled pairs, (k,).

    A tabular policy can give every answer its own implicit reward beta·log(π/π_ref), so the problem is the
    convex fit of a Bradley–Terry reward for each answer; it is solved by Newton's method with a small
    ridge.
    """
    k = len(of.reward)
    first, second = rng.choice(k, (2, n_pairs), p=of.reference)
    first_chosen = rng.random(n_pairs) < sigmoid(of.reward[first] - of.reward[second])
    share = np.zeros((k, k))  # of pairs with chosen i and rejected j
    np.add.at(
        share, (np.where(first_chosen, first, second), np.where(first_chosen, second, first)), 1 / n_pairs
    )
    implicit = np.zeros(k)
    for _ in range(60):
        believed = sigmoid(implicit[:, None] - implicit[None, :])
        push = share * (1 - believed)
        curvature = share * believed * (1 - believed)
        curvature = curvature + curvature.T
        hessian = np.diag(curvature.sum(1)) - curvature + ridge * np.eye(k)
        implicit -= np.linalg.solve(hessian, push.sum(0) - push.sum(1) + ridge * implicit)
    return closed_form(Answers(of.reference, implicit), beta)


@dataclass(frozen=True)
class OptimumComparison:
    """Distance in total variation between the closed form and what two algorithms reach."""

    beta: float
    value: float  # of the objective at the closed form
    kl: float  # of the closed form to the reference, nats
    expected_reward: float  # under the closed form
    gradient_ascent: float  # total variation
    dpo: float  # total variation, unlimited data


def compare_optima(
    betas: Sequence[float] = (0.2, 0.5, 1.0, 3.0), *, k: int = 12, seed: int = 0
) -> tuple[OptimumComparison, ...]:
    """Reach the closed form by policy gradient and by DPO with unlimited data, for each beta."""
    of = random_answers(k, seed=seed)
    rows = []
    for beta in betas:
        best = closed_form(of, beta)
        rows.append(
            OptimumComparison(
                beta,
                objective(best, of, beta),
                float(kl_divergence(best, of.reference)),
                float(best @ of.reward),
                float(total_variation(policy_gradient_ascent(of, beta), best)),
                float(total_variation(dpo_population(of, beta), best)),
            )
        )
    return tuple(rows)


@dataclass(frozen=True)
class FiniteDataResult:
    """DPO from finitely many pairs, over seeds."""

    beta: float
    n_pairs: tuple[int, ...]
    distance: Floats  # total variation to the optimum, (n_settings, n_seeds)
    reward: Floats  # true expected reward, (n_settings, n_seeds)
    optimum_reward: float
    reference_reward: float


def finite_data_experiment(
    n_pairs: Sequence[int] = (50, 200, 1000, 5000, 20_000),
    *,
    beta: float = 0.5,
    k: int = 12,
    n_seeds: int = 5,
    seed: int = 0,
) -> FiniteDataResult:
    """Run DPO on more and more labelled pairs."""
    of = random_answers(k, seed=seed)
    best = closed_form(of, beta)
    distance, reward = np.empty((2, len(n_pairs), n_seeds))
    for i, n in enumerate(n_pairs):
        for s in range(n_seeds):
            policy = dpo_from_pairs(of, beta, n, np.random.default_rng([n, s]))
            distance[i, s] = total_variation(policy, best)
            reward[i, s] = policy @ of.reward
    return FiniteDataResult(
        beta, tuple(n_pairs), distance, reward, float(best @ of.reward), float(of.reference @ of.reward)
    )


# --- Best-of-n ---------------------------------------------------------------------------------------------


def best_of_n_kl(n: int) -> float:
    """KL(best-of-n‖reference) = log n − (n − 1)/n in nats, for continuous rewards.

    Stiennon et al. 2020, arXiv 2009.01325, appendix G.3. An upper bound when answers are few: Beirami et
    al. 2024, arXiv 2401.01879.
    """
    return float(np.log(n) - (n - 1) / n)


def best_of_n_probabilities(ordered_reference: Floats, n: int) -> Floats:
    """Probability that each answer is the best of n draws, from the reference ordered by rising reward, (k,).

    An answer is chosen if all draws are at most as good and not all are worse: F^n − F_before^n.
    """
    beyond = ordered_reference[::-1].cumsum()[::-1]  # probability of this answer or a better one
    with np.errstate(divide="ignore", invalid="ignore"):
        log_before = np.log1p(-np.minimum(beyond, 1.0))  # log F_before; log1p keeps the digits of 1 − beyond
        log_before[0] = -np.inf
        log_up_to = np.append(log_before[1:], 0.0)
        # F^n − F_before^n = −F^n · expm1(n (log F_before − log F)), which does not cancel
        chosen = -np.exp(n * log_up_to) * np.expm1(n * (log_before - log_up_to))
    return np.where(np.isneginf(log_up_to), 0.0, chosen)


def exact_best_of_n_kl(of: Answers, n: int) -> float:
    """KL(best-of-n‖reference) in nats, summed over the answers."""
    ordered = of.reference[np.argsort(of.reward)]
    return float(kl_divergence(best_of_n_probabilities(ordered, n), ordered))


@dataclass(frozen=True)
class BestOfNResult:
    """KL of best-of-n in nats: the formula, and the exact value with many and with few answers."""

    n: tuple[int, ...]
    formula: Floats
    many: Floats  # `n_many` equally likely answers
    few: Floats  # k answers
    n_many: int
    k: int
    limit: float  # −log π_ref(best answer), which no n exceeds


def best_of_n_experiment(
    n: Sequence[int] = (1, 2, 4, 8, 16, 64, 256, 1024), *, k: int = 12, n_many: int = 20_000, seed: int = 0
) -> BestOfNResult:
    """Compute the KL of best-of-n by the formula and exactly."""
    few = random_answers(k, seed=seed)
    many = Answers(np.full(n_many, 1 / n_many), np.arange(n_many, dtype=np.float64))
    return BestOfNResult(
        tuple(n),
        np.array([best_of_n_kl(i) for i in n]),
        np.array([exact_best_of_n_kl(many, i) for i in n]),
        np.array([exact_best_of_n_kl(few, i) for i in n]),
        n_many,
        k,
        float(-np.log(few.reference[few.reward.argmax()])),
    )


@dataclass(frozen=True)
class Frontier:
    """Reward against KL: the optimum for every beta, and random policies, none of which lies above."""

    betas: Floats
    kl: Floats  # nats, (n_betas,)
    reward: Floats  # (n_betas,)
    random_kl: Floats  # (n_random,)
    random_reward: Floats  # (n_random,)


def frontier(betas: Floats | None = None, *, k: int = 12, n_random: int = 400, seed: int = 0) -> Frontier:
    """Trace the best reward for each KL."""
    of = random_answers(k, seed=seed)
    betas = np.geomspace(20, 0.05, 60) if betas is None else betas
    optima = np.array([closed_form(of, float(beta)) for beta in betas])
    policies = np.random.default_rng([seed, 1]).dirichlet(np.full(k, 0.6), n_random)
    return Frontier(
        betas,
        kl_divergence(optima, of.reference),
        optima @ of.reward,
        kl_divergence(policies, of.reference),
        policies @ of.reward,
    )
