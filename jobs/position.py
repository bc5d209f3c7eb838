"""How far a partition is stored and measured: kept in MongoDB, moved only from where it is known to stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pymongo import ReturnDocument, UpdateOne

from jobs.control import measured_offsets
from measure.store import POSITIONS, Store, position_id


@dataclass(frozen=True, slots=True)
class Position:
    """Of one source partition as one clean topic brings it."""

    topic_id: str
    partition: int
    clean_topic_id: str
    clean_offset: int
    """Where to go on reading the clean topic."""
    measured: int
    """The last source offset of which, and of all before it, everything is stored and measured; -1: none."""

    @property
    def id(self) -> str:
        """The document's `_id`."""
        return position_id(self.topic_id, self.partition, self.clean_topic_id)

    def moved(self, clean_offset: int, measured: int) -> Position:
        """The same partition further on."""
        return replace(self, clean_offset=clean_offset, measured=measured)

    def move_to(self, after: Position, now: datetime) -> UpdateOne:
        """The compare-and-set that moves the document from here to `after`; it matches none that stands elsewhere."""
        here = {"_id": self.id, "clean_offset": self.clean_offset, "measured": self.measured}
        return UpdateOne(
            here, {"$set": {"clean_offset": after.clean_offset, "measured": after.measured, "updated": now}}
        )


def read_position(found: Mapping[str, Any]) -> Position:
    """From the document."""
    return Position(
        found["topic_id"],
        found["partition"],
        found["clean_topic_id"],
        found["clean_offset"],
        found["measured"],
    )


def adopt(database: Store, clean_topic_id: str, partition: int) -> list[Position]:
    """The positions of a partition of the clean topic, one for each source topic id that it ever carried, each moved
    up to what was measured by another way since: by another profile, or from a clean topic of before."""
    known = database[POSITIONS].find({"clean_topic_id": clean_topic_id, "partition": partition})
    return [_caught_up(database, read_position(found)) for found in known]


def _caught_up(database: Store, position: Position) -> Position:
    furthest = measured_offsets(database, position.topic_id).get(position.partition, -1)
    if furthest <= position.measured:
        return position
    after = position.moved(position.clean_offset, furthest)
    database[POSITIONS].bulk_write([position.move_to(after, datetime.now(UTC))])
    return after


def find_or_make(
    database: Store, topic_id: str, partition: int, clean_topic_id: str, clean_offset: int, first_offset: int
) -> Position:
    """The position, made where there is none: behind what an earlier clean topic brought, else before the source's
    `first_offset`."""
    measured = max(measured_offsets(database, topic_id).get(partition, -1), first_offset - 1)
    start = Position(topic_id, partition, clean_topic_id, clean_offset, measured)
    made = {
        "topic_id": topic_id,
        "partition": partition,
        "clean_topic_id": clean_topic_id,
        "clean_offset": start.clean_offset,
        "measured": start.measured,
        "updated": datetime.now(UTC),
    }
    found = database[POSITIONS].find_one_and_update(
        {"_id": start.id}, {"$setOnInsert": made}, upsert=True, return_document=ReturnDocument.AFTER
    )
    assert found is not None  # noqa: S101 (an upsert gives back the document)
    return _caught_up(database, read_position(found))
