"""LoRA on one linear layer: what a rank can reach, how to initialise, how to scale, how to merge.

The layer computes h = W0 x + scaling · B A x with W0 (d_out, d_in) frozen, A (rank, d_in), B (d_out, rank)
and scaling = alpha / rank; Hu et al. 2021, LoRA, arXiv 2106.09685, section 4.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import DTypeLike

from finetuning.numerics import Adam, Floats

# --- What a rank can reach ---------------------------------------------------------------------------------

SPECTRA = ("rank 4", "1/i", "flat")


def spectrum(kind: str, d: int) -> Floats:
    """Singular values of a needed update, largest first, (d,); their squares sum to d.

    Args:
        kind: "rank 4" (four equal ones, the rest zero), "1/i" (falling), or "flat" (all equal).
        d: Number of singular values.

    Raises:
        ValueError: if `kind` is none of these.
    """
    if kind == "rank 4":
        values = (np.arange(d) < 4).astype(np.float64)
    elif kind == "1/i":
        values = 1 / np.arange(1, d + 1)
    elif kind == "flat":
        values = np.ones(d)
    else:
        raise ValueError(f"spectrum {kind!r} is unknown; expected one of {', '.join(map(repr, SPECTRA))}")
    return np.asarray(values / np.linalg.norm(values) * np.sqrt(d))


def random_update(singular_values: Floats, rng: np.random.Generator) -> Floats:
    """A matrix (d, d) with these singular values and random directions."""
    d = len(singular_values)
    left, _ = np.linalg.qr(rng.normal(size=(d, d)))
    right, _ = np.linalg.qr(rng.normal(size=(d, d)))
    return np.asarray((left * singular_values) @ right.T)


def eckart_young_floor(singular_values: Floats, rank: int) -> float:
    """Smallest loss ‖BA − update‖²/d at this rank: what the singular values beyond it hold.

    Eckart and Young 1936, The Approximation of One Matrix by Another of Lower Rank.
    """
    return float((singular_values[rank:] ** 2).sum() / len(singular_values))


def train_adapter(
    update: Floats, rank: int, *, n_steps: int = 700, learning_rate: float = 0.02, seed: int = 1
) -> Floats:
    """Loss ‖BA − update‖²/d before each step of Adam and after the last, (n_steps + 1,).

    This is the population loss of a linear layer on white inputs; W0 cancels out.
    The learning rate falls to zero linearly.
    """
    d = len(update)
    a = np.random.default_rng(seed).normal(size=(rank, d)) / np.sqrt(d)
    b = np.zeros((d, rank))
    optimiser = Adam([a, b], learning_rate)
    losses = np.empty(n_steps + 1)
    for step in range(n_steps):
        error = b @ a - update  # (d, d)
        losses[step] = (error**2).sum() / d
        optimiser.step([2 * b.T @ error / d, 2 * error @ a.T / d], 1 - (step + 1) / n_steps)
    losses[-1] = ((b @ a - update) ** 2).sum() / d
    return losses


def train_full(update: Floats, *, n_steps: int = 700, learning_rate: float = 0.02) -> Floats:
    """Loss of full fine-tuning on the same problem, as in `train_adapter`."""
    d = len(update)
    change = np.zeros_like(update)
    optimiser = Adam([change], learning_rate)
    losses = np.empty(n_steps + 1)
    for step in range(n_steps):
        error = change - update
        losses[step] = (error**2).sum() / d
        optimiser.step([2 * error / d], 1 - (step + 1) / n_steps)
    losses[-1] = ((change - update) ** 2).sum() / d
    return losses


@dataclass(frozen=True)
class RankResult:
    """Final loss of trained adapters against rank, beside the least possible; 1 is no adaptation."""

    spectrum: str
    ranks: tuple[int, ...]
    losses: Floats  # (n_ranks,)
    floors: Floats  # (n_ranks,)
    histories: Floats  # (n_ranks, n_steps + 1)
    full_loss: float


def rank_experiment(
    kind: str,
    ranks: Sequence[int] = (1, 2, 4, 8, 16, 32),
    *,
    d: int = 48,
    n_steps: int = 700,
    seed: int = 0,
) -> RankResult:
    """Train an adapter of each rank towards one update whose singular values are known."""
    singular_values = spectrum(kind, d)
    update = random_update(singular_values, np.random.default_rng(seed))
    histories = np.array([train_adapter(update, rank, n_steps=n_steps) for rank in ranks])
    return RankResult(
        kind,
        tuple(ranks),
        histories[:, -1],
        np.array([eckart_young_floor(singular_values, rank) for rank in ranks]),
        histories,
        float(train_full(update, n_steps=n_steps)[-1]),
    )


# --- How to start ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LayerTask:
    """One linear layer, and the change of its weights that a task needs."""

    weight: Floats  # W0, (d_out, d_in)
    change: Floats  # what the adapter should learn to add, (d_out, d_in)
    inputs: Floats  # (d_in, n)

    @property
    def input_covariance(self) -> Floats:
        """Mean of x xᵀ over the inputs, (d_in, d_in)."""
        return np.asarray(self.inputs @ self.inputs.T / self.inputs.shape[1])


def layer_task(d_out: int = 96, d_in: int = 128, n: int = 512, *, seed: int = 0) -> LayerTask:
    """A random layer and random inputs; the task needs a change of 30 % of the weights' size."""
    rng = np.random.default_rng(seed)
    weight, change = rng.normal(size=(2, d_out, d_in)) / np.sqrt(d_in)
    return LayerTask(weight, 0.3 * change, rng.normal(size=(d_in, n)))


