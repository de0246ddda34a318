"""The alignment tax: what RL on narrow prompts costs on a benchmark, and what wins it back.

A small classifier is pretrained on a benchmark, then trained for a reward on prompts from a narrow part of
the input space, maximising E[r] − beta·KL(π‖π_ref) + gamma·E_pretrain[log π]. Gamma is the pretraining mix
of PPO-ptx; Ouyang et al. 2022, arXiv 2203.02155, equation 2 and section 4.2. Expectations over answers are
exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from finetuning import network
from finetuning.numerics import Adam, Floats, Ints, kl_divergence, log_softmax, one_hot

D_INPUT = 24
D_HIDDEN = 48
N_ANSWERS = 10
D_NARROW = 6


@dataclass(frozen=True)
class World:
    """Benchmark, RL prompts, and the pretrained model."""

    train_inputs: Floats  # benchmark for pretraining, (600, d_input)
    train_labels: Ints
    test_inputs: Floats  # benchmark held out, (1500, d_input)
    test_labels: Ints
    prompts: Floats  # RL prompts in a subspace of 6 dimensions, (200, d_input)
    reward: Floats  # of each answer to each prompt, (200, n_answers)
    weights: tuple[Floats, ...]  # pretrained, see `network`
    reference_log_probs: Floats  # of the pretrained model on the prompts, (200, n_answers)


def world(*, n_steps: int = 250, seed: int = 0) -> World:
    """Draw the benchmark and the prompts, and pretrain on the benchmark."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(D_INPUT, D_INPUT)) / np.sqrt(D_INPUT)
    train_inputs = rng.normal(size=(600, D_INPUT))
    linear, curved = rng.normal(size=(2, N_ANSWERS, D_INPUT))
    test_inputs = rng.normal(size=(1500, D_INPUT))

    def labels(inputs: Floats) -> Ints:
        return np.asarray((inputs @ linear.T + 1.5 * np.tanh(inputs @ mixing) @ curved.T).argmax(1))

    narrow = rng.normal(size=(D_NARROW, D_INPUT)) / np.sqrt(D_NARROW)
    prompts = rng.normal(size=(200, D_NARROW)) @ narrow
    preference = rng.normal(size=(D_INPUT, N_ANSWERS)) / np.sqrt(D_INPUT)
    reward = 1.5 * prompts @ preference + rng.normal(size=N_ANSWERS)
    start = network.random_weights(D_INPUT, D_HIDDEN, N_ANSWERS, rng)
    weights = network.fit(start, train_inputs, labels(train_inputs), n_steps=n_steps, learning_rate=0.01)
    return World(
        train_inputs,
        labels(train_inputs),
        test_inputs,
        labels(test_inputs),
        prompts,
        reward,
        tuple(weights),
        network.log_probs(weights, prompts),
    )


@dataclass(frozen=True)
class Outcome:
    """A policy after RL, or before it when beta and gamma are None."""

    beta: float | None
    gamma: float | None
    reward: float  # expected, on the RL prompts
    benchmark_accuracy: float  # on held-out inputs
    kl: float  # to the pretrained model on the RL prompts, nats


def _outcome(of: World, weights: list[Floats], beta: float | None, gamma: float | None) -> Outcome:
    policy = np.exp(network.log_probs(weights, of.prompts))
    return Outcome(
        beta,
        gamma,
        float((policy * of.reward).sum(1).mean()),
        network.accuracy(weights, of.test_inputs, of.test_labels),
        float(kl_divergence(policy, np.exp(of.reference_log_probs)).mean()),
    )


def before_rl(of: World) -> Outcome:
    """The pretrained model, measured like a policy."""
    return _outcome(of, list(of.weights), None, None)


def after_rl(of: World, *, beta: float = 0.0, gamma: float = 0.0, n_steps: int = 250) -> Outcome:
    """Train the policy from the pretrained model with these weights of KL and of the pretraining mix."""
    weights = [matrix.copy() for matrix in of.weights]
    optimiser = Adam(weights, 0.01)
    answers = one_hot(of.train_labels, N_ANSWERS)
    for _ in range(n_steps):
        activations, logits = network.forward(weights, of.prompts)
        log_policy = log_softmax(logits)
        policy = np.exp(log_policy)
        gain = of.reward - beta * (log_policy - of.reference_log_probs)
        logits_gradient = -policy * (gain - (policy * gain).sum(1, keepdims=True)) / len(policy)
        gradients = network.gradients(weights, of.prompts, activations, logits_gradient)
        if gamma:
            mixed_in = network.cross_entropy_gradients(weights, of.train_inputs, answers)
            gradients = [rl + gamma * mix for rl, mix in zip(gradients, mixed_in, strict=True)]
        optimiser.step(gradients)
    return _outcome(of, weights, beta, gamma)


@dataclass(frozen=True)
class TaxResult:
    """Reward and benchmark accuracy for rising beta without gamma, and for rising gamma without beta."""

    before: Outcome
    by_beta: tuple[Outcome, ...]
    by_gamma: tuple[Outcome, ...]


def tax_experiment(
    values: tuple[float, ...] = (0, 0.1, 0.3, 1, 3, 10), *, n_steps: int = 250, seed: int = 0
) -> TaxResult:
    """Train policies with each value of beta, and with each value of gamma."""
    of = world(seed=seed)
    alone = after_rl(of, n_steps=n_steps)  # both lines begin here
    return TaxResult(
        before_rl(of),
        tuple(after_rl(of, beta=value, n_steps=n_steps) if value else alone for value in values),
        tuple(after_rl(of, gamma=value, n_steps=n_steps) if value else alone for value in values),
    )


def benchmark_at_reward(outcomes: tuple[Outcome, ...], reward: float) -> float:
    """Benchmark accuracy at a given reward, interpolated linearly between the outcomes.

    Raises:
        ValueError: if the reward lies outside those of the outcomes.
    """
    ordered = sorted(outcomes, key=lambda outcome: outcome.reward)
    rewards = [outcome.reward for outcome in ordered]
    if not rewards[0] <= reward <= rewards[-1]:
        raise ValueError(f"reward {reward:.3f} is outside {rewards[0]:.3f} to {rewards[-1]:.3f}")
    return float(np.interp(reward, rewards, [outcome.benchmark_accuracy for outcome in ordered]))
