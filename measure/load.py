"""The events of one run id: when they were due, what became of them, and how long they took.

A run has two such loads, its own and its warm-up's, which never mix.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from pyroaring import BitMap

from measure.audit import Account, account, audit
from measure.figures import Audit, StageLatency
from measure.folder import RunFolder, Slices
from measure.histogram import Histogram, bucket_of
from measure.percentiles import count_within, merged_stages, stage_latency
from measure.schedule import Schedule, amended
from measure.sequences import ProducerSequences, SequenceSets

IN_TIME_US = 5_000_000
"""An event stored within so many µs of being due counts as stored in time."""

FROM_DUE = ("e2e", "e2e_sent")
"""Stages that are judged over all events due; the others are over the events that reached them."""

_IN_TIME_BUCKET = bucket_of(IN_TIME_US)


@dataclass(frozen=True)
class Load:
    """What is known of one run id's events."""

    schedule: Schedule
    accounts: Mapping[int, Account]
    sets: SequenceSets | None
    slices: Slices
    unattributed: int | None = None

    @classmethod
    def read(cls, folder: RunFolder, warmup: bool = False, until_us: int | None = None) -> Load:
        """The load of a run's folder, or its warm-up; only what was due before `until_us`, if that is given."""
        schedule = schedule_of(folder, warmup)
        if until_us is not None:
            schedule = schedule.clipped(until_us)
        sets = folder.sequences(warmup)
        accounts = {
            producer: account(
                schedule, producer, folder.spool(producer, warmup), sets.of(producer).found if sets else BitMap()
            )
            for producer in range(schedule.producers)
        }
        slices = folder.slices(folder.warmup_run if warmup else folder.run)
        if until_us is not None:
            slices = {second: held for second, held in slices.items() if second * 1_000_000 < until_us}
        return cls(schedule, accounts, sets, slices, None if warmup else folder.outcome().unattributed)

    @cached_property
    def audit(self) -> Audit:
        """What became of every event."""
        return audit(self.accounts, self.sets, self.unmeasured, self.unattributed)

    @cached_property
    def due(self) -> dict[int, int]:
        """Due-second → events due that had to be stored: all but dead letters and those dropped as late."""
        excluded = self._seconds_of(
            {producer: (held.dead | held.late) - held.stored for producer, held in self._found.items()}
        )
        due = {second: n - excluded[second] for second, n in self.schedule.due_in_second().items()}
        return {second: n for second, n in due.items() if n > 0}

    @cached_property
    def missing(self) -> Counter[int]:
        """Due-second → events that were found nowhere: unsent, failed, lost, or of unknown fate."""
        if self.sets is None:
            return Counter({second: max(0, n - self._stored_in(second)) for second, n in self.due.items()})
        nowhere = {
            producer: held.scheduled - self._found[producer].found if producer in self._found else held.scheduled
            for producer, held in self.accounts.items()
        }
        return self._seconds_of(nowhere)

    @cached_property
    def unlike(self) -> tuple[int, int] | None:
        """(events with an e2e latency, events stored that should have one) where the two differ, which are counted
        apart: buckets by the one, sets by the other. None where they agree or cannot be compared."""
        if self.sets is None or self.sets.repeats:
            return None
        stored = sum(len(found.stored) for found in self.sets.producers.values())
        return None if self._measured == stored else (self._measured, stored)

    @cached_property
    def unmeasured(self) -> int | None:
        """Events stored without a latency: by how much the buckets fall short of the sets. None without sets."""
        if self.sets is None:
            return None
        stored = sum(len(held.scheduled & self.sets.of(producer).stored) for producer, held in self.accounts.items())
        return max(0, stored - self._measured)

    @property
    def _measured(self) -> int:
        held = self.whole.get("e2e", Histogram())
        return held.n + held.negatives

    @property
    def _found(self) -> dict[int, ProducerSequences]:
        return self.sets.producers if self.sets else {}

    def _stored_in(self, second: int) -> int:
        return self.slices.get(second, {}).get("e2e", Histogram()).n

    def _seconds_of(self, numbers: Mapping[int, BitMap]) -> Counter[int]:
        seconds: Counter[int] = Counter()
        for producer, held in numbers.items():
            own = BitMap(held)
            own &= BitMap(range(self.schedule.count_of(producer)))
            if not own:
                continue
            dues = self.schedule.due_us_of(producer, np.asarray(own.to_array(), dtype=np.int64))
            found, counts = np.unique(dues // 1_000_000, return_counts=True)
            seconds.update(dict(zip(found.tolist(), counts.tolist(), strict=True)))
        return seconds

    @cached_property
    def whole(self) -> dict[str, Histogram]:
        """Stage → histogram of all events."""
        return merged_stages(self.slices.values())

    def histograms(self, seconds: Iterable[int]) -> dict[str, Histogram]:
        """Stage → histogram of the events due in `seconds`."""
        return merged_stages(self.slices[second] for second in seconds if second in self.slices)

    def histogram(self, stage: str, seconds: Iterable[int]) -> Histogram:
        """The histogram of one stage of the events due in `seconds`."""
        held = (self.slices[second].get(stage) for second in seconds if second in self.slices)
        return Histogram.merged(each for each in held if each is not None)

    def infinite(self, seconds: Iterable[int] | None = None) -> int:
        """Events due in `seconds`, or in all, that have no latency because they never arrived or were not measured."""
        missing = self.missing.total() if seconds is None else sum(self.missing[second] for second in seconds)
        return missing + (self.unmeasured or 0)

    def stages(self) -> dict[str, StageLatency]:
        """Stage → figures of all events."""
        infinite = self.infinite()
        merged = {"e2e": Histogram()} | self.whole if infinite else self.whole
        return {
            stage: stage_latency(held, infinite if stage in FROM_DUE else 0)
            for stage, held in merged.items()
            if held.n or held.negatives or stage in FROM_DUE
        }

    def in_time(self, second: int) -> int:
        """How many of the events due in `second` were stored within 5 s of it."""
        return count_within(self.slices.get(second, {}).get("e2e", Histogram()), _IN_TIME_BUCKET)


def schedule_of(folder: RunFolder, warmup: bool = False) -> Schedule:
    """The schedule that was in force, of a run's load or of its warm-up."""
    plan, outcome = folder.plan(), folder.outcome()
    if warmup:
        whole = Schedule(tuple(plan.warmup), plan.producers)
        return whole if outcome.warmup_end_us is None else whole.clipped(outcome.warmup_end_us)
    if plan.t0_us is None:
        return Schedule((), plan.producers)
    spans = amended(plan.spans, ((change.at_us, change.spans) for change in folder.amendments()))
    return Schedule(tuple(spans), plan.producers)
