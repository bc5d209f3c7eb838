"""Whether the pipeline has reached its stride: what the end of the warm-up is judged by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import linear_regression

from measure.histogram import Histogram
from measure.percentiles import read_percentile
from measure.records import RunSample

HALF_S = 5
"""Two stretches of so many complete seconds are compared."""
_TIMES = 1.5
_ABOVE_MS = 20.0
"""P50 and P95 of the later stretch may be 1.5 times, or 20 ms above, those of the earlier one, and the reverse."""
_LAG_S = 1.0
LARGEST_GROWTH = 0.05
"""A lag that grows by more than so many seconds of load each second is not about 0."""


def unsteady(slices: Mapping[int, Histogram], due: Mapping[int, int], samples: Sequence[RunSample]) -> str | None:
    """Why the warm-up is not steady yet, or None when it is.

    `slices`: due-second → e2e histogram; `due`: due-second → events due; `samples`: one for each second, in order.
    """
    settled = [second for second in sorted(due) if _arrived(slices, second) >= due[second]]
    newest = settled[-2 * HALF_S :]
    if len(newest) < 2 * HALF_S:
        return f"{2 * HALF_S} due-seconds with all their events stored are needed, there were {len(newest)}"
    if newest[-1] < max(due) - HALF_S:
        return f"the events due in the last {max(due) - newest[-1]} s are not stored yet"
    return _moved(slices, newest) or _behind(samples)


def _arrived(slices: Mapping[int, Histogram], second: int) -> int:
    return slices[second].n if second in slices else 0


def _moved(slices: Mapping[int, Histogram], newest: Sequence[int]) -> str | None:
    halves = [Histogram.merged(slices[second] for second in half) for half in (newest[:HALF_S], newest[HALF_S:])]
    for percent in (50, 95):
        before, after = (read_percentile(half, percent).ms for half in halves)
        if before is None or after is None:
            return f"P{percent} is not known"
        low, high = sorted((before, after))
        if high > max(low * _TIMES, low + _ABOVE_MS):
            return f"P{percent} went from {before:,.0f} to {after:,.0f} ms in {2 * HALF_S} s"
    return None


def _behind(samples: Sequence[RunSample]) -> str | None:
    read = [sample for sample in samples if sample.lag is not None][-2 * HALF_S :]
    if len(read) < HALF_S:
        return "the lag is not known"
    lags = [sample.lag.events / max(1.0, sample.target_rate) for sample in read if sample.lag is not None]
    if lags[-1] > _LAG_S:
        return f"the lag is {lags[-1]:.1f} s of load"
    grew = growth(lags)
    return f"the lag grows by {grew:.2f} s of load each second" if grew > LARGEST_GROWTH else None


def growth(lags_s: Sequence[float]) -> float:
    """By how much the lag, in seconds of load, grew from one second to the next (least squares)."""
    return linear_regression(range(len(lags_s)), lags_s).slope
