"""Four-bit weights in blocks: NF4, uniform int4 and fp4, and the error each leaves.

Each block of 64 weights is divided by its largest absolute value, and every weight becomes the nearest of at
most 16 values; Dettmers et al. 2023, QLoRA, arXiv 2305.14314, sections 2 and 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from finetuning.numerics import Floats, Ints

# Finer near zero, where bell-shaped weights are dense, with an exact zero; the table of bitsandbytes,
# QLoRA's implementation.
NF4 = np.array(
    [
        -1.0,
        -0.6961928009986877,
        -0.5250730514526367,
        -0.39491748809814453,
        -0.28444138169288635,
        -0.18477343022823334,
        -0.09105003625154495,
        0.0,
        0.07958029955625534,
        0.16093020141124725,
        0.24611230194568634,
        0.33791524171829224,
        0.44070982933044434,
        0.5626170039176941,
        0.7229568362236023,
        1.0,
    ]
)
INT4 = np.arange(-7, 8) / 7  # equal steps; the sixteenth code would break the symmetry and is left out
# One sign bit, two of exponent, one of mantissa, over the largest; the table of bitsandbytes.
_FP4_MAGNITUDES = np.array([0, 1 / 192, 1 / 6, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 1])
FP4 = np.unique(np.concatenate([-_FP4_MAGNITUDES, _FP4_MAGNITUDES]))

CODEBOOKS = {"NF4": NF4, "int4": INT4, "fp4": FP4}
WEIGHT_KINDS = ("Gaussian", "Student-t", "uniform")


def quantise(weights: Floats, codebook: Floats, block_size: int = 64) -> tuple[Ints, Floats]:
    """Codes (n_blocks, block_size) into the sorted codebook, and the scale of each block, (n_blocks, 1).

    Raises:
        ValueError: if the number of weights is not a multiple of `block_size`.
    """
    if weights.size % block_size:
        raise ValueError(f"{weights.size} weights do not fill blocks of {block_size}")
    blocks = weights.reshape(-1, block_size)
    scales = np.abs(blocks).max(1, keepdims=True)
    scales[scales == 0] = 1  # a block of zeros stays zeros
    midpoints = (codebook[1:] + codebook[:-1]) / 2
    return np.searchsorted(midpoints, blocks / scales), scales


def dequantise(codes: Ints, scales: Floats, codebook: Floats) -> Floats:
    """The weights that the codes stand for, flat."""
    return np.asarray((codebook[codes] * scales).ravel())


def relative_rms_error(weights: Floats, codebook: Floats, block_size: int = 64) -> float:
    """Root mean square of the rounding error over that of the weights."""
    restored = dequantise(*quantise(weights, codebook, block_size), codebook)
    return float(np.sqrt(((restored - weights.ravel()) ** 2).mean() / (weights**2).mean()))


def random_weights(kind: str, n: int, rng: np.random.Generator) -> Floats:
    """Draw `n` weights: "Gaussian", "Student-t" (4 degrees of freedom, heavy tails) or "uniform".

    Raises:
        ValueError: if `kind` is none of these.
    """
    if kind == "Gaussian":
        return rng.normal(size=n)
    if kind == "Student-t":
        return rng.standard_t(4, size=n)
    if kind == "uniform":
        return rng.uniform(-1, 1, size=n)
    raise ValueError(f"weights {kind!r} are unknown; expected one of {', '.join(map(repr, WEIGHT_KINDS))}")


def code_usage(weights: Floats, codebook: Floats, block_size: int = 64) -> Floats:
    """Share of the weights that each code takes, (n_codes,); equal shares would use all 4 bits."""
    codes, _ = quantise(weights, codebook, block_size)
    return np.bincount(codes.ravel(), minlength=len(codebook)) / codes.size


@dataclass(frozen=True)
class QuantisationResult:
    """Relative RMS error of each codebook on each kind of weights; NF4's use of its codes."""

    errors: dict[str, dict[str, float]]  # weights -> codebook -> error
    nf4_usage: Floats  # (16,)


def quantisation_experiment(
    n_blocks: int = 4000, *, block_size: int = 64, seed: int = 0
) -> QuantisationResult:
    """Round weights of each kind with each codebook."""
    rng = np.random.default_rng(seed)
    samples = {kind: random_weights(kind, n_blocks * block_size, rng) for kind in WEIGHT_KINDS}
    errors = {
        kind: {
            name: relative_rms_error(weights, codebook, block_size) for name, codebook in CODEBOOKS.items()
        }
        for kind, weights in samples.items()
    }
    return QuantisationResult(errors, code_usage(samples["Gaussian"], NF4, block_size))
