"""How far the sink is behind the end of topic `events`: in events, and as the age of the record that is next."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

from confluent_kafka import Consumer, TopicPartition

from jobs.control import measured_offsets
from jobs.topics import Topic, Topics
from measure.records import LagSample
from measure.store import WINDOWS, Store
from stack.access import Access, Role

_TOPIC_AGAIN_S = 10.0
_READ_S = 0.3
_NEWEST_WINDOWS = 48
_SILENT = logging.getLogger("scenarios.lag.client")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


class LagReader:
    """Asks Kafka for the ends and MongoDB for what is applied. Not for several threads."""

    def __init__(self, access: Access, database: Store, runs: tuple[str, ...]) -> None:
        self._name = access.names.events
        connection = access.kafka(Role.HOST)
        self._topics = Topics(connection)
        self._database = database
        self._runs = runs
        self._topic: Topic | None = None
        self._found_s = float("-inf")
        self._consumer = Consumer(
            connection
            | {
                "group.id": "latency-lag",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "fetch.message.max.bytes": 16_384,
                "queued.min.messages": 1,
                "fetch.wait.max.ms": 50,
            },
            logger=_SILENT,
        )

    def read(self) -> LagSample:
        """The lag of now. LatencyError, KafkaException or PyMongoError where one of the two does not answer."""
        topic = self._current_topic()
        ends = self._topics.latest(topic)
        applied = self._applied(topic.id)
        behind = {p: end - (applied.get(p, -1) + 1) for p, end in ends.items() if end > applied.get(p, -1) + 1}
        if not behind:
            return LagSample(0, 0.0)
        return LagSample(sum(behind.values()), self._age_ms({p: ends[p] - n for p, n in behind.items()}))

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()

    def _current_topic(self) -> Topic:
        now = time.monotonic()
        if self._topic is None or now - self._found_s > _TOPIC_AGAIN_S:
            self._topic, self._found_s = self._topics.find(self._name), now
        return self._topic

    def _applied(self, topic_id: str) -> dict[int, int]:
        """Partition → last source offset applied: what is measured, or a fence that is ahead of the measuring."""
        applied = measured_offsets(self._database, topic_id)
        for run in self._runs:
            newest = self._database[WINDOWS].find({"run": run}, {"_id": 0, "partition": 1, "fence": 1, "topic_id": 1})
            for window in newest.sort("minute", -1).limit(_NEWEST_WINDOWS):
                if window["topic_id"] == topic_id:
                    partition = window["partition"]
                    applied[partition] = max(window["fence"], applied.get(partition, -1))
        return applied

    def _age_ms(self, offsets: Mapping[int, int]) -> float | None:
        """Age of the oldest record at these offsets, by its append time; None where none came in time."""
        self._consumer.assign([TopicPartition(self._name, partition, offset) for partition, offset in offsets.items()])
        waiting, oldest_ms = set(offsets), None
        until = time.monotonic() + _READ_S
        try:
            while waiting and (left := until - time.monotonic()) > 0:
                record = self._consumer.poll(left)
                if record is None or record.error() or record.partition() not in waiting:
                    continue
                waiting.discard(record.partition() or 0)
                appended_ms = record.timestamp()[1]
                oldest_ms = appended_ms if oldest_ms is None else min(appended_ms, oldest_ms)
        finally:
            self._consumer.unassign()
        return None if oldest_ms is None else max(0.0, time.time() * 1000 - oldest_ms)
