"""The sink's consumer of the clean topic: a group member that goes on from MongoDB's positions, not from Kafka's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from measure.errors import InvalidError

GROUP = "latency-sink."
"""Begin of the group's name, before the topic's: sinks of another topic are none of ours."""
_LARGEST_BATCH = 2_000
_SETTINGS: dict[str, Any] = {
    "enable.auto.commit": False,
    "auto.offset.reset": "error",  # never reset in silence
    "isolation.level": "read_committed",
    "fetch.min.bytes": 200_000,  # a backlog comes at once; else the broker gathers for so many milliseconds
    "fetch.wait.max.ms": 4,
    "fetch.message.max.bytes": 4 * 1024 * 1024,
    "session.timeout.ms": 6_000,  # how long a killed sink's partitions wait; a broker allows no less by default
    "partition.assignment.strategy": "range",
}
_LINGER_S = 0.0005
"""For what came in the same answer of the broker."""
_PASSING = {KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT, KafkaError._PARTITION_EOF}  # noqa: SLF001


class RecordsGoneError(InvalidError):
    """The topic does not have the offset to go on from."""


class CleanTopic:
    """Reads the clean topic. `begin` gives the offset to go on from for a partition that is assigned; `end` is told
    of those that are taken away, and whether they were lost to somebody else already."""

    def __init__(
        self,
        connection: dict[str, Any],
        topic: str,
        begin: Callable[[int], int],
        end: Callable[[Sequence[int], bool], None],
    ) -> None:
        self._topic = topic
        self._begin = begin
        self._end = end
        self._consumer = Consumer(connection | _SETTINGS | {"group.id": GROUP + topic})
        self._consumer.subscribe([topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost)

    def read(self, wait_s: float) -> list[Message]:
        """Waits up to `wait_s` for a first record, then a moment for those that come with it."""
        first = self._consumer.poll(wait_s)
        if first is None:
            return []
        more = self._consumer.consume(_LARGEST_BATCH, _LINGER_S)
        return [message for message in (first, *more) if self._is_record(message)]

    def go_to(self, partition: int, offset: int) -> None:
        """Read a partition from another offset on."""
        self._consumer.seek(TopicPartition(self._topic, partition, offset))

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()

    def _is_record(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return True
        if error.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 (the library's own constant)
            raise RecordsGoneError(
                f"{self._topic}, partition {message.partition()}: {error.str()}. Records that were not stored yet are "
                "gone from the topic: its retention is too short for the time that the sink was away."
            )
        if error.code() not in _PASSING:
            raise KafkaException(error)
        return False

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        for place in partitions:
            place.offset = self._begin(place.partition)
        consumer.assign(partitions)

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._end([place.partition for place in partitions], False)
        consumer.unassign()

    def _lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._end([place.partition for place in partitions], True)
        consumer.unassign()
