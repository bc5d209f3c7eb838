"""When a warm-up is over, and what is said when it is not."""

from __future__ import annotations

import pytest

from measure.histogram import Histogram
from measure.records import LagSample, RunSample
from scenarios.steady import unsteady

RATE = 100


def second_of(*values_ms: float) -> Histogram:
    held = Histogram()
    for value in values_ms:
        held.record(round(value * 1000), RATE // len(values_ms))
    return held


def samples(lags: list[int]) -> list[RunSample]:
    return [RunSample("r", second, RATE, lag=LagSample(events)) for second, events in enumerate(lags)]


STEADY = {second: second_of(20, 30) for second in range(20)}
DUE = dict.fromkeys(range(20), RATE)
CALM = samples([5] * 20)


def test_a_pipeline_in_its_stride_is_steady() -> None:
    assert unsteady(STEADY, DUE, CALM) is None


def test_a_second_or_two_that_are_still_arriving_do_not_matter() -> None:
    arriving = {**STEADY, 18: second_of(20)}
    del arriving[19]
    arriving[18].counts.clear()
    assert unsteady(arriving, DUE, CALM) is None


@pytest.mark.parametrize(
    ("slices", "due", "lags", "why"),
    [
        ({}, {}, [5] * 20, "10 due-seconds with all their events stored are needed, there were 0"),
        (dict(list(STEADY.items())[:9]), DUE, [5] * 20, "there were 9"),
        (dict(list(STEADY.items())[:12]), DUE, [5] * 20, "the events due in the last 8 s are not stored yet"),
        (
            {**STEADY, **{second: second_of(200) for second in range(15, 20)}},
            DUE,
            [5] * 20,
            "P50 went from 20 to 200 ms in 10 s",
        ),
        (
            {**STEADY, **{second: second_of(20, 900) for second in range(10, 15)}},
            DUE,
            [5] * 20,
            "P95 went from 900 to 30 ms in 10 s",
        ),
        (STEADY, DUE, [250] * 20, "the lag is 2.5 s of load"),
        (STEADY, DUE, [0, 0, 0, *range(0, 17 * 6, 6)], "the lag grows by 0.06 s of load each second"),
        (STEADY, DUE, [], "the lag is not known"),
    ],
)
def test_what_is_not_steady_is_said(
    slices: dict[int, Histogram], due: dict[int, int], lags: list[int], why: str
) -> None:
    found = unsteady(slices, due, samples(lags))
    assert found is not None
    assert why in found
