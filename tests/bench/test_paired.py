"""What `make bench` says of differences."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"

# Nine patients before and after (Hollander, Wolfe and Chicken, example 3.1); R's wilcox.test finds the same.
BEFORE = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
AFTER = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]


@pytest.fixture(autouse=True)
def _bench(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCH)


def test_the_interval_is_that_of_a_published_example() -> None:
    from paired import difference

    found = difference(BEFORE, AFTER)
    assert (found.estimate, found.low, found.high) == pytest.approx((0.46, 0.01, 0.786))
    turned = difference(AFTER, BEFORE)
    assert (turned.estimate, turned.low, turned.high) == pytest.approx((-0.46, -0.786, -0.01))


def test_the_interval_holds_the_difference_in_nineteen_of_twenty() -> None:
    from paired import difference

    chance = random.Random(1)
    held = 0
    for _ in range(400):
        later, earlier = ([chance.gauss(mean, 1) for _ in range(40)] for mean in (5, 0))
        found = difference(later, earlier)
        held += found.low <= 5 <= found.high
    assert 366 <= held <= 394  # three standard errors around 380


def test_too_few_pairs_are_refused() -> None:
    from paired import difference

    with pytest.raises(ValueError, match="5 pairs are too few"):
        difference([1.0] * 5, [2.0] * 5)
