"""The floor: the product's own generator and a bare consumer of its topic, with nothing behind it.

What no pipeline on this broker and this machine can be below. It has a topic of its own, so nobody processes it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # its stubs leave it out

from measure.histogram import Histogram
from measure.schedule import Span
from measure.stamp import Stamp
from scenarios.crew import Crew
from scenarios.model import ShopSource
from scenarios.orders import Load, source_table
from stack.access import Access, Role

TOPIC = "bench.floor"
PARTITIONS = 3
_LEAD_US = 1_000_000
_PATIENCE_S = 10.0


def floor(access: Access, rate: float, seconds: float, seed: int = 1) -> Histogram:
    """Due → received by a bare consumer, for each of `rate` × `seconds` events. RuntimeError where some do not come."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(_topic(access))
        _write_access(access, folder)
        consumer = _consumer(access)
        stack.callback(consumer.close)
        crew = Crew(1, folder, folder)
        stack.callback(crew.close)
        crew.await_ready(30.0)
        start_us = time.time_ns() // 1000 + _LEAD_US
        span = Span(start_us, start_us + int(seconds * 1e6), rate, "load")
        source = source_table(ShopSource())
        crew.order(0, Load("floor", [span], str(folder / "0.spool"), source, seed, 0, 1))
        return _receive(consumer, round(rate * seconds), seconds + _LEAD_US / 1e6 + _PATIENCE_S)


def _receive(consumer: Consumer, wanted: int, deadline_s: float) -> Histogram:
    received, ends = Histogram(), time.monotonic() + deadline_s
    while received.n + received.negatives < wanted:
        message = consumer.poll(0.5)
        now_us = time.time_ns() // 1000
        if time.monotonic() > ends:
            raise RuntimeError(f"floor: {received.n} of {wanted} events came in {deadline_s:.0f} s")
        headers = message.headers() if message is not None and not message.error() else None
        stamp = Stamp.read(headers) if isinstance(headers, list) else None
        if stamp is not None:
            received.record(now_us - stamp.due_us)
    return received


def _write_access(access: Access, folder: Path) -> None:
    """A folder that tells the generator of the same stack, with the floor's topic for `events`."""
    names = msgspec.structs.replace(access.names, events=TOPIC)
    endpoints = msgspec.structs.replace(access.endpoints, names=names)
    (folder / "endpoints.json").write_bytes(msgspec.json.encode(endpoints))
    (folder / "credentials.json").write_bytes(msgspec.json.encode(access.credentials))


@contextmanager
def _topic(access: Access) -> Iterator[None]:
    """The topic, as `events` is, for as long as the floor is measured."""
    admin = AdminClient(access.kafka(Role.HOST))
    if TOPIC in admin.list_topics(timeout=_PATIENCE_S).topics:  # of a floor that was cut off
        admin.delete_topics([TOPIC])[TOPIC].result()
    topic = NewTopic(TOPIC, PARTITIONS, 1, config={"message.timestamp.type": "LogAppendTime"})
    admin.create_topics([topic])[TOPIC].result()
    try:
        yield
    finally:
        admin.delete_topics([TOPIC])[TOPIC].result()


def _consumer(access: Access) -> Consumer:
    consumer = Consumer(
        access.kafka(Role.SINK)
        | {"group.id": "bench", "enable.auto.commit": False, "auto.offset.reset": "error", "fetch.wait.max.ms": 100}
    )
    consumer.assign([TopicPartition(TOPIC, number, 0) for number in range(PARTITIONS)])
    return consumer
