"""When a percentile is shown, when it is not, and what is said then."""

from __future__ import annotations

import pytest

from measure.histogram import Histogram
from measure.percentiles import events_needed, read_percentile, spread, stage_latency


def histogram(n: int, value_us: int = 5_000) -> Histogram:
    made = Histogram()
    if n:
        made.record(value_us, n)
    return made


@pytest.mark.parametrize(
    ("percent", "needed"), [(50, 1), (95, 1), (99, 1_000), (99.9, 10_000), (99.99, 100_000), (100, 1)]
)
def test_the_further_out_the_more_events_are_needed(percent: float, needed: int) -> None:
    assert events_needed(percent) == needed


def test_a_percentile_of_too_few_events_is_missing_with_the_reason() -> None:
    reading = read_percentile(histogram(999), 99)
    assert reading.ms is None
    assert reading.reason == "P99 needs 1,000 events, there were 999"
    assert not reading.infinite
    assert read_percentile(histogram(1_000), 99).ms == pytest.approx(5, rel=0.001)


def test_events_that_never_arrived_count_among_those_needed() -> None:
    assert read_percentile(histogram(995), 99, infinite=5).ms == pytest.approx(5, rel=0.001)


def test_a_percentile_among_events_that_never_arrived_is_infinite() -> None:
    reading = read_percentile(histogram(94), 95, infinite=6)
    assert (reading.ms, reading.infinite, reading.n) == (None, True, 100)


def test_of_nothing_there_is_nothing_and_no_zero() -> None:
    held = stage_latency(Histogram())
    assert (held.n, held.p50, held.max, held.mean, held.reason) == (0, None, None, None, "no events")
    assert spread(Histogram()) is None


def test_a_mean_over_events_that_never_arrived_is_not_made_up() -> None:
    held = stage_latency(histogram(99), infinite=1)
    assert held.mean is None
    assert held.n == 100
    assert "1 events never arrived" in (held.reason or "")
