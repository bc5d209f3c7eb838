"""How limits and durations are written, and what is said of those that are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from measure.errors import UsageError
from measure.limits import METRICS, UNITS, Limit, parse_duration, parse_limit

NUMBERS = st.decimals(0, 10**6, places=3).map(float)


@given(st.sampled_from(sorted(METRICS)), NUMBERS, st.data())
def test_a_written_limit_is_read_back(name: str, value: float, data: st.DataObject) -> None:
    metric = METRICS[name]
    unit = data.draw(st.sampled_from(sorted(UNITS[metric.dimension])))
    operator = data.draw(st.sampled_from([">", ">="] if metric.at_least else ["<", "<="]))
    assert parse_limit(f" {operator} {value:.3f}  {unit} ", metric, "here") == Limit(operator, value, unit)


@given(NUMBERS, NUMBERS)
def test_a_limit_holds_on_its_own_side(limit: float, value: float) -> None:
    assert Limit("<", limit, "ms").holds(value) == (value < limit)
    assert Limit("<=", limit, "ms").holds(value) == (value <= limit)
    assert Limit(">", limit, "/s").holds(value) == (value > limit)
    assert Limit(">=", limit, "/s").holds(value) == (value >= limit)


@pytest.mark.parametrize(
    ("text", "metric", "said"),
    [
        ("< 1000", "e2e", "has no unit. Write one of"),
        ("< 1000 events", "e2e", "has no unit 'events'"),
        ("1000 ms", "e2e", "expected operator, number and unit"),
        ("", "e2e", "expected operator, number and unit"),
        ("< -5 ms", "e2e", "expected operator, number and unit"),
        ("< nan ms", "e2e", "expected operator, number and unit"),
        ("> 1000 ms", "e2e", "is at most (< or <=) something"),
        ("< 2000 /s", "rate", "is at least (> or >=) something"),
        ("== 5 ms", "e2e", "expected operator, number and unit"),
    ],
)
def test_a_limit_that_is_none_is_refused_with_its_place(text: str, metric: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_limit(text, METRICS[metric], "my.toml: sla[3].limit")
    assert str(refused.value).startswith("my.toml: sla[3].limit: ")
    assert said in str(refused.value)


def test_units_meet_in_the_base_unit() -> None:
    assert parse_limit("< 1.5 s", METRICS["e2e"], "").base(METRICS["e2e"].dimension) == 1_500
    assert parse_limit("< 0.5 %", METRICS["error_rate"], "").base(METRICS["error_rate"].dimension) == 0.005


@pytest.mark.parametrize(("text", "seconds"), [("500ms", 0.5), ("10s", 10), ("1.5 min", 90), ("2m", 120), ("1h", 3600)])
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text, "here") == seconds


@pytest.mark.parametrize("text", ["10", "ten s", "-1s", "1 day", ""])
def test_a_duration_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"here: expected a duration such as `10s`"):
        parse_duration(text, "here")
