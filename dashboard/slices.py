"""The one-second slices as cells: how long each stage took for the events due in a second or a minute.

A cell keeps the buckets of each stage packed in two arrays. Percentiles of any span come from merged buckets through
`measure.percentiles`, the code that the reports use; none is averaged or added.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard.database import Database, Document
from measure.figures import StageLatency
from measure.histogram import Histogram
from measure.percentiles import stage_latency
from measure.store import SLICES


@dataclass(slots=True)
class Packed:
    """A histogram as arrays of bucket indexes and counts; an index may occur several times."""

    indexes: list[NDArray[np.int32]] = field(default_factory=list)
    counts: list[NDArray[np.int64]] = field(default_factory=list)
    negatives: int = 0
    max_us: int = 0

    def add(self, buckets: dict[str, int], negatives: int, max_us: int) -> None:
        """Count in one document's buckets of this stage."""
        self.indexes.append(np.fromiter((int(index) for index in buckets), np.int32, len(buckets)))
        self.counts.append(np.fromiter(buckets.values(), np.int64, len(buckets)))
        self.negatives += negatives
        self.max_us = max(self.max_us, max_us)

    def compact(self) -> None:
        """Make each index occur once."""
        if len(self.indexes) > 1:
            every = np.concatenate(self.indexes)
            if not len(every):
                self.indexes, self.counts = [every], [np.zeros(0, np.int64)]
                return
            dense = np.zeros(int(every.max()) + 1, np.int64)
            np.add.at(dense, every, np.concatenate(self.counts))
            indexes = np.flatnonzero(dense).astype(np.int32)
            self.indexes, self.counts = [indexes], [dense[indexes]]


def merged(parts: Iterable[Packed]) -> Histogram:
    """The histogram that holds all `parts`."""
    whole = Packed()
    for part in parts:
        whole.indexes += part.indexes
        whole.counts += part.counts
        whole.negatives += part.negatives
        whole.max_us = max(whole.max_us, part.max_us)
    whole.compact()
    if not whole.indexes:
        return Histogram({}, whole.negatives, whole.max_us)
    counts = dict(zip(whole.indexes[0].tolist(), whole.counts[0].tolist(), strict=True))
    return Histogram(counts, whole.negatives, whole.max_us)


@dataclass(slots=True)
class SliceCell:
    """All slices of one step, by stage. `figures` are computed when first asked for after a change."""

    stages: dict[str, Packed] = field(default_factory=dict)
    unreadable: int = 0
    _figures: dict[str, StageLatency] = field(default_factory=dict)

    def add(self, document: Document) -> None:
        """Count a slice in."""
        try:
            negatives, max_us = document.get("negatives") or {}, document.get("max_us") or {}
            for stage, buckets in document["stages"].items():
                packed = self.stages.setdefault(stage, Packed())
                packed.add(buckets, int(negatives.get(stage, 0)), int(max_us.get(stage, 0)))
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
            self.unreadable += 1
        self._figures.clear()

    def figures(self, stage: str) -> StageLatency | None:
        """Percentiles of one stage, or None where it has no events here."""
        packed = self.stages.get(stage)
        if packed is None:
            return None
        known = self._figures.get(stage)
        if known is None:
            packed.compact()
            known = self._figures[stage] = stage_latency(merged([packed]))
        return known


class SliceSource:
    """Slices of one run as a timeline's source."""

    page = 200

    def __init__(self, database: Database, run: str) -> None:
        self._database = database
        self._run = run

    def empty(self) -> SliceCell:
        """A cell that holds nothing."""
        return SliceCell()

    def newest_write(self) -> datetime | None:
        """The latest `updated` of all slices."""
        return self._database.newest_write(SLICES)

    def changed(self, since: datetime, start_s: int, end_s: int, limit: int) -> list[Document]:
        """Slices of this span written since, oldest write first."""
        where = {"updated": {"$gte": since}, **self._span(start_s, end_s)}
        return self._database.find(SLICES, where, {"second": 1, "updated": 1}, sort=[("updated", 1)], limit=limit)

    def read(self, start_s: int, end_s: int, limit: int) -> list[Document]:
        """Slices of this span, newest second first."""
        fields = {"_id": 0, "second": 1, "stages": 1, "negatives": 1, "max_us": 1}
        return self._database.find(SLICES, self._span(start_s, end_s), fields, sort=[("second", -1)], limit=limit)

    def second_of(self, document: Document) -> int:
        """The due-second."""
        return int(document["second"])

    def _span(self, start_s: int, end_s: int) -> dict[str, Any]:
        return {"run": self._run, "second": {"$gte": start_s, "$lt": end_s}}
