"""One event sent through the whole pipeline: the only proof that a stack is ready."""

from __future__ import annotations

import logging
import secrets
import time
from datetime import UTC, datetime

import msgspec
from confluent_kafka import KafkaException, Producer
from pymongo.errors import PyMongoError

from measure.errors import NotReadyError
from measure.stamp import Stamp
from stack.access import Access, Role
from stack.inquiry import stored

PROBE_PREFIX = "probe."
"""Run ids of probe events begin so; they belong to no run."""
PROBE_CATEGORY = "probe"

_POLL_S = 0.05
_SILENT = logging.getLogger("stack.probe.client")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


class ProbeTimeoutError(NotReadyError):
    """The probe event did not come through in time."""


def send_probe(access: Access, deadline_s: float) -> str:
    """Send one event to the events topic and return its run id once the broker has acknowledged it."""
    run = PROBE_PREFIX + secrets.token_hex(6)
    outcome: list[object] = []
    producer = Producer(
        access.kafka(Role.PRODUCER)
        | {"acks": "all", "enable.idempotence": True, "message.timeout.ms": int(deadline_s * 1000)},
        logger=_SILENT,
    )
    now_us = time.time_ns() // 1000
    producer.produce(
        access.names.events,
        key=run.encode(),
        value=_event(run, now_us),
        headers=list[tuple[str, str | bytes | None]](Stamp(run, 0, 0, now_us, now_us).headers()),
        on_delivery=lambda error, _: outcome.append(error),
    )
    producer.flush(deadline_s)
    if not outcome or outcome[0] is not None:
        raise ProbeTimeoutError(
            f"Kafka did not acknowledge the probe event within {deadline_s:.0f} s: {outcome or 'silence'}."
        )
    return run


def _event(run: str, now_us: int) -> bytes:
    moment = datetime.fromtimestamp(now_us / 1e6, UTC)
    return msgspec.json.encode(
        {
            "event_id": run,
            "event_type": "page_view",
            "user_id": run,
            "session_id": run,
            "product_id": "probe",
            "category": PROBE_CATEGORY,
            "price": 0,
            "quantity": 1,
            "currency": "XXX",
            "event_time": moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
    )


def has_arrived(access: Access, run: str) -> bool:
    """Whether the probe event of `run` was stored and measured."""
    return stored(access)["sequences"].find_one({"run": run}, {"_id": 1}) is not None


def wait_for_probe(access: Access, deadline_s: float) -> float:
    """Send one event and wait until MongoDB has it; the seconds that it took. ProbeTimeoutError: how far it came."""
    began = time.monotonic()
    try:
        run = send_probe(access, deadline_s)
        while not has_arrived(access, run):
            if time.monotonic() - began > deadline_s:
                raise ProbeTimeoutError(
                    f"a probe event was accepted by Kafka but is not in MongoDB after {deadline_s:.0f} s. "
                    "See `latency logs spark` and `latency logs sink`."
                )
            time.sleep(_POLL_S)
    except (KafkaException, PyMongoError) as broken:
        raise ProbeTimeoutError(f"the probe event could not be sent or looked for: {broken}") from broken
    return time.monotonic() - began
