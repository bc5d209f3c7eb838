"""What the producers say became of their events, followed in their spools while they write them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pyroaring import BitMap

from measure.decoding import decode
from measure.records import SpoolLine


@dataclass(frozen=True, slots=True)
class Tally:
    """Events of all producers so far."""

    sent: int = 0
    acked: int = 0
    failed: int = 0
    unsent: int = 0
    late: int = 0
    cpu_s: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.sent + other.sent,
            self.acked + other.acked,
            self.failed + other.failed,
            self.unsent + other.unsent,
            self.late + other.late,
            self.cpu_s + other.cpu_s,
        )

    def since(self, before: Tally) -> Tally:
        """What came on top of `before`."""
        return Tally(
            self.sent - before.sent,
            self.acked - before.acked,
            self.failed - before.failed,
            self.unsent - before.unsent,
            self.late - before.late,
            self.cpu_s - before.cpu_s,
        )


class SpoolTail:
    """One producer's spool, read as far as it is written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0
        self.tally = Tally()
        self.acked = BitMap()
        """Numbers of the acknowledged events."""

    def read(self) -> None:
        """Take in the whole lines that came since."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._at, os.SEEK_SET)
                fresh = file.read()
        except FileNotFoundError:
            return
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._at += len(whole)
        for line in whole.splitlines():
            self._take(decode(line, SpoolLine))

    def _take(self, line: SpoolLine) -> None:
        for first, last in line.acked:
            self.acked.add_range(first, last + 1)
        failed = self.tally.failed + _size(line.failed)
        unsent = self.tally.unsent + _size(line.unsent)
        self.tally = Tally(line.next_seq - unsent, len(self.acked), failed, unsent, line.late, line.cpu_s)


def _size(ranges: list[tuple[int, int]]) -> int:
    return sum(last - first + 1 for first, last in ranges)


class Spools:
    """The spools of all producers of one load."""

    def __init__(self, paths: list[Path]) -> None:
        self._tails = [SpoolTail(path) for path in paths]

    def read(self) -> Tally:
        """The events of all producers up to now."""
        for tail in self._tails:
            tail.read()
        return sum((tail.tally for tail in self._tails), Tally())

    @property
    def acked(self) -> dict[int, BitMap]:
        """Producer → numbers of its acknowledged events."""
        return {number: tail.acked for number, tail in enumerate(self._tails)}
