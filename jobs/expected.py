"""What was sent and has not been seen in the results of a job that is not ours: events by their id or due time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from jobs.records import Arrival
from stack.probe import PROBE_PREFIX

GIVEN_UP_S = 60.0
"""How long an event that is in no result holds the position back. It may still be found later; if not, it is lost."""
KEPT = 300_000
"""Events remembered, seen or not: two and a half minutes at 2,000 a second, in some 200 MB."""


@dataclass(slots=True)
class PartitionProgress:
    """How far one source partition has been seen in the results without a gap."""

    next_offset: int
    """The source offset that will be read next."""
    unseen: OrderedDict[int, float] = field(default_factory=OrderedDict)
    """Offsets that were read and are not seen, in order, with when they were read, in monotonic seconds."""

    def measured(self, now_s: float) -> int:
        """The last offset up to which all is seen or given up."""
        while self.unseen and now_s - next(iter(self.unseen.values())) > GIVEN_UP_S:
            self.unseen.popitem(last=False)
        return next(iter(self.unseen), self.next_offset) - 1


@dataclass(slots=True)
class Expected:
    """Events by the key that the results carry."""

    partitions: dict[int, PartitionProgress]
    _by_key: OrderedDict[str | int, Arrival] = field(default_factory=OrderedDict)
    _seen: set[str | int] = field(default_factory=set)

    def sent(self, key: str | int | None, arrival: Arrival, now_s: float) -> None:
        """An event was read from the source topic. One without a key cannot be found, one of no run is not waited
        for."""
        record = arrival.record
        progress = self.partitions[record.source_partition]
        progress.next_offset = record.source_offset + 1
        if key is None:
            return
        if arrival.stamp and not arrival.run.startswith(PROBE_PREFIX):
            progress.unseen[record.source_offset] = now_s
        self._by_key[key] = arrival
        while len(self._by_key) > KEPT:
            oldest, _ = self._by_key.popitem(last=False)
            self._seen.discard(oldest)

    def found(self, key: str | int) -> tuple[Arrival, bool] | None:
        """The event of a key that stands in the results, and whether it stood there before; None: not known (yet)."""
        arrival = self._by_key.get(key)
        if arrival is None:
            return None
        again = key in self._seen
        self._seen.add(key)
        self.partitions[arrival.record.source_partition].unseen.pop(arrival.record.source_offset, None)
        return arrival, again


def keys_of(value: object) -> Iterator[str | int]:
    """The keys in a result's field: one, or a list of them. Numbers are µs of the epoch."""
    if isinstance(value, list):
        for item in value:
            yield from keys_of(item)
    elif isinstance(value, (str, int)) and not isinstance(value, bool):
        yield value
