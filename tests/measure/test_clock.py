"""Steps and drift of the wall clock, from its distance to the monotonic one."""

from __future__ import annotations

from itertools import count

import pytest

from measure.clock import check, read_clock_us
from measure.records import RunSample


def samples(*clock_us: int | None) -> list[RunSample]:
    return [RunSample("r", second, clock_us=value) for second, value in enumerate(clock_us)]


def test_a_steady_clock() -> None:
    found = check(samples(100, 150, 90))
    assert (found.stepped, found.step_max_ms, found.drift_ms, found.samples) == (False, 0.06, -0.01, 3)


@pytest.mark.parametrize("step_us", [5_600, -5_600, 3_600_000_000])
def test_a_step_either_way(step_us: int) -> None:
    assert check(samples(0, 0, step_us, step_us)).stepped


def test_the_kernels_slow_correction_is_no_step() -> None:
    assert not check(samples(*range(0, 30_000, 500))).stepped


def test_a_gap_in_the_samples_allows_for_its_length() -> None:
    assert not check([RunSample("r", 0, clock_us=0), RunSample("r", 20, clock_us=10_000)]).stepped


def test_nothing_read_is_not_called_steady_with_a_figure() -> None:
    found = check(samples(None, None))
    assert (found.step_max_ms, found.drift_ms, found.samples) == (None, None, 0)


def test_of_five_readings_the_quickest_counts() -> None:
    moments = iter(
        [0, 9_000_000, 10_000_000, 10_001_000, 20_000_000, 29_000_000, 30_000_000, 39_000_000, 40_000_000, 49_000_000]
    )
    walls = count(1_000_000_000, 5_000_000)
    assert read_clock_us(lambda: next(walls), lambda: next(moments)) == (1_005_000_000 - 10_000_500) // 1000
