"""What every lab needs: stable logistic functions, divergences, and the Adam optimiser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]


def log_sigmoid(x: Floats) -> Floats:
    """log(1 / (1 + exp(−x))), without overflow or loss of digits."""
    return np.asarray(-np.logaddexp(0, -x))


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + exp(−x)), without overflow."""
    decay = np.exp(-np.abs(x))
    return np.asarray(np.where(np.asarray(x) < 0, decay, 1.0) / (1 + decay))


def tanh(x: Floats) -> Floats:
    """The hyperbolic tangent, to 2e-16 absolutely.

    By the exponential, which NumPy vectorises everywhere. Its own tanh is not, and would take most of the
    time of a small network.
    """
    result = np.minimum(x, 20.0)  # from where the last digit no longer changes
    result += result
    np.exp(result, out=result)
    result += 1
    np.divide(-2, result, out=result)
    result += 1
    return result


def log_sum_exp(x: Floats, axis: int = -1) -> Floats:
    """The logarithm of Σ exp(x) along `axis`, which stays with length 1."""
    highest = x.max(axis, keepdims=True)
    return np.asarray(highest + np.log(np.exp(x - highest).sum(axis, keepdims=True)))


def log_softmax(logits: Floats, axis: int = -1) -> Floats:
    """Log probabilities of unnormalised `logits`."""
    return np.asarray(logits - log_sum_exp(logits, axis))


def softmax(logits: Floats, axis: int = -1) -> Floats:
    """Probabilities of unnormalised `logits`."""
    weights = np.exp(logits - logits.max(axis, keepdims=True))
    return np.asarray(weights / weights.sum(axis, keepdims=True))


def kl_divergence(p: Floats, q: Floats) -> Floats:
    """KL(p‖q) = Σ p log(p/q) in nats along the last axis; infinite where q is 0 and p is not."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * (np.log(p) - np.log(q)), 0.0)
    return np.asarray(terms.sum(-1))


def total_variation(p: Floats, q: Floats) -> Floats:
    """Half the summed absolute difference of two distributions: 0 when equal, 1 when disjoint."""
    return np.asarray(np.abs(p - q).sum(-1) / 2)


def sample_categorical(probabilities: Floats, rng: np.random.Generator) -> Ints:
    """One draw for each row of `probabilities` (n, k); returns (n,)."""
    cumulative = probabilities.cumsum(-1)
    drawn = (rng.random(len(probabilities))[:, None] > cumulative).sum(-1)
    return np.asarray(
        np.minimum(drawn, probabilities.shape[-1] - 1)
    )  # rounding may leave the last sum below 1


def one_hot(indices: Ints, size: int) -> Floats:
    """Rows of the identity: (n,) -> (n, size)."""
    return np.asarray(np.eye(size)[indices])


def loglog_slope(x: Sequence[float] | Floats, y: Sequence[float] | Floats) -> float:
    """Exponent b of the power law y = a·x^b that fits best on logarithmic axes."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


class Adam:
    """The Adam optimiser, which changes the parameters it was given in place.

    Kingma and Ba 2014, arXiv 1412.6980, algorithm 1: β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
    """

    def __init__(self, parameters: Sequence[Floats], learning_rate: float) -> None:
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.n_steps = 0
        self._mean = [np.zeros_like(parameter) for parameter in parameters]
        self._square = [np.zeros_like(parameter) for parameter in parameters]

    def step(self, gradients: Sequence[Floats], scale: float = 1.0) -> None:
        """Move every parameter against its gradient; `scale` multiplies the learning rate of this step."""
        self.n_steps += 1
        mean_correction = 1 - 0.9**self.n_steps
        square_correction = 1 - 0.999**self.n_steps
        for i, (parameter, gradient) in enumerate(zip(self.parameters, gradients, strict=True)):
            mean, square = self._mean[i], self._square[i]
            mean *= 0.9
            mean += 0.1 * gradient
            square *= 0.999
            square += 0.001 * gradient**2
            size = square / square_correction
            np.sqrt(size, out=size)
            size += 1e-8
            step = mean / size
            step *= self.learning_rate * scale / mean_correction
            parameter -= step
