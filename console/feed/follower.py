"""A run in MongoDB, followed while it grows: each look takes in only what was written since the one before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from console.feed.record import KEPT_S, RunRecord, Stages, Standing
from console.feed.tally import Tally, merged_stages
from measure.decoding import convert
from measure.records import MarkLine, RunSample
from measure.store import MARKS, RUNS, SAMPLES, SLICES, Document, Store
from scenarios.harvest import batch_samples, dead_letters, sink_samples

_CHUNK_S = 30
"""Seconds that are read at once at the start; a multiple of every step of the chart."""
_OVERLAP = timedelta(seconds=3)
"""Writes that were under way at the last look may carry an earlier time."""
_BACK_S = 8
"""How far back samples that come late are looked for."""
_EPOCH = datetime.fromtimestamp(0, UTC)


class RunFollower:
    """Fills `record` from the database. `slice_run` is the run id that the events carry: of the load, or of its
    warm-up. Not for several threads."""

    def __init__(self, database: Store, record: RunRecord, run: str, slice_run: str) -> None:
        self.record = record
        self._database, self._run, self._slice_run = database, run, slice_run
        self._seen: dict[str, tuple[int, datetime]] = {}
        self._newest = _EPOCH
        self._sampled_s = 0

    def read_past(self, now_us: int) -> None:
        """Everything that was written up to now, the oldest first. PyMongoError where MongoDB does not answer."""
        start_s = self.record.facts.start_us // 1_000_000 // _CHUNK_S * _CHUNK_S
        for first in range(start_s, now_us // 1_000_000 + 1, _CHUNK_S):
            span = {"run": self._slice_run, "second": {"$gte": first, "$lt": first + _CHUNK_S}}
            self._take(self._database[SLICES].find(span))
        self._read_samples(0)
        self.read_others(now_us, KEPT_S)
        self._read_dead(start_s, now_us // 1_000_000)

    def read_slices(self) -> None:
        """The slices that changed since the last look."""
        recent = {"run": self._slice_run, "updated": {"$gte": self._newest - _OVERLAP}}
        found = self._database[SLICES].find(recent, {"updated": 1, "second": 1}).hint("updated_ttl")
        changed = {each["second"] for each in found if self._seen.get(each["_id"], (0, _EPOCH))[1] != each["updated"]}
        if changed:  # all partitions of those seconds, since the record wants them whole
            self._take(self._database[SLICES].find({"run": self._slice_run, "second": {"$in": sorted(changed)}}))

    def read_others(self, now_us: int, back_s: int = _BACK_S) -> None:
        """What else is known of the run: samples, bulk writes, batches, dead letters, marks, its standing. Writes and
        batches of the last `back_s`."""
        second = now_us // 1_000_000
        self._read_samples(self._sampled_s - _BACK_S)
        for sink in sink_samples(self._database, second - back_s, second):
            self.record.put_sink(sink)
        for batch in batch_samples(self._database, second - back_s, second):
            self.record.put_batch(batch)
        self._read_dead(second - 2 * back_s, second)
        marks = self._database[MARKS].find({"run": self._run}, {"_id": 0, "updated": 0, "run": 0}).sort("at_us", 1)
        self.record.marks = tuple(convert(each, MarkLine) for each in marks)
        self._read_standing()

    def _read_dead(self, first_s: int, last_s: int) -> None:
        found = dead_letters(self._database, self._slice_run, first_s, last_s)
        self.record.dead = {**self.record.dead, **found}

    def _read_standing(self) -> None:
        found = self._database[RUNS].find_one({"_id": self._run}) or {}
        self.record.standing = Standing(found.get("status", "running"), found.get("phase", ""), found.get("verdict"))

    def _read_samples(self, after_s: int) -> None:
        wanted = {"run": self._run, "second": {"$gt": after_s}, "kind": "run"}
        for found in self._database[SAMPLES].find(wanted, {"_id": 0, "updated": 0}).sort("second", 1):
            sample = convert(found, RunSample)
            self.record.put_sample(sample)
            self._sampled_s = max(self._sampled_s, sample.second)
        self.record.forget()

    def _take(self, documents: Iterable[Document]) -> None:
        """Each second that comes must come with all of its partitions."""
        fresh: dict[int, list[Stages]] = {}
        for found in documents:
            self._seen[found["_id"]] = (found["second"], found["updated"])
            self._newest = max(self._newest, found["updated"])
            fresh.setdefault(found["second"], []).append(tallies(found))
        if fresh:
            self.record.put({second: merged_stages(fresh[second]) for second in sorted(fresh)})
            self._forget(max(fresh) - KEPT_S)

    def _forget(self, oldest: int) -> None:
        for name in [name for name, (second, _) in self._seen.items() if second < oldest]:
            del self._seen[name]


def tallies(found: Mapping[str, Any]) -> dict[str, Tally]:
    """Stage → tally of one document of `slices`."""
    negatives, max_us = found.get("negatives") or {}, found.get("max_us") or {}
    return {
        stage: Tally.of(counts, negatives.get(stage, 0), max_us.get(stage, 0))
        for stage, counts in (found.get("stages") or {}).items()
    }
