"""Percentiles of merged histograms, with what must be said beside them: how many events, and why one is missing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from measure.figures import Spread, StageLatency
from measure.histogram import Histogram

PERCENTS = {"p50": 50.0, "p75": 75.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p999": 99.9}
"""Name in the document → percent."""

EVENTS_ABOVE = 10
"""From P99 on, at least so many events must lie above a percentile: P99 wants 1,000 events, P99.9 wants 10,000."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A percentile in ms, or None with the reason; over `n` events."""

    ms: float | None
    n: int
    reason: str | None = None
    infinite: bool = False
    """Whether it is missing because it falls among events that never arrived."""


def events_needed(percent: float) -> int:
    """How many events a percentile needs to be shown."""
    return math.ceil(round(EVENTS_ABOVE * 100 / (100 - percent), 6)) if 99 <= percent < 100 else 1


def percent_name(percent: float) -> str:
    """`P95`, `P99.9`."""
    return f"P{percent:g}"


def read_percentile(histogram: Histogram, percent: float, infinite: int = 0) -> Reading:
    """The percentile of `histogram` with `infinite` events ranked above all of it."""
    return read_percentiles(histogram, (percent,), infinite)[0]


def read_percentiles(histogram: Histogram, percents: Sequence[float], infinite: int = 0) -> list[Reading]:
    """`read_percentile` of each of `percents`, in one pass over the buckets."""
    n = histogram.n + infinite
    found = histogram.percentiles_us(percents, infinite)
    return [_reading(percent, found_us, n, infinite) for percent, found_us in zip(percents, found, strict=True)]


def _reading(percent: float, found_us: float | None, n: int, infinite: int) -> Reading:
    if not n:
        return Reading(None, 0, "no events")
    if n < events_needed(percent):
        return Reading(None, n, f"{percent_name(percent)} needs {events_needed(percent):,} events, there were {n:,}")
    if found_us is None:
        return Reading(None, n, f"{percent_name(percent)} falls among {infinite:,} events that never arrived", True)
    return Reading(milliseconds(found_us), n)


def stage_latency(histogram: Histogram, infinite: int = 0) -> StageLatency:
    """The figures of one stage. `max` is that of the events that arrived; there is no mean if some did not."""
    found = read_percentiles(histogram, tuple(PERCENTS.values()), infinite)
    readings = dict(zip(PERCENTS, found, strict=True))
    reasons = list(dict.fromkeys(reading.reason for reading in readings.values() if reading.reason))
    if infinite:
        reasons = [
            f"{infinite:,} events never arrived and rank last",
            *(r for r in reasons if "never arrived" not in r),
        ]
    mean_us = None if infinite else histogram.mean_us()
    return StageLatency(
        n=histogram.n + infinite,
        **{name: reading.ms for name, reading in readings.items()},
        max=milliseconds(histogram.max_us) if histogram.counts else None,
        mean=None if mean_us is None else milliseconds(mean_us),
        infinite=infinite,
        negatives=histogram.negatives,
        reason="; ".join(reasons) or None,
    )


def spread(histogram: Histogram) -> Spread | None:
    """P50, P95 and maximum in ms; None of nothing."""
    if not histogram.n:
        return None
    p50, p95 = (read_percentile(histogram, percent).ms for percent in (50, 95))
    return Spread(p50, p95, milliseconds(histogram.max_us), histogram.n)


def merged_stages(parts: Iterable[dict[str, Histogram]]) -> dict[str, Histogram]:
    """Stage → histogram of all `parts`."""
    whole: dict[str, Histogram] = {}
    for part in parts:
        for stage, histogram in part.items():
            whole.setdefault(stage, Histogram()).merge(histogram)
    return whole


def count_within(histogram: Histogram, bucket: int) -> int:
    """How many values lie in `bucket` or below."""
    return sum(n for index, n in histogram.counts.items() if index <= bucket)


def milliseconds(us: float) -> float:
    """µs as ms, to the µs."""
    return round(us / 1000, 3)
