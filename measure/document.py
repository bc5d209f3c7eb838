"""The run document `latency-run/1`: the one machine-readable account of a run, built from its folder alone.

`latency run --json`, `latency report --format json` and `run.json` in the run's folder are this document. Its JSON
Schema lies beside this module; fields that a run did not measure are there and null.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from measure.alert_history import alerts
from measure.clock import check
from measure.decoding import decode
from measure.evidence import Evidence
from measure.figures import Mark, RowVerdict, RunDocument, SlaRow, Status, Warmup
from measure.folder import RunFolder
from measure.histogram import Histogram
from measure.percentiles import spread
from measure.recovery import recoveries
from measure.service_level import availability, error_rate, rate
from measure.sla_rows import judge
from measure.stability import stability
from measure.usage import generator, lag, resources
from measure.verdict import judge_run

__all__ = ["SCHEMA", "STAGES", "RunDocument", "build", "from_json", "json_schema", "schema_of_structs", "to_json"]

T = TypeVar("T")

SCHEMA = "latency-run/1"
SCHEMA_FILE = "latency-run-1.schema.json"

STAGES = ("produce", "queue", "compute", "process", "store", "e2e", "e2e_sent", "visible", "query", "shown")
"""Every stage that a run may have, in the order of an event's way."""


def build(folder: RunFolder, now_us: int | None = None) -> RunDocument:
    """The document of the run in `folder`, from that folder alone.

    A run in progress has no verdict; with `now_us` (µs of the epoch) its figures are over what was due up to the whole
    second 8 s before. InvalidError where a file of the folder cannot be read.
    """
    return describe(Evidence.read(folder, now_us))


def describe(evidence: Evidence) -> RunDocument:
    """The document that `evidence` amounts to."""
    load = evidence.load
    stages = in_order(load.stages())
    samples = evidence.samples_in(evidence.seconds)
    clock = check(samples)
    cost = generator(evidence.spools, load.audit.sent, load.schedule.duration_s)
    recovery, recovery_summary = recoveries(evidence)
    rows = judge(evidence.plan.sla.sla if evidence.plan.sla else [], evidence, recovery_summary)
    running = evidence.status is Status.RUNNING
    verdict, reasons = (None, []) if running else judge_run(evidence, clock, cost, stages, rows)
    return RunDocument(
        run=evidence.run,
        status=evidence.status,
        scenario=evidence.plan.scenario,
        profile=evidence.plan.profile,
        runtime=evidence.plan.runtime,
        started=None if load.schedule.start_us is None else iso(load.schedule.start_us),
        duration_s=load.schedule.duration_s,
        environment=evidence.plan.environment,
        audit=load.audit,
        latency_ms=stages,
        rate=rate(evidence),
        lag=lag(samples),
        batch_ms=spread(Histogram.merged(evidence.batch_times.values())),
        commit_ms=spread(Histogram.merged(evidence.commits.values())),
        recovery=recovery,
        recovery_summary=recovery_summary,
        availability=availability(load, evidence.seconds)[0],
        error_rate=error_rate(load.audit),
        resources=resources(samples),
        stability=stability(evidence),
        generator=cost,
        clock=clock,
        sla_name=evidence.plan.sla.name if evidence.plan.sla else None,
        sla=rows,
        alerts=alerts(evidence),
        marks=[Mark(evidence.at_s(mark.at_us), mark.kind, mark.text) for mark in evidence.marks],
        warmup=_warmup(evidence),
        amended=evidence.amended,
        seed=evidence.plan.seed,
        verdict=verdict,
        reasons=reasons,
        remarks=list(_remarks(evidence, rows)),
    )


def in_order(stages: Mapping[str, T]) -> dict[str, T]:
    """The stages in the order of an event's way."""
    known = [stage for stage in STAGES if stage in stages]
    return {stage: stages[stage] for stage in known + sorted(stages.keys() - set(STAGES))}


def iso(at_us: int) -> str:
    """µs of the epoch as ISO 8601 in UTC, to the ms: `2026-11-24T03:42:39.123Z`."""
    moment = datetime.fromtimestamp(at_us // 1000 / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _warmup(evidence: Evidence) -> Warmup | None:
    if evidence.warmup is None or evidence.warmup.schedule.start_us is None:
        return None
    return Warmup(
        seconds=round(evidence.warmup.schedule.duration_s, 3),
        steady=evidence.outcome.steady is True,
        reason=evidence.outcome.steady_reason,
        audit=evidence.warmup.audit,
    )


def _remarks(evidence: Evidence, rows: list[SlaRow]) -> Iterator[str]:
    if evidence.status is Status.INTERRUPTED:
        yield "the run was interrupted; its figures are over what there is"
    if evidence.warmup is not None and evidence.outcome.steady is False:
        why = f": {evidence.outcome.steady_reason}" if evidence.outcome.steady_reason else ""
        yield f"no steady state before the load{why}"
    if evidence.warmup is None:
        yield "no warm-up: the first seconds of the load are those of a cold stack, if it was just started"
    for row in rows:
        if row.verdict is RowVerdict.NOT_APPLICABLE:
            yield f"SLA {row.name} was not judged: {row.reason}"
    yield from evidence.outcome.remarks


def to_json(document: RunDocument) -> bytes:
    """The document as indented JSON with a newline at its end."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def from_json(text: bytes | str) -> RunDocument:
    """The document in `text`; msgspec.ValidationError where it is none."""
    return decode(text, RunDocument)


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
