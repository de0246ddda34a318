"""The whole RLHF loop on short texts: SFT, reward model, policy gradient with a KL penalty.

Texts are 10 words from a vocabulary of 10, and a policy is a bigram table. The true reward values each
useful word once and dislikes repetition; the reward model counts words and cannot see repetition. The three
steps are those of Ouyang et al. 2022, arXiv 2203.02155, section 3.5; the KL penalty is per token, inside
the reward.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finetuning.numerics import Adam, Floats, Ints, log_softmax, sample_categorical
from finetuning.preferences import fit_reward, label

WORDS = ("thanks", "clear", "because", "steps", "please", "and", "the", "so", "um", "blah")
WORD_VALUES = np.array([1, 0.9, 0.8, 0.7, 0.2, 0.1, 0, -0.2, -0.5, -0.8])
REPETITION_COST = 0.25
VOCAB_SIZE = len(WORDS)
SEQ_LEN = 10
START = VOCAB_SIZE  # row of the bigram table for the first word


def text(tokens: Ints) -> str:
    """The words of one sequence (seq_len,)."""
    return " ".join(WORDS[token] for token in tokens)


def counts(tokens: Ints) -> Floats:
    """How often each word occurs: (n, seq_len) -> (n, vocab_size)."""
    return np.stack([(tokens == word).sum(1) for word in range(VOCAB_SIZE)], axis=1).astype(np.float64)


def distinct(tokens: Ints) -> float:
    """Number of different words in a text, mean over texts (n, seq_len)."""
    return float((counts(tokens) > 0).sum(1).mean())


def true_reward(tokens: Ints) -> Floats:
    """Value of each word the first time it occurs, less a cost for every repetition, (n,)."""
    seen = counts(tokens)
    repeated = np.maximum(seen - 1, 0).sum(1)
    return np.asarray(np.minimum(seen, 1) @ WORD_VALUES - REPETITION_COST * repeated)


def _contexts(tokens: Ints) -> Ints:
    """The word before each word, `START` before the first, (n, seq_len)."""
    return np.concatenate([np.full((len(tokens), 1), START), tokens[:, :-1]], axis=1)


def sample(log_policy: Floats, n: int, rng: np.random.Generator) -> Ints:
    """Draw texts from a bigram table of log probabilities (vocab_size + 1, vocab_size); (n, seq_len)."""
    policy = np.exp(log_policy)
    tokens = np.empty((n, SEQ_LEN), dtype=np.int64)
    last = np.full(n, START)
    for t in range(SEQ_LEN):
        last = tokens[:, t] = sample_categorical(policy[last], rng)
    return tokens


@dataclass(frozen=True)
class Setup:
    """What steps 1 and 2 leave: the SFT policy, the reward model, and both rewards' scale on SFT texts."""

    sft_log_policy: Floats  # (vocab_size + 1, vocab_size)
    reward_weights: Floats  # of each word, (vocab_size,)
    proxy_mean: float
    proxy_std: float
    gold_mean: float
    gold_std: float
    pair_accuracy: float  # of the reward model on the true order of fresh pairs

    def proxy(self, tokens: Ints) -> Floats:
        """The reward model's score, in standard deviations of SFT texts, (n,)."""
        return np.asarray((counts(tokens) @ self.reward_weights - self.proxy_mean) / self.proxy_std)

    def gold(self, tokens: Ints) -> Floats:
        """The true reward, in standard deviations of SFT texts, (n,)."""
        return np.asarray((true_reward(tokens) - self.gold_mean) / self.gold_std)


def sft_and_reward_model(*, n_demonstrations: int = 400, n_comparisons: int = 2000, seed: int = 0) -> Setup:
    """Step 1: fit a policy to demonstrations. Step 2: fit a reward model to comparisons of its texts."""
    rng = np.random.default_rng(seed)
    demonstrator = 0.7 * rng.normal(size=(VOCAB_SIZE + 1, VOCAB_SIZE)) + 0.5 * WORD_VALUES
    demonstrator[np.arange(VOCAB_SIZE), np.arange(VOCAB_SIZE)] -= 1.5  # people seldom repeat a word
    demonstrations = sample(log_softmax(demonstrator), n_demonstrations, rng)
    transitions = np.full(
        (VOCAB_SIZE + 1, VOCAB_SIZE), 0.5
    )  # maximum likelihood with half a count of everything
    np.add.at(transitions, (_contexts(demonstrations), demonstrations), 1)
    sft = np.log(transitions / transitions.sum(1, keepdims=True))

    first, second = sample(sft, n_comparisons, rng), sample(sft, n_comparisons, rng)
    margins = 2 * (true_reward(first) - true_reward(second))
    reward_weights = fit_reward(label(counts(first) - counts(second), margins, rng))

    texts = sample(sft, 20_000, rng)
    proxy, gold = counts(texts) @ reward_weights, true_reward(texts)
    half = len(texts) // 2
    right = (proxy[:half] > proxy[half:]) == (gold[:half] > gold[half:])
    return Setup(
        sft,
        reward_weights,
        float(proxy.mean()),
        float(proxy.std()),
        float(gold.mean()),
        float(gold.std()),
        float(right.mean()),
    )


