"""The slices that are being filled, each as MongoDB holds it.

They are written whole: adding to some hundred buckets by name keeps MongoDB busy for more than twice as long.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import UpdateOne

from jobs.records import Outcome
from jobs.remembered import Remembered
from jobs.stages import Slice, slices_of
from measure.histogram import Histogram
from measure.store import SLICES, Store, histograms, slice_id

LARGEST_MEMORY = 64


@dataclass(frozen=True, slots=True)
class SliceKey:
    """The events of a run that were due in one second, as far as they came by one partition."""

    run: str
    second: int
    partition: int

    @property
    def id(self) -> str:
        """The document's `_id`."""
        return slice_id(self.run, self.second, self.partition)


class Slices:
    """Those of a partition are true as long as only this process measures it."""

    def __init__(self, database: Store) -> None:
        self._slices: Remembered[SliceKey, Slice] = Remembered(database[SLICES], _read, LARGEST_MEMORY)
        self.forget, self.trim = self._slices.forget, self._slices.trim

    def updates(self, partition: int, outcomes: Iterable[Outcome], now: datetime) -> list[UpdateOne]:
        """Count these outcomes of a partition; the upserts for the slices that changed."""
        added = {SliceKey(run, second, partition): found for (run, second), found in slices_of(outcomes).items()}
        self._slices.bring(added)
        for key, found in added.items():
            for stage, histogram in found.items():
                self._slices[key].setdefault(stage, Histogram()).merge(histogram)
        return [_update(key, self._slices[key], now) for key in added]


def _read(found: Mapping[str, Any] | None) -> Slice:
    return histograms(found or {})


def _update(key: SliceKey, whole: Slice, now: datetime) -> UpdateOne:
    """The upsert that makes the document say what is remembered."""
    says = {
        "stages": {stage: {str(b): n for b, n in found.counts.items()} for stage, found in whole.items()},
        "negatives": {stage: found.negatives for stage, found in whole.items() if found.negatives},
        "max_us": {stage: found.max_us for stage, found in whole.items() if found.counts},
        "updated": now,
    }
    identity = {"run": key.run, "second": key.second, "partition": key.partition}
    return UpdateOne({"_id": key.id}, {"$set": says, "$setOnInsert": identity}, upsert=True)
