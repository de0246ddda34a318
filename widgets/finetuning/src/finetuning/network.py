"""The small classifier of several labs: one hidden tanh layer, then a softmax, with its gradient by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from finetuning.numerics import Adam, Floats, Ints, log_softmax, one_hot, softmax, tanh

# Weights are a list [hidden (d_hidden, d_in), output (n_classes, d_hidden)]; inputs are (n, d_in).


def forward(weights: Sequence[Floats], inputs: Floats) -> tuple[Floats, Floats]:
    """Activations of the hidden layer, (n, d_hidden), and logits of the classes, (n, n_classes)."""
    hidden, output = weights
    activations = tanh(inputs @ hidden.T)
    return activations, activations @ output.T


def log_probs(weights: Sequence[Floats], inputs: Floats) -> Floats:
    """Log probabilities of the classes, (n, n_classes)."""
    return log_softmax(forward(weights, inputs)[1])


def backward(weights: Sequence[Floats], activations: Floats, logits_gradient: Floats) -> Floats:
    """The loss's gradient by what enters the hidden layer's tanh, (n, d_hidden)."""
    return np.asarray((logits_gradient @ weights[1]) * (1 - activations**2))


def gradients(
    weights: Sequence[Floats], inputs: Floats, activations: Floats, logits_gradient: Floats
) -> list[Floats]:
    """Gradients of both weight matrices from the loss's gradient by the logits, (n, n_classes)."""
    return [backward(weights, activations, logits_gradient).T @ inputs, logits_gradient.T @ activations]


def cross_entropy_gradients(weights: Sequence[Floats], inputs: Floats, targets: Floats) -> list[Floats]:
    """Gradients of the mean cross-entropy to the distributions `targets` (n, n_classes)."""
    activations, logits = forward(weights, inputs)
    return gradients(weights, inputs, activations, (softmax(logits) - targets) / len(targets))


def random_weights(
    d_in: int, d_hidden: int, n_classes: int, rng: np.random.Generator, scale: float | None = None
) -> list[Floats]:
    """Gaussian weights with standard deviation `scale`, by default 1/√(inputs of the layer)."""
    return [
        rng.normal(size=(d_hidden, d_in)) * (scale if scale is not None else d_in**-0.5),
        rng.normal(size=(n_classes, d_hidden)) * (scale if scale is not None else d_hidden**-0.5),
    ]


def accuracy(weights: Sequence[Floats], inputs: Floats, labels: Ints) -> float:
    """Share of inputs whose most probable class is the label."""
    return float((log_probs(weights, inputs).argmax(1) == labels).mean())


def fit(
    weights: Sequence[Floats], inputs: Floats, labels: Ints, *, n_steps: int, learning_rate: float
) -> list[Floats]:
    """Copies of the weights after `n_steps` of Adam on the cross-entropy of all inputs."""
    fitted = [matrix.copy() for matrix in weights]
    optimiser = Adam(fitted, learning_rate)
    targets = one_hot(labels, len(weights[1]))
    for _ in range(n_steps):
        optimiser.step(cross_entropy_gradients(fitted, inputs, targets))
    return fitted
