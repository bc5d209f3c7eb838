"""The second opinion on a run: what the topics and the windows hold of it, against what the audit says.

The audit rests on the sink's own sets. Here the same events are counted where the sink has no hand in it (in `events`
and in `events.clean`) and where it has but counts otherwise (`windows`). Where the two disagree, one of them is wrong,
and an event that did not come through is named with its position and with where it stopped.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Literal

import msgspec
import numpy as np
from pyroaring import BitMap

from measure.audit import NAMED, Account, in_words
from measure.figures import Audit
from measure.sequences import ProducerSequences, SequenceSets

WindowName = tuple[int, str, int]
"""Minute of event time (s of the epoch), event type, source partition."""


@dataclass(slots=True)
class Sightings:
    """Records of one producer, in the order of reading: which event, and at which position of `events`."""

    seqs: array[int] = field(default_factory=lambda: array("I"))
    partitions: array[int] = field(default_factory=lambda: array("L"))
    offsets: array[int] = field(default_factory=lambda: array("Q"))

    def add(self, seq: int, partition: int, offset: int) -> None:
        """Note one record."""
        self.seqs.append(seq)
        self.partitions.append(partition)
        self.offsets.append(offset)

    @property
    def numbers(self) -> BitMap:
        """The events that were seen."""
        return BitMap(self.seqs)

    def repeats(self) -> Iterator[tuple[int, int, int]]:
        """(seq, partition, offset) of each record beyond the first of its event."""
        seqs = np.frombuffer(self.seqs, dtype=np.uintc) if self.seqs else np.empty(0, np.uintc)
        _, firsts = np.unique(seqs, return_index=True)
        again = np.setdiff1d(np.arange(len(seqs)), firsts)
        for at in again.tolist():
            yield self.seqs[at], self.partitions[at], self.offsets[at]

    def place(self, seq: int) -> tuple[int, int] | None:
        """(partition, offset) of the event's first record; None where there is none."""
        try:
            at = self.seqs.index(seq)
        except ValueError:
            return None
        return self.partitions[at], self.offsets[at]


@dataclass(slots=True)
class Tracks:
    """What was found of one run id outside the sink's sets."""

    events: dict[int, Sightings] = field(default_factory=dict)
    """Producer → records in `events`."""
    clean: dict[int, Sightings] | None = None
    """Producer → records in `events.clean` that are to be stored, each source position once. None: the profile has no
    such topic."""
    markers: dict[int, Sightings] = field(default_factory=dict)
    """Producer → records in `events.clean` that mark a dead letter."""
    replayed: int = 0
    """Records in `events.clean` that were there before: replayed after a crash of the job."""
    expected: Counter[WindowName] = field(default_factory=Counter)
    """Events of each window, counted in `events.clean`."""
    windows: Counter[WindowName] = field(default_factory=Counter)
    """Events of each window, as its document says."""

    def seen(self, topic: Mapping[int, Sightings] | None, producer: int) -> Sightings:
        """The records of `producer` in one of the topics."""
        return (topic or {}).get(producer) or Sightings()


class Stopped(StrEnum):
    """How far an event came that was acknowledged and is not stored."""

    NOT_IN_KAFKA = "not in Kafka"
    NOT_IN_CLEAN = "in Kafka, not in clean"
    NOT_PROCESSED = "in Kafka, not stored"
    NOT_STORED = "in clean, not stored"


class Named(msgspec.Struct, frozen=True):
    """One event that was lost or came twice."""

    kind: Literal["lost", "duplicate"]
    run: str
    producer: int
    seq: int
    partition: int | None
    offset: int | None
    """Position in `events`; null where it is not in Kafka. Of a duplicate, that of the record beyond the first."""
    stopped: str


class Recount(msgspec.Struct, frozen=True):
    """What was counted of one run id, and where that disagrees with the audit."""

    run: str
    in_events: int
    """Records; an event that came twice counts twice."""
    in_clean: int | None
    dead_letters: int | None
    replayed: int
    in_windows: int
    differences: list[str]
    named: list[Named]


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """The document of `latency audit RUN --json`."""

    schema: Literal["latency-audit/1"] = "latency-audit/1"
    run: str
    audit: Audit
    warmup: Audit | None
    recounts: list[Recount]
    """Of the load and of the warm-up; empty where nothing could be recounted."""
    agrees: bool | None
    """Whether the recount bears the audit out; null where there was none."""
    note: str | None = None
    """Why nothing could be recounted."""