@dataclass(frozen=True)
class RlhfRun:
    """Step 3 with one beta: rewards in standard deviations of SFT texts, and texts on the way."""

    beta: float
    steps: tuple[int, ...]
    kl: Floats  # KL(policy‖SFT) of a whole text in nats, at each of `steps`
    proxy: Floats
    gold: Floats
    distinct: Floats  # different words of 10
    texts: tuple[str, ...]  # one sample at each of `steps`
    final_texts: tuple[str, ...]


def policy_gradient(
    log_policy: Floats, tokens: Ints, reward: Floats, log_ratio: Floats, beta: float
) -> Floats:
    """REINFORCE gradient of E[reward] − beta·KL by the logits, (vocab_size + 1, vocab_size).

    Args:
        log_policy: Bigram table of log probabilities, (vocab_size + 1, vocab_size).
        tokens: Samples of the policy, (n, seq_len).
        reward: Reward of each text, given at its end, (n,).
        log_ratio: log π/π_ref of each token, (n, seq_len).
        beta: Weight of the KL penalty, paid token by token.
    """
    cost_to_go = log_ratio[:, ::-1].cumsum(1)[:, ::-1]  # (n, seq_len)
    returns = reward[:, None] - beta * cost_to_go
    advantage = (returns - returns.mean(0)) / len(tokens)  # a baseline for each position
    contexts = _contexts(tokens)
    gradient = np.zeros_like(log_policy)
    np.add.at(gradient, (contexts, tokens), advantage)
    total = np.bincount(contexts.ravel(), advantage.ravel(), minlength=len(log_policy))
    return np.asarray(gradient - total[:, None] * np.exp(log_policy))


def train(
    setup: Setup,
    beta: float,
    *,
    n_steps: int = 300,
    batch: int = 256,
    learning_rate: float = 0.05,
    every: int = 10,
    seed: int = 0,
) -> RlhfRun:
    """Step 3: policy gradient on the reward model's score with a KL penalty towards the SFT policy."""
    rng, test_rng = np.random.default_rng([seed, 1]), np.random.default_rng([seed, 2])
    logits = setup.sft_log_policy.copy()
    optimiser = Adam([logits], learning_rate)
    measured, texts = [], []
    for step in range(n_steps + 1):
        log_policy = log_softmax(logits)
        if step % every == 0:
            tokens = sample(log_policy, 5000 if step == n_steps else 1000, test_rng)
            contexts = _contexts(tokens)
            log_ratio = (log_policy - setup.sft_log_policy)[contexts, tokens]
            rewards = setup.proxy(tokens).mean(), setup.gold(tokens).mean()
            measured.append((log_ratio.sum(1).mean(), *rewards, distinct(tokens)))
            texts.append(text(tokens[0]))
        if step < n_steps:
            drawn = sample(log_policy, batch, rng)
            contexts = _contexts(drawn)
            log_ratio = (log_policy - setup.sft_log_policy)[contexts, drawn]
            gradient = policy_gradient(log_policy, drawn, setup.proxy(drawn), log_ratio, beta)
            optimiser.step([-gradient])
    kl, proxy, gold, different = np.array(measured).T
    return RlhfRun(
        beta,
        tuple(range(0, n_steps + 1, every)),
        kl,
        proxy,
        gold,
        different,
        tuple(texts),
        tuple(text(row) for row in tokens[:4]),
    )


def rlhf_experiment(
    betas: Sequence[float] = (0, 0.05, 0.2, 0.5, 1), *, n_steps: int = 300, seed: int = 0
) -> tuple[RlhfRun, ...]:
    """Run the loop with each beta from the same SFT policy and reward model."""
    setup = sft_and_reward_model(seed=seed)
    return tuple(train(setup, beta, n_steps=n_steps, seed=seed) for beta in betas)
