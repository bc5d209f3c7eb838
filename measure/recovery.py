"""Recovery: how long after a disturbance the pipeline was calm again.

The clock starts at the fall of the rate for a burst, at the signal for a kill, at the undo for any other fault. It
ends at the first of three consecutive due-seconds in which the lag is at most one second of load and P95 at most 1.5
times that of the calm baseline, or 20 ms above it, whichever is more.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from measure.evidence import Evidence, seconds_in
from measure.figures import Recovery, RecoverySummary
from measure.load import Load
from measure.percentiles import Reading, milliseconds, read_percentile
from measure.records import MarkLine, RunSample
from measure.schedule import Span

CALM_SECONDS = 3
TIMES_BASELINE = 1.5
ABOVE_BASELINE_MS = 20.0
LAG_S = 1.0
FALLS_TO = 0.8
"""The rate falls where the next span's is at most so many times that of the one before."""
SHORTEST_SPAN_US = 5_000_000
"""Shorter spans are a replay's own rhythm, not bursts."""
BASELINE_SECONDS = 5
"""The run's own calm seconds are a baseline if there are so many, else the end of the warm-up is."""
WARMUP_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What disturbed the pipeline, from when, since when it should recover, and until when it was let."""

    cause: str
    begins_us: int
    clock_us: int
    until_us: int


def disturbances(evidence: Evidence) -> list[Disturbance]:
    """Bursts and faults of the load, in the order in which their clocks start."""
    end_us = evidence.load.schedule.end_us
    if end_us is None:
        return []
    found = [*_bursts(evidence.load.schedule.spans), *_faults(evidence.marks, end_us)]
    found = sorted((each for each in found if each[2] < end_us), key=lambda each: each[2])
    beginnings = sorted({begins for _, begins, _ in found} | {clock for _, _, clock in found})
    return [
        Disturbance(cause, begins, clock, min((at for at in beginnings if at > clock), default=end_us))
        for cause, begins, clock in found
    ]


_Found = tuple[str, int, int]


def _bursts(spans: Sequence[Span]) -> list[_Found]:
    long_enough = [span for span in spans if span.end_us - span.start_us >= SHORTEST_SPAN_US]
    return [
        (f"burst {high.rate:g}/s", high.start_us, high.end_us)
        for high, low in pairwise(long_enough)
        if high.end_us == low.start_us and 0 < low.rate <= FALLS_TO * high.rate
    ]


def _faults(marks: Iterable[MarkLine], end_us: int) -> list[_Found]:
    found: list[_Found] = []
    open_faults: dict[tuple[str, str], MarkLine] = {}
    for mark in marks:
        if mark.kind != "fault" or mark.fault is None:
            continue
        target = (mark.fault, mark.service or "")
        cause = " ".join(part for part in target if part)
        if mark.edge == "end":
            begun = open_faults.pop(target, mark)
            if mark.fault != "kill":
                found.append((cause, begun.at_us, mark.at_us))
        elif mark.fault == "kill":
            found.append((cause, mark.at_us, mark.at_us))
        else:
            open_faults[target] = mark
    found += [(f"{' '.join(target)} (never undone)", mark.at_us, end_us - 1) for target, mark in open_faults.items()]
    return found


@dataclass(frozen=True, slots=True)
class Baseline:
    """P95 of the calm seconds."""

    p95_ms: float | None
    n: int

    @property
    def ceiling_ms(self) -> float | None:
        """The highest P95 that still is calm."""
        return None if self.p95_ms is None else max(TIMES_BASELINE * self.p95_ms, self.p95_ms + ABOVE_BASELINE_MS)


def baseline(evidence: Evidence, first_us: int) -> Baseline:
    """The calm before the first disturbance, which began at `first_us`; else the last 10 s of the warm-up."""
    bursts = set(seconds_in(evidence.burst_spans))
    calm = [second for second in evidence.seconds if (second + 1) * 1_000_000 <= first_us and second not in bursts]
    if len(calm) >= BASELINE_SECONDS:
        return _baseline_of(evidence.load, calm)
    if evidence.warmup is None or evidence.warmup.schedule.end_us is None:
        return Baseline(None, 0)
    end = evidence.warmup.schedule.end_us // 1_000_000
    return _baseline_of(evidence.warmup, range(end - WARMUP_SECONDS, end))


def _baseline_of(load: Load, seconds: Iterable[int]) -> Baseline:
    reading = _p95(load, list(seconds))
    return Baseline(reading.ms, reading.n)


def _p95(load: Load, seconds: Sequence[int]) -> Reading:
    missing = sum(load.missing[second] for second in seconds)
    return read_percentile(load.histogram("e2e", seconds), 95, missing)


def is_calm(load: Load, sample: RunSample | None, second: int, ceiling_ms: float) -> bool:
    """Whether the events due in `second` were quick, and the lag then was at most a second of load."""
    if sample is None or sample.lag is None:
        return False
    due = load.due.get(second, 0)
    if sample.lag.events > LAG_S * max(1, due):
        return False
    reading = _p95(load, [second])
    return not due or (reading.ms is not None and reading.ms <= ceiling_ms)


def recoveries(evidence: Evidence) -> tuple[list[Recovery], RecoverySummary]:
    """Each recovery, and their summary."""
    causes = disturbances(evidence)
    if not causes:
        return [], RecoverySummary(0, 0, None, None)
    calm = baseline(evidence, min(cause.begins_us for cause in causes))
    found = [_recovery(evidence, cause, calm) for cause in causes]
    seconds = [each.seconds for each in found if each.seconds is not None]
    summary = RecoverySummary(
        cycles=len(found),
        recovered=len(seconds),
        median_s=round(statistics.median(seconds), 3) if seconds else None,
        worst_s=max(seconds) if len(seconds) == len(found) else None,
        baseline_p95_ms=calm.p95_ms,
        baseline_n=calm.n,
    )
    return found, summary


def _recovery(evidence: Evidence, cause: Disturbance, calm: Baseline) -> Recovery:
    at_s = evidence.at_s(cause.clock_us)
    if calm.ceiling_ms is None:
        return Recovery(cause.cause, at_s, None, "no calm seconds before it to compare with")
    first = -(-cause.clock_us // 1_000_000)
    end = cause.until_us // 1_000_000
    in_a_row = 0
    for second in range(first, end):
        quiet = is_calm(evidence.load, evidence.run_samples.get(second), second, calm.ceiling_ms)
        in_a_row = in_a_row + 1 if quiet else 0
        if in_a_row == CALM_SECONDS:
            begun_us = (second - CALM_SECONDS + 1) * 1_000_000
            return Recovery(cause.cause, at_s, round((begun_us - cause.clock_us) / 1e6, 3))
    let_s = milliseconds((cause.until_us - cause.clock_us) / 1000)
    over = cause.until_us == evidence.load.schedule.end_us
    return Recovery(
        cause.cause, at_s, None, f"not recovered in {let_s:g} s before {'the load ended' if over else 'the next one'}"
    )
