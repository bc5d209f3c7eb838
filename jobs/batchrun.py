"""How a micro-batch profile runs: what its query differs in is its own file's."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pymongo import MongoClient
from pyspark.sql import DataFrame
from pyspark.sql.streaming.query import StreamingQuery

from jobs import checkpoint, control, session
from jobs.batches import BatchStore
from jobs.dead import DeadLetters
from jobs.deadtopic import DeadTopic
from jobs.progress import ProgressRecorder
from jobs.rows import narrowed
from jobs.source import SourceTopic
from jobs.stopping import StopFlag
from jobs.topics import Topics
from jobs.validation import judged
from jobs.watch import Anew, watch
from measure.store import Document
from stack.access import STACK_DIR_VARIABLE, Access, Role

SERVICE = "spark"


@dataclass(frozen=True, slots=True)
class BatchProfile:
    """A micro-batch profile: its settings for Spark, its trigger, and what stands between validation and the store."""

    name: str
    settings: Mapping[str, str]
    task_slots: int
    trigger: str | None
    """As Spark words a duration; None: a batch begins when the one before has ended."""
    one_by_one: bool = False
    stateful: Callable[[DataFrame], DataFrame] | None = None


def run(profile: BatchProfile) -> int:
    """Run until stopped; the process's exit code."""
    stop = StopFlag()
    access = Access.from_environment()
    connection = access.kafka(Role.JOB)
    topics = Topics(connection)
    topic = topics.find(access.names.events)
    client = MongoClient[Document](access.mongo_uri(Role.JOB))
    database = client[access.names.database]
    generation = control.join(database, profile.name)
    folder = checkpoint.prepare(Path(os.environ[STACK_DIR_VARIABLE]), generation, topic)
    offsets = checkpoint.starting_offsets(topic, control.measured_offsets(database, topic.id), topics.earliest(topic))

    store = BatchStore(
        client,
        database,
        topic,
        SourceTopic(connection, topic.name),
        DeadTopic(connection, access.names.dead, topic.id),
        SERVICE,
        stop,
        one_by_one=profile.one_by_one,
        drops_late=profile.stateful is not None,
    )
    letters = DeadLetters(connection, access.names.dead, database, stop)
    letters.start()
    spark = session.start(f"latency {profile.name}", profile.task_slots, profile.settings)
    spark.streams.addListener(ProgressRecorder(database, profile.name))
    records = spark.readStream.format("kafka").options(**session.source_options(access, offsets)).load()
    checked = judged(records)
    kept = profile.stateful(checked) if profile.stateful else checked
    writer = narrowed(kept).writeStream.queryName(profile.name).option("checkpointLocation", str(folder))
    if profile.trigger:
        writer = writer.trigger(processingTime=profile.trigger)
    query = writer.foreachBatch(store).start()
    anew = Anew(database, topics, topic, generation)

    def each_second() -> str | None:
        letters.check()
        if store.drops_late:
            store.close_behind(_read_up_to(query, topic.name))
        return anew()

    def after_gap(_cause: str) -> bool:
        return store.gap is not None and control.advance(database, generation, store.gap)

    code = watch(query, stop, each_second, after_gap)
    letters.end()
    spark.stop()
    return code


def _read_up_to(query: StreamingQuery, topic: str) -> dict[int, int]:
    """Partition → the offset behind the last record of the last finished batch."""
    progress = query.lastProgress
    if not progress:
        return {}
    ends = json.loads(progress.sources[0].endOffset or "{}").get(topic, {})
    return {int(partition): end for partition, end in ends.items()}
