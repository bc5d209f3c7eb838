"""The structs of the run document `latency-run/1` and of the figures in it.

All are frozen and serialise to JSON as they stand. A figure that was not measured is null, never zero. Times in the
names: `_ms` milliseconds, `_s` seconds; `at_s` counts from the start of the load (negative during warm-up).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

import msgspec


class Status(StrEnum):
    """Where the run is in its life."""

    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"


class Verdict(StrEnum):
    """The judgement of a run."""

    PASS = "pass"  # noqa: S105 - the word, not a secret
    FAIL = "fail"
    INVALID = "invalid"


class RowVerdict(StrEnum):
    """The judgement of one SLA row."""

    PASS = "pass"  # noqa: S105 - the word, not a secret
    FAIL = "fail"
    NOT_APPLICABLE = "n/a"


class Environment(msgspec.Struct, frozen=True):
    """The machine and the versions that a run was measured with."""

    cores: int
    memory: int
    """Bytes."""
    versions: dict[str, str]
    """`latency-console`, `python`, `kafka`, `mongod`, `pyspark`, `java` and what else is known."""
    cpu: str | None = None
    os: str | None = None
    load_before: float | None = None
    """The machine's load average (1 min) before the run started."""
    details: dict[str, Any] = {}
    """Further facts: partitions, container limits, hash of the configuration."""


class Audit(msgspec.Struct, frozen=True):
    """What became of every event. `scheduled` = sent + unsent; sent = acked + failed + unknown; acked = stored + dead
    + late + lost. Each count is that of a set of sequence numbers; none is a difference of counts.

    What was found behind Kafka is null where it was never read out of the database: a run that was killed and not
    audited since.
    """

    scheduled: int
    sent: int
    unsent: int
    acked: int
    failed: int
    unknown: int
    stored: int | None
    dead: int | None
    late: int | None
    lost: int | None
    recovered: int | None
    unexpected: int | None
    duplicates: int | None
    redelivered: int | None
    unmeasured: int | None
    dead_unexpected: int | None = None
    unattributed: int | None = None
    """Events without a stamp that were stored while the run lasted."""
    closed: bool = True
    """Whether the identities hold."""
    problems: list[str] = []
    """Each identity that does not hold, in words."""
    first: dict[str, list[str]] = {}
    """Class (`lost`, `unexpected`, …) → the first of its events, each written `PRODUCER:SEQ`."""


class StageLatency(msgspec.Struct, frozen=True):
    """Latency of one stage in ms over `n` events. A percentile may be null; `reason` then says why."""

    n: int
    p50: float | None = None
    p75: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None
    p999: float | None = None
    max: float | None = None
    mean: float | None = None
    infinite: int = 0
    """Events among `n` that never arrived; they rank last."""
    negatives: int = 0
    """Values below zero (a clock that stepped), counted apart."""
    reason: str | None = None


class Rate(msgspec.Struct, frozen=True):
    """Events a second over the load: due, stored, and stored within 5 s of being due."""

    target: float | None
    achieved: float | None
    in_time: float | None = None
    peak_target: float | None = None
    """The highest rate that the schedule holds."""


class Lag(msgspec.Struct, frozen=True):
    """How far the sink was behind the end of topic `events`, from one sample a second."""

    events_max: int | None = None
    events_mean: float | None = None
    ms_max: float | None = None
    samples: int = 0


class Spread(msgspec.Struct, frozen=True):
    """Duration in ms of a batch or of a bulk write."""

    p50: float | None
    p95: float | None
    max: float | None
    n: int = 0


class Recovery(msgspec.Struct, frozen=True):
    """One recovery. `seconds` is null where it was not seen; `reason` then says why."""

    cause: str
    at_s: float
    seconds: float | None
    reason: str | None = None


class RecoverySummary(msgspec.Struct, frozen=True):
    """All recoveries of a run. `worst_s` is null if there were none, or if one was not seen."""

    cycles: int
    recovered: int
    median_s: float | None
    worst_s: float | None
    baseline_p95_ms: float | None = None
    """P95 of the calm seconds against which a recovery was judged."""
    baseline_n: int = 0


