"""Looks into the source topic: is there a record where the clean topic has none?"""

from __future__ import annotations

from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from jobs.clean import CleanRecord
from jobs.contiguity import Hole
from jobs.records import Arrival, read_stamp

_TIMEOUT_S = 10.0


class SourceTopic:
    """A reader of the source topic for single look-ups; connects at the first one."""

    def __init__(self, connection: dict[str, Any], name: str) -> None:
        self._connection = connection
        self._name = name

    def first_offset(self, partition: int) -> int:
        """The first offset that the partition still holds."""
        consumer = self._consumer()
        try:
            return self._first_offset(consumer, partition)
        finally:
            consumer.close()

    def look(self, partition: int, first: int, behind: int) -> Hole:
        """What stands at [`first`, `behind`) of the partition, for a reader of committed records."""
        consumer = self._consumer()
        try:
            held_from = max(first, min(behind, self._first_offset(consumer, partition)))
            if held_from == behind:
                return Hole(behind, missed=False)
            consumer.assign([TopicPartition(self._name, partition, held_from)])
            return Hole(held_from, missed=self._next_offset(consumer) < behind)
        finally:
            consumer.close()

    def records(self, partition: int, first: int, behind: int, topic_id: str) -> tuple[int, list[Arrival]]:
        """The first of [`first`, `behind`) that the topic still holds, or `behind`, and the committed records from
        there on, without what they say."""
        consumer = self._consumer()
        found: list[Arrival] = []
        try:
            held_from = max(first, min(behind, self._first_offset(consumer, partition)))
            consumer.assign([TopicPartition(self._name, partition, held_from)])
            while held_from < behind and (message := self._next(consumer)) is not None:
                offset = message.offset()
                if offset is None or offset >= behind:
                    break
                time_ms = message.timestamp()[1]
                record = CleanRecord(topic_id, partition, offset, time_ms)
                found.append(Arrival(record, read_stamp(message)))
                if offset == behind - 1:
                    break
            return held_from, found
        finally:
            consumer.close()

    def _first_offset(self, consumer: Consumer, partition: int) -> int:
        low, _ = consumer.get_watermark_offsets(TopicPartition(self._name, partition), timeout=_TIMEOUT_S)
        return int(low)

    def _next(self, consumer: Consumer) -> Message | None:
        """The next record; None at the partition's end."""
        message = consumer.poll(_TIMEOUT_S)
        if message is not None and (error := message.error()):
            raise KafkaException(error)
        return message

    def _next_offset(self, consumer: Consumer) -> int:
        """Offset of the first record that comes; KafkaException where none does, for `behind` is one."""
        message = self._next(consumer)
        if message is None:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001 (the library's own constant)
        offset = message.offset()
        assert offset is not None  # noqa: S101 (a record that was read has one)
        return offset

    def _consumer(self) -> Consumer:
        return Consumer(
            self._connection
            | {
                "group.id": "latency-look",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "isolation.level": "read_committed",
                "fetch.message.max.bytes": 4 * 1024 * 1024,
            }
        )
