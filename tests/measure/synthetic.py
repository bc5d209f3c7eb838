"""Run folders of a known shape, written through measure/folder.py: what a report, a history or a comparison reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from measure.figures import Environment, Status
from measure.folder import WARMUP_SUFFIX, LineWriter, RunFolder
from measure.histogram import Histogram
from measure.limits import METRICS, SlaRule, Tier, parse_limit
from measure.records import (
    BatchSample,
    LagSample,
    MarkLine,
    Outcome,
    Plan,
    RunSample,
    SinkSample,
    SliceLine,
    SpoolLine,
    Usage,
)
from measure.schedule import Schedule, Span
from measure.sequences import SequenceSets

T0_US = 1_795_514_400_000_000
"""2026-11-24 10:00:00 UTC, start of every synthetic load."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shape:
    """What a synthetic run looks like. Latencies are log-normal, so that each stage has a tail."""

    rates: tuple[tuple[float, float], ...] = ((2000.0, 30.0),)
    """(events/s, seconds), one after the other."""
    scenario: str = "peak"
    profile: str = "realtime"
    medians_ms: dict[str, float] = field(default_factory=lambda: {"produce": 5.0, "process": 7.0, "store": 6.0})
    spread: float = 0.45
    checkpoint_s: float = 0.0
    """Every so many seconds, 0.7 s of events wait for a checkpoint; 0 for none."""
    drift: float = 0.0
    """By which share latency grows from the start of the run to its end."""
    per_slice: int = 2000
    """At most so many values are drawn for a slice; the counts are scaled to the events due."""
    seed: int = 7
    lost: int = 0
    created_us: int = T0_US - 30_000_000
    services: tuple[str, ...] = ("kafka", "mongod", "spark", "sink", "generator")
    extra_marks: tuple[MarkLine, ...] = ()
    status: Status = Status.FINISHED
    sla: bool = True
    versions: dict[str, str] = field(
        default_factory=lambda: {"latency-console": "0.1.0", "python": "3.11.9", "kafka": "4.3.1", "pyspark": "4.2.0"}
    )


def make_run(runs: Path, run: str, shape: Shape | None = None) -> RunFolder:
    """A finished run below `runs`, with everything in its folder but run.json."""
    shape = shape or Shape()
    folder = RunFolder.create(runs, run)
    random = np.random.default_rng(shape.seed)
    spans = _spans(shape)
    folder.write_plan(_plan(run, shape, spans))
    schedule = Schedule(tuple(spans), 1)
    folder.write_outcome(_outcome(shape, schedule))
    if not schedule.count:
        return folder
    warmup = Schedule(tuple(folder.plan().warmup), 1)
    with folder.writer("slices.jsonl") as writer:
        writer.write_all(_slices(folder.warmup_run, shape, warmup, random))
        writer.write_all(_slices(run, shape, schedule, random))
    with folder.writer("samples.jsonl") as writer:
        writer.write_all(_samples(run, shape, schedule, random))
    with folder.writer("marks.jsonl") as writer:
        writer.write_all(_marks(shape, spans))
    _fates(folder, schedule, shape.lost)
    _fates(folder, warmup, warmup=True)
    return folder


def _spans(shape: Shape) -> list[Span]:
    spans: list[Span] = []
    start = T0_US
    for rate, seconds in shape.rates:
        end = start + round(seconds * 1e6)
        spans.append(Span(start, end, rate, f"{rate:g}/s"))
        start = end
    return spans


def _plan(run: str, shape: Shape, spans: list[Span]) -> Plan:
    return Plan(
        run=run,
        scenario=shape.scenario,
        profile=shape.profile,
        runtime="local",
        stack="default",
        producers=1,
        spans=spans,
        warmup=[Span(T0_US - 20_000_000, T0_US, 100.0, "warm-up")],
        t0_us=T0_US,
        seed=shape.seed,
        sla=tier() if shape.sla else None,
        environment=Environment(
            cores=2,
            memory=24 * 2**30,
            versions=shape.versions,
            cpu="Synthetic CPU",
            os="Linux 6.8",
            load_before=0.2,
        ),
        created_us=shape.created_us,
    )


def tier() -> Tier:
    """The reference report's first tier, as far as the tests need it."""
    rows = (
        ("e2e", "< 1000 ms", 95.0, "P95 latency"),
        ("error_rate", "< 0.5 %", None, "error rate"),
        ("rate", ">= 2000 /s", None, "rate"),
        ("availability", ">= 99.9 %", None, "availability"),
    )
    rules = [
        SlaRule(metric=metric, limit=parse_limit(text, METRICS[metric], "here"), percentile=percent, name=name)
        for metric, text, percent, name in rows
    ]
    return Tier(name="tier1", title="Production", sla=rules)


