"""Which sequence numbers came through, in chunks of 65,536, each as MongoDB holds it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bson import Binary
from pymongo import UpdateOne
from pyroaring import BitMap

from jobs.records import Fate, Outcome
from jobs.remembered import Remembered
from measure.store import SEQUENCES, Store, chunk_id, chunk_members, split_seq

LARGEST_MEMORY = 256


@dataclass(frozen=True, slots=True)
class ChunkKey:
    """65,536 sequence numbers of one producer of a run, as far as they came by one partition."""

    run: str
    producer: int
    partition: int
    number: int

    @property
    def id(self) -> str:
        """The document's `_id`."""
        return chunk_id(self.run, self.producer, self.partition, self.number)


@dataclass(slots=True)
class Chunk:
    """The sets of a chunk, and what no set can hold."""

    stored: BitMap = field(default_factory=BitMap)
    dead: BitMap = field(default_factory=BitMap)
    late: BitMap = field(default_factory=BitMap)
    repeats: int = 0
    redelivered: int = 0
    dead_unexpected: int = 0

    @classmethod
    def read(cls, found: Mapping[str, Any] | None) -> Chunk:
        """From the document, or an empty one."""
        if found is None:
            return cls()
        return cls(
            chunk_members(found.get("stored")),
            chunk_members(found.get("dead")),
            chunk_members(found.get("late")),
            found.get("repeats", 0),
            found.get("redelivered", 0),
            found.get("dead_unexpected", 0),
        )

    def take(self, found: Sequence[tuple[int, Outcome]]) -> None:
        """Count records, each with its place in the chunk."""
        if any(outcome.fate is not Fate.STORED for _, outcome in found):
            for place, outcome in found:
                self.add(place, outcome)
            return
        fresh = BitMap([place for place, _ in found]) - self.stored - self.dead - self.late
        self.stored |= fresh
        self.repeats += len(found) - len(fresh)

    def add(self, place: int, outcome: Outcome) -> None:
        """Count one record with this place in the chunk."""
        if outcome.fate is Fate.AGAIN:
            self.redelivered += 1
        elif place in self.stored or place in self.dead or place in self.late:
            self.repeats += 1
        else:
            self._set_of(outcome.fate).add(place)
            stamp = outcome.arrival.stamp
            self.dead_unexpected += outcome.fate is Fate.DEAD and not (stamp and stamp.expect_dead)

    def _set_of(self, fate: Fate) -> BitMap:
        return {Fate.STORED: self.stored, Fate.DEAD: self.dead, Fate.LATE: self.late}[fate]

    def update(self, key: ChunkKey, now: datetime) -> UpdateOne:
        """The upsert that makes the document say what this says."""
        says = {
            "stored": Binary(self.stored.serialize()),
            "dead": Binary(self.dead.serialize()),
            "late": Binary(self.late.serialize()),
            "repeats": self.repeats,
            "redelivered": self.redelivered,
            "dead_unexpected": self.dead_unexpected,
            "updated": now,
        }
        identity = {"run": key.run, "producer": key.producer, "partition": key.partition, "chunk": key.number}
        return UpdateOne({"_id": key.id}, {"$set": says, "$setOnInsert": identity}, upsert=True)


class Chunks:
    """The chunks that are being filled. Those of a partition are true as long as only this process measures it."""

    def __init__(self, database: Store) -> None:
        self._chunks: Remembered[ChunkKey, Chunk] = Remembered(database[SEQUENCES], Chunk.read, LARGEST_MEMORY)
        self.forget, self.trim = self._chunks.forget, self._chunks.trim

    def updates(self, partition: int, outcomes: Iterable[Outcome], now: datetime) -> list[UpdateOne]:
        """Count these outcomes of a partition; the upserts for the chunks that changed. Foreign records have no
        number."""
        numbered: defaultdict[tuple[str, int, int], list[tuple[int, Outcome]]] = defaultdict(list)
        for outcome in outcomes:
            if stamp := outcome.arrival.stamp:
                number, place = split_seq(stamp.seq)
                numbered[stamp.run, stamp.producer, number].append((place, outcome))
        changed = {ChunkKey(run, producer, partition, n): found for (run, producer, n), found in numbered.items()}
        self._chunks.bring(changed)
        for key, found in changed.items():
            self._chunks[key].take(found)
        return [self._chunks[key].update(key, now) for key in changed]
