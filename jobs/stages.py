"""The stages of outcomes, counted into one-second slices (design §5).

Stages that begin or end with an append are exact to half a millisecond, for Kafka's append times are whole ones; `e2e`
is exact to 1 µs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from jobs.records import Fate, Outcome, append_us
from measure.buckets import Whole, buckets_of
from measure.histogram import Histogram
from measure.stamp import FOREIGN_RUN
from measure.store import COMPUTE, E2E, E2E_SENT, PROCESS, PRODUCE, QUEUE, STORE

Slice = dict[str, Histogram]
"""Stage → what it took, of the events of one run that were due in one second."""


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
            stages = columns.stages(foreign=run == FOREIGN_RUN)
            slices[run, second] = {stage: _counted(values[chosen]) for stage, values in stages}
    return slices


def _counted(values_us: Whole) -> Histogram:
    right = values_us[values_us >= 0]
    indexes, n = np.unique(buckets_of(right), return_counts=True)
    counts = dict(zip(indexes.tolist(), n.tolist(), strict=True))
    return Histogram(counts, len(values_us) - len(right), int(right.max(initial=0)))


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
