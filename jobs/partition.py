"""One owned partition of the clean topic: what is due next, and what is applied and not measured yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from jobs.contiguity import Hole, Place, Sequence
from jobs.measuring import Part
from jobs.position import Position
from jobs.records import Arrival, Outcome


@dataclass(slots=True)
class Partition:
    """State of the sink's main loop for one partition; lives from its assignment to its loss.

    A partition has one source topic id, unless that topic was made anew: then what is still under way of the old one
    keeps its own sequence and position.
    """

    number: int
    clean_offset: int
    """The offset behind the last record that was read."""
    find_position: Callable[[str, int], Position]
    """(source topic id, clean offset) → its position, made where there was none."""
    look: Callable[[int, int, int], Hole]
    positions: dict[str, Position] = field(default_factory=dict)
    sequences: dict[str, Sequence] = field(default_factory=dict)
    unmeasured: list[Outcome] = field(default_factory=list)
    gone: list[tuple[int, int]] = field(default_factory=list)
    """Source offsets [first, behind) that are gone from the source topic, and not told yet."""
    gap_noted_at: float | None = None
    """Monotonic seconds; None: no record is missing."""

    def adopt(self, known: Iterable[Position]) -> None:
        """Go on from the positions that MongoDB has."""
        for position in known:
            self._start(position)

    def place(self, arrival: Arrival) -> Place:
        """Where the record stands in the sequence of its source topic."""
        place = self._sequence(arrival.record.source_topic_id).place(arrival.record.source_offset)
        if place is Place.NEXT:
            self.gap_noted_at = None
        return place

    def next_offset(self, topic_id: str) -> int:
        """The source offset that is due."""
        return self.sequences[topic_id].next_offset

    def skip_to(self, topic_id: str, offset: int) -> None:
        """Go on from here: what was before has been accounted for."""
        self.sequences[topic_id].next_offset = offset

    def missing(self, arrival: Arrival) -> str:
        """In words: which records are missing before this one, and can come again."""
        record = arrival.record
        first = self.sequences[record.source_topic_id].next_offset
        return (
            f"partition {self.number}: source offsets {first} to {record.source_offset - 1} never came: "
            "the job starts anew behind what is measured"
        )

    def look_again(self) -> None:
        """Ask the source once more about what is missing: it may be gone by now."""
        self.gap_noted_at = None
        for sequence in self.sequences.values():
            sequence.gap = False

    def take_gone(self) -> list[str]:
        """In words, once: what is gone from the source topic and will never come."""
        told, self.gone = self.gone, []
        return [
            f"partition {self.number}: source offsets {first} to {behind - 1} never came, and the source topic no "
            f"longer holds them: going on at {behind}, and what was there is lost"
            for first, behind in told
        ]

    def take(self) -> Part | None:
        """What is to be measured, which from now on counts as handed over; None of nothing."""
        moves = tuple(
            (position, after) for position in self.positions.values() if (after := self._after(position)) != position
        )
        if not moves:
            return None
        part = Part(self.number, moves, tuple(self.unmeasured))
        self.positions.update({after.topic_id: after for _, after in moves})
        self.unmeasured = []
        return part

    def _after(self, position: Position) -> Position:
        return position.moved(self.clean_offset, self.sequences[position.topic_id].next_offset - 1)

    def _sequence(self, topic_id: str) -> Sequence:
        known = self.sequences.get(topic_id)
        return known or self._start(self.find_position(topic_id, self.clean_offset))

    def _start(self, position: Position) -> Sequence:
        started = Sequence(position.measured + 1, self._look)
        self.positions[position.topic_id] = position
        self.sequences[position.topic_id] = started
        return started

    def _look(self, first: int, behind: int) -> Hole:
        hole = self.look(self.number, first, behind)
        if hole.held_from > first:
            self.gone.append((first, hole.held_from))
        return hole
