"""Instruction tuning in miniature: do unseen tasks work when they are described, or when they are numbered?

There are 30 tasks: "is sign · x_i above threshold?" for 5 inputs, 2 signs and 3 thresholds. The model sees
the inputs and a code for the task. An instruction code describes the task (which input, which sign, which
threshold); an id code of the same size is arbitrary. The idea is that of FLAN: Wei et al. 2021, arXiv
2109.01652.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finetuning.numerics import Adam, Floats, Ints, one_hot, sigmoid, tanh

N_INPUTS = 5
SIGNS = (1.0, -1.0)
THRESHOLDS = (-0.5, 0.0, 0.5)
# (input, sign index, threshold index) of each task, (30, 3)
TASKS = np.array(list(itertools.product(range(N_INPUTS), range(len(SIGNS)), range(len(THRESHOLDS)))))
N_HELD_OUT = 8
CODES = ("instruction", "id")


def task_codes(kind: str, rng: np.random.Generator) -> Floats:
    """A code for each task, (30, 10), all of the same length.

    Raises:
        ValueError: if `kind` is not "instruction" or "id".
    """
    if kind == "instruction":
        sizes = (N_INPUTS, len(SIGNS), len(THRESHOLDS))
        return np.concatenate([one_hot(TASKS[:, i], size) for i, size in enumerate(sizes)], axis=1)
    if kind == "id":
        directions = rng.normal(size=(len(TASKS), N_INPUTS + len(SIGNS) + len(THRESHOLDS)))
        return np.asarray(directions / np.linalg.norm(directions, axis=1, keepdims=True) * np.sqrt(3))
    raise ValueError(f"code {kind!r} is unknown; expected one of {', '.join(map(repr, CODES))}")


def examples(tasks: Ints, n: int, codes: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw examples of the tasks: inputs followed by the task's code, (n, 15), and answers 0 or 1, (n,)."""
    drawn = rng.choice(tasks, n)
    x = rng.normal(size=(n, N_INPUTS))
    which, sign, threshold = TASKS[drawn].T
    answers = np.take(SIGNS, sign) * x[np.arange(n), which] > np.take(THRESHOLDS, threshold)
    return np.concatenate([x, codes[drawn]], axis=1), answers.astype(np.float64)


def _forward(weights: Sequence[Floats], features: Floats) -> tuple[Floats, Floats, Floats]:
    """Two hidden tanh layers (n, d_hidden) each, and the probability of answer 1, (n,)."""
    first = tanh(features @ weights[0].T)
    second = tanh(first @ weights[1].T)
    return first, second, sigmoid(second @ weights[2])


def _gradients(weights: Sequence[Floats], features: Floats, answers: Floats) -> list[Floats]:
    """Gradients of the mean NLL by the three weight arrays."""
    first, second, probability = _forward(weights, features)
    error = (probability - answers) / len(answers)
    second_gradient = error[:, None] * weights[2] * (1 - second**2)
    first_gradient = (second_gradient @ weights[1]) * (1 - first**2)
    return [first_gradient.T @ features, second_gradient.T @ first, second.T @ error]


def unseen_task_accuracy(
    kind: str, n_tasks: int, *, n_examples: int = 3000, d_hidden: int = 64, n_steps: int = 350, seed: int = 0
) -> tuple[float, float]:
    """Tune on `n_tasks` tasks and test on those and on 8 unseen ones; returns both accuracies.

    The number of examples does not depend on the number of tasks.

    Raises:
        ValueError: if fewer than 1 or more than 22 tasks are asked for.
    """
    if not 1 <= n_tasks <= len(TASKS) - N_HELD_OUT:
        raise ValueError(f"n_tasks is {n_tasks}, expected 1 to {len(TASKS) - N_HELD_OUT}")
    codes = task_codes(kind, np.random.default_rng([1, seed]))
    order = np.random.default_rng([2, seed]).permutation(len(TASKS))
    unseen, tuned = order[:N_HELD_OUT], order[N_HELD_OUT : N_HELD_OUT + n_tasks]
    rng = np.random.default_rng([seed, n_tasks])
    features, answers = examples(tuned, n_examples, codes, rng)
    weights = [
        rng.normal(size=(d_hidden, features.shape[1])) / np.sqrt(features.shape[1]),
        rng.normal(size=(d_hidden, d_hidden)) / np.sqrt(d_hidden),
        np.zeros(d_hidden),
    ]
    optimiser = Adam(weights, 0.01)
    for step in range(n_steps):
        batch = rng.integers(0, n_examples, 200)
        gradients = _gradients(weights, features[batch], answers[batch])
        decayed = [
            gradient + 1e-4 * weight for gradient, weight in zip(gradients, weights, strict=True)
        ]  # a little weight decay
        optimiser.step(decayed, 1 - (step + 1) / n_steps)

    def accuracy(tasks: Ints) -> float:
        tested, right = examples(tasks, 3000, codes, np.random.default_rng([3, seed]))
        return float(((_forward(weights, tested)[2] > 0.5) == right).mean())

    return accuracy(tuned), accuracy(unseen)


@dataclass(frozen=True)
class GeneralisationResult:
    """Accuracy against the number of tuning tasks, for one kind of task code."""

    kind: str
    n_tasks: tuple[int, ...]
    tuned: Floats  # accuracy on the tuning tasks, (n_settings, n_seeds)
    unseen: Floats  # accuracy on the 8 unseen tasks, (n_settings, n_seeds)


def generalisation_experiment(
    kind: str, n_tasks: Sequence[int] = (1, 4, 8, 16, 22), *, n_seeds: int = 3, n_steps: int = 350
) -> GeneralisationResult:
    """Tune on more and more tasks; the total number of examples stays the same."""
    accuracies = np.array(
        [
            [unseen_task_accuracy(kind, n, n_steps=n_steps, seed=seed) for seed in range(n_seeds)]
            for n in n_tasks
        ]
    )  # (n_settings, n_seeds, 2)
    return GeneralisationResult(kind, tuple(n_tasks), accuracies[..., 0], accuracies[..., 1])
