"""Spark's own progress reports, as it gives them, in collection `progress`; each checkpoint is a mark as well."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, ClassVar

from pymongo.errors import PyMongoError
from pyspark.java_gateway import ensure_callback_server_started
from pyspark.sql import SparkSession

from jobs.stopping import narrate
from measure.store import PROGRESS, Store


def record(spark: SparkSession, database: Store, profile: str) -> None:
    """From now on note the progress of each query of this session."""
    manager: Any = spark.streams
    context: Any = spark.sparkContext
    ensure_callback_server_started(context._gateway)  # type: ignore[no-untyped-call]  # noqa: SLF001 (PySpark's own way)
    streaming = context._jvm.org.apache.spark.sql.streaming  # noqa: SLF001 (the same)
    recorder = ProgressRecorder(database, profile)
    manager._jsqm.addListener(streaming.PythonStreamingQueryListenerWrapper(recorder))  # noqa: SLF001 (the same)


class ProgressRecorder:
    """Writes each report as it comes. One that cannot be written is told in the log and lost: it is no evidence.

    It is called by Java itself: PySpark's own listener copies a report field by field, some hundred calls into Java
    where one gives it all.
    """

    def __init__(self, database: Store, profile: str) -> None:
        self._database = database
        self._profile = profile

    def onQueryStarted(self, event: object) -> None:
        """Nothing to note: the first report says it."""

    def onQueryProgress(self, event: Any) -> None:
        """Note a finished batch."""
        report = json.loads(event.progress().json())
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

    def onQueryIdle(self, event: object) -> None:
        """Nothing to note."""

    def onQueryTerminated(self, event: object) -> None:
        """Nothing to note: who watches the query says why."""

    class Java:
        """What Py4J asks of a Python object that Java calls."""

        implements: ClassVar[list[str]] = ["org.apache.spark.sql.streaming.PythonStreamingQueryListener"]


def _storable(report: object) -> object:
    """Field names of a document must not begin with a dollar sign, and dots in them hinder every query."""
    if isinstance(report, dict):
        return {name.replace(".", "_").lstrip("$"): _storable(value) for name, value in report.items()}
    if isinstance(report, list):
        return [_storable(value) for value in report]
    return report