def adapter_loss(
    a: Floats, b: Floats, scaling: float, change: Floats, covariance: Floats
) -> tuple[float, Floats, Floats]:
    """Mean squared error of the layer's outputs, and its gradients by A and by B.

    With E = scaling · B A − change and C the covariance of the inputs, the loss is trace(E C Eᵀ) / d_out.
    By the chain rule the gradient by A has B as a factor and the gradient by B has A: with both at zero,
    both are zero.
    """
    error = scaling * (b @ a) - change  # (d_out, d_in)
    weighted = error @ covariance  # (d_out, d_in)
    weight_gradient = 2 * scaling * weighted / len(change)
    return float((error * weighted).sum() / len(change)), b.T @ weight_gradient, weight_gradient @ a.T


@dataclass(frozen=True)
class InitialisationRun:
    """Training from one way to initialise A and B."""

    name: str
    output_change: float  # largest |adapted − base| output before the first step
    a_gradient_norm: float  # before the first step
    b_gradient_norm: float
    losses: Floats  # before each step and after the last, (n_steps + 1,)
    a: Floats  # after training, (rank, d_in)
    b: Floats  # after training, (d_out, rank)


def train_from(
    task: LayerTask,
    name: str,
    a: Floats,
    b: Floats,
    *,
    scaling: float,
    n_steps: int = 400,
    learning_rate: float = 1.0,
) -> InitialisationRun:
    """Train A and B by gradient descent from the given start."""
    covariance = task.input_covariance
    output_change = float(np.abs(scaling * (b @ (a @ task.inputs))).max())
    _, a_gradient, b_gradient = adapter_loss(a, b, scaling, task.change, covariance)
    norms = float(np.linalg.norm(a_gradient)), float(np.linalg.norm(b_gradient))
    losses = np.empty(n_steps + 1)
    for step in range(n_steps):
        losses[step], a_gradient, b_gradient = adapter_loss(a, b, scaling, task.change, covariance)
        a, b = a - learning_rate * a_gradient, b - learning_rate * b_gradient
    losses[-1] = adapter_loss(a, b, scaling, task.change, covariance)[0]
    return InitialisationRun(name, output_change, *norms, losses, a, b)


def initialisation_experiment(
    rank: int = 8, *, alpha: float = 16, n_steps: int = 400, seed: int = 0
) -> tuple[InitialisationRun, ...]:
    """Train from A random and B zero (LoRA's way), from the reverse, from both zero, and from both random."""
    task = layer_task(seed=seed)
    d_out, d_in = task.weight.shape
    rng = np.random.default_rng([seed, rank])
    a = rng.normal(size=(rank, d_in)) / np.sqrt(d_in)
    b = rng.normal(size=(d_out, rank)) / np.sqrt(d_out)
    starts = (
        ("A random, B = 0", a, 0 * b),
        ("A = 0, B random", 0 * a, b),
        ("A = B = 0", 0 * a, 0 * b),
        ("both random", a, b),
    )
    return tuple(
        train_from(task, name, a_start, b_start, scaling=alpha / rank, n_steps=n_steps)
        for name, a_start, b_start in starts
    )


# --- How to scale ------------------------------------------------------------------------------------------

Scaling = Literal["alpha/r", "alpha/sqrt(r)"]


