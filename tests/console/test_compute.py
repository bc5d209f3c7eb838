"""From a record to the view: what counts, what is left out, and why a figure is missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from console.feed.compute import run_view
from console.feed.record import KEPT_S, Facts, RunRecord, Standing
from console.feed.tally import Tally
from console.feed.views import RunView, Window
from measure.records import LagSample, MarkLine, RunSample
from measure.schedule import Schedule, Span
from measure.sla import load_tier
from tests.console import frozen
from tests.console.frozen import START_S

US = 1_000_000


def facts(seconds: int = 60, rate: float = 1000.0) -> Facts:
    span = Span(START_S * US, (START_S + seconds) * US, rate, "load")
    return Facts("peak-1", "peak", "realtime", Schedule((span,), 1), load_tier("tier1"))


def filled(seconds: int, latency_ms: float = 20.0, rate: int = 1000, kept_s: int | None = KEPT_S) -> RunRecord:
    record = RunRecord(facts(max(seconds, 60), rate), kept_s=kept_s)
    for second in range(seconds):
        record.put({START_S + second: {"e2e": values(latency_ms, rate)}})
    return record


def values(latency_ms: float, n: int) -> Tally:
    return frozen.tally(np.array([latency_ms * 1000.0]), n)


def view_at(record: RunRecord, second: float, window: Window = Window.TEN_S) -> RunView:
    return run_view(record, round((START_S + second) * US), window)


def test_the_window_holds_its_seconds_and_no_others() -> None:
    record = filled(30, 20.0)
    record.put({START_S + 25: {"e2e": values(80.0, 1000)}})
    view = view_at(record, 30.2)
    assert (view.e2e.n, view.window_s) == (10_000, 10)
    assert view.e2e.p50 == pytest.approx(20.0, rel=0.001)
    assert view.e2e.p95 == pytest.approx(80.0, rel=0.001)
    assert view_at(record, 24.2).e2e.max == pytest.approx(20.0, rel=0.001)


def test_a_second_that_still_arrives_does_not_count_until_it_is_five_seconds_old() -> None:
    record = filled(20)
    record.put({START_S + 20: {"e2e": values(5.0, 400)}})
    young = view_at(record, 21.5)
    assert young.e2e.missing == 0
    assert young.e2e.n == 10_000
    old = view_at(record, 26.5)
    assert old.e2e.missing > 0
    assert old.e2e.p99 is None
    assert "not stored" in (old.e2e.reason or "")


def test_dead_letters_are_not_waited_for() -> None:
    record = filled(20)
    record.put({START_S + 20: {"e2e": values(5.0, 990)}})
    record.dead = {START_S + 20: 10}
    assert record.settled(START_S + 20, (START_S + 21) * US)
    assert view_at(record, 21.1).e2e.missing == 0


def test_no_p99_below_a_thousand_events() -> None:
    view = view_at(filled(20, rate=50), 20.1)
    assert view.e2e.n == 500
    assert view.e2e.p95 is not None
    assert view.e2e.p99 is None
    assert view.e2e.reason == "P99 needs 1,000 events"


def test_the_whole_run_equals_its_seconds_though_most_were_let_go() -> None:
    short, whole = filled(600, kept_s=KEPT_S), filled(600, kept_s=None)
    assert len(short.seconds) == KEPT_S + 1
    for_run = [view_at(record, 600.1, Window.RUN).e2e for record in (short, whole)]
    assert for_run[0] == for_run[1]
    assert for_run[0].n == 600_000


def test_samples_are_let_go_by_the_clock_though_the_pipeline_lags_far_behind() -> None:
    record = filled(20)
    for second in range(600):
        record.put_sample(RunSample("peak-1", START_S + second, 1000.0, 1000, 1000, 30))
    record.forget()
    assert (len(record.seconds), len(record.samples)) == (20, KEPT_S + 1)


def test_a_second_put_again_replaces_what_it_was() -> None:
    record = filled(20)
    record.put({START_S + 5: {"e2e": values(90.0, 1000)}})
    record.put({START_S + 5: {"e2e": values(20.0, 1000)}})
    assert view_at(record, 20.1, Window.RUN).e2e.p999 == pytest.approx(20.0, rel=0.001)


def test_after_the_end_the_figures_stay_those_of_the_last_seconds() -> None:
    record = filled(60)
    view = view_at(record, 3600)
    assert (view.e2e.n, view.window_s) == (10_000, 10)


def test_sla_rows_as_they_stand() -> None:
    rows = {row.name: row for row in view_at(filled(30, 1_200.0, rate=2000), 30.1).sla}
    assert rows["P95 latency"].verdict == "fail"
    assert rows["Throughput"].verdict == "pass"
    assert rows["Availability"].verdict == "pass"
    assert {row.verdict for row in view_at(filled(30, 20.0, rate=100), 30.1).sla if row.name == "Throughput"} == {"n/a"}
    (late,) = (row for row in view_at(filled(30, 6_000.0, rate=3000), 30.1).sla if row.name == "Throughput")
    assert (late.verdict, late.measured) == ("fail", "0 % came"), "3,000 /s would read as if it held 2,000"


def test_rate_and_lag_come_from_the_newest_sample_and_say_why_they_are_missing() -> None:
    record = filled(10)
    assert view_at(record, 10.1).rate.reason == "no sample of the run yet"
    record.put_sample(RunSample("peak-1", START_S + 8, 1000.0, 1000, 1000, 990, lag=LagSample(7, 3.5)))
    record.put_sample(RunSample("peak-1", START_S + 9, 1000.0, 1000, 1000, 1010))
    view = view_at(record, 10.1)
    assert (view.rate.target, view.rate.stored) == (1000.0, 1010.0)
    assert view.lag.reason == "the run process could not read it"
    assert view_at(record, 9.1).lag.events == 7


def test_alerts_that_stand_are_counted() -> None:
    record = filled(30)
    raised = [
        MarkLine((START_S + 5) * US, "alert", "lag", alert="lag", edge="raise"),
        MarkLine((START_S + 9) * US, "alert", "lag", alert="lag", edge="resolve"),
        MarkLine((START_S + 12) * US, "alert", "e2e", alert="e2e P95", edge="raise"),
    ]
    record.marks = tuple(raised)
    assert [view_at(record, at).progress.alerts for at in (4, 6, 10, 20)] == [0, 1, 0, 1]


def test_progress_says_what_is_in_force() -> None:
    spans = (
        Span(START_S * US, (START_S + 10) * US, 1000.0, "load"),
        Span((START_S + 10) * US, (START_S + 20) * US, 0.0, "pause"),
        Span((START_S + 20) * US, (START_S + 30) * US, 5000.0, "burst"),
    )
    record = RunRecord(replace(facts(), schedule=Schedule(spans, 1)), standing=Standing("running", "load"))
    found = [view_at(record, at).progress for at in (5, 15, 25)]
    assert [(each.paused, each.bursting) for each in found] == [(False, False), (True, False), (False, True)]
    assert found[1].share == pytest.approx(0.5)
    assert found[1].left_s == pytest.approx(15)


def test_the_chart_has_gaps_where_nothing_is_known_and_a_p99_only_of_enough_events() -> None:
    record = filled(20, rate=400)
    for second in (7, 8):
        del record.seconds[START_S + second], record.arrived[START_S + second]
        for points in record.points.values():
            points.pop(START_S + second, None)
    chart = view_at(record, 20.1).chart
    assert chart is not None
    assert chart.step_s == 5  # 400 events/s: five seconds make 2,000
    assert np.isfinite(chart.p99).any()


def test_the_heat_map_holds_every_event_of_its_stage() -> None:
    record = filled(50)
    heat = run_view(record, (START_S + 50) * US, Window.MINUTE, "e2e").heat
    assert heat is not None
    assert int(heat.counts.sum()) == 50_000
    nothing = run_view(record, (START_S + 50) * US, Window.MINUTE, "store").heat
    assert nothing is not None
    assert not nothing.counts.any()
