"""Stability: whether P95 rose or fell over the run.

The slope is that of Theil and Sen (the median of the slopes between all pairs of slices), which one bad slice does
not move, with its 95 % interval.
"""

from __future__ import annotations

from measure.evidence import Evidence
from measure.figures import Stability
from measure.percentiles import read_percentile

LEAST_SLICES = 5
MOST_SLICES = 180
LONGEST_SLICE_S = 10
LEAST_EVENTS = 20
_CONFIDENCE = 0.95


def stability(evidence: Evidence) -> Stability:
    """Slope of P95 of slices of equal length over the load, in ms a minute."""
    seconds = evidence.seconds
    slice_s = _slice_length(len(seconds))
    points: list[tuple[float, float]] = []
    for start in range(0, len(seconds) - slice_s + 1, slice_s):
        part = seconds[start : start + slice_s]
        missing = sum(evidence.load.missing[second] for second in part)
        reading = read_percentile(evidence.load.histogram("e2e", part), 95, missing)
        if reading.ms is not None and reading.n >= LEAST_EVENTS:
            points.append(((start + slice_s / 2) / 60, reading.ms))
    if len(points) < LEAST_SLICES:
        reason = f"{LEAST_SLICES} slices of {slice_s} s with events are needed, there were {len(points)}"
        return Stability(None, None, None, len(points), slice_s, reason)
    slope, low, high = _slope(points)
    return Stability(round(slope, 3), round(low, 3), round(high, 3), len(points), slice_s)


def _slice_length(seconds: int) -> int:
    """Short runs get short slices, so that there are about twelve; long ones get longer ones, to stay below 180."""
    return max(1, min(LONGEST_SLICE_S, seconds // 12), -(-seconds // MOST_SLICES))


def _slope(points: list[tuple[float, float]]) -> tuple[float, float, float]:
    from scipy import stats  # takes 0.3 s to load, which a console that starts should not wait for

    minutes, p95_ms = zip(*points, strict=True)
    found = stats.theilslopes(p95_ms, minutes, _CONFIDENCE)
    return float(found.slope), float(found.low_slope), float(found.high_slope)
