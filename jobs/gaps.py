"""Marks of what did not come through: people see them beside the run's figures."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from jobs.partition import Partition
from jobs.stopping import narrate
from measure.store import MARKS, Store, mark_id


def mark_gap(database: Store, run: str, partition: int, text: str) -> None:
    """Note a gap of a source partition in the log and among the marks of `run`."""
    narrate(text)
    at_us = time.time_ns() // 1000
    mark = {"run": run, "at_us": at_us, "kind": "gap", "text": text, "updated": datetime.now(UTC)}
    database[MARKS].insert_one({"_id": mark_id(run, f"gap-{partition}-{at_us}"), **mark})


def mark_gone(database: Store, run: str, owned: Partition) -> None:
    """Note, once, what is gone from the source topic and will never come."""
    for text in owned.take_gone():
        mark_gap(database, run, owned.number, text)
