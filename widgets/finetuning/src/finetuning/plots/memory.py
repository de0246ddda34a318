"""Figures about memory while training."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from finetuning import style
from finetuning.memory import BYTES_PER_GB, ModelStates

_PARTS = (
    ("frozen_weights", "frozen weights", style.GREY),
    ("trained_weights", "trained weights", style.GREEN),
    ("gradients", "gradients", style.BLUE),
    ("optimiser", "optimiser state", style.ORANGE),
)


@style.figure
def memory_by_method(states: Sequence[ModelStates], *, device_gb: float = 24) -> Figure:
    """Model states in GB, a bar for each method, split by what they are for; a line marks a device's memory.

    Args:
        states: The bars, from top to bottom; all in the same accounting.
        device_gb: Memory of the device to compare with, in GB.
    """
    fig, axes = style.subplots(height=0.55 * len(states) + 1.6)
    one_model = len({state.model for state in states}) == 1
    names = [
        f"{state.method if one_model else f'{state.model} {state.method}'}\n{state.total_gb:.1f} GB"
        for state in states
    ]
    left = [0.0] * len(states)
    for field, label, colour in _PARTS:
        widths = [getattr(state, field) / BYTES_PER_GB for state in states]
        axes.barh(names, widths, left=left, height=0.55, color=colour, label=label)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.axvline(device_gb, color=style.GREY, linestyle=style.DASHES[1], linewidth=1.2)
    axes.text(device_gb, -0.62, f" {device_gb:g} GB", ha="left", va="bottom", fontsize=style.LABEL_SIZE)
    axes.set_ylim(len(states) - 0.5, -0.95)
    axes.set_xlim(0, 1.04 * max(*left, device_gb))
    axes.set_xlabel("model states in GB (activations not included)")
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    fig.legend(loc="outside upper left", ncols=2, handlelength=1, columnspacing=1.2)
    plt.close(fig)
    return fig
