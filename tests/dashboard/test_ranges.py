from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dashboard.ranges import MAX_POINTS, RangeError, TimeRange, step_of

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@given(some.integers(1, 50 * 366 * 86_400), some.sampled_from([1, 60]))
def test_no_range_has_more_points_than_a_series_may_have(length_s: int, finest_s: int) -> None:
    assert step_of(length_s, finest_s) >= finest_s
    assert len(TimeRange.last(length_s, NOON.timestamp(), finest_s).starts()) <= MAX_POINTS


@given(some.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)), some.integers(1, 40 * 366 * 86_400))
def test_a_fixed_range_holds_what_was_asked_for_within_the_points(start: datetime, length_s: int) -> None:
    made = TimeRange.between(start, start + timedelta(seconds=length_s))
    asked = start.replace(tzinfo=UTC, microsecond=0).timestamp()
    assert made.start_s <= asked
    assert made.end_s >= asked + length_s
    assert len(made.starts()) <= MAX_POINTS


@pytest.mark.parametrize(("hours", "said"), [(0, "equals"), (-1, "is not before")])
def test_an_empty_or_reversed_range_is_refused_with_what_to_do(hours: int, said: str) -> None:
    with pytest.raises(RangeError, match=f"{said} the end .* Choose a start that lies before the end"):
        TimeRange.between(NOON, NOON + timedelta(hours=hours))


def test_a_live_range_ends_with_the_step_under_way() -> None:
    made = TimeRange.last(3600, NOON.timestamp() + 61)
    assert made.end_s == NOON.timestamp() + 120
    assert made.length_s == 3600
    assert made.live
