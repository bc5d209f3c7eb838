"""Which sequence numbers came through, in chunks of 65,536, each as MongoDB holds it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bson import Binary
from pymongo import UpdateOne
from pyroaring import BitMap

from jobs.records import Fate, Outcome
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
        self._sequences = database[SEQUENCES]
        self._known: OrderedDict[ChunkKey, Chunk] = OrderedDict()

    def add(self, partition: int, outcomes: Iterable[Outcome]) -> list[ChunkKey]:
        """Count these outcomes of a partition; the chunks that changed. Foreign records have no number."""
        numbered = [
            (ChunkKey(stamp.run, stamp.producer, partition, split_seq(stamp.seq)[0]), stamp.seq, outcome)
            for outcome in outcomes
            if (stamp := outcome.arrival.stamp)
        ]
        changed = list(dict.fromkeys(key for key, _, _ in numbered))
        self._read(key for key in changed if key not in self._known)
        for key, seq, outcome in numbered:
            self._known[key].add(split_seq(seq)[1], outcome)
        return changed

    def updates(self, changed: Iterable[ChunkKey], now: datetime) -> list[UpdateOne]:
        """The upserts for these chunks."""
        return [self._known[key].update(key, now) for key in changed]

    def forget(self, partition: int | None = None) -> None:
        """Forget those of a partition, or all: MongoDB may say something else by now."""
        for key in [key for key in self._known if partition in (None, key.partition)]:
            del self._known[key]

    def trim(self) -> None:
        """Forget those that were filled the longest time ago."""
        while len(self._known) > LARGEST_MEMORY:
            self._known.popitem(last=False)

    def _read(self, keys: Iterable[ChunkKey]) -> None:
        wanted = {key.id: key for key in keys}
        if not wanted:
            return
        found = {chunk["_id"]: chunk for chunk in self._sequences.find({"_id": {"$in": list(wanted)}})}
        for name, key in wanted.items():
            self._known[key] = Chunk.read(found.get(name))
