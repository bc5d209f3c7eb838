"""Braille, scales, bars: what a figure looks like."""

from __future__ import annotations

import math

import numpy as np
import pytest

from console.widgets.axis import LogScale, tick_label, time_ticks
from console.widgets.braille import plot
from console.widgets.digits import tall
from console.widgets.heatmap import resample
from console.words import age, bar, clock, cut, milliseconds, short_count, signed_clock, size, sparkline


def test_a_level_line_is_one_row_of_dots() -> None:
    codes, owners = plot([(np.array([0.0, 1.0]), np.array([0.0, 0.0]))], 10, 3)
    assert (codes[:2] == 0).all()
    assert (codes[2] == 0x40 | 0x80).all()
    assert (owners[2] == 0).all()


def test_a_rise_is_drawn_without_holes() -> None:
    codes, _ = plot([(np.array([0.0, 1.0]), np.array([0.0, 1.0]))], 4, 8)
    assert (codes > 0).any(axis=1).all()


def test_a_gap_breaks_the_line() -> None:
    xs, ys = np.linspace(0, 1, 5), np.array([0.5, 0.5, np.nan, 0.5, 0.5])
    codes, _ = plot([(xs, ys)], 20, 1)
    assert (codes[0, 6:14] == 0).any()
    assert codes[0, 0] > 0
    assert codes[0, -1] > 0


def test_the_later_line_owns_what_both_share() -> None:
    line = (np.array([0.0, 1.0]), np.array([0.5, 0.5]))
    assert (plot([line, line], 6, 2)[1].max(axis=0) == 1).all()


def test_a_line_of_nothing_draws_nothing() -> None:
    codes, owners = plot([(np.array([0.0, 1.0]), np.array([np.nan, np.nan]))], 6, 2)
    assert not codes.any()
    assert (owners == -1).all()


def test_a_scale_has_round_ends_around_its_values() -> None:
    scale = LogScale.around(np.array([13.0, 46.0, np.nan, 780.0]))
    assert (scale.low, scale.high) == (10.0, 1000.0)
    assert scale.ticks() == [10, 20, 50, 100, 200, 500, 1000]
    assert scale.place_one(100.0) == pytest.approx(0.5)
    assert LogScale.around(np.array([np.nan])).high > 1


def test_a_scale_of_one_value_is_no_point() -> None:
    scale = LogScale.around(np.array([20.0]))
    assert scale.high > scale.low


@pytest.mark.parametrize(("ms", "label"), [(0.5, "500 µs"), (20, "20 ms"), (2000, "2 s")])
def test_tick_labels(ms: float, label: str) -> None:
    assert tick_label(ms) == label


def test_time_ticks_are_round_and_few() -> None:
    assert time_ticks(3, 134, 5) == [30, 60, 90, 120]
    assert len(time_ticks(0, 86_400, 6)) <= 6


def test_resampling_keeps_every_event() -> None:
    counts = np.arange(60).reshape(20, 3)
    assert resample(counts, 7, 2).sum() == counts.sum()


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (milliseconds(0.42), "0.42"),
        (milliseconds(4.24), "4.2"),
        (milliseconds(1265.4), "1,265"),
        (milliseconds(None), "–"),
        (milliseconds(math.nan), "–"),
        (short_count(950), "950"),
        (short_count(12_345), "12.3k"),
        (short_count(1_800_000), "1.80M"),
        (size(690_000_000), "690 M"),
        (size(1_240_000_000), "1.2 G"),
        (clock(134), "02:14"),
        (clock(3734), "1:02:14"),
        (signed_clock(-18), "-00:18"),
        (age(4), "4 s"),
        (age(600), "10 min"),
        (cut("abcdef", 4), "abc…"),
        (bar(0.5, 10), "█████"),
        (bar(2.0, 3), "███"),
        (sparkline((0.0, 5.0, 10.0), 3), "▁▅█"),
        (sparkline((math.nan, 10.0), 3), "  █"),
        (sparkline((), 2), "  "),
    ],
)
def test_words(found: str, expected: str) -> None:
    assert found == expected


def test_tall_digits_are_of_one_width() -> None:
    assert {len(row) for row in tall("1,265.4")} == {len(tall("1,265.4")[0])}
