"""A run out of its folder, to be looked at as it stood at any moment of it."""

from __future__ import annotations

from console.feed.compute import run_view
from console.feed.facts import ended_standing, facts_of
from console.feed.reading import Reading
from console.feed.record import RunRecord
from console.feed.snapshot import Snapshot
from console.feed.tally import Tally
from console.feed.views import Window
from measure.errors import InvalidError
from measure.folder import RunFolder
from measure.load import Load
from measure.records import BatchSample, RunSample, SinkSample

AFTER_S = 6
"""Seconds after the load's end that can be looked at: what was due last has settled then."""
_NO_STACK = "a replay shows the run, not the stack"


class Replay:
    """Everything of one run, held whole. Not for several threads."""

    def __init__(self, folder: RunFolder) -> None:
        """Read it; InvalidError where it has no load or cannot be read. Takes seconds for a long run."""
        facts = facts_of(folder, warming=False)
        if not facts.schedule.count:
            raise InvalidError(f"{folder.run} has no load to replay: it ended before it began.")
        self.record = RunRecord(facts, kept_s=None, standing=ended_standing(folder))
        self._fill(folder)

    @property
    def run(self) -> str:
        """Its id."""
        return self.record.facts.run

    @property
    def length_s(self) -> float:
        """Seconds from the start of the load to the last moment that can be looked at."""
        return (self.record.facts.end_us - self.record.facts.start_us) / 1e6 + AFTER_S

    def at(self, at_s: float, window: Window, heat_stage: str | None = None) -> Snapshot:
        """The run as it stood so many seconds after the start of the load."""
        now_us = self.record.facts.start_us + round(at_s * 1e6)
        view = run_view(self.record, now_us, window, heat_stage)
        now_s = now_us / 1e6
        return Snapshot(now_s, Reading(None, now_s, _NO_STACK), Reading(view.progress, now_s), Reading(view, now_s))

    def _fill(self, folder: RunFolder) -> None:
        record, load = self.record, Load.read(folder)
        record.dead = {second: n - load.due.get(second, 0) for second, n in record.facts.due.items()}
        record.put(
            {
                second: {stage: Tally.of(held.counts, held.negatives, held.max_us) for stage, held in stages.items()}
                for second, stages in sorted(load.slices.items())
            }
        )
        for sample in folder.samples():
            match sample:
                case RunSample():
                    record.put_sample(sample)
                case SinkSample():
                    record.put_sink(sample)
                case BatchSample():
                    record.put_batch(sample)
        record.marks = tuple(folder.marks())
