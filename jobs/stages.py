"""The stages of outcomes, counted into one-second slices (design §5).

Stages that begin or end with an append are exact to half a millisecond, for Kafka's append times are whole ones; `e2e`
is exact to 1 µs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jobs.records import Fate, Outcome, append_us
from measure.buckets import Whole, buckets_of
from measure.stamp import FOREIGN_RUN
from measure.store import COMPUTE, E2E, E2E_SENT, PROCESS, PRODUCE, QUEUE, STORE


@dataclass(slots=True)
class Slice:
    """What is added to one slice document: stage → bucket → events, negatives apart, and the largest value."""

    counts: dict[str, dict[int, int]] = field(default_factory=dict)
    negatives: dict[str, int] = field(default_factory=dict)
    max_us: dict[str, int] = field(default_factory=dict)

    def add(self, stage: str, values_us: Whole) -> None:
        """Count these values; a slice is given each stage once."""
        right = values_us[values_us >= 0]
        if wrong := len(values_us) - len(right):
            self.negatives[stage] = wrong
        if len(right):
            indexes, n = np.unique(buckets_of(right), return_counts=True)
            self.counts[stage] = dict(zip(indexes.tolist(), n.tolist(), strict=True))
            self.max_us[stage] = int(right.max())

    def update(self) -> dict[str, Any]:
        """The increments and maxima for the slice's document."""
        increments = {f"stages.{stage}.{b}": n for stage, counts in self.counts.items() for b, n in counts.items()}
        increments.update({f"negatives.{stage}": n for stage, n in self.negatives.items()})
        return {"$inc": increments, "$max": {f"max_us.{stage}": us for stage, us in self.max_us.items()}}


def slices_of(outcomes: Iterable[Outcome]) -> dict[tuple[str, int], Slice]:
    """(run, second of the due time) → its slice, of the outcomes that were stored."""
    by_run: defaultdict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.fate is Fate.STORED:
            by_run[outcome.arrival.run].append(outcome)
    slices: dict[tuple[str, int], Slice] = {}
    for run, found in by_run.items():
        columns = _columns(found)
        seconds = columns.due // 1_000_000
        for second in np.unique(seconds).tolist():
            chosen = seconds == second
            part = slices[run, second] = Slice()
            for stage, values in columns.stages(foreign=run == FOREIGN_RUN):
                part.add(stage, values[chosen])
    return slices


@dataclass(frozen=True, slots=True)
class _Columns:
    """One run's outcomes as arrays of µs of the epoch; `read` and `ready` are 0 where they are not known."""

    due: Whole
    sent: Whole
    appended: Whole
    read: Whole
    ready: Whole
    acknowledged: Whole

    def stages(self, *, foreign: bool) -> Iterator[tuple[str, Whole]]:
        """Stage → values. A foreign event is due when it was appended, so nothing is known of what was before."""
        if not foreign:
            yield PRODUCE, self.appended - self.due
            yield E2E_SENT, self.acknowledged - self.sent
        yield E2E, self.acknowledged - self.due
        if not self.ready.any():
            return
        yield STORE, self.acknowledged - self.ready
        if self.read.any():
            yield QUEUE, self.read - self.appended
            yield COMPUTE, self.ready - self.read
        else:
            yield PROCESS, self.ready - self.appended


def _columns(outcomes: Sequence[Outcome]) -> _Columns:
    return _Columns(*np.array([_times(outcome) for outcome in outcomes], dtype=np.int64).T)


def _times(outcome: Outcome) -> tuple[int, int, int, int, int, int]:
    arrival = outcome.arrival
    stamp, appended = arrival.stamp, append_us(arrival.record.source_time_ms)
    due, sent = (stamp.due_us, stamp.sent_us) if stamp else (appended, appended)
    return due, sent, appended, arrival.read_us or 0, arrival.ready_us or 0, outcome.acknowledged_us
