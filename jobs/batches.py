"""Stores micro-batches: what `foreachBatch` of the profiles without a sink calls.

The same fences and positions as the sink's (design §4), so a batch that comes again and a checkpoint that is gone
change nothing. A batch is measured beside the next one: a crash between its commit and its measurement leaves a
checkpoint that is ahead of the positions, which is a gap, and a new generation begins behind what is measured. Where
a watermark drops records, a gap looks like them: there a batch is measured before it is committed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
from pymongo import MongoClient
from pyspark.sql import DataFrame

from jobs import position
from jobs.applying import Windows
from jobs.contiguity import Place
from jobs.deadtopic import DeadTopic
from jobs.gaps import mark_gone
from jobs.handover import Handover
from jobs.measuring import Measurer
from jobs.notes import Notes
from jobs.noting import Noting
from jobs.partition import Partition
from jobs.records import Arrival, Fate, Outcome
from jobs.rows import arrivals, dead_rows, in_order
from jobs.source import SourceTopic
from jobs.topics import Topic
from measure.errors import LatencyError
from measure.stamp import FOREIGN_RUN
from measure.store import Document, Store

_WAIT_S = 1.0
DIRECT = "direct"
"""Stands for the clean topic's id in the position of a profile that has no clean topic."""


class GapError(LatencyError):
    """A batch begins behind what is measured: its checkpoint does not fit. A new generation starts right."""


@dataclass
class BatchStore:
    """Takes one batch after the other. `one_by_one`: a write for each event instead of a bulk for the batch."""

    client: MongoClient[Document]
    database: Store
    topic: Topic
    source: SourceTopic
    dead: DeadTopic
    service: str
    stopping: Callable[[], bool]
    one_by_one: bool = False
    drops_late: bool = False
    """Whether the query has a watermark that drops records; else a record that is missing is a gap."""
    gap: str | None = None
    """Why the job must start anew with a new checkpoint."""
    _partitions: dict[int, Partition] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._windows = Windows(self.database, self.stopping)
        self._handover = Handover(Measurer(self.client, self.database, self.stopping).measure)
        self._notes = Notes(self.service, int(time.time()))
        self._noting = Noting(self.database)
        self._noting.start()
        self._partitions = {number: self._begin(number) for number in range(self.topic.partitions)}

    def __call__(self, batch: DataFrame, _batch_id: int) -> None:
        """Store a batch of `rows.narrowed`."""
        read_us = _now_us()
        rows: pa.Table = in_order(batch.toArrow())
        ready_us = _now_us()
        with self._lock:
            self._store(list(arrivals(rows, self.topic.id, read_us, ready_us)))
            self.dead.send(dead_rows(rows))
            self._measure()
            if self.drops_late:
                self._settle()

    def close_behind(self, end_offsets: Mapping[int, int]) -> None:
        """Count as late what the query has read up to these offsets, and dropped."""
        with self._lock:
            for number, end in end_offsets.items():
                owned = self._partitions[number]
                self._count_late(owned, end)
                owned.clean_offset = max(owned.clean_offset, end)
            self._measure()

    def check(self) -> None:
        """Raises what became of a measurement that has ended since, where it failed; GapError of a refused one. To be
        called each second: then the last one is noted."""
        with self._lock:
            self._note()
            self._look_at(self._handover.result())

    def end(self) -> None:
        """Measure what is stored, and end."""
        with self._lock:
            self._settle()
            self._handover.close()

    def _begin(self, number: int) -> Partition:
        first = self.source.first_offset(number)
        start = position.find_or_make(self.database, self.topic.id, number, DIRECT, 0, first)
        owned = Partition(number, start.clean_offset, lambda _topic, _offset: start, self.source.look)
        owned.adopt([start])
        return owned

    def _store(self, found: Sequence[Arrival]) -> None:
        due: list[Arrival] = []
        for arrival in found:
            owned, offset = self._partitions[arrival.record.source_partition], arrival.record.source_offset
            if self.drops_late:
                self._count_late(owned, offset, arrival.run)
            place = owned.place(arrival)
            if owned.gone:
                mark_gone(self.database, arrival.run, owned)
            match place:
                case Place.NEXT:
                    due.append(arrival)
                case Place.AGAIN:
                    owned.unmeasured.append(Outcome(arrival, Fate.AGAIN))
                case Place.BEHIND_GAP:
                    raise self._gap(owned.missing(arrival))
            owned.clean_offset = offset + 1
        for part in ([arrival] for arrival in due) if self.one_by_one else [due]:
            self._apply(part)

    def _apply(self, due: Sequence[Arrival]) -> None:
        events = [arrival for arrival in due if arrival.record.dead is None]
        began_us = _now_us()
        acknowledged_us = self._windows.apply(events) if events else began_us
        for arrival in due:
            owned = self._partitions[arrival.record.source_partition]
            owned.unmeasured.append(Outcome.of(arrival, acknowledged_us))
        if events:
            self._note()
            self._notes.committed(len(events), acknowledged_us - began_us)

    def _count_late(self, owned: Partition, behind: int, run: str = FOREIGN_RUN) -> None:
        """The records of a partition before offset `behind` that did not come: the watermark dropped them."""
        first = owned.next_offset(self.topic.id)
        if first >= behind:
            return
        held_from, late = self.source.records(owned.number, first, behind, self.topic.id)
        if held_from > first:
            owned.gone.append((first, held_from))
            mark_gone(self.database, late[0].run if late else run, owned)
        owned.unmeasured.extend(Outcome(arrival, Fate.LATE) for arrival in late)
        owned.skip_to(self.topic.id, behind)

    def _measure(self) -> None:
        self._settle()
        if parts := [part for owned in self._partitions.values() if (part := owned.take())]:
            self._handover.give(parts)

    def _settle(self) -> None:
        """Wait for what was handed over."""
        while self._handover.under_way:
            self._look_at(self._handover.result(_WAIT_S))

    def _look_at(self, refused: frozenset[int]) -> None:
        if refused:
            raise self._gap(f"partitions {sorted(refused)} were moved by another process: starting anew behind it")

    def _gap(self, reason: str) -> GapError:
        self.gap = reason
        return GapError(reason)

    def _note(self) -> None:
        """Hand over the note of a second that is over."""
        second = int(time.time())
        if second == self._notes.second:
            return
        done, self._notes = self._notes, Notes(self.service, second)
        if done.applied:
            self._noting.give(done.document())


def _now_us() -> int:
    return time.time_ns() // 1000
