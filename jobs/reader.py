"""Measures a job that is not ours by its results: reads the change stream of the collection that it writes.

A result names the events that are in it, by `event_id` or by due time, in the field that the configuration names. The
reader knows from the source topic which event that is. So `e2e` ends here when the change was received, a little after
the write was acknowledged, and what never comes is lost, event by event.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from bson.timestamp import Timestamp
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from pymongo import MongoClient, UpdateOne
from pymongo.change_stream import ChangeStream, CollectionChangeStream

from jobs import position
from jobs.clean import CleanRecord
from jobs.expected import Expected, PartitionProgress, keys_of
from jobs.measuring import Measurer, Part
from jobs.notes import Notes
from jobs.position import Position
from jobs.records import Arrival, Fate, Outcome, read_stamp
from jobs.stopping import StopFlag, narrate, serve
from jobs.topics import Topic, Topics
from measure.decoding import decode
from measure.store import POSITIONS, SAMPLES, Document
from stack.access import Access, Role
from stack.services.own import BY_VARIABLE, COLLECTION_VARIABLE, FIELD_VARIABLE

SERVICE = "reader"

_AWAIT_MS = 10
_MEASURE_EVERY_S = 0.25
_BATCH = 2_000
_PATIENCE_S = 30.0
"""How long a key waits for its event, which may be read after its result."""


class _EventId(msgspec.Struct):
    event_id: str


@dataclass(slots=True)
class _Unmatched:
    """Keys whose event has not been read yet."""

    by_key: dict[str | int, tuple[int, float]] = field(default_factory=dict)
    """Key → (received, µs of the epoch; seen, monotonic seconds)."""


class Reader:
    """One reader process; the main loop does all."""

    def __init__(self, access: Access, stop: StopFlag, collection: str, name: str, by: str) -> None:
        self._stop, self._field, self._by = stop, name, by
        client = MongoClient[Document](access.mongo_uri(Role.SINK))
        self._database = client[access.names.database]
        self._collection = collection
        self._measurer = Measurer(client, self._database, stop)
        connection = access.kafka(Role.SINK)
        self._topic = Topics(connection).find(access.names.events)
        self._positions = _positions(self._database, Topics(connection), self._topic, collection)
        self._expected = Expected(
            {number: PartitionProgress(place.measured + 1) for number, place in self._positions.items()}
        )
        self._consumer = _consumer(connection, self._topic, self._positions)
        self._unmatched = _Unmatched()
        self._outcomes: dict[int, list[Outcome]] = {number: [] for number in self._positions}
        self._notes = Notes(SERVICE, int(time.time()))

    def run(self) -> int:
        """Until told to stop; the exit code."""
        token_id = f"reader|{self._collection}"
        resume = (self._database[POSITIONS].find_one({"_id": token_id}) or {}).get("token")
        measured_at = time.monotonic()
        with self._changes(resume) as changes:
            while not self._stop():
                self._read_sent()
                self._read_results(changes)
                if time.monotonic() - measured_at >= _MEASURE_EVERY_S:
                    self._measure(token_id, changes.resume_token)
                    self._note()
                    measured_at = time.monotonic()
        return 0

    def _changes(self, resume: Mapping[str, Any] | None) -> CollectionChangeStream[Document]:
        """Inserts, updates and replacements with the whole document; from where the last reader was, else from now."""
        start: dict[str, Any] = {"resume_after": resume} if resume else {"start_at_operation_time": self._now()}
        wanted = [{"$match": {"operationType": {"$in": ["insert", "update", "replace"]}}}]
        return self._database[self._collection].watch(
            wanted, full_document="updateLookup", max_await_time_ms=_AWAIT_MS, **start
        )

    def _now(self) -> Timestamp:
        found: Timestamp = self._database.command("hello")["lastWrite"]["opTime"]["ts"]
        return found

    def _read_sent(self) -> None:
        for message in self._consumer.consume(_BATCH, 0):
            if error := message.error():
                if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 (the library's own constant)
                    continue
                raise KafkaException(error)
            arrival = _sent(message, self._topic.id)
            self._expected.sent(self._key(message, arrival), arrival, time.monotonic())
        for key, (received_us, since) in list(self._unmatched.by_key.items()):
            if self._match(key, received_us) or time.monotonic() - since > _PATIENCE_S:
                del self._unmatched.by_key[key]

    def _key(self, message: Message, arrival: Arrival) -> str | int | None:
        if self._by == "due":
            return arrival.stamp.due_us if arrival.stamp else None
        try:
            value = message.value()
            return decode(value if isinstance(value, bytes) else b"", _EventId).event_id
        except msgspec.DecodeError:
            return None

    def _read_results(self, changes: ChangeStream[Document]) -> None:
        while (change := changes.try_next()) is not None:
            received_us = time.time_ns() // 1000
            document = change.get("fullDocument") or {}
            for key in keys_of(_member(document, self._field)):
                if not self._match(key, received_us):
                    self._unmatched.by_key[key] = (received_us, time.monotonic())

    def _match(self, key: str | int, received_us: int) -> bool:
        found = self._expected.found(key)
        if found is None:
            return False
        arrival, again = found
        outcome = Outcome(arrival, Fate.AGAIN) if again else Outcome.of(arrival, received_us)
        self._outcomes[arrival.record.source_partition].append(outcome)
        self._notes.applied += not again
        self._notes.redelivered += again
        return True

    def _measure(self, token_id: str, token: Mapping[str, Any] | None) -> None:
        """In one transaction with the change stream's token, so that a restart measures nothing twice."""
        parts = []
        for number, before in self._positions.items():
            after = before.moved(0, self._expected.partitions[number].measured(time.monotonic()))
            outcomes = tuple(self._outcomes[number])
            if outcomes or after != before:
                parts.append(Part(number, ((before, after),), outcomes))
                self._positions[number], self._outcomes[number] = after, []
        if parts:
            remember = UpdateOne({"_id": token_id}, {"$set": {"token": token}}, upsert=True)
            if self._measurer.measure(parts, [remember]):
                raise SystemExit("another reader measures this collection; end it, or this one")

    def _note(self) -> None:
        second = int(time.time())
        if second == self._notes.second:
            return
        note, self._notes = self._notes.document(), Notes(SERVICE, second)
        self._database[SAMPLES].replace_one({"_id": note["_id"]}, note, upsert=True)