def scaling_factor(alpha: float, rank: int, scaling: Scaling) -> float:
    """The factor: alpha / r (Hu et al. 2021) or alpha / √r (Kalajdzievski 2023, arXiv 2312.03732)."""
    return alpha / rank if scaling == "alpha/r" else alpha / rank**0.5


def first_update_sizes(
    ranks: Sequence[int],
    scaling: Scaling,
    optimiser: Literal["sgd", "sign"],
    *,
    alpha: float = 8,
    d: int = 256,
    n_seeds: int = 12,
) -> Floats:
    """Size of the first change of a layer's output, root mean square over seeds and outputs, for each rank.

    Before the first step B = 0, so one step changes the output by scaling · B A x with B the step itself.
    With "sgd" B is −scaling · g (A x)ᵀ, seen on the same input; with "sign", as in Adam's first step, it is
    −sign(g) sign(A x)ᵀ, seen on fresh inputs. g is the loss's gradient by the output; the learning rate is 1.
    """
    sizes = np.empty(len(ranks))
    for i, rank in enumerate(ranks):
        factor = scaling_factor(alpha, rank, scaling)
        squares = np.empty(n_seeds)
        for seed in range(n_seeds):
            rng = np.random.default_rng(seed)
            x, g, fresh = rng.normal(size=d), rng.normal(size=d), rng.normal(size=(d, 8))
            a = rng.normal(size=(rank, d)) / np.sqrt(d)
            if optimiser == "sgd":
                change = factor**2 * g[:, None] * ((a @ x) @ (a @ x))  # (d, 1)
            else:
                change = factor * np.outer(np.sign(g), np.sign(a @ x)) @ (a @ fresh)  # (d, 8)
            squares[seed] = (change**2).mean()
        sizes[i] = np.sqrt(squares.mean())
    return sizes


@dataclass(frozen=True)
class ScalingResult:
    """Sizes of the first change of the output against rank, for both scalings and one optimiser."""

    optimiser: str
    ranks: tuple[int, ...]
    sizes: dict[str, Floats]  # scaling -> (n_ranks,)


def scaling_experiment(
    optimiser: Literal["sgd", "sign"],
    ranks: Sequence[int] = (1, 2, 4, 8, 16, 32, 64, 128, 256),
    *,
    n_seeds: int = 12,
) -> ScalingResult:
    """Measure the first update under alpha/r and under alpha/√r."""
    scalings: tuple[Scaling, ...] = ("alpha/r", "alpha/sqrt(r)")
    sizes: dict[str, Floats] = {
        scaling: first_update_sizes(ranks, scaling, optimiser, n_seeds=n_seeds) for scaling in scalings
    }
    return ScalingResult(optimiser, tuple(ranks), sizes)


# --- How to merge ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MergeError:
    """What rounding does to a merge, in one number format."""

    dtype: str
    output: float  # largest |merged − unmerged| output
    weight: float  # largest |unmerge(merge(W0)) − W0|


def merge(weight: Floats, a: Floats, b: Floats, scaling: float) -> Floats:
    """W0 + scaling · B A, in the number format of `weight`; Hu et al. 2021, section 4.1."""
    return np.asarray(weight + weight.dtype.type(scaling) * (b @ a))


def unmerge(merged: Floats, a: Floats, b: Floats, scaling: float) -> Floats:
    """Take the adapter out again: merged − scaling · B A."""
    return np.asarray(merged - merged.dtype.type(scaling) * (b @ a))


def merge_error(
    dtype: DTypeLike, *, rank: int = 8, alpha: float = 16, d_out: int = 96, d_in: int = 128, seed: int = 0
) -> MergeError:
    """Merge a random adapter with everything in `dtype`, and compare outputs and weights."""
    rng = np.random.default_rng(seed)
    task = layer_task(d_out, d_in, seed=seed)
    a = rng.normal(size=(rank, d_in)) / np.sqrt(d_in)
    b = 0.1 * rng.normal(size=(d_out, rank)) / np.sqrt(rank)
    weight, inputs, a, b = (matrix.astype(dtype) for matrix in (task.weight, task.inputs, a, b))
    scaling = alpha / rank
    merged = merge(weight, a, b, scaling)
    unmerged_outputs = weight @ inputs + weight.dtype.type(scaling) * (b @ (a @ inputs))
    restored = unmerge(merged, a, b, scaling)
    return MergeError(
        np.dtype(dtype).name,
        float(np.abs((merged @ inputs).astype(np.float64) - unmerged_outputs).max()),
        float(np.abs(restored.astype(np.float64) - weight).max()),
    )
