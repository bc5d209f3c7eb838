"""The sink: brings the clean topic into MongoDB, each source record once, and measures it.

Started as `python -m jobs.sink`; more of them share the partitions. Its main loop reads, applies, and hands over to
the measuring thread; design §4 has the proof.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterable, Sequence

import msgspec
from confluent_kafka import Message
from pymongo import MongoClient
from pymongo.errors import ConnectionFailure

from jobs import control, position
from jobs.applying import LostWorkError, Windows
from jobs.clean import read_clean
from jobs.consuming import CleanTopic, RecordsGoneError
from jobs.contiguity import Place
from jobs.control import RESTART_ME
from jobs.dead import DeadLetters
from jobs.gaps import mark_gap, mark_gone
from jobs.handover import Handover
from jobs.measuring import Measurer
from jobs.notes import Notes
from jobs.noting import Noting
from jobs.partition import Partition
from jobs.records import Arrival, Fate, Outcome, append_us, read_stamp
from jobs.source import SourceTopic
from jobs.stopping import StopFlag, narrate, serve
from jobs.topics import Topics
from measure.store import Document
from stack.access import Access, Role
from stack.process import SERVICE_VARIABLE

_MEASURE_EVERY_S = 0.25
_WAIT_S = 0.05
_SWITCH_S = 0.0005
"""For how long the measuring thread may keep the interpreter from the main loop, which asks for it at each answer."""
_HANDOVER_S = 10.0
_LOOK_AGAIN_S = 60
"""A gap that a new generation of the job did not close by then is looked at again, and asks for another."""


class Sink:
    """One sink process."""

    def __init__(self, access: Access, name: str, stop: StopFlag) -> None:
        self._name = name
        self._stop = stop
        self._topics = Topics(access.kafka(Role.SINK))
        self._client = MongoClient[Document](access.mongo_uri(Role.SINK))
        self._database = self._client[access.names.database]
        self._hot = MongoClient[Document](access.mongo_uri(Role.SINK), retryWrites=False)
        """The windows' fences do what a retryable write's record does."""
        self._windows = Windows(self._hot[access.names.database], stop)
        self._source = SourceTopic(access.kafka(Role.SINK), access.names.events)
        self._clean = self._topics.find(access.names.clean)
        self._partitions: dict[int, Partition] = {}
        self._handover = Handover(Measurer(self._client, self._database, stop).measure)
        self._dead = DeadLetters(access.kafka(Role.SINK), access.names.dead, self._database, stop)
        self._noting = Noting(self._database, lambda: self._topics.is_same(self._clean))
        self._notes = Notes(name, int(time.time()))
        self._measured_at = time.monotonic()
        self._consumer = CleanTopic(access.kafka(Role.SINK), access.names.clean, self._begin, self._end)

    def run(self) -> int:
        """Until told to stop; the exit code."""
        self._dead.start()
        self._noting.start()
        try:
            code = self._work()
            self._consumer.close()  # leaves the group, so that the next one need not wait for this one's session to end
            self._dead.end()
            return code
        finally:
            self._hot.close()

    def _work(self) -> int:
        while not self._stop():
            try:
                messages = self._consumer.read(_WAIT_S)
            except RecordsGoneError:
                if self._topics.is_same(self._clean):
                    raise
                return RESTART_ME
            began_ns = time.perf_counter_ns()
            if messages:
                self._take(messages)
            self._drop(self._handover.result())
            if time.monotonic() - self._measured_at >= _MEASURE_EVERY_S:
                self._measure()
            self._notes.busy_us += (time.perf_counter_ns() - began_ns) // 1000
            if int(time.time()) != self._notes.second and not self._each_second():
                return RESTART_ME
        return 0

    def _take(self, messages: Iterable[Message]) -> None:
        due: list[Arrival] = []
        for message in messages:
            owned = self._partitions.get(message.partition())  # type: ignore[arg-type]  # a record has one
            arrival = _arrival(message)
            if owned is None or arrival is None:
                continue
            place = owned.place(arrival)
            if owned.gone:
                mark_gone(self._database, arrival.run, owned)
            match place:
                case Place.NEXT:
                    due.append(arrival)
                case Place.AGAIN:
                    owned.unmeasured.append(Outcome(arrival, Fate.AGAIN))
                    self._notes.redelivered += 1
                case Place.BEHIND_GAP:
                    self._note_gap(owned, arrival)
            owned.clean_offset = message.offset() + 1  # type: ignore[operator]  # a record has one
        self._apply(due)

    def _apply(self, arrivals: Sequence[Arrival]) -> None:
        events = [arrival for arrival in arrivals if arrival.record.dead is None]
        began_ns = time.perf_counter_ns()
        try:
            acknowledged_us = self._windows.apply(events) if events else time.time_ns() // 1000
        except LostWorkError as lost:
            narrate(str(lost))
            self._drop(arrival.record.source_partition for arrival in arrivals)
            return
        if events:
            self._notes.committed(len(events), (time.perf_counter_ns() - began_ns) // 1000)
        for arrival in arrivals:
            self._partitions[arrival.record.source_partition].unmeasured.append(Outcome.of(arrival, acknowledged_us))

    def _measure(self) -> None:
        if self._handover.under_way:
            return
        parts = [part for owned in self._partitions.values() if (part := owned.take())]
        if parts:
            self._handover.give(parts)
        self._measured_at = time.monotonic()

    def _each_second(self) -> bool:
        """Note the last second; whether to go on: not where the clean topic was made anew."""
        self._dead.check()
        note, self._notes = self._notes.document(), Notes(self._name, int(time.time()))
        return self._noting.give(note)

    def _begin(self, partition: int) -> int:
        """A partition is assigned: where to read it from."""
        known = position.adopt(self._database, self._clean.id, partition)
        offset = self._held_offset(partition, max((place.clean_offset for place in known), default=0))
        owned = Partition(
            partition,
            offset,
            lambda topic_id, clean_offset: self._position(topic_id, partition, clean_offset),
            self._source.look,
        )
        owned.adopt(known)
        self._partitions[partition] = owned
        narrate(f"partition {partition}: from offset {offset} of {self._clean.name}")
        return offset

    def _held_offset(self, partition: int, wanted: int) -> int:
        """The offset of the clean topic to go on from: `wanted`, unless the topic ends before it, having lost its last
        records with the machine's power. The source offsets still say what is stored."""
        earliest = self._topics.earliest(self._clean)[partition]
        latest = self._topics.latest(self._clean)[partition]
        if wanted > latest:
            narrate(f"partition {partition}: {self._clean.name} ends at offset {latest}, expected {wanted} or more")
        return min(latest, max(earliest, wanted))

    def _position(self, topic_id: str, partition: int, clean_offset: int) -> position.Position:
        first = self._source.first_offset(partition)
        return position.find_or_make(self._database, topic_id, partition, self._clean.id, clean_offset, first)

    def _end(self, partitions: Sequence[int], lost: bool) -> None:
        """Partitions are taken away: measure what is applied, unless somebody else has them already."""
        if not lost:
            self._handover.result(_HANDOVER_S)
            self._measure()
            self._handover.result(_HANDOVER_S)
        for partition in partitions:
            self._partitions.pop(partition, None)
            self._windows.forget(partition)

    def _drop(self, partitions: Iterable[int]) -> None:
        """What is remembered of these partitions is not true any more: begin again from their positions."""
        for partition in set(partitions) & self._partitions.keys():
            narrate(f"partition {partition}: going back to its position")
            self._windows.forget(partition)
            self._consumer.go_to(partition, self._begin(partition))

    def _note_gap(self, owned: Partition, arrival: Arrival) -> None:
        """A record is missing: ask for a new generation of the job; after a while, whether it still can come."""
        if owned.gap_noted_at is not None:
            if time.monotonic() - owned.gap_noted_at >= _LOOK_AGAIN_S:
                owned.look_again()
            return
        owned.gap_noted_at = time.monotonic()
        missing = owned.missing(arrival)
        mark_gap(self._database, arrival.run, owned.number, missing)
        if known := control.current(self._database):
            control.advance(self._database, known, missing)


def _arrival(message: Message) -> Arrival | None:
    """The record with its stamp; None, told in the log, of one that no job of ours wrote."""
    value = message.value()
    try:
        record = read_clean(value if isinstance(value, bytes) else b"")
    except msgspec.DecodeError as broken:
        narrate(
            f"{message.topic()}, partition {message.partition()}, offset {message.offset()}: no clean record: {broken}"
        )
        return None
    return Arrival(record, read_stamp(message), append_us(message.timestamp()[1]))


def main() -> int:
    """Run until stopped; the process's exit code."""
    stop = StopFlag()
    sink = Sink(Access.from_environment(), os.environ.get(SERVICE_VARIABLE, "sink"), stop)
    sys.setswitchinterval(_SWITCH_S)
    gc.collect()
    gc.freeze()  # what the start left is not looked through again
    try:
        return sink.run()
    except ConnectionFailure as gone:
        why = "was told to stop" if stop() else "ends, to be started again"
        narrate(f"MongoDB does not answer, and the sink {why}: {gone}")
        return 1


if __name__ == "__main__":
    serve(main)
