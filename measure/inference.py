"""Whether two groups of runs differ: the run is the unit, never the event.

Events of one run depend on each other (a stall slows thousands at once), so a test over events finds "significant"
differences between any two runs. Here each run gives one figure. Two groups of figures are compared by the ratio of
their medians with a bootstrap interval over runs, and by the exact Mann-Whitney U test. See Kalibera and Jones 2013
(the run as the unit) and Go's benchstat (median, U test, `~` where nothing is shown).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
RESAMPLES = 9_999
EXACT_LIMIT = 20_000
"""Up to so many ways to split the runs, ties are dealt with by going through all of them."""
MINIMUM_EFFECT = 0.05
"""Share by which the medians must differ at least, unless the caller states another one."""


class Finding(StrEnum):
    """What the runs show of the second group against the first."""

    BETTER = "better"
    WORSE = "worse"
    NONE = "no difference shown"
    UNJUDGED = "not judged"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """The second group against the first, in one figure."""

    n: tuple[int, int]
    medians: tuple[float, float]
    ratio: float | None
    """Second median by first; null where a value is not above zero."""
    low: float | None
    high: float | None
    """Bootstrap 95 % interval of the ratio."""
    p: float | None
    """Two-sided p of the exact Mann-Whitney U test."""
    finding: Finding
    reason: str
    """Why the finding is what it is."""


def smallest_p(n: int, m: int) -> float:
    """The smallest two-sided p that the exact U test of `n` against `m` runs can reach."""
    return min(1.0, 2 / math.comb(n + m, n))


def difference(
    first: Sequence[float],
    second: Sequence[float],
    *,
    more_is_better: bool = False,
    minimum: float = MINIMUM_EFFECT,
    seed: int = 1,
) -> Difference:
    """`second` against `first`, one value a run (each group ≥ 1).

    `better` or `worse` only where the interval of the ratio leaves 1, the test's p is below 0.05, and the medians
    differ by at least `minimum` (a share). `seed` fixes the bootstrap.
    """
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    medians = (float(np.median(a)), float(np.median(b)))
    positive = bool((a > 0).all() and (b > 0).all())
    ratio = medians[1] / medians[0] if positive else None
    enough = min(len(a), len(b)) > 1
    low, high = _interval(a, b, seed) if positive and enough else (None, None)
    p = _mann_whitney(a, b, seed) if enough else None
    if len(np.unique(np.concatenate((a, b)))) == 1:
        finding, reason = Finding.NONE, "the same in every run"
    else:
        finding, reason = _judge((len(a), len(b)), ratio, (low, high), p, more_is_better, minimum)
    return Difference(
        n=(len(a), len(b)), medians=medians, ratio=ratio, low=low, high=high, p=p, finding=finding, reason=reason
    )


def _judge(
    n: tuple[int, int],
    ratio: float | None,
    interval: tuple[float | None, float | None],
    p: float | None,
    more_is_better: bool,
    minimum: float,
) -> tuple[Finding, str]:
    low, high = interval
    if smallest_p(*n) >= 1 - CONFIDENCE:
        best = f"at best p = {smallest_p(*n):.2g}" if min(n) > 1 else "one run has no spread"
        return Finding.NONE, f"{n[0]} and {n[1]} runs are too few ever to show one ({best}); take at least 4 and 4"
    if ratio is None or low is None or high is None or p is None:
        return Finding.UNJUDGED, "a ratio needs values above zero in every run"
    if low <= 1 <= high:
        return Finding.NONE, "the interval of the ratio holds 1"
    if p >= 1 - CONFIDENCE:
        return Finding.NONE, f"p = {p:.2g}"
    if abs(ratio - 1) < minimum:
        return Finding.NONE, f"the medians differ by less than the minimum of {minimum * 100:g} %"
    better = (ratio > 1) == more_is_better
    return (Finding.BETTER if better else Finding.WORSE), f"the interval leaves 1, p = {p:.2g}"


def _interval(a: NDArray[np.float64], b: NDArray[np.float64], seed: int) -> tuple[float, float]:
    """Percentile bootstrap interval of median(b) / median(a), resampling runs within each group."""
    random = np.random.default_rng(seed)
    medians = [np.median(random.choice(group, (RESAMPLES, len(group))), axis=1) for group in (a, b)]
    outside = (1 - CONFIDENCE) / 2 * 100
    low, high = np.percentile(medians[1] / medians[0], [outside, 100 - outside])
    return float(low), float(high)


def _mann_whitney(a: NDArray[np.float64], b: NDArray[np.float64], seed: int) -> float:
    """Two-sided p, exact; with ties over all splits of the runs, or over a seeded sample of too many."""
    from scipy.stats import PermutationMethod, mannwhitneyu

    tied = len(np.unique(np.concatenate((a, b)))) < len(a) + len(b)
    method = PermutationMethod(n_resamples=EXACT_LIMIT, rng=np.random.default_rng(seed)) if tied else "exact"
    return float(mannwhitneyu(a, b, alternative="two-sided", method=method).pvalue)
