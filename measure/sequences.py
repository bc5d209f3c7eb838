"""Sets of sequence numbers: which events of a run were stored, went to the dead letters, or were dropped as late."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pyroaring import BitMap


@dataclass(slots=True)
class ProducerSequences:
    """What was found of one producer's events, as sets of its sequence numbers."""

    stored: BitMap = field(default_factory=BitMap)
    dead: BitMap = field(default_factory=BitMap)
    late: BitMap = field(default_factory=BitMap)

    @property
    def found(self) -> BitMap:
        """All that came through in one way or another."""
        return self.stored | self.dead | self.late


@dataclass(slots=True)
class SequenceSets:
    """What was found of a run's events, by producer, with the counts that no set can hold."""

    producers: dict[int, ProducerSequences] = field(default_factory=dict)
    repeats: int = 0
    """Records stored beyond the first of one sequence number."""
    redelivered: int = 0
    """Records that came again and were not applied again."""
    dead_unexpected: int = 0
    """Dead letters whose event was not made bad on purpose."""

    def of(self, producer: int) -> ProducerSequences:
        """The sets of `producer`, empty ones where nothing was found."""
        return self.producers.setdefault(producer, ProducerSequences())


def from_ranges(ranges: Iterable[tuple[int, int]]) -> BitMap:
    """The set of all numbers in `ranges`, each (first, last) with both ends in it."""
    numbers = BitMap()
    for first, last in ranges:
        numbers.add_range(first, last + 1)
    return numbers
