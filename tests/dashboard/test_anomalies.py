from __future__ import annotations

import random

from dashboard.anomalies import Metric, find


def metric(values: list[float | None], is_ratio: bool = False, counts: list[int] | None = None) -> Metric:
    return Metric("Orders", "a minute", values, counts or [round(value or 0) for value in values], is_ratio)


def test_a_step_far_from_its_past_is_found_with_what_was_usual() -> None:
    (found,) = find(metric([100.0] * 20 + [300.0]))
    assert (found.index, found.value, found.usual, found.change) == (20, 300.0, 100.0, 2.0)


def test_one_odd_step_does_not_hide_the_next() -> None:
    found = find(metric([100.0] * 20 + [900.0, 100.0, 300.0]))
    assert [one.index for one in found] == [22, 20]


def test_chance_is_no_anomaly() -> None:
    chance = random.Random(5)  # noqa: S311 - test data
    values = [float(sum(chance.random() < 0.01 for _ in range(400))) for _ in range(120)]
    assert find(metric(values)) == []


def test_little_past_judges_nothing() -> None:
    assert find(metric([100.0] * 5 + [900.0])) == []


def test_a_ratio_over_few_things_is_no_anomaly() -> None:
    values: list[float | None] = [10.0] * 20 + [18.0]
    assert find(metric(values, is_ratio=True, counts=[1_000] * 20 + [2])) == []
    assert find(metric(values, is_ratio=True, counts=[1_000] * 21))
