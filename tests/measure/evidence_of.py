"""Evidence made by hand: what a metric, an SLA row or a recovery is computed from, second by second."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from pyroaring import BitMap

from measure.audit import Account
from measure.evidence import Evidence
from measure.figures import Status
from measure.histogram import Histogram
from measure.limits import METRICS, SlaRule, parse_limit
from measure.load import Load
from measure.records import LagSample, MarkLine, Outcome, Plan, RunSample
from measure.schedule import Schedule, Span
from measure.sequences import ProducerSequences, SequenceSets

START_S = 1_795_514_400
START_US = START_S * 1_000_000

Latency = Callable[[int], float]
"""Second of the load → e2e in ms of all events due in it."""


def spans(*stages: tuple[float, float]) -> tuple[Span, ...]:
    """Spans of (events/s, seconds), one after the other from START_US."""
    made, at = [], START_US
    for rate, seconds in stages:
        end = at + round(seconds * 1e6)
        made.append(Span(at, end, rate, f"{rate:g}/s"))
        at = end
    return tuple(made)


def load(
    *stages: tuple[float, float],
    latency_ms: Latency | float = 20.0,
    lost: Iterable[int] = (),
    at: tuple[Span, ...] | None = None,
) -> Load:
    """A load of one producer, all of it acknowledged, and stored but for the events `lost`."""
    schedule = Schedule(at or spans(*stages))
    every, gone = BitMap(range(schedule.count)), BitMap(lost)
    absent = (schedule.due_us(np.array(gone, dtype=np.int64)) // 1_000_000).tolist() if gone else []
    slices = {}
    for second, n in schedule.due_in_second().items():
        held = Histogram()
        value_ms = latency_ms(second - START_S) if callable(latency_ms) else latency_ms
        held.record(round(value_ms * 1000), n - absent.count(second))
        slices[second] = {"e2e": held}
    sets = SequenceSets({0: ProducerSequences(stored=every - gone)})
    return Load(schedule, {0: Account(every, every, BitMap(), BitMap(), BitMap())}, sets, slices)


def evidence(
    held: Load,
    *,
    warmup: Load | None = None,
    marks: Iterable[MarkLine] = (),
    lag: Mapping[int, int] | None = None,
    outcome: Outcome | None = None,
) -> Evidence:
    """Evidence of that load; `lag`: second of the load → events behind, else none."""
    behind = lag or {}
    seconds = range(START_S, START_S + round(held.schedule.duration_s))
    return Evidence(
        run="made-1",
        plan=_plan(held),
        outcome=outcome or Outcome(status=Status.FINISHED, drained=True),
        status=Status.FINISHED,
        load=held,
        warmup=warmup,
        marks=sorted(marks, key=lambda mark: mark.at_us),
        run_samples={
            second: RunSample("made-1", second, lag=LagSample(behind.get(second - START_S, 0), 5.0))
            for second in seconds
        },
    )


def _plan(held: Load) -> Plan:
    return Plan(
        run="made-1",
        scenario="made",
        profile="realtime",
        runtime="local",
        stack="default",
        producers=1,
        spans=list(held.schedule.spans),
        t0_us=START_US,
    )


def rule(metric: str, limit: str, percentile: float | None = None, **further: object) -> SlaRule:
    """An SLA row as a file would have it."""
    return SlaRule(
        metric=metric,
        limit=parse_limit(limit, METRICS[metric], "here"),
        percentile=percentile,
        name=f"{metric} row",
        **further,  # type: ignore[arg-type]
    )


def at_us(second: float) -> int:
    """µs of the epoch of a second of the load."""
    return START_US + round(second * 1e6)
