"""Sends the dead letters of a profile that has no routing query of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaException, Producer

_LARGEST_BYTES = 4 * 1024 * 1024
_FULL_S = 0.1


class DeadTopic:
    """A producer of dead letters: the bytes as they came, with the reason and the source position as headers."""

    def __init__(self, connection: dict[str, Any], topic: str, topic_id: str) -> None:
        self._producer = Producer(
            connection | {"acks": "all", "enable.idempotence": True, "message.max.bytes": _LARGEST_BYTES}
        )
        self._topic = topic
        self._topic_id = topic_id
        self._failed: list[object] = []

    def send(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Send these rows of `rows.dead_rows`; return when all are acknowledged. KafkaException where one is not."""
        self._failed.clear()
        for row in rows:
            while not self._taken(row):
                self._producer.poll(_FULL_S)
            self._producer.poll(0)
        self._producer.flush()
        if self._failed:
            raise KafkaException(self._failed[0])

    def _taken(self, row: Mapping[str, Any]) -> bool:
        """Hand a row over to the client, unless its queue is full."""
        try:
            self._producer.produce(
                self._topic,
                partition=row["partition"],
                key=row["dead_key"],
                value=row["dead_value"],
                headers=self._headers(row),
                on_delivery=lambda error, _: self._failed.append(error) if error else None,
            )
        except BufferError:
            return False
        return True

    def _headers(self, row: Mapping[str, Any]) -> list[tuple[str, str | bytes | None]]:
        said = {
            "reason": row["reason"],
            "source_topic_id": self._topic_id,
            "source_partition": row["partition"],
            "source_offset": row["offset"],
            "source_time_ms": row["source_time_ms"],
        }
        came = [(header["key"], header["value"]) for header in row["headers"] or ()]
        return came + [(name, str(value).encode()) for name, value in said.items()]
