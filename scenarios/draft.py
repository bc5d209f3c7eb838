"""An event before it has a place in a run: what a source yields and the producer completes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol


class Draft(NamedTuple):
    """The key, and the inside of the JSON object without `event_id`, and without `event_time` unless `timed`."""

    key: bytes | None
    body: bytes
    timed: bool = False
    expect_dead: bool = False
    at_us: int | None = None
    """Own time of the event in µs of the epoch, where it has one."""

    def value(self, event_id: bytes, event_time: bytes) -> bytes:
        """The record's value."""
        if self.timed:
            return b'{"event_id":"%b",%b}' % (event_id, self.body)
        return b'{"event_id":"%b",%b,"event_time":"%b"}' % (event_id, self.body, event_time)


class EventSource(Protocol):
    """Yields the events of one producer, in order; the same ones for the same seed or file."""

    def __iter__(self) -> Iterator[Draft]: ...
