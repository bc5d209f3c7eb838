"""The job of the documentation, and events that go through it."""

from __future__ import annotations

import re
import time
from pathlib import Path

from confluent_kafka import Producer
from pymongo import MongoClient

from measure.stamp import Stamp
from measure.store import Document, sequences, slices
from stack.access import Access, Role
from tests.stack.waiting import wait_for

PAGE = Path(__file__).parents[2] / "docs" / "your-own-job.md"
EVENTS = 200


def example() -> str:
    """The page's program, as it stands there."""
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found, "the page has an example"
    return found[1]


def assert_measured(access: Access) -> None:
    """Events that are sent stand in the results, each seen once and with its latency."""
    producer = Producer(access.kafka(Role.PRODUCER) | {"acks": "all"})
    for seq in range(EVENTS):
        now_us = time.time_ns() // 1000
        value = b'{"event_id":"own.%d","event_type":"purchase","price":1.5,"quantity":2}' % seq
        headers = list[tuple[str, str | bytes | None]](Stamp("own.run", 0, seq, now_us, now_us).headers())
        producer.produce(access.names.events, value, b"u%d" % seq, headers=headers)
    assert producer.flush(30) == 0
    with MongoClient[Document](access.mongo_uri(Role.RUN)) as client:
        database = client[access.names.database]
        wait_for(lambda: len(sequences(database, "own.run").of(0).stored) == EVENTS, "all events seen", 120)
        e2e = [stages["e2e"] for _, stages in slices(database, "own.run", 0, 2**40)]
        assert sum(histogram.n for histogram in e2e) == EVENTS
        assert database["results"].count_documents({"event_id": {"$regex": "^own"}}) == EVENTS