def recount(run: str, accounts: Mapping[int, Account], sets: SequenceSets, tracks: Tracks) -> Recount:
    """The recount of one run id, against what producers and sink say of it."""
    clean = tracks.clean
    return Recount(
        run=run,
        in_events=_records(tracks.events),
        in_clean=None if clean is None else _records(clean),
        dead_letters=None if clean is None else _records(tracks.markers),
        replayed=tracks.replayed,
        in_windows=tracks.windows.total(),
        differences=[
            *_not_in_kafka(accounts, tracks),
            *(_of_sets(accounts, sets, tracks) if clean is not None else ()),
            *_of_windows(sets, tracks),
        ],
        named=[*islice(_lost(run, accounts, sets, tracks), NAMED), *islice(_duplicates(run, tracks), NAMED)],
    )


def _records(topic: Mapping[int, Sightings]) -> int:
    return sum(len(held.seqs) for held in topic.values())


def _not_in_kafka(accounts: Mapping[int, Account], tracks: Tracks) -> Iterator[str]:
    for producer, held in accounts.items():
        seen = tracks.seen(tracks.events, producer).numbers
        if absent := held.acked - seen:
            yield f"producer {producer}: {in_words(absent)} acknowledged, and not in Kafka"
        if wrong := seen & held.unsent:
            yield f"producer {producer}: {in_words(wrong)} noted as unsent, and in Kafka"


def _of_sets(accounts: Mapping[int, Account], sets: SequenceSets, tracks: Tracks) -> Iterator[str]:
    """The sink's sets against the clean topic, and the clean topic against `events`."""
    for producer in sorted({*accounts, *sets.producers, *tracks.events}):
        events = tracks.seen(tracks.events, producer)
        clean, markers = tracks.seen(tracks.clean, producer), tracks.seen(tracks.markers, producer)
        said = sets.producers.get(producer) or ProducerSequences()
        if held_up := len(events.seqs) - len(clean.seqs) - len(markers.seqs):
            yield f"producer {producer}: {abs(held_up):,} records {'not' if held_up > 0 else 'only'} in the clean topic"
        for name, counted, known in (("stored", clean.numbers, said.stored), ("dead", markers.numbers, said.dead)):
            if absent := counted - known:
                yield f"producer {producer}: {in_words(absent)} {name} by the clean topic, not by the sink's sets"
            if excess := known - counted:
                yield f"producer {producer}: {in_words(excess)} {name} by the sink's sets, not by the clean topic"
    records = sum(_records(topic) for topic in (tracks.clean or {}, tracks.markers))
    distinct = sum(len(held.numbers) for topic in (tracks.clean or {}, tracks.markers) for held in topic.values())
    if records - distinct != sets.repeats:
        yield f"{records - distinct:,} repeats by the clean topic, {sets.repeats:,} by the sink's sets"


def _of_windows(sets: SequenceSets, tracks: Tracks) -> Iterator[str]:
    if tracks.clean is None:
        stored = sum(len(held.stored) for held in sets.producers.values())
        if not stored <= tracks.windows.total() <= stored + sets.repeats:
            yield f"{tracks.windows.total():,} events in the windows, {stored:,} by the sink's sets"
        return
    wrong = [
        name for name in sorted({*tracks.expected, *tracks.windows}) if tracks.expected[name] != tracks.windows[name]
    ]
    for minute_s, event_type, partition in wrong[:NAMED]:
        name = (minute_s, event_type, partition)
        yield (
            f"window {_minute(minute_s)} {event_type} of partition {partition}: {tracks.windows[name]:,} events, "
            f"{tracks.expected[name]:,} by the clean topic"
        )
    if len(wrong) > NAMED:
        yield f"and {len(wrong) - NAMED:,} more windows that differ from the clean topic"


def _minute(minute_s: int) -> str:
    return str(np.datetime64(minute_s, "s")).replace("T", " ")[:16]


def _lost(run: str, accounts: Mapping[int, Account], sets: SequenceSets, tracks: Tracks) -> Iterator[Named]:
    for producer, held in sorted(accounts.items()):
        said = sets.producers.get(producer) or ProducerSequences()
        events, clean = tracks.seen(tracks.events, producer), tracks.seen(tracks.clean, producer)
        passed = clean.numbers | tracks.seen(tracks.markers, producer).numbers
        for seq in held.acked - said.found:
            place = events.place(seq)
            stopped = _stopped(place is not None, tracks.clean is not None, seq in passed)
            partition, offset = place or (None, None)
            yield Named("lost", run, producer, seq, partition, offset, stopped.value)


def _stopped(in_kafka: bool, has_clean: bool, in_clean: bool) -> Stopped:
    if not in_kafka:
        return Stopped.NOT_IN_KAFKA
    if not has_clean:
        return Stopped.NOT_PROCESSED
    return Stopped.NOT_STORED if in_clean else Stopped.NOT_IN_CLEAN


def _duplicates(run: str, tracks: Tracks) -> Iterator[Named]:
    for producer, held in sorted(tracks.events.items()):
        for seq, partition, offset in held.repeats():
            yield Named("duplicate", run, producer, seq, partition, offset, "twice in Kafka")
