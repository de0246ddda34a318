"""Catastrophic forgetting, replay and LoRA, on a small language model with two skills.

The model predicts the next of 20 tokens from the two before it and a flag. Skill A has flag 0 and is
learned in pretraining; then data B with flag 1 come alone. B is either a style (the same tilt of A's
probabilities in every context: a simple change) or new facts (an unrelated table: a complex change). Errors
are KL from the true table, in nats, averaged over contexts. Related work: Biderman et al. 2024, arXiv
2405.09673, section 4.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finetuning import network
from finetuning.numerics import Adam, Floats, Ints, kl_divergence, one_hot, softmax

VOCAB_SIZE = 20
D_TOKEN = 12
D_FLAG = 6
D_HIDDEN = 64
TASKS = ("style", "facts")


@dataclass(frozen=True)
class World:
    """The true next-token tables, (vocab_size, vocab_size, vocab_size), and the pretrained model."""

    tables: dict[str, Floats]  # "A", "style", "facts"
    all_contexts: Ints  # (400, 2)
    tuned_contexts: Ints  # contexts in the fine-tuning data, (80, 2)
    held_out_contexts: Ints  # (320, 2)
    token_vectors: Floats  # (vocab_size, d_token), frozen after pretraining
    flag_vectors: Floats  # (2, d_flag), frozen after pretraining
    weights: tuple[Floats, ...]  # hidden and output matrices, see `network`


def _inputs(token_vectors: Floats, flag_vectors: Floats, contexts: Ints, flag: int) -> Floats:
    """The network's input for each context, (n, 2 · d_token + d_flag)."""
    flags = np.repeat(flag_vectors[flag : flag + 1], len(contexts), axis=0)
    return np.concatenate([token_vectors[contexts[:, 0]], token_vectors[contexts[:, 1]], flags], axis=1)


def _rows(table: Floats, contexts: Ints) -> Floats:
    """The true next-token distributions of the contexts, (n, vocab_size)."""
    return table[contexts[:, 0], contexts[:, 1]]


def pretrained_world(*, n_steps: int = 700, seed: int = 0) -> World:
    """Draw the tables and train a model, token vectors and all, that predicts table A under both flags."""
    rng = np.random.default_rng(seed)
    concentration = np.full(VOCAB_SIZE, 0.15)
    a = rng.dirichlet(concentration, size=(VOCAB_SIZE, VOCAB_SIZE))
    style = a * np.exp(1.5 * rng.normal(size=VOCAB_SIZE))
    facts = rng.dirichlet(concentration, size=(VOCAB_SIZE, VOCAB_SIZE))
    tables = {"A": a, "style": style / style.sum(-1, keepdims=True), "facts": facts}
    contexts = np.stack(np.meshgrid(np.arange(VOCAB_SIZE), np.arange(VOCAB_SIZE), indexing="ij"), -1).reshape(
        -1, 2
    )
    order = rng.permutation(len(contexts))

    token_vectors = 0.5 * rng.normal(size=(VOCAB_SIZE, D_TOKEN))
    flag_vectors = rng.normal(size=(2, D_FLAG))
    weights = network.random_weights(2 * D_TOKEN + D_FLAG, D_HIDDEN, VOCAB_SIZE, rng)
    optimiser = Adam([token_vectors, flag_vectors, *weights], 0.015)
    truth = np.concatenate([_rows(a, contexts)] * 2)
    first, second = (one_hot(np.tile(contexts[:, place], 2), VOCAB_SIZE).T for place in (0, 1))  # (20, 800)
    for step in range(n_steps):
        inputs = np.concatenate([_inputs(token_vectors, flag_vectors, contexts, flag) for flag in (0, 1)])
        activations, logits = network.forward(weights, inputs)
        error = (softmax(logits) - truth) / len(truth)
        hidden_error = network.backward(weights, activations, error)
        input_gradient = hidden_error @ weights[0]
        token_gradient = (
            first @ input_gradient[:, :D_TOKEN] + second @ input_gradient[:, D_TOKEN : 2 * D_TOKEN]
        )
        flag_gradient = input_gradient[:, 2 * D_TOKEN :].reshape(2, len(contexts), D_FLAG).sum(1)
        optimiser.step(
            [token_gradient, flag_gradient, hidden_error.T @ inputs, error.T @ activations],
            1 - step / n_steps,
        )
    return World(
        tables,
        contexts,
        contexts[order[:80]],
        contexts[order[80:]],
        token_vectors,
        flag_vectors,
        tuple(weights),
    )


