"""The histogram against the exact answer, for many shapes of data."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from measure.histogram import Histogram, bucket_bounds_us, bucket_of

VALUES_US = st.one_of(
    st.integers(0, 5_000),
    st.integers(0, 10**12),
    st.sampled_from([0, 2_047, 2_048, 4_095, 4_096, 10**15]),
)
SHAPES = st.one_of(
    st.lists(VALUES_US, min_size=1, max_size=300),
    st.builds(lambda value, n: [value] * n, VALUES_US, st.integers(1, 50)),
    st.builds(
        lambda low, high: low + high, *[st.lists(st.integers(*r), min_size=1) for r in ((900, 1_100), (10**6, 10**7))]
    ),
)


def exact_percentile(values: list[int], percent: float) -> int:
    return sorted(values)[max(1, math.ceil(percent / 100 * len(values) - 1e-9)) - 1]


@given(VALUES_US)
def test_a_value_lies_in_its_bucket_which_is_narrower_than_a_thousandth(value: int) -> None:
    low, high = bucket_bounds_us(bucket_of(value))
    assert low <= value <= high
    assert high - low <= value / 1024


@given(st.integers(0, 10**13))
def test_buckets_are_in_the_order_of_their_values(value: int) -> None:
    assert bucket_of(value + 1) - bucket_of(value) in (0, 1)


@given(SHAPES, st.sampled_from([0.1, 50, 75, 90, 95, 99, 99.9, 100]), st.data())
def test_percentiles_of_merged_parts_are_within_a_fifth_of_a_percent_of_the_exact_one(
    values: list[int], percent: float, data: st.DataObject
) -> None:
    parts = [Histogram() for _ in range(4)]
    for value in values:
        parts[data.draw(st.integers(0, 3))].record(value)
    found = Histogram.merged(parts).percentile_us(percent)
    assert found == pytest.approx(exact_percentile(values, percent), rel=0.002)


def test_what_never_arrived_ranks_last() -> None:
    histogram = Histogram()
    histogram.record(10, 90)
    assert histogram.percentile_us(90, infinite=10) == 10
    assert histogram.percentile_us(91, infinite=10) is None


def test_nothing_has_no_percentile_and_no_mean() -> None:
    assert Histogram().percentile_us(50) is None
    assert Histogram().mean_us() is None


def test_negative_values_are_counted_apart() -> None:
    histogram = Histogram()
    histogram.record(-3)
    histogram.record(7)
    assert (histogram.n, histogram.negatives, histogram.percentile_us(50)) == (1, 1, 7)


@given(SHAPES)
def test_stored_counts_come_back(values: list[int]) -> None:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    stored = {str(index): n for index, n in histogram.counts.items()}
    assert Histogram.from_counts(stored, histogram.negatives, histogram.max_us) == histogram
