"""What is known of one run, piled up second by second.

Belongs to the thread that reads; others get frozen views of it. Whole histograms are held for the last minutes only
(all of them in a replay); of older seconds there stay the sum, a row of the heat map and the points of the chart, so
that the room it takes does not grow with the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from console.feed.tally import Counts, Tally, Total
from measure.limits import Tier
from measure.load import IN_TIME_US
from measure.percentiles import events_needed
from measure.records import BatchSample, MarkLine, RunSample, SinkSample
from measure.schedule import Schedule

Stages = Mapping[str, Tally]

KEPT_S = 310
"""Seconds of whole histograms: the longest window and what is still arriving."""
STEPS_S = (1, 2, 5, 10, 30)
"""Widths of the chart's points. Chunks that are put at once must not split the widest."""

HEAT_EDGES_US = np.logspace(3, 8, 101)
"""Bins of the heat map: 20 to the decade, 1 ms to 100 s."""

_POINT = (50.0, 95.0, 99.0)
_P99_NEEDS = events_needed(99)


@dataclass(frozen=True)
class Facts:
    """What a run was planned to be, and has been amended to."""

    run: str
    scenario: str
    profile: str
    schedule: Schedule
    tier: Tier | None = None
    warm_up: bool = False
    """Whether it is the warm-up's events that are told of."""

    @cached_property
    def due(self) -> dict[int, int]:
        """Due-second → events due in it."""
        return self.schedule.due_in_second()

    @cached_property
    def start_us(self) -> int:
        """When the load starts."""
        return self.schedule.start_us or 0

    @cached_property
    def end_us(self) -> int:
        """When it is to end."""
        return self.schedule.end_us or 0


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a run is in its life."""

    status: str = "running"
    phase: str = ""
    verdict: str | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """Percentiles in ms of the events due in one step of the chart."""

    p50: float
    p95: float
    p99: float


@dataclass
class RunRecord:
    """See the module. `kept_s` None holds everything."""

    facts: Facts
    kept_s: int | None = KEPT_S
    standing: Standing = Standing()
    seconds: dict[int, Stages] = field(default_factory=dict)
    arrived: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Due-second → events with an e2e latency, and those of them within 5 s; of the whole run."""
    totals: dict[str, Total] = field(default_factory=dict)
    heat: dict[int, Counts] = field(default_factory=dict)
    points: dict[int, dict[int, Point]] = field(default_factory=lambda: {step: {} for step in STEPS_S})
    samples: dict[int, RunSample] = field(default_factory=dict)
    sinks: dict[tuple[str, int], SinkSample] = field(default_factory=dict)
    batches: dict[int, BatchSample] = field(default_factory=dict)
    marks: tuple[MarkLine, ...] = ()
    dead: Mapping[int, int] = field(default_factory=dict)
    """Second of the append (in a replay: of being due) → dead letters, which are not waited for."""
    failed: int = 0
    unsent: int = 0
    incomplete: bool = False
    """Whether a second changed after its histogram was dropped: the sums are then a little short."""

    def put(self, chunk: Mapping[int, Stages]) -> None:
        """Take in due-seconds, each with all that is known of it; a second put again replaces what it was."""
        for second, stages in chunk.items():
            self._put_second(second, stages)
        for step in STEPS_S:
            for group in {second // step * step for second in chunk}:
                self._put_point(step, group)
        self.forget()

    def put_sample(self, sample: RunSample) -> None:
        """Take in what the run process saw in one second."""
        before = self.samples.get(sample.second)
        self.failed += sample.failed - (before.failed if before else 0)
        self.unsent += sample.unsent - (before.unsent if before else 0)
        self.samples[sample.second] = sample

    def put_sink(self, sample: SinkSample) -> None:
        """Take in one sink's second."""
        self.sinks[sample.sink, sample.second] = sample

    def put_batch(self, sample: BatchSample) -> None:
        """Take in one micro-batch."""
        self.batches[sample.batch_id] = sample

    def forget(self) -> None:
        """Let go of histograms by their due-second, which lies far back where the pipeline lags; of the rest by the
        clock."""
        if self.kept_s is None:
            return
        oldest_due = max(self.seconds, default=0) - self.kept_s
        for second in [s for s in self.seconds if s < oldest_due]:
            del self.seconds[second]
        oldest = max((*self.seconds, *self.samples), default=0) - self.kept_s
        for second in [s for s in self.samples if s < oldest]:
            del self.samples[second]
        for key in [key for key in self.sinks if key[1] < oldest]:
            del self.sinks[key]
        for number in [n for n, batch in self.batches.items() if batch.second < oldest]:
            del self.batches[number]

    def settled(self, second: int, now_us: int) -> bool:
        """Whether a due-second counts: it is complete, or older than 5 s."""
        if (second + 1) * 1_000_000 > now_us:
            return False
        return second < (now_us - IN_TIME_US) // 1_000_000 or self.missing(second) == 0

    def missing(self, second: int) -> int:
        """Events due in the second that have no e2e latency (yet)."""
        awaited = self.facts.due.get(second, 0) - self.dead.get(second, 0)
        return max(0, awaited - self.arrived.get(second, (0, 0))[0])

    def _put_second(self, second: int, stages: Stages) -> None:
        before = self.seconds.get(second)
        if before is None and second in self.arrived:
            self.incomplete = True
            return
        for stage, tally in (before or {}).items():
            self.totals[stage].take(tally)
        for stage, tally in stages.items():
            self.totals.setdefault(stage, Total()).add(tally)
        self.seconds[second] = stages
        e2e = stages.get("e2e")
        if e2e is not None:
            self.arrived[second] = (e2e.n, e2e.count_within(IN_TIME_US))
            self.heat[second] = e2e.binned(HEAT_EDGES_US).astype(np.int32)

    def _put_point(self, step: int, group: int) -> None:
        held = [stages["e2e"] for s in range(group, group + step) if "e2e" in (stages := self.seconds.get(s, {}))]
        if not held:
            return
        merged = Tally.merged(held)
        p50, p95, p99 = (np.nan if us is None else us / 1000 for us in merged.percentiles_us(_POINT))
        self.points[step][group] = Point(p50, p95, p99 if merged.n >= _P99_NEEDS else np.nan)
