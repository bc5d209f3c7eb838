"""Measures a job that is not ours by its results: reads the change stream of the collection that it writes.

A result names the events that are in it, by `event_id` or by due time, in the field that the configuration names. The
reader knows from the source topic which event that is. So `e2e` ends here when the change was received, a little after
the write was acknowledged, and what never comes is lost, event by event.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import msgspec
from bson.timestamp import Timestamp
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from pymongo import MongoClient, UpdateOne
from pymongo.change_stream import ChangeStream, CollectionChangeStream
from pymongo.errors import OperationFailure

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
from measure.store import POSITIONS, SAMPLES, Document, Store
from stack.access import Access, Role
from stack.services.own import BY_VARIABLE, COLLECTION_VARIABLE, FIELD_VARIABLE

SERVICE = "reader"

_AWAIT_MS = 10
_MEASURE_EVERY_S = 0.25
_REMEMBER_EVERY_S = 5.0
"""A token is only good as long as the oplog goes back to it, so it moves on where there are no results as well."""
_BATCH = 2_000
_TURN_S = 0.05
_PATIENCE_S = 30.0
"""How long a key waits for its event, which may be read after its result; behind a backlog, until that is read."""
_TOKEN_REFUSED = {260, 280, 286}
"""InvalidResumeToken, ChangeStreamFatalError (not found), ChangeStreamHistoryLost (the oplog begins later)."""


class _EventId(msgspec.Struct):
    event_id: str


class Reader:
    """One reader process; the main loop does all."""

    def __init__(self, access: Access, stop: StopFlag, collection: str, name: str, by: str) -> None:
        self._stop, self._field, self._by = stop, name, by
        self._client = MongoClient[Document](access.mongo_uri(Role.SINK))
        self._database = self._client[access.names.database]
        self._collection = collection
        self._measurer = Measurer(self._client, self._database, stop)
        connection = access.kafka(Role.SINK)
        topics = Topics(connection)
        self._topic = topics.find(access.names.events)
        earliest = topics.earliest(self._topic)
        self._positions = _positions(self._database, self._topic, collection, earliest)
        first = {number: _first_held(place, earliest[number]) for number, place in self._positions.items()}
        self._expected = Expected({number: PartitionProgress(offset) for number, offset in first.items()})
        self._consumer = _consumer(connection, self._topic, first)
        self._at_end: set[int] = set()
        """Partitions of which everything has been read."""
        self._unmatched: dict[str | int, tuple[int, float]] = {}
        """Key whose event has not been read yet → (received, µs of the epoch; seen, monotonic seconds)."""
        self._outcomes: dict[int, list[Outcome]] = {number: [] for number in self._positions}
        self._notes = Notes(SERVICE, int(time.time()))
        self._token_id = f"reader|{collection}"
        self._measured_at = self._remembered_at = time.monotonic()

    def run(self) -> int:
        """Until told to stop; the exit code."""
        with self._client, closing(self._consumer):
            token = (self._database[POSITIONS].find_one({"_id": self._token_id}) or {}).get("token")
            while not self._stop():
                token = self._follow(token)
        return 0

    def _follow(self, token: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """Read from this token on until told to stop, or the stream ends; where to go on. None: from now."""
        try:
            with self._changes(token) as changes:
                while changes.alive and not self._stop():
                    self._turn(changes)
                return changes.resume_token
        except OperationFailure as refused:
            if refused.code not in _TOKEN_REFUSED:
                raise
            narrate(
                f"collection {self._collection}: MongoDB no longer knows the changes since this reader was last here "
                f"({refused.code}): going on from now; results written meanwhile are not seen"
            )
            return None

    def _turn(self, changes: ChangeStream[Document]) -> None:
        self._read_sent()
        self._read_results(changes)
        if time.monotonic() - self._measured_at >= _MEASURE_EVERY_S:
            self._measure(changes.resume_token)
            self._note()
            self._measured_at = time.monotonic()

    def _changes(self, token: Mapping[str, Any] | None) -> CollectionChangeStream[Document]:
        """Inserts, updates and replacements with the whole document; from where the last reader was, else from now.
        The drop of the collection ends it (`invalidate`), and one may go on behind that."""
        start: dict[str, Any] = {"start_after": token} if token else {"start_at_operation_time": self._now()}
        wanted = [{"$match": {"operationType": {"$in": ["insert", "update", "replace", "invalidate"]}}}]
        return self._database[self._collection].watch(
            wanted, full_document="updateLookup", max_await_time_ms=_AWAIT_MS, **start
        )

    def _now(self) -> Timestamp:
        found: Timestamp = self._database.command("hello")["lastWrite"]["opTime"]["ts"]
        return found

    def _read_sent(self) -> None:
        for message in self._consumer.consume(_BATCH, 0):
            if error := message.error():
                if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 (the library's own constant)
                    raise KafkaException(error)
                self._at_end.add(_partition(message))
                continue
            arrival = _sent(message, self._topic.id)
            self._at_end.discard(arrival.record.source_partition)
            self._expected.sent(self._key(message, arrival), arrival, time.monotonic())
        patience_s = _PATIENCE_S if len(self._at_end) == len(self._positions) else math.inf
        for key, (received_us, since) in list(self._unmatched.items()):
            if self._match(key, received_us) or time.monotonic() - since > patience_s:
                del self._unmatched[key]

    def _key(self, message: Message, arrival: Arrival) -> str | int | None:
        if self._by == "due":
            return arrival.stamp.due_us if arrival.stamp else None
        try:
            value = message.value()
            return decode(value if isinstance(value, bytes) else b"", _EventId).event_id
        except msgspec.DecodeError:
            return None

    def _read_results(self, changes: ChangeStream[Document]) -> None:
        """A turn's worth: what is sent must be read meanwhile, however many results there are."""
        ends_s = time.monotonic() + _TURN_S
        for _ in range(_BATCH):
            if time.monotonic() > ends_s or (change := changes.try_next()) is None:
                return
            received_us = time.time_ns() // 1000
            document = change.get("fullDocument") or {}
            for key in keys_of(_member(document, self._field)):
                if not self._match(key, received_us):
                    self._unmatched[key] = (received_us, time.monotonic())

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

    def _measure(self, token: Mapping[str, Any] | None) -> None:
        """In one transaction with the change stream's token, so that a restart measures nothing twice."""
        parts = []
        for number, before in self._positions.items():
            after = before.moved(0, self._expected.partitions[number].measured(time.monotonic()))
            outcomes = tuple(self._outcomes[number])
            if outcomes or after != before:
                parts.append(Part(number, ((before, after),), outcomes))
                self._positions[number], self._outcomes[number] = after, []
        if parts:
            remember = UpdateOne({"_id": self._token_id}, {"$set": {"token": token}}, upsert=True)
            if self._measurer.measure(parts, [remember]):
                raise SystemExit("another reader measures this collection; end it, or this one")
        elif time.monotonic() - self._remembered_at >= _REMEMBER_EVERY_S:
            self._database[POSITIONS].update_one({"_id": self._token_id}, {"$set": {"token": token}}, upsert=True)
        else:
            return
        self._remembered_at = time.monotonic()

    def _note(self) -> None:
        second = int(time.time())
        if second == self._notes.second:
            return
        note, self._notes = self._notes.document(), Notes(SERVICE, second)
        self._database[SAMPLES].replace_one({"_id": note["_id"]}, note, upsert=True)