def _outcome(shape: Shape, schedule: Schedule) -> Outcome:
    if shape.status is Status.RUNNING:
        return Outcome()
    return Outcome(
        status=shape.status,
        warmup_end_us=T0_US,
        steady=True,
        ended_us=schedule.end_us,
        drained=True,
        drain_s=1.2,
        unattributed=0,
    )


def _slices(run: str, shape: Shape, schedule: Schedule, random: np.random.Generator) -> list[SliceLine]:
    due = schedule.due_in_second()
    first = min(due)
    length = max(1, max(due) - first)
    lines = []
    for second, events in due.items():
        if second == max(due) and not run.endswith(WARMUP_SUFFIX):
            events -= shape.lost  # the last ones due
        at = (second - first) / length
        stages = _draw(shape, min(events, shape.per_slice), 1 + shape.drift * at, random)
        if shape.checkpoint_s and (second - first) % shape.checkpoint_s < 1:
            held = random.random(len(stages["e2e"])) < 0.7
            wait = np.where(held, random.uniform(20_000, 650_000, len(held)), 0)
            stages["process"] += wait
            stages["e2e"] += wait
        stages["e2e_sent"] = stages["e2e"] - random.uniform(0, 900, len(stages["e2e"]))
        stages["visible"] = stages["e2e"][: max(1, len(stages["e2e"]) // 10)] + 3_000
        histograms = {stage: _histogram(values, events) for stage, values in stages.items()}
        histograms["visible"] = _histogram(stages["visible"], max(1, events // 10))
        lines.append(SliceLine.of(run, second, histograms))
    return lines


def _draw(shape: Shape, events: int, factor: float, random: np.random.Generator) -> dict[str, Floats]:
    stages = {
        stage: random.lognormal(np.log(median * 1000 * factor), shape.spread, events)
        for stage, median in shape.medians_ms.items()
    }
    return {**stages, "e2e": np.sum(list(stages.values()), axis=0)}


def _histogram(values: Floats, events: int) -> Histogram:
    """Values in µs, their counts scaled so that they add up to `events`."""
    drawn, counts = np.unique(values.astype(np.int64), return_counts=True)
    whole, rest = divmod(events, int(counts.sum()))
    histogram = Histogram()
    for value, count in zip(drawn.tolist(), (counts * whole).tolist(), strict=True):
        if count:
            histogram.record(value, count)
    for value in drawn.tolist()[: rest or 0]:
        histogram.record(value)
    return histogram


def _samples(
    run: str, shape: Shape, schedule: Schedule, random: np.random.Generator
) -> list[RunSample | SinkSample | BatchSample]:
    samples: list[RunSample | SinkSample | BatchSample] = []
    backlog = 0.0
    for second, events in schedule.due_in_second().items():
        backlog = max(0.0, backlog + events - 4500.0)
        stored = min(events, 4500) if not backlog else 4500
        samples.append(
            RunSample(
                run,
                second,
                target_rate=float(events),
                sent=events,
                acked=events,
                stored=int(stored),
                lag=LagSample(int(backlog) + int(random.integers(5, 60)), float(random.uniform(5, 40)) + backlog / 4),
                services={
                    name: Usage(
                        cpu=float(random.uniform(0.05, 0.1)) * (k + 1) * (0.3 + events / 2500),
                        rss_bytes=int((150 + 120 * k) * 2**20 + random.integers(0, 2**20)),
                        read_bytes_s=0.0,
                        write_bytes_s=float(events * 300),
                    )
                    for k, name in enumerate(shape.services)
                },
                phase="load",
                clock_us=1_000_000,
            )
        )
        commit = Histogram()
        for value in random.lognormal(np.log(6000), 0.4, 20):
            commit.record(int(value))
        counts = {str(index): n for index, n in commit.counts.items()}
        samples.append(SinkSample("sink", second, counts, commit.max_us, events, 0, 0.4))
    return samples


def _marks(shape: Shape, spans: list[Span]) -> list[MarkLine]:
    marks = [MarkLine(span.start_us, "phase", span.phase) for span in spans]
    end = spans[-1].end_us
    if shape.checkpoint_s:
        step = round(shape.checkpoint_s * 1e6)
        marks += [MarkLine(at, "checkpoint", "batch boundary") for at in range(T0_US, end, step)]
    return [*marks, *shape.extra_marks]


def _fates(folder: RunFolder, schedule: Schedule, lost: int = 0, warmup: bool = False) -> None:
    n = schedule.count
    with LineWriter(folder.spool_path(0, warmup)) as spool:
        spool.write(SpoolLine(schedule.end_us or T0_US, n, [(0, n - 1)], late=3, late_max_us=4200, cpu_s=n / 60_000))
    sets = SequenceSets()
    sets.of(0).stored = BitMap(range(n - lost))
    folder.write_sequences(sets, warmup)
