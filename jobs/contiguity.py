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


@dataclass(frozen=True, slots=True)
class Hole:
    """What the source topic says about offsets that were skipped."""

    held_from: int
    """The first of them that it still holds, or the one behind them. What was before is gone: it can never come."""
    missed: bool
    """Whether there is a record from there on that never came. Else there are only marks of transactions, or what
    compaction left."""


@dataclass(slots=True)
class Sequence:
    """The records of one source partition, as they come. `look` asks the source about a hole [first, behind)."""

    next_offset: int
    look: Callable[[int, int], Hole]
    gap: bool = False
    """Whether a record is missing that can still come."""

    def place(self, offset: int) -> Place:
        """Where a record with this source offset stands; after NEXT the following offset is due."""
        if offset < self.next_offset:
            return Place.AGAIN
        if offset > self.next_offset and self._can_come_before(offset):
            return Place.BEHIND_GAP
        self.next_offset = offset + 1
        self.gap = False
        return Place.NEXT

    def _can_come_before(self, offset: int) -> bool:
        """Whether a record is missing before this one. What is gone is not waited for: nothing would ever come."""
        if not self.gap:
            hole = self.look(self.next_offset, offset)
            self.next_offset, self.gap = hole.held_from, hole.missed
        return self.gap
