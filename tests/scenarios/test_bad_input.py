"""Bad input of every kind: each lands among the dead letters with its reason and source position, and all goes on."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from pymongo import MongoClient

from measure.sequences import SequenceSets
from measure.stamp import Stamp
from measure.store import DEAD, Document, Store, sequences
from stack.access import Access, Role
from stack.services.kafka import EVENT_BYTES
from tests.stack.waiting import wait_for

pytestmark = pytest.mark.stack

GOOD: dict[str, Any] = {
    "event_id": "e1",
    "event_type": "purchase",
    "user_id": "u1",
    "session_id": "s1",
    "product_id": "p1",
    "category": "books",
    "price": 2.5,
    "quantity": 2,
    "currency": "GBP",
    "event_time": "2026-11-24T03:42:39.123456Z",
}


def event(**changes: Any) -> bytes:
    fields = {name: value for name, value in {**GOOD, **changes}.items() if value is not ...}
    return json.dumps(fields).encode()


def padded(value: bytes) -> bytes:
    """The value at exactly the largest size that an event may have."""
    return value[:-1] + b',"note":"' + b"x" * (EVENT_BYTES - len(value) - 10) + b'"' + value[-1:]


BAD: dict[str, tuple[bytes | None, bytes | None, str]] = {
    "broken JSON": (b"k", b'{"event_id": "e1", ', "value: not a JSON object"),
    "two objects": (b"k", event() + event(), "value: not a JSON object"),
    "not an object": (b"k", b"[1, 2]", "value: not a JSON object"),
    "nothing": (b"k", b"", "value: not a JSON object"),
    "null value": (b"k", None, "value: null"),
    "not UTF-8": (b"k", b'{"event_id": "\xff\xfe"}', "value: not UTF-8"),
    "no key": (None, event(), "key: missing"),
    "unknown type": (b"k", event(event_type="refund"), "event_type: 'refund' is not known"),
    "cancellation": (b"k", event(event_type="cancellation"), "event_type: cancellation"),
    "no id": (b"k", event(event_id=...), "event_id: missing or not a text"),
    "user is a number": (b"k", event(user_id=7), "user_id: missing or not a text"),
    "price is a text": (b"k", event(price="2.50"), "price: missing or not a number"),
    "negative price": (b"k", event(price=-0.01), "price: negative"),
    "seven decimals": (b"k", event(price=0.0000001), "price: more than 6 decimals"),
    "half a piece": (b"k", event(quantity=1.5), "quantity: missing or not a whole number"),
    "no piece": (b"k", event(quantity=0), "quantity: not positive"),
    "no time": (b"k", event(event_time="yesterday"), "event_time: missing or not ISO 8601"),
    "too long a name": (b"k", event(product_id="p" * 257), "product_id: longer than 256 characters"),
    "the largest size": (b"k", padded(event())[:-1] + b"]", "value: not a JSON object"),
}


@pytest.fixture
def database(stack_access: Access) -> Iterator[Store]:
    with MongoClient[Document](stack_access.mongo_uri(Role.RUN)) as client:
        yield client[stack_access.names.database]


def send(access: Access, run: str, records: list[tuple[bytes | None, bytes | None]]) -> list[tuple[int, int]]:
    """Send them under this run id, each with its number; (partition, offset) of each, as acknowledged."""
    producer = Producer(access.kafka(Role.PRODUCER) | {"acks": "all", "message.max.bytes": 2 * EVENT_BYTES})
    places: dict[int, tuple[int, int]] = {}
    failures: list[str] = []

    def told(seq: int, error: object, message: Message) -> None:
        if error is not None:
            failures.append(str(error))
        places[seq] = (message.partition() or 0, message.offset() or 0)

    for seq, (key, value) in enumerate(records):
        now_us = time.time_ns() // 1000
        producer.produce(
            access.names.events,
            value,
            key,
            headers=list(Stamp(run, 0, seq, now_us, now_us).headers()),
            on_delivery=lambda error, message, seq=seq: told(seq, error, message),
        )
        producer.poll(0)
    producer.flush(30)
    assert not failures
    return [places[seq] for seq in range(len(records))]


def found(database: Store, run: str, n: int) -> SequenceSets:
    def all_there() -> SequenceSets | None:
        sets = sequences(database, run)
        return sets if len(sets.of(0).found) == n else None

    sets = wait_for(all_there, f"{n} records of {run} stored or dead", 60)
    assert sets is not None
    return sets


def letters(access: Access, run: str, n: int) -> dict[tuple[int, int], Message]:
    """Source position → dead letter, as it stands in the topic."""
    consumer = Consumer(
        access.kafka(Role.HOST) | {"group.id": secrets.token_hex(4), "fetch.message.max.bytes": 4 * EVENT_BYTES}
    )
    topic = access.names.dead
    partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    read: dict[tuple[int, int], Message] = {}

    def enough() -> bool:
        for message in consumer.consume(100, 1.0):
            headers = dict(message.headers() or [])
            if headers.get("run") == run.encode():
                read[int(headers["source_partition"] or 0), int(headers["source_offset"] or 0)] = message
        return len(read) == n

    wait_for(enough, f"{n} dead letters of {run}", 60)
    consumer.close()
    return read


def test_each_kind_is_a_dead_letter_with_its_reason_and_position(stack_access: Access, database: Store) -> None:
    run = f"bad.{secrets.token_hex(4)}"
    records: list[tuple[bytes | None, bytes | None]] = [(b"k", event())]
    for key, value, _ in BAD.values():
        records += [(key, value), (b"k", event())]
    places = send(stack_access, run, records)
    sets = found(database, run, len(records))
    bad = list(range(1, len(records), 2))
    assert list(sets.of(0).dead) == bad
    assert list(sets.of(0).stored) == list(range(0, len(records), 2))
    assert (sets.repeats, sets.dead_unexpected) == (0, len(bad))

    by_place = letters(stack_access, run, len(bad))
    collected = wait_for(
        lambda: (docs := list(database[DEAD].find({"run": run}))) and len(docs) == len(bad) and docs, "copies", 60
    )
    copies = {(each["_id"].split("|")[1], each["_id"].split("|")[2]): each for each in collected}
    for (name, (key, value, reason)), seq in zip(BAD.items(), bad, strict=True):
        letter, (partition, offset) = by_place[places[seq]], places[seq]
        headers = dict(letter.headers() or [])
        assert (letter.key(), letter.value()) == (key, value), name
        assert headers["reason"] == reason.encode(), name
        assert headers["seq"] == b"%d" % seq
        copy = copies[str(partition), str(offset)]
        assert (copy["reason"], copy["size"]) == (reason, len(value or b"")), name
        assert bytes(copy["payload"] or b"") == (value or b"")[:16_000], name


def test_a_good_event_of_exactly_the_largest_size_is_stored(stack_access: Access, database: Store) -> None:
    run = f"large.{secrets.token_hex(4)}"
    value = padded(event())
    assert len(value) == EVENT_BYTES
    assert json.loads(value)["price"] == 2.5
    send(stack_access, run, [(b"k", value), (b"k", event())])
    assert list(found(database, run, 2).of(0).stored) == [0, 1]
