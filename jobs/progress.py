"""Spark's own progress reports, as it gives them, in collection `progress`; each checkpoint is a mark as well."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from pymongo.errors import PyMongoError
from pyspark.sql.streaming.listener import (
    QueryIdleEvent,
    QueryProgressEvent,
    QueryStartedEvent,
    QueryTerminatedEvent,
    StreamingQueryListener,
)

from jobs.stopping import narrate
from measure.store import PROGRESS, Store


class ProgressRecorder(StreamingQueryListener):
    """Writes each report as it comes. One that cannot be written is told in the log and lost: it is no evidence."""

    def __init__(self, database: Store, profile: str) -> None:
        self._database = database
        self._profile = profile

    def onQueryStarted(self, event: QueryStartedEvent) -> None:
        """Nothing to note: the first report says it."""

    def onQueryProgress(self, event: QueryProgressEvent) -> None:
        """Note a finished batch."""
        report = json.loads(event.progress.json)
        now = datetime.now(UTC)
        document = {
            "profile": self._profile,
            "batch_id": report.get("batchId"),
            "t": now,
            "progress": _storable(report),
            "updated": now,
        }
        try:
            self._database[PROGRESS].insert_one(document)
        except PyMongoError as broken:
            narrate(f"progress of batch {report.get('batchId')} is not in MongoDB: {broken}")

    def onQueryIdle(self, event: QueryIdleEvent) -> None:
        """Nothing to note."""

    def onQueryTerminated(self, event: QueryTerminatedEvent) -> None:
        """Nothing to note: who watches the query says why."""


def _storable(report: object) -> object:
    """Field names of a document must not begin with a dollar sign, and dots in them hinder every query."""
    if isinstance(report, dict):
        return {name.replace(".", "_").lstrip("$"): _storable(value) for name, value in report.items()}
    if isinstance(report, list):
        return [_storable(value) for value in report]
    return report
