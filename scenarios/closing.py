"""Closes a run whose process died: what is in MongoDB of it is brought into its folder, and the run is judged."""

from __future__ import annotations

import time

import msgspec

from measure.errors import NotReadyError
from measure.figures import RunDocument, Status
from measure.folder import RunFolder, Slices
from measure.load import Load
from measure.report.source import settle
from measure.store import RUNS, VISIBLE, Store
from scenarios import harvest
from scenarios.draining import missing

_SETTLE_S = 20.0
_AGAIN_S = 0.5


def close(folder: RunFolder, database: Store) -> RunDocument:
    """Bring in, judge and store the run in `folder`; it stays `interrupted`.

    NotReadyError where this MongoDB does not know the run: taking its silence for an answer would call all lost.
    """
    plan, run = folder.plan(), folder.run
    if database[RUNS].find_one({"_id": run}, {"_id": 1}) is None:
        raise NotReadyError(
            f"the MongoDB of stack {plan.stack} does not know run {run}: it was purged, or is another one."
        )
    all_found = _await_stored(folder, database)
    began_us = plan.created_us or plan.t0_us or 0
    harvest.bring_sequences(database, folder, bool(plan.warmup))
    harvest.bring_slices(database, folder, {each: _visible(folder, each) for each in (run, folder.warmup_run)})
    harvest.bring_samples(database, folder, began_us // 1_000_000, time.time_ns() // 1_000_000_000)
    harvest.bring_marks(database, folder)
    outcome = folder.outcome()
    folder.write_outcome(
        msgspec.structs.replace(
            outcome,
            status=Status.INTERRUPTED,
            drained=all_found,
            remarks=[*outcome.remarks, "closed later, by `latency audit`"],
        )
    )
    document = settle(folder)
    verdict = document.verdict.value if document.verdict else None
    ended = {"status": Status.INTERRUPTED.value, "phase": "done", "verdict": verdict}
    database[RUNS].update_one({"_id": run}, {"$set": ended})
    return document


def _visible(folder: RunFolder, run: str) -> Slices:
    """What only the run process measured, as far as it had spooled it."""
    held = folder.slices(run)
    return {second: {VISIBLE: stages[VISIBLE]} for second, stages in held.items() if VISIBLE in stages}


def _await_stored(folder: RunFolder, database: Store) -> bool:
    """Whether every acknowledged event is found. A sink that still is at it is given time, as long as it gets on."""
    acked = {producer: held.acked for producer, held in Load.read(folder).accounts.items()}
    absent = missing(database, folder.run, acked)
    until = time.monotonic() + _SETTLE_S
    while absent and time.monotonic() < until:
        time.sleep(_AGAIN_S)
        before, absent = absent, missing(database, folder.run, acked)
        if absent < before:
            until = time.monotonic() + _SETTLE_S
    return not absent
