"""Offset n is applied only after n − 1 (exactly once, point 1): what a record's offset means for its partition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto


class Place(Enum):
    """Where a record stands among those of its source partition."""

    NEXT = auto()
    """The one that is due."""
    AGAIN = auto()
    """One that came before."""
    BEHIND_GAP = auto()
    """At least one before it is missing. It will come again, after that one."""


class Hole(Enum):
    """What the source topic says about offsets that were skipped."""

    EMPTY = auto()
    """There are no records there: only marks of transactions, or what compaction left."""
    MISSED = auto()
    """There is a record that never came."""
    GONE = auto()
    """There may have been records, and the topic no longer holds them."""


@dataclass(slots=True)
class Sequence:
    """The records of one source partition, as they come. `look` asks the source about a hole [first, behind)."""

    next_offset: int
    look: Callable[[int, int], Hole]
    gap: Hole | None = None
    """Set while a record is missing."""

    def place(self, offset: int) -> Place:
        """Where a record with this source offset stands; after NEXT the following offset is due."""
        if offset < self.next_offset:
            return Place.AGAIN
        if offset > self.next_offset and not self._is_empty_before(offset):
            return Place.BEHIND_GAP
        self.next_offset = offset + 1
        self.gap = None
        return Place.NEXT

    def _is_empty_before(self, offset: int) -> bool:
        if self.gap is not None:
            return False
        hole = self.look(self.next_offset, offset)
        if hole is Hole.EMPTY:
            return True
        self.gap = hole
        return False