class ServiceUsage(msgspec.Struct, frozen=True):
    """What one service used. CPU in cores; null where the runtime does not tell."""

    cpu_mean: float | None = None
    cpu_max: float | None = None
    memory_max_bytes: int | None = None
    memory_mean_bytes: float | None = None
    read_bytes_s_mean: float | None = None
    write_bytes_s_mean: float | None = None
    rx_bytes_s_mean: float | None = None
    tx_bytes_s_mean: float | None = None
    samples: int = 0


class SlaRow(msgspec.Struct, frozen=True):
    """One limit and what was measured. `margin` is the share of the limit that is left (negative: missed by it)."""

    metric: str
    limit: float
    measured: float | None
    unit: str
    n: int
    verdict: RowVerdict
    name: str = ""
    """What a reader sees: `P95 latency`."""
    operator: str = "<"
    percentile: float | None = None
    during: str = "load"
    """`load`, or `burst`: only the events due while the schedule was at its higher rates."""
    margin: float | None = None
    reason: str | None = None


class Alert(msgspec.Struct, frozen=True):
    """A limit that was broken for its `for` time. `until_s` is null if it still was at the end."""

    name: str
    metric: str
    limit: float
    unit: str
    at_s: float
    until_s: float | None
    worst: float | None
    percentile: float | None = None
    aborted: bool = False


class Mark(msgspec.Struct, frozen=True):
    """Something that happened, on the run's time line."""

    at_s: float
    kind: str
    text: str


class Warmup(msgspec.Struct, frozen=True):
    """The phase before the load. None of its latencies enters the run's figures."""

    seconds: float
    steady: bool
    reason: str | None = None
    audit: Audit | None = None


class Stability(msgspec.Struct, frozen=True):
    """Slope of P95 over the run in ms a minute (Theil and Sen), with its 95 % interval."""

    slope_ms_per_min: float | None
    low: float | None
    high: float | None
    slices: int
    slice_s: int
    reason: str | None = None


class Generator(msgspec.Struct, frozen=True):
    """What producing the load cost, and how punctual it was."""

    producers: int
    late: int
    late_share: float | None
    late_max_ms: float | None
    cpu_s: float | None
    cpu_mean: float | None
    """Cores."""


class Clock(msgspec.Struct, frozen=True):
    """The wall clock against the monotonic one, read once a second."""

    step_max_ms: float | None
    """The largest change of their difference from one second to the next."""
    drift_ms: float | None
    """The change of their difference over the whole run."""
    samples: int
    stepped: bool


class RunDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`latency-run/1`."""

    schema: Literal["latency-run/1"] = "latency-run/1"
    run: str
    status: Status
    scenario: str
    profile: str
    runtime: str
    started: str | None
    """Start of the load, ISO 8601, UTC; null where the run ended before it."""
    duration_s: float
    """Length of the load that was scheduled, as amended; warm-up and drain are not in it."""
    environment: Environment | None
    audit: Audit
    latency_ms: dict[str, StageLatency]
    """Stage → figures; a stage that the profile does not have is not there."""
    rate: Rate
    lag: Lag
    batch_ms: Spread | None
    commit_ms: Spread | None
    recovery: list[Recovery]
    recovery_summary: RecoverySummary
    availability: float | None
    """Share (0 to 1) of the load's seconds in which ≥ 99.5 % of the events due were stored within 5 s."""
    error_rate: float | None
    """(failed + dead not expected + lost) / scheduled, 0 to 1."""
    resources: dict[str, ServiceUsage]
    stability: Stability
    generator: Generator
    clock: Clock
    sla_name: str | None
    sla: list[SlaRow]
    alerts: list[Alert]
    marks: list[Mark]
    warmup: Warmup | None
    amended: bool
    """Whether bursts, pauses or a stop changed the schedule under way."""
    seed: int | None
    verdict: Verdict | None
    """Null while the run is running."""
    reasons: list[str]
    """Why the verdict is what it is, the gravest first; empty for a plain pass."""
    remarks: list[str]
    """What a reader should know and what did not change the verdict, such as `no steady state`."""
