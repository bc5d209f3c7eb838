"""One source record as the store takes it, whichever job brings it: where it is from, whose it is, what it says."""

from __future__ import annotations

from dataclasses import dataclass

from confluent_kafka import Message

from jobs.clean import CleanRecord
from measure.stamp import FOREIGN_RUN, Stamp


@dataclass(frozen=True, slots=True)
class Arrival:
    """A record with its stamp (None: foreign) and the append time in the topic that it was read from."""

    record: CleanRecord
    stamp: Stamp | None
    append_ms: int
    """LogAppendTime of the clean record, ms of the epoch."""

    @property
    def run(self) -> str:
        """The run that the record is stored under."""
        return self.stamp.run if self.stamp else FOREIGN_RUN


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a record, to be measured: applied (`dead` false), a marker (`dead`), or seen before."""

    arrival: Arrival
    acknowledged_us: int
    """When the write that holds it was acknowledged; for a marker, when it was seen."""
    again: bool = False
    """Already measured, and so neither applied nor measured again."""


def read_stamp(message: Message) -> Stamp | None:
    """The stamp in a record's headers, or None of a foreign record."""
    headers = message.headers()
    return Stamp.read(headers) if isinstance(headers, list) else None
