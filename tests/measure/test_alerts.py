"""Alerts: they raise and resolve after their time, and end a run no earlier than they may."""

from __future__ import annotations

from measure.alerts import AlertEvaluator, AlertSample
from measure.histogram import Histogram
from measure.limits import METRICS, AlertRule, parse_limit
from measure.records import BatchSample, LagSample, RunSample, SinkSample
from measure.sla import LEAST_WINDOW_S

START_S = 1_795_514_400


def rule(metric: str, limit: str, percentile: float | None = None, **further: object) -> AlertRule:
    return AlertRule(
        name=metric,
        metric=metric,
        limit=parse_limit(limit, METRICS[metric], "here"),
        percentile=percentile,
        **further,  # type: ignore[arg-type]
    )


def lags(rule_: AlertRule, *ms: float | None) -> list[tuple[int, str]]:
    """(second, edge) of what happened while the lag was so, second by second."""
    evaluator = AlertEvaluator([rule_], START_S * 1_000_000)
    happened: list[tuple[int, str]] = []
    for second, value in enumerate(ms):
        run = RunSample("r", START_S + second, lag=None if value is None else LagSample(1, value))
        events = evaluator.step((START_S + second) * 1_000_000, AlertSample({}, run=run))
        happened += [(second, event.edge) for event in events]
    return happened


def test_a_limit_broken_for_its_time_raises_and_kept_for_as_long_resolves() -> None:
    wanted = rule("lag", "<= 10 ms", for_s=2)
    assert lags(wanted, 5, 20, 20, 20, 20, 5, 5, 5) == [(3, "raise"), (7, "resolve")]


def test_a_break_that_does_not_last_raises_nothing() -> None:
    assert lags(rule("lag", "<= 10 ms", for_s=2), 20, 20, 5, 20, 20, 5) == []


def test_seconds_without_a_value_change_nothing() -> None:
    assert lags(rule("lag", "<= 10 ms"), 20, None, None, 20) == [(0, "raise")]


def test_an_aborting_rule_ends_the_run_once_and_not_before_its_delay() -> None:
    wanted = rule("lag", "<= 10 ms", abort=True, abort_delay_s=3)
    assert lags(wanted, 20, 20, 20, 20, 20) == [(0, "raise"), (3, "abort")]


def slices(*values_ms: float) -> dict[int, dict[str, Histogram]]:
    made = {}
    for second, value in enumerate(values_ms):
        held = Histogram()
        held.record(round(value * 1000), 100)
        made[START_S + second] = {"e2e": held}
    return made


def test_a_percentile_is_that_of_the_window_alone() -> None:
    wanted = rule("e2e", "<= 100 ms", 95, window_s=3.0)
    evaluator = AlertEvaluator([wanted], START_S * 1_000_000)
    held = slices(500, 500, 20, 20, 20)
    assert evaluator.step((START_S + 2) * 1_000_000, AlertSample(slices(500, 500)))[0].edge == "raise"
    assert evaluator.step((START_S + 5) * 1_000_000, AlertSample(held))[0].edge == "resolve"


def test_a_young_second_that_still_misses_events_is_not_judged_and_an_old_one_is() -> None:
    wanted = rule("e2e", "<= 100 ms", 50)
    due = {START_S: 100, START_S + 1: 1_000}
    evaluator = AlertEvaluator([wanted], START_S * 1_000_000)
    sample = AlertSample(slices(20, 20), due)
    assert evaluator.step((START_S + 3) * 1_000_000, sample) == []
    (event,) = evaluator.step((START_S + 7) * 1_000_000, sample)
    assert (event.edge, event.value) == ("raise", None)
    assert "never arrived" in event.text


def test_the_shortest_window_that_a_file_may_have_sees_events_that_do_not_arrive() -> None:
    wanted = rule("e2e", "<= 100 ms", 50, window_s=LEAST_WINDOW_S)
    due = {START_S + second: 100 for second in range(20)}
    evaluator = AlertEvaluator([wanted], START_S * 1_000_000)
    (event,) = evaluator.step((START_S + 12) * 1_000_000 + 999_999, AlertSample({}, due))
    assert event.edge == "raise"


def test_where_spark_has_no_batch_the_bulk_write_is_judged_instead() -> None:
    wanted = rule("batch", "<= 1000 ms", 95, instead="commit")
    commit = {"2000": 1}
    sinks = [SinkSample("sink", START_S, commit, 2_000)]
    evaluator = AlertEvaluator([wanted], START_S * 1_000_000)
    assert evaluator.step(START_S * 1_000_000, AlertSample({}, sinks=sinks)) == []
    batches = [BatchSample(START_S, 1, 1_500.0)]
    (event,) = evaluator.step(START_S * 1_000_000, AlertSample({}, sinks=sinks, batches=batches))
    assert event.edge == "raise"
