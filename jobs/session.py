"""The Spark session of a job, with the settings that were measured, and its way to Kafka."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from measure.errors import UsageError
from stack.access import Access, Role
from stack.services.spark import CONF_VARIABLE, MASTER_VARIABLE

_CHECKPOINTS = "org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager"
PLAIN: dict[str, str] = {
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.showConsoleProgress": "false",
    "spark.redaction.regex": "(?i)secret|password|token|access[.]?key|jaas",
}
"""What each job needs; the rest is as Spark has it."""
TUNED = PLAIN | {
    # Hadoop's local file system forks a process for each file of the log: 40 ms instead of 9.
    "spark.sql.streaming.checkpointFileManagerClass": _CHECKPOINTS,
    # Each boundary removes what is older than this; few files make the boundary short (660 → 230 ms, with the above).
    "spark.sql.streaming.minBatchesToRetain": "2",
    # No second file with a checksum, and no process to set its mode, for each file of the log.
    "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
}
_OPEN = ("spark.hadoop.", "spark.executorEnv.", "spark.metrics.conf.", "spark.sql.catalog.", "spark.kubernetes.")
"""What begins so is handed on, and has no entry in Spark's own table."""
_LARGEST_BYTES = 4 * 1024 * 1024
"""Above the largest record of any topic of ours, with its headers."""


class UnknownSettingError(UsageError):
    """A setting that Spark does not have."""


def start(name: str, task_slots: int, settings: Mapping[str, str]) -> SparkSession:
    """A session with this many task slots, in this process or at the master that the stack names; `[spark.conf]`
    wins over `settings`.

    UnknownSettingError where Spark does not know one of the user's: it would pass over it in silence.
    """
    users: dict[str, str] = json.loads(os.environ.get(CONF_VARIABLE, "{}"))
    master = os.environ.get(MASTER_VARIABLE)
    slots = {"spark.cores.max": str(task_slots)} if master else {}
    builder = SparkSession.builder.appName(name).master(master or f"local[{task_slots}]")
    for key, value in {**settings, **slots, **users}.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("WARN")
    _refuse_unknown(session, users)
    return session


def _refuse_unknown(session: SparkSession, keys: Iterable[str]) -> None:
    java: Any = session._jvm  # noqa: SLF001 (the only way to Spark's own table of settings)
    known = java.org.apache.spark.internal.config.ConfigEntry
    unknown = [key for key in keys if known.findEntry(key) is None and not key.startswith(_OPEN)]
    if unknown:
        raise UnknownSettingError(
            f"[spark.conf]: Spark {session.version} has no setting {unknown[0]!r}. Its documentation lists them all."
        )


def kafka_options(access: Access) -> dict[str, Any]:
    """Connection options for Spark's Kafka source and sink."""
    return {f"kafka.{key}": value for key, value in access.kafka_java(Role.JOB).items()}


def source_options(access: Access, starting_offsets: str) -> dict[str, Any]:
    """Options that read the events topic from `starting_offsets` and never reset in silence."""
    return kafka_options(access) | {
        "subscribe": access.names.events,
        "startingOffsets": starting_offsets,
        "failOnDataLoss": "true",
        "includeHeaders": "true",
        "kafka.isolation.level": "read_committed",
        "kafka.fetch.min.bytes": "1",
        "kafka.fetch.max.wait.ms": "100",
        "kafka.max.partition.fetch.bytes": str(_LARGEST_BYTES),
    }


def sink_options(access: Access, checkpoint: Path) -> dict[str, Any]:
    """Options of a Kafka sink that leaves no gap: a send is never given up, and never overtakes another."""
    return kafka_options(access) | {
        "checkpointLocation": str(checkpoint),
        "includeHeaders": "true",
        "kafka.acks": "all",
        "kafka.enable.idempotence": "true",
        "kafka.delivery.timeout.ms": str(2**31 - 1),
        "kafka.max.block.ms": str(2**31 - 1),
        "kafka.linger.ms": "2",  # fewer requests
        "kafka.max.request.size": str(_LARGEST_BYTES),
    }
