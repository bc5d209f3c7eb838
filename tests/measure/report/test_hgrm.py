"""`.hgrm`: lines that rise, end at the maximum, and give the percentiles of the document."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from measure.histogram import Histogram
from measure.report.hgrm import block, steps

VALUES = st.lists(st.integers(0, 10**8), min_size=1, max_size=300)


def histogram(values: list[int]) -> Histogram:
    made = Histogram()
    for value in values:
        made.record(value)
    return made


@given(VALUES, st.integers(0, 20))
def test_every_line_is_a_quantile_of_the_histogram(values: list[int], infinite: int) -> None:
    held = histogram(values)
    found = list(steps(held, infinite))
    assert [line[0] for line in found] == sorted({line[0] for line in found})
    for value_ms, share, below in found:
        assert held.percentile_us(share * 100, infinite) == pytest.approx(value_ms * 1000)
        assert below == round(share * (len(values) + infinite))
    value_ms, share, below = found[-1]
    assert value_ms == pytest.approx(max(values) / 1000, rel=0.001)
    assert (below, share) == (len(values), len(values) / (len(values) + infinite))


def test_a_block_has_the_lines_that_its_readers_want() -> None:
    lines = block("e2e", histogram([1_000] * 90 + [2_000] * 10)).splitlines()
    assert lines[1].split() == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"]
    assert lines[3].split() == ["1.000", "0.900000000000", "90", "10.00"]
    assert lines[4].split() == ["2.000", "1.000000000000", "100"]
    assert lines[5] == "#[Mean    =        1.100, StdDeviation   =        0.300]"
    assert lines[6] == "#[Max     =        2.000, Total count    =          100]"


def test_events_that_never_arrived_leave_the_end_open() -> None:
    text = block("e2e", histogram([1_000] * 90), infinite=10)
    assert "0.900000000000" in text
    assert "1.000000000000" not in text
    assert "Never arrived, ranked last = 10" in text