def _positions(database: Store, topic: Topic, collection: str, earliest: Mapping[int, int]) -> dict[int, Position]:
    way = f"results:{collection}"
    return {
        number: position.find_or_make(database, topic.id, number, way, 0, earliest[number])
        for number in range(topic.partitions)
    }


def _first_held(place: Position, earliest: int) -> int:
    """The first source offset behind the position that the topic still holds; what is gone is lost."""
    due = place.measured + 1
    if due < earliest:
        narrate(f"partition {place.partition}: source offsets {due} to {earliest - 1} are gone before they were read")
    return max(due, earliest)


def _consumer(connection: Mapping[str, Any], topic: Topic, first: Mapping[int, int]) -> Consumer:
    consumer = Consumer(
        dict(connection)
        | {
            "group.id": "latency-reader",
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 50,
        }
    )
    consumer.assign([TopicPartition(topic.name, number, offset) for number, offset in first.items()])
    return consumer


def _partition(message: Message) -> int:
    partition = message.partition()
    assert partition is not None  # noqa: S101 (what was read has one)
    return partition


def _sent(message: Message, topic_id: str) -> Arrival:
    offset, append_ms = message.offset(), message.timestamp()[1]
    assert offset is not None  # noqa: S101 (a record that was read has one)
    return Arrival(CleanRecord(topic_id, _partition(message), offset, append_ms), read_stamp(message))


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
