"""Profile `realtime`: Spark's Real-Time Mode reads events, validates them, and routes each on within milliseconds.

A "batch" here is only the interval between two checkpoints. Windows and figures are the sink's work.
"""

from __future__ import annotations

import os
from pathlib import Path

from pymongo import MongoClient

from jobs import checkpoint, control, session
from jobs.progress import ProgressRecorder
from jobs.routing import routed
from jobs.stopping import StopFlag, serve
from jobs.topics import Topics
from jobs.validation import judged
from jobs.watch import Anew, watch
from measure.store import Document
from stack.access import STACK_DIR_VARIABLE, Access, Role

PROFILE = "realtime"
CHECKPOINT_VARIABLE = "LATENCY_CHECKPOINT_INTERVAL"
"""Spark's wording of a duration, such as `60 seconds`."""


def main() -> int:
    """Run until stopped; the process's exit code."""
    stop = StopFlag()
    access = Access.from_environment()
    topics = Topics(access.kafka(Role.JOB))
    topic = topics.find(access.names.events)
    database = MongoClient[Document](access.mongo_uri(Role.JOB))[access.names.database]
    generation = control.join(database, PROFILE)
    folder = checkpoint.prepare(Path(os.environ[STACK_DIR_VARIABLE]), generation, topic)
    offsets = checkpoint.starting_offsets(topic, control.measured_offsets(database, topic.id), topics.earliest(topic))

    # Real-Time Mode holds one task slot for each partition.
    settings = session.TUNED | {"spark.sql.streaming.realTimeMode.minBatchDuration": "5s"}
    spark = session.start(f"latency {PROFILE}", topic.partitions + 1, settings)
    spark.streams.addListener(ProgressRecorder(database, PROFILE))
    records = spark.readStream.format("kafka").options(**session.source_options(access, offsets)).load()
    interval = os.environ.get(CHECKPOINT_VARIABLE, "60 seconds")
    query = (
        routed(judged(records), access.names, topic.id)
        .writeStream.format("kafka")
        .options(**session.sink_options(access, folder))
        .queryName(PROFILE)
        .outputMode("update")
        .trigger(realTime=interval)  # type: ignore[call-overload]  # the stubs do not know it yet
        .start()
    )
    code = watch(query, stop, Anew(database, topics, topic, generation))
    spark.stop()
    return code


if __name__ == "__main__":
    serve(main)
