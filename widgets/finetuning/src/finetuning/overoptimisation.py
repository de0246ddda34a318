"""Over-optimisation of a learned reward: proxy up, true reward up and then down, or only flattening.

400,000 candidate responses, uniform under the reference policy. The true ("gold") reward is known, a linear
proxy is learned from labelled pairs, and the policy is optimised against the proxy exactly, in two ways:
the optimum of reward − beta·KL, and best-of-n. The design follows Gao et al. 2022, arXiv 2210.10760, in
miniature.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from finetuning.direct import best_of_n_kl, best_of_n_probabilities
from finetuning.numerics import Floats, softmax
from finetuning.preferences import fit_reward, label

PROXIES = ("noisy", "mis-specified")
N_PAIRS = {"noisy": 50, "mis-specified": 5000}  # labelled, for the proxy to learn from
N_NOISE_FEATURES = 16  # that the noisy proxy sees beside the true ones


@dataclass(frozen=True)
class Responses:
    """Candidates: standardised gold and proxy rewards under the reference policy, both (n,)."""

    proxy_kind: str
    gold: Floats
    proxy: Floats
    pair_accuracy: float  # of the proxy, on the order of the pairs it was fitted on


def _standardised(reward: Floats) -> Floats:
    return np.asarray((reward - reward.mean()) / reward.std())


def responses(proxy_kind: str, *, n: int = 400_000, seed: int = 0) -> Responses:
    """Draw candidates with three qualities and a length, and learn a linear proxy for their gold reward.

    "noisy": gold is linear, and the proxy sees its features, 16 noise features and only 50 labelled pairs.
    "mis-specified": gold falls with the square of the length, which the proxy, with 5,000 pairs, cannot see.

    Raises:
        ValueError: if `proxy_kind` is neither.
    """
    rng = np.random.default_rng(seed)
    quality, length = rng.normal(size=(n, 3)), rng.normal(size=n)
    gold = quality @ [0.5, 0.3, 0.2] + 0.6 * length
    features = np.column_stack([quality, length])
    if proxy_kind == "noisy":
        features = np.column_stack([features, rng.normal(size=(n, N_NOISE_FEATURES))])
    elif proxy_kind == "mis-specified":
        gold = gold - 0.6 * length**2
    else:
        raise ValueError(f"proxy {proxy_kind!r} is unknown; expected one of {', '.join(map(repr, PROXIES))}")
    gold = _standardised(gold)
    first, second = rng.integers(0, n, (2, N_PAIRS[proxy_kind]))
    labelled = label(features[first] - features[second], 2 * (gold[first] - gold[second]), rng)
    proxy = _standardised(features @ fit_reward(labelled))
    right = (proxy[first] > proxy[second]) == (gold[first] > gold[second])
    return Responses(proxy_kind, gold, proxy, float(right.mean()))


def optimum(proxy: Floats, gold: Floats, beta: float) -> tuple[float, float, float]:
    """KL to the uniform reference in nats, proxy and gold reward of the best policy for proxy − beta·KL.

    That policy is reference · exp(proxy/beta) / Z; Rafailov et al. 2023, arXiv 2305.18290.
    """
    policy = softmax(proxy / beta)
    positive = policy[policy > 0]
    kl = float((positive * np.log(positive * len(policy))).sum())
    return kl, float(policy @ proxy), float(policy @ gold)


@dataclass(frozen=True)
class OveroptimisationResult:
    """Rewards in standard deviations of the reference, against d = √KL(policy‖reference)."""

    proxy_kind: str
    pair_accuracy: float
    d: Floats  # of the optimum for falling beta, rising
    proxy: Floats
    gold: Floats
    n: tuple[int, ...]  # best-of-n
    best_of_n_d: Floats
    best_of_n_proxy: Floats
    best_of_n_gold: Floats
    best_of_n_kl_error: float  # largest |exact KL − formula| in nats

    @property
    def peak(self) -> int:
        """Index of the largest gold reward among the optima."""
        return int(self.gold.argmax())


def overoptimisation_experiment(
    proxy_kind: str, *, n_candidates: int = 400_000, max_kl: float = 7, max_n: int = 10_000, seed: int = 0
) -> OveroptimisationResult:
    """Optimise the proxy harder and harder, up to `max_kl` nats from the reference, and with best-of-n."""
    drawn = responses(proxy_kind, n=n_candidates, seed=seed)
    optima = np.array([optimum(drawn.proxy, drawn.gold, beta) for beta in np.geomspace(20, 0.02, 60)])
    optima = optima[optima[:, 0] < max_kl]

    order = np.argsort(drawn.proxy)
    uniform = np.full(n_candidates, 1 / n_candidates)
    ns = np.unique(np.geomspace(1, max_n, 40).astype(int))
    rows = []
    for n in ns:
        chosen = best_of_n_probabilities(uniform, int(n))  # in the order of the proxy
        positive = chosen[chosen > 0]
        kl = float((positive * np.log(positive * n_candidates)).sum())
        rows.append((kl, chosen @ drawn.proxy[order], chosen @ drawn.gold[order]))
    kl, proxy, gold = np.array(rows).T
    formula = np.array([best_of_n_kl(int(n)) for n in ns])
    return OveroptimisationResult(
        proxy_kind,
        drawn.pair_accuracy,
        np.sqrt(optima[:, 0]),
        optima[:, 1],
        optima[:, 2],
        tuple(int(n) for n in ns),
        np.sqrt(np.maximum(kl, 0)),
        proxy,
        gold,
        float(np.abs(kl - formula).max()),
    )


@dataclass(frozen=True)
class Fit:
    """A law for the gold reward, fitted by least squares."""

    alpha: float
    beta: float
    r_squared: float


def fit_law(d: Floats, gold: Floats, law: str) -> Fit:
    """Fit d(α − β d), Gao's law for best-of-n, or d(α − β log d), the one for RL; section 1 of the paper.

    Raises:
        ValueError: if `law` is not "quadratic" or "logarithmic".
    """
    if law == "quadratic":
        bend = d
    elif law == "logarithmic":
        bend = np.log(d)
    else:
        raise ValueError(f"law {law!r} is unknown; expected 'quadratic' or 'logarithmic'")
    design = np.column_stack([d, -d * bend])
    (alpha, beta), *_ = np.linalg.lstsq(design, gold, rcond=None)
    residual = design @ [alpha, beta] - gold
    return Fit(float(alpha), float(beta), float(1 - residual @ residual / ((gold - gold.mean()) ** 2).sum()))
