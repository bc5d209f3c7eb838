"""How a micro-batch profile runs: what its query differs in is its own file's."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pymongo.errors import ConnectionFailure
from pyspark.sql import DataFrame
from pyspark.sql.streaming.query import StreamingQuery

from jobs import session
from jobs.batches import BatchStore, GapError
from jobs.dead import DeadLetters
from jobs.deadtopic import DeadTopic
from jobs.ground import Ground
from jobs.rows import narrowed
from jobs.source import SourceTopic
from jobs.stopping import StopFlag, narrate
from jobs.validation import judged
from jobs.watch import watch
from stack.access import Role

SERVICE = "spark"
_IN_PARTS = {
    # The driver holds a whole batch, so a backlog comes in parts: forty seconds of 5,000 events/s.
    "maxOffsetsPerTrigger": "200000",
}


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
    options: Mapping[str, str] = field(default_factory=dict)
    """Of the query, beside its checkpoint."""
    source: Mapping[str, str] = field(default_factory=_IN_PARTS.copy)
    """Options of its source."""
    plan: str = ""
    """Which of the profile's plans this is, where it has several: none goes on from another's checkpoint."""


def run(profile: BatchProfile) -> int:
    """Run until stopped; the process's exit code."""
    stop = StopFlag()
    ground = Ground.find(profile.name, profile.plan)
    connection, dead = ground.access.kafka(Role.JOB), ground.access.names.dead
    store = BatchStore(
        ground.client,
        ground.database,
        ground.topic,
        SourceTopic(connection, ground.topic.name),
        DeadTopic(connection, dead, ground.topic.id),
        SERVICE,
        stop,
        one_by_one=profile.one_by_one,
        drops_late=profile.stateful is not None,
    )
    letters = DeadLetters(connection, dead, ground.database, stop)
    letters.start()
    spark = session.start(f"latency {profile.name}", profile.task_slots, profile.settings)
    checked = judged(ground.records(spark, profile.source))
    kept = profile.stateful(checked) if profile.stateful else checked
    writer = narrowed(kept).writeStream.queryName(profile.name).options(**profile.options)
    writer = writer.option("checkpointLocation", str(ground.checkpoint))
    if profile.trigger:
        writer = writer.trigger(processingTime=profile.trigger)
    anew = ground.anew

    def each_second(query: StreamingQuery) -> str | None:
        letters.check()
        with contextlib.suppress(GapError):  # it stands in store.gap
            store.check()
            if store.drops_late:
                store.close_behind(_read_up_to(query, ground.topic.name))
        after_gap()
        return anew()

    def after_gap() -> bool:
        return store.gap is not None and ground.ask_anew(store.gap)

    def died(had_begun: bool) -> bool:
        return after_gap() or (not had_begun and ground.give_up_checkpoint())

    code = watch(writer.foreachBatch(store).start, stop, each_second, died)
    try:
        store.end()
    except ConnectionFailure as gone:
        narrate(f"MongoDB does not answer, and the job ends: {gone}")
        code = code or 1
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
