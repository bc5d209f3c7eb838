"""Frozen views: all that a screen needs to draw itself, and nothing it would have to work out.

Latencies are in ms; a figure that is not there is None, and its `reason` says why.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # both are slow to import, and not needed for the first paint
    import numpy as np
    from numpy.typing import NDArray

    from measure.records import Usage


class Window(Enum):
    """The span that figures are taken over: the last so many seconds, None for the whole run."""

    TEN_S = 10
    MINUTE = 60
    FIVE_MIN = 300
    RUN = None

    @property
    def label(self) -> str:
        """As it stands in a title."""
        return {10: "last 10 s", 60: "last 1 min", 300: "last 5 min", None: "whole run"}[self.value]


@dataclass(frozen=True, slots=True)
class StageFigures:
    """A stage's latency over some events. `missing` of `n` never arrived (yet) and rank last."""

    stage: str
    n: int
    p50: float | None = None
    p75: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None
    p999: float | None = None
    max: float | None = None
    missing: int = 0
    negatives: int = 0
    reason: str | None = None

    @property
    def stored(self) -> int:
        """How many did arrive."""
        return self.n - self.missing


@dataclass(frozen=True, slots=True)
class Progress:
    """Which run it is and how far it is. Times in seconds."""

    run: str
    scenario: str
    profile: str
    status: str
    phase: str
    elapsed_s: float = 0.0
    length_s: float = 0.0
    verdict: str | None = None
    alerts: int = 0
    paused: bool = False
    bursting: bool = False

    @property
    def running(self) -> bool:
        """Whether it is still under way."""
        return self.status == "running"

    @property
    def left_s(self) -> float:
        """Load that is still to come."""
        return max(0.0, self.length_s - self.elapsed_s)

    @property
    def share(self) -> float:
        """How much of the load is over, 0 to 1."""
        return min(1.0, self.elapsed_s / self.length_s) if self.length_s else 0.0


@dataclass(frozen=True, slots=True)
class RateView:
    """Events/s in the last full second, and in those before it (oldest first)."""

    target: float | None = None
    sent: float | None = None
    stored: float | None = None
    targets: tuple[float, ...] = ()
    stored_before: tuple[float, ...] = ()
    unsent: int = 0
    failed: int = 0
    late: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class LagView:
    """How far the sink is behind."""

    events: int | None = None
    ms: float | None = None
    events_before: tuple[float, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class WriteView:
    """Bulk writes of the window, and Spark's batches where the profile has some."""

    commit: StageFigures | None = None
    batch: StageFigures | None = None
    batch_reason: str | None = None
    busy: float | None = None
    """The busiest sink's share of time at work, 0 to 1."""
    redelivered: int = 0


@dataclass(frozen=True, slots=True)
class SlaLine:
    """A row of the SLA as it stands so far. `verdict`: pass, fail, n/a or open (judged at the end)."""

    name: str
    limit: str
    measured: str
    verdict: str


@dataclass(frozen=True, slots=True)
class MarkView:
    """Something that happened; `at_s` in seconds from the start of the load."""

    at_s: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class ChartView:
    """e2e percentiles over time. `at_s` counts from the start of the load; NaN where there is none."""

    at_s: NDArray[np.float64]
    p50: NDArray[np.float64]
    p95: NDArray[np.float64]
    p99: NDArray[np.float64]
    step_s: int
    """Seconds whose events each point merges."""
    first_s: float
    last_s: float
    marks: tuple[MarkView, ...] = ()
    limit_ms: float | None = None
    """Limit of P95, where the SLA has one."""

    @property
    def empty(self) -> bool:
        """Whether there is no point at all."""
        return bool((self.p50 != self.p50).all())  # NaN is what is not itself


@dataclass(frozen=True, slots=True)
class HeatView:
    """Latency over time: `counts[column, bin]`, bins between `edges_ms`; columns `step_s` seconds wide."""

    stage: str
    counts: NDArray[np.int64]
    edges_ms: NDArray[np.float64]
    first_s: float
    step_s: int


@dataclass(frozen=True, slots=True)
class RunView:
    """A run, or what of it lies before one moment."""

    progress: Progress
    window: Window
    window_s: int
    """Seconds that the figures really cover."""
    e2e: StageFigures
    limits_ms: dict[float, float] = field(default_factory=dict)
    """Percentile → the SLA's limit of e2e."""
    stages: tuple[StageFigures, ...] = ()
    rate: RateView = RateView()
    lag: LagView = LagView()
    writes: WriteView = WriteView()
    sla_title: str = ""
    sla: tuple[SlaLine, ...] = ()
    error_rate: float | None = None
    chart: ChartView | None = None
    heat: HeatView | None = None
    distribution: NDArray[np.int64] | None = None
    """Events of the window in each of the heat map's bins, of the heat map's stage."""
    usages: tuple[tuple[str, Usage], ...] = ()
    """What each service and the generator used in the last second that the run process saw."""
    marks: tuple[MarkView, ...] = ()
    newest_us: int | None = None
    """Due time up to which the figures reach."""


@dataclass(frozen=True, slots=True)
class ServiceLine:
    """One service and what it uses."""

    name: str
    state: str
    health: str = ""
    pid: int | None = None
    since_s: float | None = None
    cpu: float | None = None
    memory_bytes: int | None = None
    read_bytes_s: float | None = None
    write_bytes_s: float | None = None
    rx_bytes_s: float | None = None
    tx_bytes_s: float | None = None
    ports: tuple[tuple[str, int], ...] = ()
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class StackView:
    """A stack and its services."""

    name: str
    runtime: str
    profile: str
    services: tuple[ServiceLine, ...] = ()
    endpoints: tuple[tuple[str, str], ...] = ()
    """What for → address."""
    dashboard: str | None = None
    spark_ui: str | None = None
    cores: int = 1

    @property
    def up(self) -> bool:
        """Whether anything of it runs."""
        return any(line.state not in {"stopped", "failed"} for line in self.services)

    @property
    def ready(self) -> bool:
        """Whether everything of it is ready."""
        return bool(self.services) and all(line.state == "ready" for line in self.services)
