"""Supervised fine-tuning with and without a loss mask, on sequences of 24 tokens.

A prompt of 8 user tokens holds one keyword; the completion is the keyword's answer, 3 response tokens. The
model predicts each token from the token before it, the bag of all earlier tokens, and its place in the
completion. SFT minimises −Σ log p(token | earlier tokens) over the tokens whose `loss_mask` is 1; Ouyang et
al. 2022, arXiv 2203.02155, section 3.5, and Shi et al. 2024, arXiv 2405.14394.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from finetuning import network
from finetuning.numerics import Adam, Bools, Floats, Ints, log_softmax, one_hot, sample_categorical

N_USER_TOKENS = 16
N_KEYWORDS = 6  # the first user tokens
N_RESPONSE_TOKENS = 8
VOCAB_SIZE = N_USER_TOKENS + N_RESPONSE_TOKENS
PROMPT_LEN = 8
COMPLETION_LEN = 3
SEQ_LEN = PROMPT_LEN + COMPLETION_LEN


@dataclass(frozen=True)
class World:
    """What the sequences are drawn from."""

    prompt_chain: Floats  # next user token given the last, (16, 16)
    document_chain: Floats  # next token of pretraining documents given the last, (24, 24)
    answers: Ints  # the completion of each keyword, (6, 3)


def world(seed: int = 0) -> World:
    """Draw the statistics of prompts and documents, and an answer for each keyword."""
    rng = np.random.default_rng(seed)
    return World(
        rng.dirichlet(np.full(N_USER_TOKENS, 0.3), size=N_USER_TOKENS),
        rng.dirichlet(np.full(VOCAB_SIZE, 0.5), size=VOCAB_SIZE),
        N_USER_TOKENS
        + np.array([rng.permutation(N_RESPONSE_TOKENS)[:COMPLETION_LEN] for _ in range(N_KEYWORDS)]),
    )


def _walk(chain: Floats, n: int, length: int, rng: np.random.Generator) -> Ints:
    """Draw `n` sequences from a Markov chain, (n, length)."""
    tokens = np.empty((n, length), dtype=np.int64)
    tokens[:, 0] = rng.integers(0, len(chain), n)
    for t in range(1, length):
        tokens[:, t] = sample_categorical(chain[tokens[:, t - 1]], rng)
    return tokens


def documents(of: World, n: int, rng: np.random.Generator) -> Ints:
    """Pretraining documents, (n, seq_len)."""
    return _walk(of.document_chain, n, SEQ_LEN, rng)


def prompts_with_answers(of: World, n: int, rng: np.random.Generator) -> Ints:
    """Prompts that hold exactly one keyword, each followed by its answer, (n, seq_len)."""
    prompts = _walk(of.prompt_chain, n, PROMPT_LEN, rng)
    prompts = np.where(prompts < N_KEYWORDS, prompts + N_KEYWORDS, prompts)
    keywords = rng.integers(0, N_KEYWORDS, n)
    prompts[np.arange(n), rng.integers(0, PROMPT_LEN, n)] = keywords
    return np.concatenate([prompts, of.answers[keywords]], axis=1)


@dataclass(frozen=True)
class TokenBatch:
    """Every token of some sequences as one example."""

    features: Floats  # (n · seq_len, 2 · vocab_size + completion_len + 1)
    targets: Ints  # the token to predict, (n · seq_len,)
    loss_mask: Bools  # True on completion tokens, (n · seq_len,)


def token_batch(sequences: Ints) -> TokenBatch:
    """One example for each token of `sequences` (n, seq_len), token position by token position."""
    n = len(sequences)
    features = []
    for t in range(SEQ_LEN):
        seen = one_hot(sequences[:, :t], VOCAB_SIZE)  # (n, t, vocab_size)
        last = seen[:, -1] if t else np.zeros((n, VOCAB_SIZE))
        place = np.zeros((n, COMPLETION_LEN + 1))
        place[:, t - PROMPT_LEN if t >= PROMPT_LEN else COMPLETION_LEN] = 1
        features.append(np.concatenate([last, seen.sum(1), place], axis=1))
    return TokenBatch(
        np.concatenate(features),
        sequences.T.ravel(),
        np.repeat(np.arange(SEQ_LEN) >= PROMPT_LEN, n),
    )


@dataclass(frozen=True)
class Evaluation:
    """A model on held-out sequences; NLL in nats per token."""

    prompt_nll: float
    completion_nll: float
    completion_accuracy: float


def evaluate(weights: list[Floats], batch: TokenBatch) -> Evaluation:
    """NLL on prompt and on completion tokens, and the share of completion tokens predicted right."""
    log_probs = network.log_probs(weights, batch.features)
    nll = -log_probs[np.arange(len(log_probs)), batch.targets]
    right = log_probs.argmax(1) == batch.targets
    mask = batch.loss_mask
    return Evaluation(float(nll[~mask].mean()), float(nll[mask].mean()), float(right[mask].mean()))


def masked_nll(logits: Floats, targets: Ints, loss_mask: Bools) -> tuple[float, Floats]:
    """Mean NLL over the masked-in tokens in nats/token, and its gradient by `logits` (n_tokens, vocab_size).

    The gradient is zero on every token whose mask is 0.
    """
    log_probs = log_softmax(logits)
    weights = loss_mask / loss_mask.sum()
    nll = -(weights * log_probs[np.arange(len(targets)), targets]).sum()
    return float(nll), (np.exp(log_probs) - one_hot(targets, logits.shape[1])) * weights[:, None]


def _train(
    weights: list[Floats],
    batch: TokenBatch,
    loss_mask: Bools,
    held_out: TokenBatch | None,
    *,
    n_steps: int,
    every: int = 10,
) -> tuple[list[Floats], tuple[Evaluation, ...]]:
    """Copies of the weights after training, and their evaluations every few steps."""
    trained = [matrix.copy() for matrix in weights]
    counted = np.flatnonzero(loss_mask)  # the other tokens have no gradient
    optimiser = Adam(trained, 0.01)
    features, targets, mask = batch.features[counted], batch.targets[counted], loss_mask[counted]
    evaluations = []
    for step in range(n_steps + 1):
        if held_out is not None and step % every == 0:
            evaluations.append(evaluate(trained, held_out))
        if step < n_steps:
            activations, logits = network.forward(trained, features)
            _, gradient = masked_nll(logits, targets, mask)
            optimiser.step(network.gradients(trained, features, activations, gradient))
    return trained, tuple(evaluations)


@dataclass(frozen=True)
class ExampleNll:
    """NLL of each token of one held-out sequence, before and after SFT with the mask, in nats."""

    tokens: tuple[str, ...]
    loss_mask: Bools  # (seq_len,)
    base: Floats  # (seq_len,)
    tuned: Floats  # (seq_len,)


def token_name(token: int) -> str:
    """A short name: k for keywords, u for other user tokens, r for response tokens."""
    if token < N_KEYWORDS:
        return f"k{token}"
    return f"u{token}" if token < N_USER_TOKENS else f"r{token - N_USER_TOKENS}"


@dataclass(frozen=True)
class MaskingResult:
    """SFT from one base model, once with the loss on completion tokens only and once on all tokens."""

    base: Evaluation
    steps: tuple[int, ...]
    masked: tuple[Evaluation, ...]  # at each of `steps`
    unmasked: tuple[Evaluation, ...]
    prompt_gradient_share: float  # of the squared logit gradient of the base model, without a mask
    uniform_nll: float  # NLL of guessing every token alike
    example: ExampleNll


def masking_experiment(
    *, n_pairs: int = 200, n_held_out: int = 500, n_steps: int = 300, every: int = 10, seed: int = 0
) -> MaskingResult:
    """Pretrain on documents, then fine-tune on prompts with answers, with and without the mask."""
    of = world(seed)
    rng = np.random.default_rng([seed, 1])
    pretraining = token_batch(documents(of, 300, rng))
    pairs = token_batch(prompts_with_answers(of, n_pairs, rng))
    held_out_sequences = prompts_with_answers(of, n_held_out, rng)
    held_out = token_batch(held_out_sequences)
    every_token = np.ones(len(pretraining.targets), dtype=bool)
    start = network.random_weights(pretraining.features.shape[1], 24, VOCAB_SIZE, rng, scale=0.2)
    base, _ = _train(start, pretraining, every_token, None, n_steps=200)

    all_pairs = np.ones(len(pairs.targets), dtype=bool)
    _, gradient = masked_nll(np.asarray(network.log_probs(base, pairs.features)), pairs.targets, all_pairs)
    squares = (gradient**2).sum(1)
    tuned, masked = _train(base, pairs, pairs.loss_mask, held_out, n_steps=n_steps, every=every)
    _, unmasked = _train(base, pairs, all_pairs, held_out, n_steps=n_steps, every=every)
    return MaskingResult(
        evaluate(base, held_out),
        tuple(range(0, n_steps + 1, every)),
        masked,
        unmasked,
        float(squares[~pairs.loss_mask].sum() / squares.sum()),
        float(np.log(VOCAB_SIZE)),
        _example(base, tuned, held_out_sequences[:1]),
    )


def _example(base: list[Floats], tuned: list[Floats], sequence: Ints) -> ExampleNll:
    """Both models on one sequence, (1, seq_len)."""
    batch = token_batch(sequence)
    base_nll, tuned_nll = (
        -network.log_probs(weights, batch.features)[np.arange(SEQ_LEN), batch.targets]
        for weights in (base, tuned)
    )
    names = tuple(token_name(token) for token in sequence[0])
    return ExampleNll(names, batch.loss_mask, base_nll, tuned_nll)
