"""Feeds the sink as the Spark job does: events, and the clean record of each, which may be left out or repeated."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Message, Producer

from jobs.topics import Topics
from measure.stamp import Headers, Stamp
from measure.store import Store, sequences
from stack.access import Access, Role
from tests.measure.slices_of import latencies
from tests.stack.waiting import wait_for

RUN = "fed"
PRICE_MICROS = 1_250_000
_KINDS = ("page_view", "add_to_cart", "purchase")
_MINUTE_US = 60_000_000


@dataclass
class Feed:
    """One producer's events, all into partition 0 unless said."""

    access: Access
    run: str = RUN
    next_seq: int = 0
    sent: dict[int, tuple[Headers, int]] = field(default_factory=dict)
    """Source offset → its headers and append time, of the partition fed last."""

    def __post_init__(self) -> None:
        self.producer = Producer(self.access.kafka(Role.PRODUCER) | {"acks": "all", "enable.idempotence": True})
        self.topic_id = Topics(self.access.kafka(Role.HOST)).find(self.access.names.events).id

    def events(self, count: int, partition: int = 0) -> list[int]:
        """Send events; their source offsets."""
        before = len(self.sent)
        for _ in range(count):
            self.send(self.producer, partition)
        self.producer.flush(20)
        return list(self.sent)[before:]

    def send(self, producer: Producer, partition: int = 0) -> None:
        """Send one event, and remember it once it is delivered."""
        headers = self.stamp()

        def delivered(_: object, message: Message) -> None:
            offset = message.offset()
            assert offset is not None
            self.sent[offset] = (headers, message.timestamp()[1])

        given = list[tuple[str, str | bytes | None]](headers)
        producer.produce(self.access.names.events, b"{}", b"u", partition, headers=given, on_delivery=delivered)

    def stamp(self) -> Headers:
        now_us = time.time_ns() // 1000
        seq, self.next_seq = self.next_seq, self.next_seq + 1
        return Stamp(self.run, 0, seq, now_us, now_us).headers()

    def clean(self, offsets: Iterable[int], partition: int = 0, dead: Iterable[int] = ()) -> None:
        """Write the clean records of these source offsets, of some the marker of a dead letter."""
        marked = set(dead)
        for offset in offsets:
            headers, append_ms = self.sent[offset]
            record = self.record(offset, partition, append_ms, "price: negative" if offset in marked else None)
            self.producer.produce(
                self.access.names.clean,
                json.dumps(record).encode(),
                b"u",
                partition,
                headers=list[tuple[str, str | bytes | None]](headers),
            )
        self.producer.flush(20)

    def record(self, offset: int, partition: int, append_ms: int, dead: str | None) -> dict[str, Any]:
        position = {
            "source_topic_id": self.topic_id,
            "source_partition": partition,
            "source_offset": offset,
            "source_time_ms": append_ms,
        }
        if dead:
            return {"dead": dead} | position
        return position | {
            "event_type": _KINDS[offset % 3],
            "session_id": f"s{offset % 7}",
            "product_id": f"p{offset % 5}",
            "category": f"c{offset % 2}",
            "quantity": 2,
            "price_micros": PRICE_MICROS,
            "minute_us": append_ms * 1000 // _MINUTE_US * _MINUTE_US,
        }


def stored(database: Store, run: str = RUN) -> int:
    """How many different events are stored."""
    return len(sequences(database, run).of(0).stored)


def applied(database: Store, run: str = RUN) -> int:
    """How many events the windows count, measured or not."""
    return sum(window["n"] for window in database.windows.find({"run": run}, {"n": 1}))


def await_stored(database: Store, count: int, run: str = RUN, deadline_s: float = 20) -> None:
    wait_for(lambda: stored(database, run) >= count, f"{count} stored of {run}", deadline_s)


def assert_exact(database: Store, count: int, run: str = RUN) -> None:
    """Each of `count` events is in its window once, measured once, and counted once."""
    windows = list(database.windows.find({"run": run}))
    assert sum(window["n"] for window in windows) == count
    assert sum(window["quantity"] for window in windows) == 2 * count
    assert sum(window["revenue_micros"] for window in windows) == 2 * count * PRICE_MICROS
    for name in ("products", "categories"):
        listed = [item for window in windows for item in window.get(name, ())]
        kinds = ("purchase",) if name == "products" else _KINDS
        assert sum(item["n"] for item in listed) == sum(w["n"] for w in windows if w["event_type"] in kinds)
    assert latencies(database, run)["e2e"].n == count
    sets = sequences(database, run)
    assert (len(sets.of(0).stored), sets.repeats) == (count, 0)
