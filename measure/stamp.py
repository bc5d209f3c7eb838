"""The measurement stamp: what the producer writes into a record's headers and the sink reads from them.

It travels in Kafka headers, never in the payload, so that a job of the user's own need not know of it:
`run`, `producer`, `seq`, `due` and `sent` (µs of the epoch), and `expect=dead` on what was made bad on purpose. All
are ASCII text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

import msgspec

FOREIGN_RUN = "-"
"""The run id under which records without a valid stamp are stored."""

RUN_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")

Headers = list[tuple[str, bytes]]


_LARGEST_DIGITS = 18


class Stamp(msgspec.Struct, frozen=True, gc=False):
    """Which event this is: number `seq` of `producer` in `run`, due and handed over at these µs of the epoch."""

    run: str
    producer: int
    seq: int
    due_us: int
    sent_us: int
    expect_dead: bool = False

    def headers(self) -> Headers:
        """The headers that carry this stamp."""
        pairs = [
            ("run", self.run.encode()),
            ("producer", b"%d" % self.producer),
            ("seq", b"%d" % self.seq),
            ("due", b"%d" % self.due_us),
            ("sent", b"%d" % self.sent_us),
        ]
        if self.expect_dead:
            pairs.append(("expect", b"dead"))
        return pairs

    @classmethod
    def read(cls, headers: Iterable[tuple[str, bytes | str | None]] | None) -> Stamp | None:
        """The stamp in `headers`, or None where one is missing or malformed: then the record is foreign."""
        found = dict(headers or ())
        run = _run_of(found.get("run"))
        numbers = [_number_of(found.get(name)) for name in ("producer", "seq", "due", "sent")]
        if run is None or None in numbers:
            return None
        producer, seq, due_us, sent_us = numbers
        return cls(run, producer, seq, due_us, sent_us, found.get("expect") == b"dead")  # type: ignore[arg-type]  # no None


@lru_cache(maxsize=64)
def _run_of(value: bytes | str | None) -> str | None:
    """The same run comes in a thousand records a second."""
    return value.decode() if isinstance(value, bytes) and RUN_ID.match(value) else None


def _number_of(value: bytes | str | None) -> int | None:
    return int(value) if isinstance(value, bytes) and value.isdigit() and len(value) <= _LARGEST_DIGITS else None
