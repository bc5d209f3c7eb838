"""How figures are written."""

from __future__ import annotations

import pytest

from measure.report import wording


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.002, "0.002"),
        (0.421, "0.42"),
        (4.214, "4.21"),
        (9.996, "10.0"),
        (46.07, "46.1"),
        (99.96, "100"),
        (1265.4, "1,265"),
    ],
)
def test_three_digits_that_count(value: float, text: str) -> None:
    assert wording.significant(value) == text
    assert wording.significant(-value) == (f"-{text}" if value else "0")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.00 %"),
        (1, "100.00 %"),
        (0.99999999, "> 99.99 %"),
        (1e-9, "< 0.01 %"),
        (0.5, "50.00 %"),
        (-0.058, "-5.80 %"),
    ],
)
def test_a_share_is_never_rounded_to_all_or_nothing(value: float, text: str) -> None:
    assert wording.share(value) == text


def test_what_is_unknown_is_a_dash_and_no_zero() -> None:
    unknown = [wording.ms, wording.count, wording.rate, wording.share, wording.seconds, wording.bytes_, wording.cores]
    assert {write(None) for write in unknown} == {wording.UNKNOWN}
    assert wording.with_unit(None, "ms") == wording.moment(None) == wording.UNKNOWN


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.84, "0.8 s"), (45, "45 s"), (119.6, "2 min"), (900, "15 min"), (3900, "1 h 5 min"), (125, "2 min 5 s")],
)
def test_durations(value: float, text: str) -> None:
    assert wording.seconds(value) == text


@pytest.mark.parametrize(("value", "text"), [(134, "02:14"), (-20, "-00:20"), (3734, "1:02:14"), (-0.2, "00:00")])
def test_times_on_the_time_line(value: float, text: str) -> None:
    assert wording.at(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0 B"), (2048, "2.00 KiB"), (432 * 2**20, "432 MiB"), (24 * 2**30, "24.0 GiB")]
)
def test_amounts(value: float, text: str) -> None:
    assert wording.bytes_(value) == text