def error(of: World, weights: Sequence[Floats], table: str, contexts: Ints, flag: int) -> float:
    """KL(true table ‖ model) in nats, averaged over the contexts."""
    inputs = _inputs(of.token_vectors, of.flag_vectors, contexts, flag)
    predicted = np.exp(network.log_probs(weights, inputs))
    return float(kl_divergence(_rows(of.tables[table], contexts), predicted).mean())


@dataclass(frozen=True)
class Method:
    """A way to fine-tune: all weights or LoRA of some rank, with or without replay of A."""

    name: str
    rank: int | None = None  # None is full fine-tuning
    n_replay: int = 0  # contexts of A mixed into each step


METHODS = (
    Method("full"),
    Method("full + replay", n_replay=80),
    Method("LoRA r=1", rank=1),
    Method("LoRA r=4", rank=4),
    Method("LoRA r=16", rank=16),
)


@dataclass(frozen=True)
class ForgettingRun:
    """One fine-tuning run, in nats: the error on B falls, what was known of A is lost."""

    method: Method
    steps: tuple[int, ...]
    b_error: Floats  # at each of `steps`
    forgotten: Floats  # rise of the error on A over the pretrained model, at each of `steps`

    def forgotten_when_learned(self, b_error: float) -> float | None:
        """What was forgotten of A when the error on B first fell below `b_error`; None if it never did."""
        below = np.flatnonzero(self.b_error < b_error)
        return float(self.forgotten[below[0]]) if below.size else None


def fine_tune(
    of: World, task: str, method: Method, *, n_steps: int = 300, every: int = 20, seed: int = 0
) -> ForgettingRun:
    """Fine-tune the pretrained model on B and follow both errors.

    Style: 20 tokens are sampled for each context, and the error on B is on held-out contexts, since a style
    should generalise. Facts: the true table is given, and the error on B is on the tuned contexts, since
    facts cannot.

    Raises:
        ValueError: if `task` is not "style" or "facts".
    """
    if task not in TASKS:
        raise ValueError(f"task {task!r} is unknown; expected one of {', '.join(map(repr, TASKS))}")
    rng = np.random.default_rng(seed)
    targets = _rows(of.tables[task], of.tuned_contexts)
    if task == "style":
        targets = rng.multinomial(20, targets) / 20
    tested = of.held_out_contexts if task == "style" else of.tuned_contexts
    learning_rate = 0.001 if task == "style" else 0.003

    base = of.weights
    weights = [matrix.copy() for matrix in base]
    adapters = []  # A, B of the hidden matrix, then of the output matrix
    if method.rank is not None:
        for matrix in base:
            d_out, d_in = matrix.shape
            adapters += [
                rng.normal(size=(method.rank, d_in)) / np.sqrt(d_in),
                np.zeros((d_out, method.rank)),
            ]
    optimiser = Adam(adapters or weights, learning_rate)
    inputs = _inputs(of.token_vectors, of.flag_vectors, of.tuned_contexts, 1)
    a_error_before = error(of, base, "A", of.all_contexts, 0)

    measured = []
    for step in range(n_steps + 1):
        if step % every == 0:
            a_error = error(of, weights, "A", of.all_contexts, 0)
            measured.append((error(of, weights, task, tested, 1), a_error - a_error_before))
        if step == n_steps:
            break
        weight_gradients = network.cross_entropy_gradients(weights, inputs, targets)
        if method.n_replay:
            replayed = of.all_contexts[rng.integers(0, len(of.all_contexts), method.n_replay)]
            replay_inputs = _inputs(of.token_vectors, of.flag_vectors, replayed, 0)
            extra = network.cross_entropy_gradients(weights, replay_inputs, _rows(of.tables["A"], replayed))
            weight_gradients = [b + a for b, a in zip(weight_gradients, extra, strict=True)]
        if adapters:
            chain = []
            for gradient, a, b in zip(weight_gradients, adapters[::2], adapters[1::2], strict=True):
                chain += [b.T @ gradient, gradient @ a.T]
            optimiser.step(chain)
            weights = [
                frozen + b @ a for frozen, a, b in zip(base, adapters[::2], adapters[1::2], strict=True)
            ]
        else:
            optimiser.step(weight_gradients)
    b_error, forgotten = np.array(measured).T
    return ForgettingRun(method, tuple(range(0, n_steps + 1, every)), b_error, forgotten)


def forgetting_experiment(
    task: str, methods: Sequence[Method] = METHODS, *, n_steps: int = 300, seed: int = 0
) -> tuple[ForgettingRun, ...]:
    """Fine-tune one pretrained model on B with each method."""
    of = pretrained_world(seed=seed)
    return tuple(fine_tune(of, task, method, n_steps=n_steps) for method in methods)
