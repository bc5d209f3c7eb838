"""Counts a run again from the topics and from the windows, with no help of the sink's own counters."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from pyroaring import BitMap64

from jobs.clean import read_clean
from jobs.topics import Topic, Topics
from measure.errors import NotReadyError
from measure.stamp import Stamp
from measure.store import WINDOWS, Store
from measure.tracing import Sightings, Tracks
from stack.access import Access, Role

Narrate = Callable[[str], None]

_TIMEOUT_S = 10.0
_BATCH = 10_000
_SILENT = logging.getLogger("scenarios.recount.client")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


class TopicGoneError(NotReadyError):
    """The topics do not hold the run any more."""


def trace(
    access: Access, database: Store, runs: Iterable[str], since_us: int, has_clean: bool, narrate: Narrate
) -> dict[str, Tracks]:
    """Run id → what topics and windows hold of it. `since_us`: nothing of the runs is older.

    TopicGoneError where the topics do not reach back that far; NotReadyError where Kafka does not answer.
    """
    tracks = {run: Tracks(clean={} if has_clean else None) for run in runs}
    connection = access.kafka(Role.HOST)
    topics = Topics(connection)
    source = topics.find(access.names.events)
    _check_same_topic(database, tracks, source)
    reader = _Reader(connection, since_us)
    narrate(f"reading topic {source.name}")
    for message, stamp in reader.stamped(source, tracks):
        tracks[stamp.run].events.setdefault(stamp.producer, Sightings()).add(stamp.seq, *_position(message))
    if has_clean:
        clean = topics.find(access.names.clean)
        narrate(f"reading topic {clean.name}")
        _read_clean(reader.stamped(clean, tracks), tracks, source)
    for run, held in tracks.items():
        _read_windows(database, run, held)
    return tracks


def _check_same_topic(database: Store, runs: Iterable[str], source: Topic) -> None:
    """A topic that was made anew since holds nothing of the run, whatever its name."""
    stored = database[WINDOWS].find_one({"run": {"$in": list(runs)}}, {"topic_id": 1})
    if stored is not None and stored["topic_id"] != source.id:
        raise TopicGoneError(f"topic {source.name} was made anew since this run, so it holds none of its events.")


def _position(message: Message) -> tuple[int, int]:
    return message.partition() or 0, message.offset() or 0


def _read_clean(records: Iterable[tuple[Message, Stamp]], tracks: dict[str, Tracks], source: Topic) -> None:
    """Each source position counts once, however often a replay wrote it."""
    seen: dict[int, BitMap64] = {}
    for message, stamp in records:
        record = read_clean(message.value() or b"")
        if record.source_topic_id != source.id:
            continue
        held, position = tracks[stamp.run], (record.source_partition, record.source_offset)
        known = seen.setdefault(record.source_partition, BitMap64())
        if record.source_offset in known:
            held.replayed += 1
            continue
        known.add(record.source_offset)
        if record.dead is not None:
            held.markers.setdefault(stamp.producer, Sightings()).add(stamp.seq, *position)
            continue
        clean = held.clean if held.clean is not None else {}
        clean.setdefault(stamp.producer, Sightings()).add(stamp.seq, *position)
        held.expected[record.minute_us // 1_000_000, record.event_type, record.source_partition] += 1


def _read_windows(database: Store, run: str, held: Tracks) -> None:
    for window in database[WINDOWS].find({"run": run}, {"minute": 1, "event_type": 1, "partition": 1, "n": 1}):
        minute_s = round(window["minute"].timestamp())
        held.windows[minute_s, window["event_type"], window["partition"]] += window["n"]


class _Reader:
    """Reads topics from a moment up to what is their end when the reading begins."""

    def __init__(self, connection: dict[str, object], since_us: int) -> None:
        self._settings = connection | {
            "group.id": "latency-recount",
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            "fetch.message.max.bytes": 4 * 1024 * 1024,
        }
        self._since_ms = since_us // 1000

    def stamped(self, topic: Topic, runs: Iterable[str]) -> Iterator[tuple[Message, Stamp]]:
        """The records that carry the stamp of one of `runs`, in the order of each partition."""
        wanted = set(runs)
        try:
            with closing(Consumer(self._settings, logger=_SILENT)) as consumer:
                for message in self._records(consumer, topic):
                    stamp = Stamp.read(message.headers())  # type: ignore[arg-type]
                    if stamp is not None and stamp.run in wanted:
                        yield message, stamp
        except KafkaException as refused:
            raise NotReadyError(f"topic {topic.name} cannot be read: {refused.args[0].str()}.") from None

    def _records(self, consumer: Consumer, topic: Topic) -> Iterator[Message]:
        begins = self._begins(consumer, topic)
        consumer.assign(begins)
        unread = {each.partition for each in begins}
        while unread:
            batch = consumer.consume(_BATCH, _TIMEOUT_S)
            if not batch:
                raise NotReadyError(f"topic {topic.name}: no record and no end came within {_TIMEOUT_S:.0f} s.")
            for message in batch:
                error = message.error()
                if error is None:
                    yield message
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 (the library's own constant)
                    unread.discard(message.partition() or 0)
                else:
                    raise KafkaException(error)

    def _begins(self, consumer: Consumer, topic: Topic) -> list[TopicPartition]:
        """Where to begin in each partition. TopicGoneError where a partition has lost what was there at the time."""
        partitions = [TopicPartition(topic.name, number, self._since_ms) for number in range(topic.partitions)]
        begins = []
        for found in consumer.offsets_for_times(partitions, timeout=_TIMEOUT_S):
            low, high = consumer.get_watermark_offsets(found, timeout=_TIMEOUT_S)
            offset = high if found.offset < 0 else found.offset
            if 0 < low == offset:
                raise TopicGoneError(
                    f"topic {topic.name}, partition {found.partition}, begins at offset {low} now: what the run wrote "
                    "before that has been deleted by retention."
                )
            begins.append(TopicPartition(topic.name, found.partition, offset))
        return begins
