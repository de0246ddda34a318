"""Preferences and reward models: Bradley–Terry regression on score differences, up to the noise ceiling.

P(chosen beats rejected) = sigmoid(margin), margin = reward_chosen − reward_rejected; Bradley and Terry 1952.
The loss of a reward model is the mean of −log sigmoid(margin); Ouyang et al. 2022, arXiv 2203.02155,
equation 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finetuning.numerics import Floats, log_sigmoid, sigmoid


def bradley_terry_loss(margins: Floats) -> float:
    """Mean of −log sigmoid(margin) in nats; log 2 when every margin is 0."""
    return float(-log_sigmoid(margins).mean())


def fit_reward(differences: Floats, *, ridge: float = 1e-3, n_steps: int = 30) -> Floats:
    """Weights (d,) of a linear reward that best explain the preferences, by Newton's method.

    Args:
        differences: Features of the chosen minus those of the rejected response, (n_pairs, d).
        ridge: Weight of the penalty |weights|²/2, which keeps the fit finite when the pairs are separable.
        n_steps: Newton steps.
    """
    n_pairs, d = differences.shape
    weights = np.zeros(d)
    for _ in range(n_steps):
        chosen = sigmoid(differences @ weights)  # probability given to each label
        gradient = -(differences * (1 - chosen)[:, None]).mean(0) + ridge * weights
        curvature = (differences * (chosen * (1 - chosen))[:, None]).T @ differences / n_pairs
        weights = weights - np.linalg.solve(curvature + ridge * np.eye(d), gradient)
    return weights


def label(differences: Floats, margins: Floats, rng: np.random.Generator) -> Floats:
    """Turn each difference so that it points from the rejected to the chosen response.

    Args:
        differences: Features of the first minus those of the second response, (n_pairs, d).
        margins: True reward of the first minus that of the second response, (n_pairs,).
        rng: Decides which response a noisy annotator chooses.
    """
    first = rng.random(len(margins)) < sigmoid(margins)
    return np.where(first[:, None], differences, -differences)


@dataclass(frozen=True)
class Annotators:
    """Responses are points in d dimensions; the true reward is linear, and labels follow Bradley–Terry."""

    reward: Floats  # true weights, (d,)

    def differences(self, n_pairs: int, rng: np.random.Generator) -> Floats:
        """Features of the first minus the second response of each pair, (n_pairs, d)."""
        first, second = rng.normal(size=(2, n_pairs, len(self.reward)))
        return np.asarray(first - second)

    def labelled(self, n_pairs: int, rng: np.random.Generator) -> Floats:
        """Independent labelled pairs: chosen minus rejected, (n_pairs, d)."""
        differences = self.differences(n_pairs, rng)
        return label(differences, differences @ self.reward, rng)

    def ranked(self, n_rankings: int, n_responses: int, rng: np.random.Generator) -> Floats:
        """All pairs of rankings of `n_responses` each, (n_rankings · n_responses (n_responses − 1) / 2, d).

        Rankings are drawn from the Plackett–Luce model, so that every single pair follows Bradley–Terry.
        """
        better, worse = np.triu_indices(n_responses, 1)
        pairs = []
        for _ in range(n_rankings):
            responses = rng.normal(size=(n_responses, len(self.reward)))
            utility = responses @ self.reward + rng.gumbel(size=n_responses)
            ranked = responses[np.argsort(-utility)]
            pairs.append(ranked[better] - ranked[worse])
        return np.concatenate(pairs)


def annotators(d: int = 12, *, sharpness: float = 1.2, seed: int = 0) -> Annotators:
    """A random direction of true reward; `sharpness` is its length, and less of it means noisier labels."""
    direction = np.random.default_rng(seed).normal(size=d)
    return Annotators(sharpness * direction / np.linalg.norm(direction))


def noise_ceiling(margins: Floats) -> float:
    """Best accuracy any model can have on labels with these true margins: mean of max(p, 1 − p)."""
    return float(sigmoid(np.abs(margins)).mean())


def annotator_agreement(margins: Floats) -> float:
    """Probability that two annotators choose alike: mean of p² + (1 − p)²."""
    return float((sigmoid(margins) ** 2 + sigmoid(-margins) ** 2).mean())


def gold_agreement(weights: Floats, reward: Floats, differences: Floats) -> float:
    """Share of pairs that the fitted and the true reward order alike."""
    return float((np.sign(differences @ weights) == np.sign(differences @ reward)).mean())


@dataclass(frozen=True)
class RewardModelResult:
    """A reward model's quality against the number of comparisons, over seeds."""

    n_pairs: tuple[int, ...]
    label_accuracy: Floats  # on noisy held-out labels, (n_settings, n_seeds)
    gold_agreement: Floats  # with the true order of held-out pairs, (n_settings, n_seeds)
    ceiling: float  # best possible accuracy on noisy labels
    annotator_agreement: float
    fitted_length: float  # of the last fit's weights, mean over seeds
    true_length: float


def reward_model_experiment(
    n_pairs: Sequence[int] = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000),
    *,
    n_seeds: int = 12,
    n_held_out: int = 40_000,
    seed: int = 0,
) -> RewardModelResult:
    """Fit a reward model on more and more labelled pairs."""
    people = annotators(seed=seed)
    held_out = people.labelled(n_held_out, np.random.default_rng([seed, 99]))
    accuracy, agreement = np.empty((2, len(n_pairs), n_seeds))
    lengths = np.empty(n_seeds)
    for i, n in enumerate(n_pairs):
        for s in range(n_seeds):
            weights = fit_reward(people.labelled(n, np.random.default_rng([seed, n, s])))
            accuracy[i, s] = (held_out @ weights > 0).mean()
            agreement[i, s] = gold_agreement(weights, people.reward, held_out)
            lengths[s] = np.linalg.norm(weights)
    margins = held_out @ people.reward
    return RewardModelResult(
        tuple(n_pairs),
        accuracy,
        agreement,
        noise_ceiling(margins),
        annotator_agreement(margins),
        float(lengths.mean()),
        float(np.linalg.norm(people.reward)),
    )


@dataclass(frozen=True)
class RankingResult:
    """Agreement with the true order from pairs of rankings, and from as many independent pairs."""

    n_responses: int
    n_pairs: tuple[int, ...]
    from_rankings: Floats  # mean over seeds, (n_settings,)
    from_independent_pairs: Floats  # mean over seeds, (n_settings,)


def ranking_experiment(
    n_rankings: Sequence[int] = (3, 10, 30), *, n_responses: int = 9, n_seeds: int = 12, seed: int = 0
) -> RankingResult:
    """Compare the pairs of a few rankings with independently labelled pairs."""
    people = annotators(seed=seed)
    held_out = people.differences(40_000, np.random.default_rng([seed, 99]))
    n_pairs = tuple(n * n_responses * (n_responses - 1) // 2 for n in n_rankings)

    def mean_agreement(draw: str, i: int) -> float:
        agreements = []
        for s in range(n_seeds):
            rng = np.random.default_rng([seed, n_rankings[i], s])
            pairs = (
                people.ranked(n_rankings[i], n_responses, rng)
                if draw == "rankings"
                else people.labelled(n_pairs[i], rng)
            )
            agreements.append(gold_agreement(fit_reward(pairs), people.reward, held_out))
        return float(np.mean(agreements))

    settings = range(len(n_rankings))
    return RankingResult(
        n_responses,
        n_pairs,
        np.array([mean_agreement("rankings", i) for i in settings]),
        np.array([mean_agreement("independent", i) for i in settings]),
    )
