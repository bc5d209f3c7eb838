"""A job of the user's own: its program, and the reader that measures it by what it writes."""

from __future__ import annotations

import sys
from pathlib import Path

from measure.errors import UsageError
from stack.blueprint import Blueprint
from stack.exports import exports
from stack.service import Service
from stack.services.sink import follower
from stack.services.spark import job_service

READER = "reader"
COLLECTION_VARIABLE = "LATENCY_RESULT_COLLECTION"
FIELD_VARIABLE = "LATENCY_RESULT_FIELD"
BY_VARIABLE = "LATENCY_RESULT_BY"
"""`event_id` or `due`."""
CHECKPOINT_VARIABLE = "LATENCY_CHECKPOINT"


def own_job(blueprint: Blueprint) -> Service:
    """The user's program, told in its environment how to reach the stack, as `latency env` does."""
    job = blueprint.settings.job
    path = check_job(job.path)
    checkpoint = blueprint.folder.data("spark") / "checkpoints" / f"own-{path.stem}"
    told = exports(blueprint.folder, secrets=True) | {
        COLLECTION_VARIABLE: job.collection,
        CHECKPOINT_VARIABLE: str(checkpoint),
    }
    return job_service(blueprint, (sys.executable, str(path)), told)


def check_job(path: Path | None) -> Path:
    """The job's file. UsageError where none is configured, or it is missing or does not compile."""
    if path is None:
        raise UsageError('profile own: no job is configured. Put `[job] path = "my_job.py"` into latency.toml.')
    try:
        source = path.read_bytes()
    except OSError as missing:
        raise UsageError(f"[job] path: {path} cannot be read: {missing.strerror}.") from None
    try:
        compile(source, str(path), "exec")
    except (SyntaxError, ValueError) as broken:
        line = getattr(broken, "lineno", None)
        raise UsageError(f"[job] path: {path} does not compile: {broken.args[0]} (line {line}).") from None
    return path.resolve()


def reader(blueprint: Blueprint) -> Service:
    """Follows the collection that the job writes."""
    job = blueprint.settings.job
    told = {COLLECTION_VARIABLE: job.collection, FIELD_VARIABLE: job.field, BY_VARIABLE: job.by}
    return follower(blueprint, READER, "jobs.reader", told)
