"""The Kafka client of a producer: acknowledged by all, idempotent, and ready before the first event is due."""

from __future__ import annotations

import json
import time
from typing import Any

from confluent_kafka import KafkaException, Producer

from measure.errors import NotReadyError
from stack.access import Access, Role

_STATISTICS_MS = 200
_SETTINGS: dict[str, Any] = {
    "acks": "all",
    "enable.idempotence": True,
    "linger.ms": 5,  # what Kafka's own clients do, so a load is as those of its users
    "compression.type": "lz4",
    "socket.nagle.disable": True,
    "queue.buffering.max.messages": 500_000,
    "queue.buffering.max.kbytes": 262_144,
    "message.max.bytes": 1_100_000,
    "message.timeout.ms": 60_000,
    "reconnect.backoff.ms": 50,
    "reconnect.backoff.max.ms": 1_000,
    "statistics.interval.ms": _STATISTICS_MS,
}


class _Identity:
    """Watches the client's statistics until it has its producer id: the first event would wait for it otherwise."""

    def __init__(self) -> None:
        self.assigned = False

    def __call__(self, statistics: str) -> None:
        if not self.assigned:
            self.assigned = json.loads(statistics).get("eos", {}).get("idemp_state") == "Assigned"


def connect(access: Access, deadline_s: float, logger: Any) -> Producer:
    """A client that has its id and knows the topic's leaders, without having sent anything.

    NotReadyError where the broker does not answer within `deadline_s`.
    """
    identity = _Identity()
    producer = Producer(access.kafka(Role.PRODUCER) | _SETTINGS | {"stats_cb": identity}, logger=logger)
    until = time.monotonic() + deadline_s
    try:
        producer.list_topics(access.names.events, timeout=deadline_s)
    except KafkaException as refused:
        raise NotReadyError(
            f"a producer reached no broker at {access.endpoints.kafka[Role.PRODUCER]} within {deadline_s:.0f} s: "
            f"{refused}. See `latency status`."
        ) from refused
    while not identity.assigned:
        producer.poll(0.02)
        if time.monotonic() > until:
            raise NotReadyError(
                f"the broker gave a producer no id within {deadline_s:.0f} s. See `latency logs kafka`."
            )
    return producer
