"""The value of any metric over a run, over its bursts, or for each of its seconds, in the metric's base unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from measure.evidence import Evidence
from measure.figures import RecoverySummary
from measure.histogram import Histogram
from measure.limits import METRICS
from measure.load import FROM_DUE
from measure.percentiles import Reading, read_percentile
from measure.records import RunSample
from measure.service_level import availability, error_rate, served


@dataclass(frozen=True, slots=True)
class Value:
    """A measured value over `n` events (or seconds, or recoveries); None with the reason."""

    number: float | None
    n: int
    reason: str | None = None
    missed: bool = False
    """Whether it is missing because it would be infinite: that breaks any limit."""


NOTHING = Value(None, 0, "not measured")


def over_span(
    name: str, percentile: float | None, evidence: Evidence, during: str, recovered: RecoverySummary
) -> Value:
    """The value over the whole `load`, or over its `burst`s together."""
    seconds = evidence.seconds_during(during)
    if METRICS[name].percentile:
        return _of_reading(_percentile(name, percentile or 0, evidence, seconds, whole_span=True))
    load = evidence.load
    match name:
        case "rate":
            return _rate(evidence, during)
        case "availability":
            share, n = availability(load, seconds)
            return Value(share, n, None if n else "no events")
        case "error_rate":
            return _share(error_rate(load.audit), load.audit.scheduled)
        case "unsent":
            return _share(_part(load.audit.unsent, load.audit.scheduled), load.audit.scheduled)
        case "generator_late":
            late = sum(lines[-1].late for lines in evidence.spools.values() if lines)
            return _share(_part(late, load.audit.sent), load.audit.sent)
        case "recovery":
            return _recovery(recovered)
        case _:
            return _sampled(name, evidence.samples_in(seconds))


def in_second(name: str, percentile: float | None, evidence: Evidence, second: int) -> Value:
    """The value in one second; only for metrics that have one each second."""
    if METRICS[name].percentile:
        return _of_reading(_percentile(name, percentile or 0, evidence, [second], whole_span=False))
    if name == "rate":
        due = evidence.load.due.get(second, 0)
        return Value(float(evidence.load.in_time(second)), due) if due else NOTHING
    return _sampled(name, evidence.samples_in([second]))


def _percentile(name: str, percent: float, evidence: Evidence, seconds: Sequence[int], whole_span: bool) -> Reading:
    match name:
        case "commit" | "batch":
            held = evidence.commits if name == "commit" else evidence.batch_times
            return read_percentile(Histogram.merged(held[second] for second in seconds if second in held), percent)
        case _:
            load = evidence.load
            found = load.histogram(name, seconds)
            if name not in FROM_DUE:
                return read_percentile(found, percent)
            missing = load.infinite(seconds) if whole_span else sum(load.missing[second] for second in seconds)
            return read_percentile(found, percent, missing)


def _of_reading(reading: Reading) -> Value:
    if not reading.n:
        return NOTHING
    return Value(reading.ms, reading.n, reading.reason, reading.infinite)


def _rate(evidence: Evidence, during: str) -> Value:
    due, in_time = served(evidence.load, evidence.seconds_during(during))
    return Value(target_rate(evidence, during) * in_time / due, due) if due else Value(None, 0, "no events")


def target_rate(evidence: Evidence, during: str) -> float:
    """Events/s that the schedule wanted over the whole `load`, or over its `burst`s."""
    spans = evidence.load.schedule.spans if during == "load" else evidence.burst_spans
    length_us = sum(span.end_us - span.start_us for span in spans)
    return sum(span.count for span in spans) / length_us * 1e6 if length_us else 0.0


def _recovery(summary: RecoverySummary) -> Value:
    if not summary.cycles:
        return Value(None, 0, "nothing to recover from")
    if summary.worst_s is None:
        missed = summary.cycles - summary.recovered
        return Value(None, summary.cycles, f"{missed} of {summary.cycles} not recovered", missed=True)
    return Value(summary.worst_s * 1000, summary.cycles)


def _sampled(name: str, samples: Sequence[RunSample]) -> Value:
    match name:
        case "lag":
            values = [sample.lag.ms for sample in samples if sample.lag and sample.lag.ms is not None]
        case "lag_events":
            values = [float(sample.lag.events) for sample in samples if sample.lag]
        case "cpu":
            values = [sum(usage.cpu or 0.0 for usage in s.services.values()) for s in samples if s.services]
        case _:
            values = [float(sum(u.rss_bytes or 0 for u in s.services.values())) for s in samples if s.services]
    if not values:
        return NOTHING
    return Value(sum(values) / len(values) if name == "cpu" else max(values), len(values))


def _part(count: int, whole: int) -> float | None:
    return count / whole if whole else None


def _share(share: float | None, n: int) -> Value:
    return Value(share, n, "no events" if not n else "the audit is open") if share is None else Value(share, n)
