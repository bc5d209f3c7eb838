"""The lines and small files of a run's folder, as their writers write them and their readers read them.

Times `*_us` are µs of the epoch; `second` is a due time's second of the epoch. Unknown fields are ignored, so that a
later version can add some.
"""

from __future__ import annotations

import msgspec

from measure.figures import Environment, Status
from measure.histogram import Histogram
from measure.limits import AlertRule, Tier
from measure.schedule import Span

Ranges = list[tuple[int, int]]
"""(first, last) sequence numbers, both inclusive."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """`plan.json`: what was resolved before the load began; rewritten once when `t0_us` is fixed."""

    run: str
    scenario: str
    profile: str
    runtime: str
    stack: str
    producers: int
    spans: list[Span]
    """The load as planned; bursts, pauses and a stop are in `amendments.jsonl`."""
    warmup: list[Span] = []
    """The warm-up at its longest; `Outcome.warmup_end_us` says where it ended."""
    t0_us: int | None = None
    """Start of the load; null until the warm-up is over, and as long as it is, no event of the load was due."""
    seed: int | None = None
    sla: Tier | None = None
    """The whole tier, not its name, so that a folder can be judged anywhere."""
    alerts: list[AlertRule] = []
    environment: Environment | None = None
    created_us: int | None = None


class Process(msgspec.Struct, frozen=True):
    """`process.json`: the run process and where it listens."""

    pid: int
    socket: str
    birth: str = ""
    """Which process of that pid; see measure.birth."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """`outcome.json`: what only the run process knows; rewritten as it becomes known."""

    status: Status = Status.RUNNING
    warmup_end_us: int | None = None
    steady: bool | None = None
    """Whether the warm-up reached a steady state; null before its end or without a warm-up."""
    steady_reason: str | None = None
    ended_us: int | None = None
    """End of the load, as it came."""
    drained: bool | None = None
    """Whether all acknowledged events were accounted for before the drain's deadline; null before its end."""
    drain_s: float | None = None
    unattributed: int | None = None
    """Events of run `-` stored between the load's start and the drain's end."""
    remarks: list[str] = []
    """Remarks of the run process, taken over into the document."""
    invalid: list[str] = []
    """Reasons for which the run process itself holds the run invalid, such as an engine that went away."""


class SpoolLine(msgspec.Struct, frozen=True):
    """A line of `producers/N.spool`. Ranges are what became known since the line before; `late`, `late_max_us` and
    `cpu_s` count from the producer's start of this spool."""

    t_us: int
    next_seq: int
    """The first sequence number that is neither handed over nor given up as unsent."""
    acked: Ranges = []
    failed: Ranges = []
    unsent: Ranges = []
    late: int = 0
    late_max_us: int = 0
    cpu_s: float = 0.0


class Amendment(msgspec.Struct, frozen=True):
    """A line of `amendments.jsonl`: from `at_us` on, `spans` are in force."""

    at_us: int
    kind: str
    spans: list[Span]


class SliceLine(msgspec.Struct, frozen=True):
    """A line of `slices.jsonl`: all that is known of one due-second, merged over partitions. A later line of the same
    run and second replaces the stages that it names."""

    run: str
    second: int
    stages: dict[str, dict[int, int]]
    negatives: dict[str, int] = {}
    max_us: dict[str, int] = {}

    def histograms(self) -> dict[str, Histogram]:
        """Stage → histogram."""
        return {
            stage: Histogram(counts, self.negatives.get(stage, 0), self.max_us.get(stage, 0))
            for stage, counts in self.stages.items()
        }

    @classmethod
    def of(cls, run: str, second: int, histograms: dict[str, Histogram]) -> SliceLine:
        """The line that holds `histograms`, stage by stage."""
        return cls(
            run,
            second,
            {stage: held.counts for stage, held in histograms.items()},
            {stage: held.negatives for stage, held in histograms.items() if held.negatives},
            {stage: held.max_us for stage, held in histograms.items()},
        )


class LagSample(msgspec.Struct, frozen=True):
    """How far behind the sink is: in events, and as the age in ms of the record that is next."""

    events: int
    ms: float | None = None


class Usage(msgspec.Struct, frozen=True):
    """What a service used in one second; null where the runtime does not tell."""

    cpu: float | None = None
    rss_bytes: int | None = None
    read_bytes_s: float | None = None
    write_bytes_s: float | None = None
    rx_bytes_s: float | None = None
    tx_bytes_s: float | None = None


class RunSample(msgspec.Struct, frozen=True, tag="run", tag_field="kind"):
    """Kind `run` in `samples.jsonl`: what the run process saw in one second. Counts are of that second alone."""

    run: str
    second: int
    target_rate: float = 0.0
    sent: int = 0
    acked: int = 0
    stored: int = 0
    late: int = 0
    unsent: int = 0
    failed: int = 0
    lag: LagSample | None = None
    services: dict[str, Usage] = {}
    phase: str = ""
    clock_us: int | None = None
    """Wall clock minus monotonic clock, from any fixed origin: a change is a step or a drift of the wall clock."""


class SinkSample(msgspec.Struct, frozen=True, tag="sink", tag_field="kind"):
    """Kind `sink` in `samples.jsonl`: one sink's bulk writes in one second."""

    sink: str
    second: int
    commit: dict[str, int] = {}
    commit_max_us: int = 0
    applied: int = 0
    redelivered: int = 0
    loop_busy: float = 0.0

    def commits(self) -> Histogram:
        """Durations of the bulk writes."""
        return Histogram.from_counts(self.commit, 0, self.commit_max_us)


class BatchSample(msgspec.Struct, frozen=True, tag="batch", tag_field="kind"):
    """Kind `batch` in `samples.jsonl`: one micro-batch of Spark, from its own progress. None for Real-Time Mode."""

    second: int
    batch_id: int
    duration_ms: float
    rows: int = 0


Sample = RunSample | SinkSample | BatchSample


class MarkLine(msgspec.Struct, frozen=True):
    """A line of `marks.jsonl`. Of a fault: `fault` is its kind, `service` its target, `edge` whether it begins or is
    undone, and `acted` whether it was seen to act."""

    at_us: int
    kind: str
    text: str
    fault: str | None = None
    service: str | None = None
    edge: str | None = None
    acted: bool | None = None
    alert: str | None = None
    """Name of the alert rule, on marks of kind `alert`; `edge` is then `raise` or `resolve`."""
    value: float | None = None


class SequenceCounts(msgspec.Struct, frozen=True):
    """`sequences/counts.json`: what the sets cannot hold."""

    repeats: int = 0
    redelivered: int = 0
    dead_unexpected: int = 0
