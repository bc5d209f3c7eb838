"""One source record as the store takes it, whichever job brings it: where it is from, whose it is, what it says."""

from __future__ import annotations

from enum import Enum, auto

import msgspec
from confluent_kafka import Message

from jobs.clean import CleanRecord
from measure.stamp import FOREIGN_RUN, Stamp


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """A record with its stamp (None: foreign), and when it reached whoever stores it."""

    record: CleanRecord
    stamp: Stamp | None
    ready_us: int | None = None
    """µs of the epoch: append in the clean topic; in a micro-batch, when its rows were computed; None where nobody
    can see that, because the job is not ours."""
    read_us: int | None = None
    """µs of the epoch: when its micro-batch was begun; None where there are no batches."""

    @property
    def run(self) -> str:
        """The run that the record is stored under."""
        return self.stamp.run if self.stamp else FOREIGN_RUN


class Fate(Enum):
    """What became of a record."""

    STORED = auto()
    """Applied to its window."""
    DEAD = auto()
    """It is a marker: the record went to the dead letters."""
    LATE = auto()
    """Dropped, because its watermark had passed."""
    AGAIN = auto()
    """Measured before, and so neither applied nor measured again."""


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """A record's fate, to be measured."""

    arrival: Arrival
    fate: Fate
    acknowledged_us: int = 0
    """µs of the epoch: when the write that holds it was acknowledged. Of use for STORED only."""

    @classmethod
    def of(cls, arrival: Arrival, acknowledged_us: int) -> Outcome:
        """Of a record that was due: stored, or the marker of a dead letter."""
        return cls(arrival, Fate.STORED if arrival.record.dead is None else Fate.DEAD, acknowledged_us)


def append_us(append_ms: int) -> int:
    """Kafka's append time in µs. It is cut to a whole millisecond; the middle of that is right on average."""
    return append_ms * 1000 + 500


def read_stamp(message: Message) -> Stamp | None:
    """The stamp in a record's headers, or None of a foreign record."""
    headers = message.headers()
    return Stamp.read(headers) if isinstance(headers, list) else None
