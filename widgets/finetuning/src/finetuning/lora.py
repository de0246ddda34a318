"""Counting LoRA: how many parameters adapters add to a model, as `peft` counts them.

Formula: r (d_in + d_out) for each adapted matrix; Hu et al. 2021, LoRA, arXiv 2106.09685, section 4.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from finetuning.models import ModelShape

# Which modules of each layer get an adapter. "all-linear" is `peft`'s own name and means every weight matrix
# of every layer, without the embeddings and the output layer. "qv" is its default for the Llama family.
QUERY_VALUE = ("q_proj", "v_proj")
ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
Targets: TypeAlias = str | Sequence[str]
TARGETS = ("qv", "attention", "all-linear")


def adapter_parameters(d_in: int, d_out: int, rank: int) -> int:
    """Parameters of one adapter: A is (rank, d_in), B is (d_out, rank).

    Raises:
        ValueError: if a size is not positive.
    """
    if min(d_in, d_out, rank) < 1:
        raise ValueError(f"sizes must be at least 1, got d_in={d_in}, d_out={d_out}, rank={rank}")
    return rank * (d_in + d_out)


def target_modules(shape: ModelShape, targets: Targets) -> tuple[str, ...]:
    """Names of the modules that a target set means for this model.

    Args:
        shape: The model.
        targets: "qv", "attention", "all-linear", the name of one module, or a sequence of names.

    Raises:
        ValueError: if the model has no such module; the message lists those it has.
    """
    if targets == "all-linear":
        return tuple(shape.linear_layers)
    if targets == "qv":
        names: tuple[str, ...] = QUERY_VALUE
    elif targets == "attention":
        names = ATTENTION
    else:
        names = (targets,) if isinstance(targets, str) else tuple(targets)
    unknown = [name for name in names if name not in shape.linear_layers]
    if unknown or not names:
        known = ", ".join([*TARGETS, *shape.linear_layers])
        raise ValueError(f"{shape.name} has no target module {unknown or targets!r}; it has: {known}")
    return names


def trainable_parameters(shape: ModelShape, targets: Targets, rank: int) -> int:
    """Parameters that LoRA of this rank trains on these modules: r (d_in + d_out) summed over all of them."""
    per_layer = sum(
        adapter_parameters(*shape.linear_layers[name], rank) for name in target_modules(shape, targets)
    )
    return shape.n_layers * per_layer


def base_parameters(shape: ModelShape) -> int:
    """Parameters of the model before adapters are added."""
    return shape.base_parameters


def all_parameters(shape: ModelShape, targets: Targets, rank: int) -> int:
    """Base and adapter parameters together, which `peft` prints as "all params"."""
    return shape.base_parameters + trainable_parameters(shape, targets, rank)


def trainable_percent(shape: ModelShape, targets: Targets, rank: int) -> float:
    """Adapters as a percentage of base and adapters together, which `peft` prints as "trainable%"."""
    return 100 * trainable_parameters(shape, targets, rank) / all_parameters(shape, targets, rank)


@dataclass(frozen=True)
class ParameterCurve:
    """Trainable parameters of one model against rank."""

    model: str
    targets: str
    ranks: tuple[int, ...]
    trainable: tuple[int, ...]
    base: int


def parameter_curve(shape: ModelShape, targets: str, ranks: Sequence[int]) -> ParameterCurve:
    """Count the trainable parameters at each rank."""
    counts = tuple(trainable_parameters(shape, targets, rank) for rank in ranks)
    return ParameterCurve(shape.name, targets, tuple(ranks), counts, shape.base_parameters)


def paper_parameters(d_model: int, n_matrices: int, rank: int) -> int:
    """The paper's own count, for square matrices: 2 · n_matrices · d_model · rank; section 5.1."""
    return 2 * n_matrices * d_model * rank


@dataclass(frozen=True)
class PublishedRow:
    """A row of the LoRA paper: its stated setting and the millions of parameters it prints."""

    setting: str
    d_model: int
    n_matrices: int
    rank: int
    printed_millions: float
    decimals: int

    @property
    def computed_millions(self) -> float:
        """What the paper's formula gives for the stated setting."""
        return paper_parameters(self.d_model, self.n_matrices, self.rank) / 1e6

    @property
    def agrees(self) -> bool:
        """True if the formula, rounded as printed, gives the printed number."""
        return round(self.computed_millions, self.decimals) == self.printed_millions


# Hu et al. 2021: the ranks as stated in the tables and in appendix D.4, the millions as printed.
PUBLISHED_ROWS = (
    PublishedRow("RoBERTa-base q,v r=8", 768, 2 * 12, 8, 0.3, 1),
    PublishedRow("RoBERTa-large q,v r=8", 1024, 2 * 24, 8, 0.8, 1),
    PublishedRow("GPT-3 q,v r=1", 12288, 2 * 96, 1, 4.7, 1),
    PublishedRow("GPT-3 q,v r=8", 12288, 2 * 96, 8, 37.7, 1),
    PublishedRow("DeBERTa-XXL q,v r=8 (Table 10)", 1536, 2 * 48, 8, 4.7, 1),
    PublishedRow("GPT-2 M q,v r=4 (Table 11)", 1024, 2 * 24, 4, 0.35, 2),
    PublishedRow("GPT-2 L q,v r=4 (Table 11)", 1280, 2 * 36, 4, 0.77, 2),
    PublishedRow("GPT-3 q,k,v,o r=2 (D.4)", 12288, 4 * 96, 2, 37.7, 1),
)