def _positions(database: Any, topics: Topics, topic: Topic, collection: str) -> dict[int, Position]:
    earliest = topics.earliest(topic)
    way = f"results:{collection}"
    return {
        number: position.find_or_make(database, topic.id, number, way, 0, earliest[number])
        for number in range(topic.partitions)
    }


def _consumer(connection: Mapping[str, Any], topic: Topic, positions: Mapping[int, Position]) -> Consumer:
    consumer = Consumer(
        dict(connection)
        | {
            "group.id": "latency-reader",
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 50,
        }
    )
    consumer.assign([TopicPartition(topic.name, number, place.measured + 1) for number, place in positions.items()])
    return consumer


def _sent(message: Message, topic_id: str) -> Arrival:
    partition, offset, append_ms = message.partition(), message.offset(), message.timestamp()[1]
    assert partition is not None  # noqa: S101 (a record that was read has both)
    assert offset is not None  # noqa: S101
    return Arrival(CleanRecord(topic_id, partition, offset, append_ms), read_stamp(message))


def _member(document: Mapping[str, Any], path: str) -> object:
    found: object = document
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def main() -> int:
    """Run until stopped; the process's exit code."""
    stop = StopFlag()
    collection, name, by = (os.environ[v] for v in (COLLECTION_VARIABLE, FIELD_VARIABLE, BY_VARIABLE))
    narrate(f"reading collection {collection}: field {name} holds the {by} of each event")
    return Reader(Access.from_environment(), stop, collection, name, by).run()


if __name__ == "__main__":
    serve(main)
