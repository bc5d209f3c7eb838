"""All that a run's folder proves, read once: the one input of every figure in the document."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from measure.figures import Status
from measure.folder import RunFolder
from measure.histogram import Histogram
from measure.load import Load
from measure.records import BatchSample, MarkLine, Outcome, Plan, RunSample, SinkSample, SpoolLine
from measure.schedule import Span, burst_spans

WRITTEN_S = 8
"""Of a run in progress, a due-second that ended so long ago is in the folder: the run process writes it 6 s after."""


@dataclass(frozen=True)
class Evidence:
    """A run, as its folder has it."""

    run: str
    plan: Plan
    outcome: Outcome
    status: Status
    load: Load
    warmup: Load | None = None
    marks: list[MarkLine] = field(default_factory=list)
    run_samples: dict[int, RunSample] = field(default_factory=dict)
    """Second → sample; those of the warm-up and of the drain too."""
    sinks: list[SinkSample] = field(default_factory=list)
    batches: list[BatchSample] = field(default_factory=list)
    spools: dict[int, list[SpoolLine]] = field(default_factory=dict)
    amended: bool = False

    @classmethod
    def read(cls, folder: RunFolder, now_us: int | None = None) -> Evidence:
        """Read `folder`; it needs no stack. InvalidError where a file cannot be read.

        Of a run in progress, given `now_us`, only the whole due-seconds that ended 8 s before that.
        """
        plan, status = folder.plan(), folder.status()
        samples = folder.samples()
        until_us = None
        if now_us is not None and status is Status.RUNNING:
            until_us = (now_us // 1_000_000 - WRITTEN_S) * 1_000_000
        return cls(
            run=folder.run,
            plan=plan,
            outcome=folder.outcome(),
            status=status,
            load=Load.read(folder, until_us=until_us),
            warmup=Load.read(folder, warmup=True) if plan.warmup else None,
            marks=folder.marks(),
            run_samples={sample.second: sample for sample in samples if isinstance(sample, RunSample)},
            sinks=[sample for sample in samples if isinstance(sample, SinkSample)],
            batches=[sample for sample in samples if isinstance(sample, BatchSample)],
            spools={producer: folder.spool(producer) for producer in range(plan.producers)},
            amended=bool(folder.amendments()),
        )

    @cached_property
    def seconds(self) -> list[int]:
        """The seconds of the epoch that the load covers, in order."""
        start_us, end_us = self.load.schedule.start_us, self.load.schedule.end_us
        if start_us is None or end_us is None:
            return []
        return list(range(start_us // 1_000_000, -(-end_us // 1_000_000)))

    @cached_property
    def burst_spans(self) -> list[Span]:
        """The spans at the schedule's higher rates; none where it has one rate."""
        return burst_spans(self.load.schedule.spans)

    def seconds_during(self, during: str) -> list[int]:
        """The seconds of the whole `load`, or those that lie for the most part in a `burst`."""
        return self.seconds if during == "load" else seconds_in(self.burst_spans)

    def at_s(self, at_us: int) -> float:
        """Seconds since the start of the load, or since the run was made if there was none; to the ms."""
        origin = self.load.schedule.start_us or self.plan.created_us or at_us
        return round((at_us - origin) / 1e6, 3)

    def samples_in(self, seconds: Iterable[int]) -> list[RunSample]:
        """The run process's samples of these seconds."""
        return [self.run_samples[second] for second in seconds if second in self.run_samples]

    @cached_property
    def commits(self) -> dict[int, Histogram]:
        """Second of the load → durations of the bulk writes of all sinks."""
        wanted = set(self.seconds)
        found: dict[int, Histogram] = {}
        for sink in self.sinks:
            if sink.second in wanted:
                found.setdefault(sink.second, Histogram()).merge(sink.commits())
        return found

    @cached_property
    def batch_times(self) -> dict[int, Histogram]:
        """Second of the load → durations of Spark's batches that ended in it."""
        wanted = set(self.seconds)
        found: dict[int, Histogram] = {}
        for batch in self.batches:
            if batch.second in wanted:
                found.setdefault(batch.second, Histogram()).record(round(batch.duration_ms * 1000))
        return found


def seconds_in(spans: Iterable[Span]) -> list[int]:
    """The seconds of the epoch whose middle lies in one of `spans`, in order."""
    return sorted(
        {
            second
            for span in spans
            for second in range(span.start_us // 1_000_000, -(-span.end_us // 1_000_000))
            if span.start_us <= second * 1_000_000 + 500_000 < span.end_us
        }
    )
