"""Memory of model states while training: weights, gradients and optimiser state, in one named accounting.

The accounting is mixed-precision Adam with 16 bytes for every trained parameter: 2 (16-bit weight),
2 (16-bit gradient), 4 + 4 + 4 (32-bit master weight, momentum, variance); Rajbhandari et al. 2019, ZeRO,
arXiv 1910.02054, section 3.1. A frozen 16-bit parameter costs 2 bytes. Activations, buffers and
fragmentation come on top, so every number here is a lower bound. GB means 10⁹ bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

from finetuning.lora import Targets, trainable_parameters
from finetuning.models import ModelShape

BYTES_PER_GB = 10**9

WEIGHT_BYTES = 2  # bf16 or fp16
GRADIENT_BYTES = 2  # bf16 or fp16
OPTIMISER_BYTES = 4 + 4 + 4  # fp32 master weight, momentum, variance
TRAINED_BYTES = WEIGHT_BYTES + GRADIENT_BYTES + OPTIMISER_BYTES

NF4_BITS = 4
NF4_BLOCK = 64  # weights that share one scale; Dettmers et al. 2023, QLoRA, arXiv 2305.14314, section 3
SCALE_BLOCK = 256  # scales that share one scale of their own, under double quantisation; same section


@dataclass(frozen=True)
class ModelStates:
    """Bytes of model states by what they are for; activations are not among them."""

    method: str
    model: str
    frozen_weights: float
    trained_weights: float
    gradients: float
    optimiser: float

    @property
    def total_bytes(self) -> float:
        """All model states, in bytes."""
        return self.frozen_weights + self.trained_weights + self.gradients + self.optimiser

    @property
    def total_gb(self) -> float:
        """All model states, in GB (10⁹ bytes)."""
        return self.total_bytes / BYTES_PER_GB

    def fits(self, device_gb: float) -> bool:
        """True if the model states alone are below the device's memory; training needs room for more."""
        return self.total_gb < device_gb


def _states(method: str, model: str, frozen_bytes: float, n_trained: int) -> ModelStates:
    return ModelStates(
        method,
        model,
        frozen_weights=frozen_bytes,
        trained_weights=WEIGHT_BYTES * n_trained,
        gradients=GRADIENT_BYTES * n_trained,
        optimiser=OPTIMISER_BYTES * n_trained,
    )


def full_states(shape: ModelShape) -> ModelStates:
    """Full fine-tuning: 16 bytes for every parameter."""
    return _states("full", shape.name, 0, shape.base_parameters)


def lora_states(shape: ModelShape, targets: Targets = "all-linear", rank: int = 16) -> ModelStates:
    """LoRA: a frozen 16-bit base model, and 16 bytes for every adapter parameter."""
    n_trained = trainable_parameters(shape, targets, rank)
    return _states("LoRA", shape.name, WEIGHT_BYTES * shape.base_parameters, n_trained)


def qlora_states(shape: ModelShape, targets: Targets = "all-linear", rank: int = 64) -> ModelStates:
    """QLoRA: weight matrices in NF4 with double quantisation, the rest in 16 bits, adapters at 16 bytes."""
    n_trained = trainable_parameters(shape, targets, rank)
    return _states("QLoRA", shape.name, nf4_base_bytes(shape), n_trained)


def ppo_states(shape: ModelShape) -> ModelStates:
    """RLHF with PPO and four models of one size: policy and value trained, reward model and reference frozen.

    Value and reward models end in one number instead of a vocabulary; that difference is left out.
    """
    n_frozen = n_trained = 2 * shape.base_parameters
    return _states("PPO", shape.name, WEIGHT_BYTES * n_frozen, n_trained)


def quantisation_constant_bits(*, double: bool = True) -> float:
    """Bits for each weight that the scales cost; Dettmers et al. 2023, section 3.

    One 32-bit scale for 64 weights is 0.5 bits. Double quantisation keeps the scales in 8 bits, with one
    32-bit scale for 256 of them: 8/64 + 32/(64·256) = 0.127 bits.
    """
    if double:
        return 8 / NF4_BLOCK + 32 / (NF4_BLOCK * SCALE_BLOCK)
    return 32 / NF4_BLOCK


def nf4_base_bytes(shape: ModelShape, *, double: bool = True) -> float:
    """Bytes of a base model: weight matrices in NF4; embeddings, output layer and norms in 16 bits."""
    nf4_bits = shape.linear_parameters * (NF4_BITS + quantisation_constant_bits(double=double))
    return nf4_bits / 8 + WEIGHT_BYTES * (shape.base_parameters - shape.linear_parameters)


def bytes_per_parameter(total_bytes: float, n_parameters: float) -> float:
    """The accounting behind a published total: how many bytes it allows each parameter."""
    return total_bytes / n_parameters
