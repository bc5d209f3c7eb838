"""The collections in MongoDB: their names, ids and indexes, and how figures are read back from them.

Ids are made of what a document is about, so that a writer needs no look-up and cannot write one thing twice. Foreign
texts (runs, products, categories) are values, never field names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.database import Database
from pymongo.errors import OperationFailure
from pyroaring import BitMap

from measure.histogram import Histogram
from measure.sequences import SequenceSets

Document = dict[str, Any]
Store = Database[Document]

WINDOWS = "windows"
SLICES = "slices"
SEQUENCES = "sequences"
POSITIONS = "positions"
CONTROL = "control"
DEAD = "dead"
SAMPLES = "samples"
PROGRESS = "progress"
RUNS = "runs"
MARKS = "marks"

CONTROL_JOB = "job"
"""`_id` of the document in `control` whose generation the Spark job follows."""

PRODUCE, PROCESS, STORE, E2E, E2E_SENT, VISIBLE = "produce", "process", "store", "e2e", "e2e_sent", "visible"
QUEUE, COMPUTE = "queue", "compute"
"""What a micro-batch has instead of `process`."""

OUTSIDE = -1
"""Partition under which a process that owns no partition, such as the run process, writes slices."""

CHUNK_BITS = 16
LARGEST_SEQ = 2**32 - 1
"""Sequence numbers are kept in 32-bit sets."""
_CHUNK_MASK = (1 << CHUNK_BITS) - 1

KEPT_S = 14 * 24 * 3600
"""How long documents stay after their last write. Must exceed the topics' retention: a fence that goes before its
record would let the record count again."""

_TTL_NAME = "updated_ttl"
_INDEX_OPTIONS_CONFLICT = 85


def window_id(run: str, topic_id: str, minute_s: int, event_type: str, partition: int) -> str:
    """`windows`: `minute_s` is the first second of the minute of event time."""
    return f"{run}|{topic_id}|{minute_s}|{event_type}|{partition}"


PULSES: list[Document] = [
    {
        "$match": {
            "$or": [
                {"updateDescription.updatedFields.pulse": {"$exists": True}},
                {"operationType": "insert", "fullDocument.pulse": {"$exists": True}},
            ]
        }
    },
    {
        "$project": {
            "documentKey": 1,
            "pulse": {"$ifNull": ["$updateDescription.updatedFields.pulse", "$fullDocument.pulse"]},
        }
    },
]
"""What of the change stream of `windows` has pulses: in about one bulk of ten, the sink writes into each window that it
changes or makes the due times of the events just applied."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """Events of one run and one minute of event time, applied in one bulk; `due_us` in µs of the epoch."""

    run: str
    minute_s: int
    due_us: tuple[int, ...]


def pulse_of(change: Mapping[str, Any]) -> Pulse | None:
    """The pulse in a change that PULSES lets through, or None where it does not look like one."""
    try:
        run, _topic, minute, _rest = str(change["documentKey"]["_id"]).split("|", 3)
        return Pulse(run, int(minute), tuple(int(due) for due in change["pulse"]))
    except (KeyError, TypeError, ValueError):
        return None


def slice_id(run: str, second: int, partition: int) -> str:
    """`slices`: `second` is the due time's second of the epoch."""
    return f"{run}|{second}|{partition}"


def chunk_id(run: str, producer: int, partition: int, chunk: int) -> str:
    """`sequences`: `chunk` is seq >> 16."""
    return f"{run}|{producer}|{partition}|{chunk}"


def position_id(topic_id: str, partition: int, clean_topic_id: str) -> str:
    """`positions`."""
    return f"{topic_id}|{partition}|{clean_topic_id}"


def dead_id(topic_id: str, partition: int, offset: int) -> str:
    """`dead`: the source position of the dead letter."""
    return f"{topic_id}|{partition}|{offset}"


def sink_sample_id(sink: str, second: int) -> str:
    """`samples` of kind `sink`."""
    return f"sink|{sink}|{second}"


def run_sample_id(run: str, second: int) -> str:
    """`samples` of kind `run`."""
    return f"run|{run}|{second}"


def mark_id(run: str, name: int | str) -> str:
    """`marks`: `name` is unique within the run; a number for the run process, a name of their own for others."""
    return f"{run}|{name}"


