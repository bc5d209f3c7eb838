"""Copies dead letters from their topic into collection `dead`, where people look at them.

A letter's `_id` is its source position, so one that is copied again changes nothing: here the consumer group's own
offsets are enough, and a group that has none begins with the oldest letter.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from bson import Binary
from confluent_kafka import Consumer, KafkaException, Message
from pymongo import UpdateOne
from pymongo.errors import ConnectionFailure

from jobs.beside import Beside
from jobs.records import read_stamp
from measure.stamp import FOREIGN_RUN
from measure.store import DEAD, Document, Store, dead_id

KEPT_BYTES = 16_000
"""Of a payload; `size` says how long it was."""
_LONGEST_KEY = 256
_WAIT_S = 0.5
_BATCH = 500
_LEAVING_S = 5.0
_PLACE = re.compile(r"[0-9]{1,14}\Z", re.ASCII)
"""A partition, an offset, or ms of the epoch that a date can have."""


class DeadLetters(Beside):
    """Runs until `stopping` or `end`."""

    def __init__(self, connection: dict[str, Any], topic: str, database: Store, stopping: Callable[[], bool]) -> None:
        super().__init__("dead letters")
        self._consumer = Consumer(
            connection
            | {
                "group.id": f"latency-dead.{topic}",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "session.timeout.ms": 6_000,  # how long the letters of a killed process wait for the next
                "fetch.message.max.bytes": 4 * 1024 * 1024,
            }
        )
        self._topic = topic
        self._dead = database[DEAD]
        self._stopping = stopping
        self._ended = threading.Event()

    def end(self) -> None:
        """Leave the group, so that the letters need not wait until this member is missed; waits for it."""
        self._ended.set()
        self.join(_LEAVING_S)

    def work(self) -> None:
        """Copy until told to stop."""
        self._consumer.subscribe([self._topic])
        while not (self._stopping() or self._ended.is_set()):
            self._copy(self._consumer.consume(_BATCH, _WAIT_S))
        self._consumer.close()

    def _copy(self, messages: Iterable[Message]) -> None:
        letters = [letter for message in messages if not message.error() and (letter := document(message))]
        while letters:
            try:
                upserts = [
                    UpdateOne({"_id": letter["_id"]}, {"$setOnInsert": letter}, upsert=True) for letter in letters
                ]
                self._dead.bulk_write(upserts, ordered=False)
            except ConnectionFailure:
                if self._stopping() or self._ended.is_set():
                    return
            else:
                with contextlib.suppress(KafkaException):  # refused in a rebalance: these are copied again
                    self._consumer.commit(asynchronous=False)
                return


def document(message: Message) -> Document | None:
    """The document of a dead letter; None of a record that is none, having no source position."""
    headers = message.headers()
    pairs = headers if isinstance(headers, list) else []
    said = {name: value.decode("utf-8", "replace") for name, value in pairs if isinstance(value, bytes)}
    place = [said.get(name, "") for name in ("source_partition", "source_offset", "source_time_ms")]
    if not all(map(_PLACE.match, place)) or "source_topic_id" not in said:
        return None
    partition, offset, time_ms = map(int, place)
    stamp = read_stamp(message)
    payload = message.value()
    return {
        "_id": dead_id(said["source_topic_id"], partition, offset),
        "run": stamp.run if stamp else FOREIGN_RUN,
        "producer": stamp.producer if stamp else None,
        "seq": stamp.seq if stamp else None,
        "reason": said.get("reason", ""),
        "key": _text(message.key()),
        "payload": None if payload is None else Binary(payload[:KEPT_BYTES]),
        "size": 0 if payload is None else len(payload),
        "partition": partition,
        "offset": offset,
        "source_time": datetime.fromtimestamp(time_ms / 1000, UTC),
        "expected": bool(stamp and stamp.expect_dead),
        "updated": datetime.now(UTC),
    }


def _text(key: bytes | str | None) -> str | None:
    if key is None:
        return None
    return (key.decode("utf-8", "replace") if isinstance(key, bytes) else key)[:_LONGEST_KEY]
