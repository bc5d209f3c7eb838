"""What groups of runs can show, and what they cannot."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from measure.inference import Finding, difference, smallest_p

CALM = (20.0, 21.0, 20.5, 19.8, 20.2)


@pytest.mark.parametrize(("n", "m", "p"), [(1, 1, 1.0), (3, 3, 0.1), (4, 4, 2 / 70), (5, 5, 2 / 252)])
def test_the_smallest_p_of_so_many_runs(n: int, m: int, p: float) -> None:
    assert smallest_p(n, m) == pytest.approx(p)


def test_clearly_apart_is_worse_or_better_by_what_is_good() -> None:
    slower = tuple(value * 1.4 for value in CALM)
    assert difference(CALM, slower).finding is Finding.WORSE
    assert difference(slower, CALM).finding is Finding.BETTER
    assert difference(CALM, slower, more_is_better=True).finding is Finding.BETTER
    found = difference(CALM, slower)
    assert found.ratio == pytest.approx(1.4)
    assert found.low is not None
    assert found.high is not None
    assert 1 < found.low <= 1.4 <= found.high
    assert found.p == pytest.approx(smallest_p(5, 5))


def test_three_and_three_can_never_show_a_difference() -> None:
    found = difference((1.0, 1.1, 1.2), (100.0, 101.0, 102.0))
    assert found.finding is Finding.NONE
    assert "too few ever to show one" in found.reason


def test_one_and_one_have_no_spread() -> None:
    found = difference((1.0,), (2.0,))
    assert (found.finding, found.ratio, found.low, found.p) == (Finding.NONE, 2.0, None, None)
    assert "one run has no spread" in found.reason


def test_a_difference_below_the_stated_minimum_is_none() -> None:
    a, b = (100.0, 100.1, 100.2, 100.3, 100.4), (103.0, 103.1, 103.2, 103.3, 103.4)
    assert difference(a, b).finding is Finding.NONE
    assert "less than the minimum of 5 %" in difference(a, b).reason
    assert difference(a, b, minimum=0.02).finding is Finding.WORSE


def test_overlapping_groups_show_nothing() -> None:
    assert difference(CALM, (20.1, 20.9, 20.4, 19.9, 20.3)).finding is Finding.NONE


def test_zeros_have_no_ratio_and_are_not_judged() -> None:
    found = difference((0.0, 0.0, 0.0, 0.0), (0.0, 0.1, 0.2, 0.3))
    assert (found.finding, found.ratio) == (Finding.UNJUDGED, None)


def test_the_same_in_every_run_is_no_difference() -> None:
    assert difference((0.0,) * 4, (0.0,) * 4).reason == "the same in every run"


POSITIVE = st.lists(st.floats(0.1, 1e4), min_size=4, max_size=6)


@settings(max_examples=25)  # each draws 20,000 samples
@given(POSITIVE, POSITIVE)
def test_the_interval_holds_the_ratio_and_the_answer_is_the_same_each_time(a: list[float], b: list[float]) -> None:
    found = difference(a, b)
    assert found == difference(a, b)
    assert found.low is not None
    assert found.high is not None
    assert found.ratio is not None
    assert found.low <= found.ratio * 1.000001
    assert found.ratio <= found.high * 1.000001
    if found.finding is Finding.WORSE:
        assert found.low > 1


@settings(max_examples=25)
@given(POSITIVE)
def test_a_group_against_itself_never_differs(a: list[float]) -> None:
    assert difference(a, a).finding is Finding.NONE