_SORTED: dict[str, tuple[tuple[tuple[str, int], ...], ...]] = {
    WINDOWS: ((("run", ASCENDING), ("minute", ASCENDING)), (("minute", ASCENDING),)),
    SLICES: ((("run", ASCENDING), ("second", ASCENDING)), (("second", ASCENDING),)),
    SEQUENCES: ((("run", ASCENDING), ("producer", ASCENDING)),),
    POSITIONS: ((("topic_id", ASCENDING), ("partition", ASCENDING)),),
    CONTROL: (),
    DEAD: ((("run", ASCENDING), ("source_time", ASCENDING)), (("source_time", DESCENDING),)),
    SAMPLES: ((("kind", ASCENDING), ("second", ASCENDING)), (("run", ASCENDING), ("second", ASCENDING))),
    PROGRESS: ((("t", ASCENDING),),),
    RUNS: ((("started_us", DESCENDING),), (("status", ASCENDING),)),
    MARKS: ((("run", ASCENDING), ("at_us", ASCENDING)),),
}
_FOR_EVER = {POSITIONS, CONTROL}
"""Tiny, and what they say must outlive any pause: a position that went would have its records counted again."""


def ensure_indexes(database: Store, kept_s: int = KEPT_S) -> None:
    """Make the indexes that are not there; with another `kept_s` than before, change it. May be called again."""
    for name, keys in _SORTED.items():
        models = [IndexModel(list(key)) for key in keys]
        if models:
            database[name].create_indexes(models)
        if name not in _FOR_EVER:
            _ensure_ttl(database, name, kept_s)


def _ensure_ttl(database: Store, collection: str, kept_s: int) -> None:
    try:
        database[collection].create_index("updated", name=_TTL_NAME, expireAfterSeconds=kept_s)
    except OperationFailure as refused:
        if refused.code != _INDEX_OPTIONS_CONFLICT:
            raise
        database.command("collMod", collection, index={"name": _TTL_NAME, "expireAfterSeconds": kept_s})


def exempt_from_expiry(database: Store, run: str) -> None:
    """Keep what is there of `run` for ever: documents without `updated` do not expire. For finished runs."""
    for name in (WINDOWS, SLICES, SEQUENCES, DEAD, SAMPLES, MARKS):
        database[name].update_many({"run": run}, {"$unset": {"updated": ""}})
    database[RUNS].update_one({"_id": run}, {"$unset": {"updated": ""}})


def slices(
    database: Store, run: str, first_second: int, last_second: int
) -> Iterator[tuple[int, dict[str, Histogram]]]:
    """(second, stage → histogram) for each slice of `run` in these due-seconds, both inclusive, as they are stored:
    a second comes once for each partition that has something of it."""
    span = {"run": run, "second": {"$gte": first_second, "$lte": last_second}}
    for found in database[SLICES].find(span, {"second": 1, "stages": 1, "negatives": 1, "max_us": 1}):
        yield found["second"], histograms(found)


def histograms(found: Mapping[str, Any]) -> dict[str, Histogram]:
    """Stage → histogram of one document of `slices`."""
    counts: Mapping[str, Mapping[str, int]] = found.get("stages", {})
    negatives: Mapping[str, int] = found.get("negatives", {})
    max_us: Mapping[str, int] = found.get("max_us", {})
    return {
        stage: Histogram.from_counts(counts.get(stage, {}), negatives.get(stage, 0), max_us.get(stage, 0))
        for stage in counts.keys() | negatives.keys()
    }


def sequences(database: Store, run: str) -> SequenceSets:
    """What was found of `run`, event by event. A sequence number found in two partitions, or both as stored and as
    dead letter, counts among `repeats`."""
    return merged_chunks(database[SEQUENCES].find({"run": run}))


def merged_chunks(chunks: Iterable[Mapping[str, Any]]) -> SequenceSets:
    """The sets that documents of `sequences` of one run hold."""
    sets = SequenceSets()
    for chunk in chunks:
        producer = sets.of(chunk["producer"])
        base = chunk["chunk"] << CHUNK_BITS
        for kind in ("stored", "dead", "late"):
            members = chunk_members(chunk.get(kind)).shift(base)
            sets.repeats += len(members & producer.found)
            known: BitMap = getattr(producer, kind)
            known |= members
        sets.repeats += chunk.get("repeats", 0)
        sets.redelivered += chunk.get("redelivered", 0)
        sets.dead_unexpected += chunk.get("dead_unexpected", 0)
    return sets


def chunk_members(stored: bytes | None) -> BitMap:
    """A stored bitmap of a chunk, empty where there is none."""
    return BitMap.deserialize(stored) if stored else BitMap()


def split_seq(seq: int) -> tuple[int, int]:
    """(chunk, place in the chunk) of a sequence number."""
    return seq >> CHUNK_BITS, seq & _CHUNK_MASK
