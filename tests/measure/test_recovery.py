"""Recovery: when its clock starts, when it ends, and when it is not seen."""

from __future__ import annotations

import pytest

from measure.figures import Recovery
from measure.records import MarkLine
from measure.recovery import recoveries
from measure.schedule import Span
from tests.measure.evidence_of import START_S, Latency, at_us, evidence, load, spans

CALM_MS = 20.0


def slow(*stretches: tuple[int, int], ms: float = 500.0) -> Latency:
    """`ms` in these seconds of the load, both ends in them; calm in the others."""
    return lambda second: ms if any(first <= second <= last for first, last in stretches) else CALM_MS


def fault(kind: str, begin_s: float, end_s: float | None = None) -> list[MarkLine]:
    marks = [MarkLine(at_us(begin_s), "fault", kind, fault=kind, service="sink", edge="begin", acted=True)]
    if end_s is not None:
        marks.append(MarkLine(at_us(end_s), "fault", "undone", fault=kind, service="sink", edge="end"))
    return marks


BURSTS = ((100.0, 10.0), (1000.0, 10.0), (100.0, 20.0))


def test_a_burst_is_recovered_from_at_the_first_of_three_calm_seconds() -> None:
    found, summary = recoveries(evidence(load(*BURSTS, latency_ms=slow((10, 23)))))
    assert found == [Recovery("burst 1000/s", 20, 4)]
    assert (summary.cycles, summary.recovered, summary.worst_s, summary.baseline_n) == (1, 1, 4, 1000)
    assert summary.baseline_p95_ms == pytest.approx(CALM_MS, rel=0.001)


def test_a_relapse_starts_the_three_seconds_anew() -> None:
    found, _ = recoveries(evidence(load(*BURSTS, latency_ms=slow((10, 21), (24, 24)))))
    assert found[0].seconds == 5


def test_lag_keeps_a_pipeline_from_being_calm() -> None:
    lag = {second: 101 for second in range(20, 26)}
    found, _ = recoveries(evidence(load(*BURSTS), lag=lag))
    assert found[0].seconds == 6
    found, _ = recoveries(evidence(load(*BURSTS), lag=dict.fromkeys(lag, 100)))
    assert found[0].seconds == 0


@pytest.mark.parametrize(
    ("calm_ms", "then_ms", "recovered"), [(20, 39, True), (20, 42, False), (100, 149, True), (100, 152, False)]
)
def test_calm_is_one_and_a_half_times_the_baseline_or_20_ms_above_it(
    calm_ms: float, then_ms: float, recovered: bool
) -> None:
    held = load(*BURSTS, latency_ms=lambda second: calm_ms if second < 10 else then_ms)
    _, summary = recoveries(evidence(held))
    assert (summary.recovered == 1) is recovered


def test_not_recovered_before_the_next_burst() -> None:
    stages = ((100.0, 10.0), (1000.0, 10.0), (100.0, 10.0), (1000.0, 10.0), (100.0, 10.0))
    found, summary = recoveries(evidence(load(*stages, latency_ms=slow((10, 29)))))
    assert found[0].seconds is None
    assert found[0].reason == "not recovered in 10 s before the next one"
    assert found[1].seconds == 0
    assert (summary.cycles, summary.recovered, summary.median_s, summary.worst_s) == (2, 1, 0, None)


def test_not_recovered_before_the_end() -> None:
    found, _ = recoveries(evidence(load(*BURSTS, latency_ms=slow((10, 39)))))
    assert found[0].reason == "not recovered in 20 s before the load ended"


def test_of_a_kill_the_clock_starts_at_the_signal_of_another_fault_at_its_undo() -> None:
    held = load((100, 40), latency_ms=slow((10, 17)))
    (killed,), _ = recoveries(evidence(held, marks=fault("kill", 10.0)))
    assert (killed.cause, killed.at_s, killed.seconds) == ("kill sink", 10, 8)
    (paused,), _ = recoveries(evidence(held, marks=fault("pause", 10.0, 15.0)))
    assert (paused.at_s, paused.seconds) == (15, 3)


def test_events_that_never_arrived_keep_a_second_from_being_calm() -> None:
    lost = range(2500, 2510)  # of the 100 of second 25: P95 falls among them
    found, _ = recoveries(evidence(load((100, 40), lost=lost), marks=fault("kill", 24.0)))
    assert found[0].seconds == 2


def test_where_the_load_has_no_calm_before_it_the_end_of_the_warm_up_is_the_baseline() -> None:
    before = load(at=(Span((START_S - 20) * 1_000_000, START_S * 1_000_000, 100.0, "warm-up"),), latency_ms=30)
    held = load((1000, 10), (100, 20))
    found, summary = recoveries(evidence(held, warmup=before))
    assert summary.baseline_p95_ms == pytest.approx(30, rel=0.001)
    assert found[0].seconds == 0
    (unknown,), _ = recoveries(evidence(held))
    assert (unknown.seconds, unknown.reason) == (None, "no calm seconds before it to compare with")


def test_a_load_of_one_rate_without_a_fault_has_nothing_to_recover_from() -> None:
    found, summary = recoveries(evidence(load((100, 10))))
    assert (found, summary.cycles, summary.worst_s) == ([], 0, None)
    assert not recoveries(evidence(load(at=spans((100, 10), (0, 5), (100, 10)))))[0]
