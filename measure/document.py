"""The run document `latency-run/1`: the one machine-readable account of a run.

`latency run --json`, `latency report --format json` and `run.json` in the run's folder are this document. Its JSON
Schema lies beside this module; fields that a run did not measure are there and null.
"""

from __future__ import annotations

import importlib.resources
from typing import Any, Literal

import msgspec

from measure.figures import (
    Alert,
    Audit,
    Clock,
    Environment,
    Generator,
    Lag,
    Mark,
    Rate,
    Recovery,
    RecoverySummary,
    ServiceUsage,
    SlaRow,
    Spread,
    Stability,
    StageLatency,
    Status,
    Verdict,
    Warmup,
)

SCHEMA = "latency-run/1"
SCHEMA_FILE = "latency-run-1.schema.json"

STAGES = ("produce", "queue", "compute", "process", "store", "e2e", "e2e_sent", "visible", "query", "shown")
"""Every stage that a run may have, in the order of an event's way."""


class RunDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`latency-run/1`."""

    schema: Literal["latency-run/1"] = "latency-run/1"
    run: str
    status: Status
    scenario: str
    profile: str
    runtime: str
    started: str | None
    """Start of the load, ISO 8601, UTC; null where the run ended before it."""
    duration_s: float
    """Length of the load that was scheduled, as amended; warm-up and drain are not in it."""
    environment: Environment | None
    audit: Audit
    latency_ms: dict[str, StageLatency]
    """Stage → figures; a stage that the profile does not have is not there."""
    rate: Rate
    lag: Lag
    batch_ms: Spread | None
    commit_ms: Spread | None
    recovery: list[Recovery]
    recovery_summary: RecoverySummary
    availability: float | None
    """Share (0 to 1) of the load's seconds in which ≥ 99.5 % of the events due were stored within 5 s."""
    error_rate: float | None
    """(failed + dead not expected + lost) / scheduled, 0 to 1."""
    resources: dict[str, ServiceUsage]
    stability: Stability
    generator: Generator
    clock: Clock
    sla_name: str | None
    sla: list[SlaRow]
    alerts: list[Alert]
    marks: list[Mark]
    warmup: Warmup | None
    amended: bool
    """Whether bursts, pauses or a stop changed the schedule under way."""
    seed: int | None
    verdict: Verdict | None
    """Null while the run is running."""
    reasons: list[str]
    """Why the verdict is what it is, the gravest first; empty for a plain pass."""
    remarks: list[str]
    """What a reader should know and what did not change the verdict, such as `no steady state`."""


def to_json(document: RunDocument) -> bytes:
    """The document as indented JSON with a newline at its end."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def from_json(text: bytes | str) -> RunDocument:
    """The document in `text`; msgspec.ValidationError where it is none."""
    return msgspec.json.decode(text, type=RunDocument)


def schema_of_structs() -> dict[str, Any]:
    """The JSON Schema that the structs above amount to: what the committed file must equal."""
    (reference,), parts = msgspec.json.schema_components([RunDocument], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:latency-console:latency-run:1",
        "title": SCHEMA,
        **reference,
        "$defs": dict(sorted(parts.items())),
    }


def json_schema() -> bytes:
    """The committed JSON Schema, as bytes."""
    return (importlib.resources.files("measure") / SCHEMA_FILE).read_bytes()
