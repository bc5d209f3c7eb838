"""What every Spark job stands on: its access, its topic, its generation, and where it goes on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import PyMongoError
from pyspark.sql import DataFrame, SparkSession

from jobs import checkpoint, control, progress, session
from jobs.control import Generation
from jobs.stopping import narrate
from jobs.topics import Topic, Topics
from jobs.watch import Anew
from measure.store import Document, Store
from stack.access import STACK_DIR_VARIABLE, Access, Role


@dataclass(frozen=True, slots=True)
class Ground:
    """As it was found at the job's start."""

    profile: str
    access: Access
    topics: Topics
    topic: Topic
    client: MongoClient[Document]
    generation: Generation
    checkpoint: Path
    resumes: bool
    """Whether there is a checkpoint to go on from."""
    starting_offsets: str

    @classmethod
    def find(cls, profile: str, plan: str = "") -> Ground:
        """Join as this profile with this plan of its; what it will not go on from is removed. LatencyError where the
        stack is not there."""
        access = Access.from_environment()
        topics = Topics(access.kafka(Role.JOB))
        topic = topics.find(access.names.events)
        client = MongoClient[Document](access.mongo_uri(Role.JOB))
        database = client[access.names.database]
        generation = control.join(database, f"{profile}+{plan}" if plan else profile)
        folder = checkpoint.prepare(Path(os.environ[STACK_DIR_VARIABLE]), generation, topic)
        measured = control.measured_offsets(database, topic.id)
        offsets = checkpoint.starting_offsets(topic, measured, topics.earliest(topic))
        return cls(profile, access, topics, topic, client, generation, folder, folder.exists(), offsets)

    @property
    def database(self) -> Store:
        """The product's database."""
        return self.client[self.access.names.database]

    @property
    def anew(self) -> Anew:
        """Asks whether this ground has changed."""
        return Anew(self.database, self.topics, self.topic, self.generation)

    def give_up_checkpoint(self) -> bool:
        """Ask for a new generation, with a new checkpoint, where this one had an older one's to go on from: whether it
        had. A query that dies before it does anything may have found it damaged, and would find it so each time."""
        return self.resumes and self.ask_anew("nothing came of the checkpoint")

    def ask_anew(self, reason: str) -> bool:
        """Ask for a new generation: whether this call did. A database that does not answer is asked by the next
        start, which comes to the same point."""
        try:
            return control.advance(self.database, self.generation, reason)
        except PyMongoError as broken:
            narrate(f"no new generation is asked for ({reason}): {broken}")
            return False

    def records(self, spark: SparkSession, further: Mapping[str, str] | None = None) -> DataFrame:
        """The events topic as a stream, with Spark's progress recorded; `further` options are the source's."""
        progress.record(spark, self.database, self.profile)
        source = session.source_options(self.access, self.starting_offsets) | dict(further or {})
        return spark.readStream.format("kafka").options(**source).load()
