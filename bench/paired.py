"""Differences of what was measured in pairs, for times that scatter more than they differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist


@dataclass(frozen=True)
class Difference:
    """How much later one is than another, in their unit: an estimate, and its interval of 95 %."""

    estimate: float
    low: float
    high: float


def difference(ones: Sequence[float], others: Sequence[float]) -> Difference:
    """The Hodges-Lehmann estimate of what lies between two, and the interval of the signed-rank test.

    It is the median of the means of every two differences, so that single late visits hardly move it. The
    interval holds those of them that the test of Wilcoxon does not refuse at 5 %, in its normal approximation
    (Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, 3rd edition, sections 3.2 and 3.3).

    Args:
        ones: n values.
        others: n values; each was measured beside that of `ones` at the same place.

    Raises:
        ValueError: the two are not equally many, or fewer than six; with five nothing is refused at 5 %.
    """
    differences = [one - other for one, other in zip(ones, others, strict=True)]
    n = len(differences)
    if n < 6:
        raise ValueError(f"{n} pairs are too few for an interval of 95 %; six at least")
    means = sorted((a + b) / 2 for i, a in enumerate(differences) for b in differences[i:])
    spread = NormalDist().inv_cdf(0.975) * math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    out = max(0, round(n * (n + 1) / 4 - spread) - 1)  # so many are left out at each end
    middle = len(means) // 2
    return Difference((means[middle] + means[~middle]) / 2, means[out], means[~out])
