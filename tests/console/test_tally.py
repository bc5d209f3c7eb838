"""The console's arrays give what measure.histogram gives, bucket for bucket."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.feed.tally import BUCKETS, EMPTY, Tally, Total
from measure.buckets import bounds_us
from measure.histogram import Histogram, bucket_bounds_us

VALUES = st.lists(st.integers(0, 3_600_000_000), min_size=1, max_size=60)


def histogram(values: list[int]) -> Histogram:
    held = Histogram()
    for value in values:
        held.record(value)
    return held


def tally(held: Histogram) -> Tally:
    return Tally.of(held.counts, held.negatives, held.max_us)


@given(VALUES, st.sampled_from([50.0, 75.0, 90.0, 95.0, 99.0, 99.9]), st.integers(0, 20))
def test_percentiles_equal(values: list[int], percent: float, infinite: int) -> None:
    held = histogram(values)
    assert tally(held).percentiles_us((percent,), infinite) == [held.percentile_us(percent, infinite)]


@given(VALUES, VALUES)
def test_merging_equals(one: list[int], other: list[int]) -> None:
    whole = Histogram.merged([histogram(one), histogram(other)])
    merged = Tally.merged([tally(histogram(one)), tally(histogram(other))])
    assert dict(zip(merged.buckets.tolist(), merged.counts.tolist(), strict=True)) == whole.counts
    assert (merged.n, merged.max_us) == (whole.n, whole.max_us)


@given(VALUES, VALUES)
def test_a_total_gives_back_what_was_taken_out(one: list[int], other: list[int]) -> None:
    total = Total()
    total.add(tally(histogram(one)))
    total.add(tally(histogram(other)))
    total.take(tally(histogram(other)))
    assert total.tally().percentiles_us((50.0,)) == tally(histogram(one)).percentiles_us((50.0,)) or max(other) > max(
        one
    )
    assert total.tally().n == len(one)
    assert total.tally([tally(histogram(one))]).n == 0


@given(st.lists(st.integers(0, BUCKETS - 1), min_size=1, max_size=20))
def test_bounds_equal(buckets: list[int]) -> None:
    low, high = bounds_us(np.array(buckets, np.uint16))
    assert list(zip(low.tolist(), high.tolist(), strict=True)) == [bucket_bounds_us(bucket) for bucket in buckets]


def test_binned_keeps_every_event() -> None:
    held = tally(histogram([1, 500, 5_000, 50_000, 10**9]))
    assert held.binned(np.array([1_000.0, 10_000.0, 100_000.0])).tolist() == [3, 2]


def test_nothing_has_no_percentile() -> None:
    assert EMPTY.percentiles_us((50.0,)) == [None]
    assert Tally.merged([]).n == 0


@pytest.mark.parametrize(("limit_us", "within"), [(999, 0), (1_000, 1), (10**7, 3)])
def test_count_within(limit_us: int, within: int) -> None:
    assert tally(histogram([1_000, 2_000, 3_000])).count_within(limit_us) == within
