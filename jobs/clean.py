"""The clean record: what the Spark job hands on of each source record, in the order of its source partition."""

from __future__ import annotations

import msgspec

from measure.decoding import decode


class CleanRecord(msgspec.Struct, frozen=True, gc=False):
    """An event as the sink needs it, or with `dead` the marker of a dead letter, which has only its source position.

    Each source record leaves one of these, so the source offsets of a partition are contiguous in the clean topic.
    """

    source_topic_id: str
    source_partition: int
    source_offset: int
    source_time_ms: int
    """LogAppendTime in the source topic."""
    dead: str | None = None
    """Why it went to the dead letters."""
    event_type: str = ""
    session_id: str = ""
    product_id: str = ""
    category: str = ""
    quantity: int = 0
    price_micros: int = 0
    """Price of one piece in 10⁻⁶ of the currency's unit."""
    minute_us: int = 0
    """Begin of the minute of the event time, µs of the epoch."""

    @property
    def revenue_micros(self) -> int:
        """Price × quantity: of a purchase, what was turned over; of another event, what it was about."""
        return self.price_micros * self.quantity


CLEAN_FIELDS = ("event_id", "event_type", "session_id", "user_id", "product_id", "category")
"""The text fields of an event that its clean record carries; the sink reads those that it needs."""


def read_clean(value: bytes) -> CleanRecord:
    """Decode a clean record's value; msgspec.DecodeError where it is none."""
    return decode(value, CleanRecord)
