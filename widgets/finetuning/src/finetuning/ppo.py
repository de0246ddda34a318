"""PPO's clipped objective: several epochs on one batch, with and without the clip.

L = mean of min(ratio·A, clip(ratio, 1 − ε, 1 + ε)·A), ratio = π_new/π_old; Schulman et al. 2017, arXiv
1707.06347. The clip bounds what one batch can gain; it is not the KL penalty, which holds π
near the reference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from finetuning.numerics import Floats, log_softmax, sample_categorical, softmax


def clipped_objective(ratio: Floats, advantage: Floats, clip_eps: float) -> Floats:
    """min(ratio·A, clip(ratio, 1 − ε, 1 + ε)·A), element by element."""
    return np.minimum(ratio * advantage, np.clip(ratio, 1 - clip_eps, 1 + clip_eps) * advantage)


def clipped_gradient(ratio: Floats, advantage: Floats, clip_eps: float) -> Floats:
    """Gradient of the clipped objective by the ratio: A, or 0 where the ratio is past the clip."""
    stopped = ((advantage > 0) & (ratio > 1 + clip_eps)) | ((advantage < 0) & (ratio < 1 - clip_eps))
    return np.where(stopped, 0.0, advantage)


@dataclass(frozen=True)
class Setting:
    """How each batch is used."""

    name: str
    n_epochs: int
    clip_eps: float | None  # None is no clip


SETTINGS = (
    Setting("1 epoch, no clip", 1, None),
    Setting("10 epochs, no clip", 10, None),
    Setting("10 epochs, clip", 10, 0.2),
)


@dataclass(frozen=True)
class ClipRun:
    """Training with one setting, over seeds."""

    setting: Setting
    returns: Floats  # true expected reward before each update and after the last, (n_seeds, n_updates + 1)
    kl: Floats  # KL(π_old‖π_new) of each update in nats, mean over states, (n_seeds, n_updates)
    outside: Floats  # share of the batch whose ratio left 1 ± 0.2, (n_seeds, n_updates)


def rewards(n_states: int = 12, n_actions: int = 8, *, seed: int = 0) -> Floats:
    """True expected reward of each action in each state, (n_states, n_actions)."""
    return np.random.default_rng(seed).normal(size=(n_states, n_actions))


def train(
    reward: Floats,
    setting: Setting,
    *,
    n_updates: int = 25,
    batch: int = 256,
    n_minibatches: int = 4,
    learning_rate: float = 0.5,
    seed: int = 0,
) -> tuple[Floats, Floats, Floats]:
    """Train a tabular policy on noisy rewards; returns, KL and share outside, as in `ClipRun` for one seed.

    Every update draws one batch, keeps its probabilities as π_old, and takes `n_epochs` passes over it. The
    advantage has an exact baseline and unit spread; rewards carry noise of standard deviation 2.
    """
    rng = np.random.default_rng(seed)
    n_states = len(reward)
    logits = np.zeros_like(reward)
    returns, kls, outside = [], [], []
    for _ in range(n_updates):
        log_old = log_softmax(logits)
        old = np.exp(log_old)
        returns.append((old * reward).sum(1).mean())
        states = rng.integers(0, n_states, batch)
        actions = sample_categorical(old[states], rng)
        noisy = reward[states, actions] + 2 * rng.normal(size=batch)
        advantage = noisy - (old * reward).sum(1)[states]
        advantage /= advantage.std()
        old_probability = old[states, actions]
        for _ in range(setting.n_epochs):
            for part in np.array_split(rng.permutation(batch), n_minibatches):
                new = softmax(logits)
                ratio = new[states[part], actions[part]] / old_probability[part]
                slope = (
                    advantage[part]
                    if setting.clip_eps is None
                    else clipped_gradient(ratio, advantage[part], setting.clip_eps)
                )
                # d ratio / d logits[s] = ratio · (one_hot(a) − π(s))
                weight = slope * ratio / len(part)
                gradient = np.zeros_like(logits)
                np.add.at(gradient, (states[part], actions[part]), weight)
                total = np.bincount(states[part], weight, minlength=n_states)
                logits = logits + learning_rate * n_states * (gradient - total[:, None] * new)
        log_ratio = log_softmax(logits) - log_old
        kls.append(-(old * log_ratio).sum(1).mean())
        outside.append((np.abs(np.expm1(log_ratio[states, actions])) > 0.2).mean())
    returns.append((softmax(logits) * reward).sum(1).mean())
    return np.array(returns), np.array(kls), np.array(outside)


def clip_experiment(setting: Setting, *, n_updates: int = 25, n_seeds: int = 8, seed: int = 0) -> ClipRun:
    """Train with one setting from several seeds on one reward table."""
    reward = rewards(seed=seed)
    runs = [train(reward, setting, n_updates=n_updates, seed=s) for s in range(n_seeds)]
    returns, kls, outside = (np.array(parts) for parts in zip(*runs, strict=True))
    return ClipRun(setting, returns, kls, outside)
