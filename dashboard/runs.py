"""Runs as MongoDB knows them: the list, which is in progress, what happened in one, and Spark's batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dashboard.database import Database, Document
from dashboard.operations import MICRO, Mark
from dashboard.ranges import TimeRange, moment
from measure.store import MARKS, PROGRESS, RUNS, SLICES

_MOST_RUNS = 50
_MOST_MARKS = 300
_MOST_BATCHES = 600
_SILENT_S = 120.0
"""A run that is marked as running and has not been heard of for this long is over: its process died."""


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One run, as its process mirrored it. Texts are foreign."""

    run: str
    scenario: str
    profile: str
    status: str
    phase: str
    progress: float | None
    verdict: str | None
    started_s: float
    in_progress: bool


def newest_runs(database: Database, now: float) -> list[RunEntry]:
    """The newest 50 runs, newest first."""
    fields = ("status", "scenario", "profile", "started_us", "phase", "progress", "verdict", "updated")
    found = database.find(RUNS, {}, dict.fromkeys(fields, 1), sort=[("started_us", -1)], limit=_MOST_RUNS)
    return [_entry(document, now) for document in found]


def _entry(document: Document, now: float) -> RunEntry:
    heard = document.get("updated")
    recent = heard is not None and now - heard.timestamp() < _SILENT_S
    running = document.get("status") == "running"
    return RunEntry(
        run=str(document["_id"]),
        scenario=str(document.get("scenario", "")),
        profile=str(document.get("profile", "")),
        status="interrupted" if running and not recent else str(document.get("status", "")),
        phase=str(document.get("phase", "")),
        progress=document.get("progress"),
        verdict=document.get("verdict"),
        started_s=(document.get("started_us") or 0) / MICRO,
        in_progress=running and recent,
    )


def newest_second(database: Database, run: str) -> int | None:
    """The latest due-second of a run that has slices."""
    found = database.find(SLICES, {"run": run}, {"_id": 0, "second": 1}, sort=[("second", -1)], limit=1)
    return int(found[0]["second"]) if found else None


def marks(database: Database, run: str, span: TimeRange) -> list[Mark]:
    """What happened in a run within `span`, the newest 300, in order of time."""
    where = {"run": run, "at_us": {"$gte": span.start_s * MICRO, "$lt": span.end_s * MICRO}}
    fields = {"_id": 0, "at_us": 1, "kind": 1, "text": 1}
    found = database.find(MARKS, where, fields, sort=[("at_us", -1)], limit=_MOST_MARKS)
    return [Mark(one["at_us"] / MICRO, str(one.get("kind", "")), str(one.get("text", ""))) for one in reversed(found)]


def batches(database: Database, span: TimeRange) -> list[tuple[float, float]]:
    """(end in seconds of the epoch, duration in ms) of Spark's micro-batches in `span`, the newest 600, in order.

    Real-Time Mode's batch is only the interval between two checkpoints and says nothing: left out.
    """
    where: dict[str, Any] = {
        "t": {"$gte": moment(span.start_s), "$lt": moment(span.end_s)},
        "profile": {"$ne": "realtime"},
    }
    fields = {"_id": 0, "t": 1, "progress.durationMs.triggerExecution": 1}
    found = database.find(PROGRESS, where, fields, sort=[("t", -1)], limit=_MOST_BATCHES)
    ended = (
        (one["t"].timestamp(), one.get("progress", {}).get("durationMs", {}).get("triggerExecution")) for one in found
    )
    return [(end, float(ms)) for end, ms in reversed(list(ended)) if ms is not None]
