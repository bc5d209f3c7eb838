"""What became of each event that a producer handed over, spooled so that a kill loses a fifth of a second of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from measure.folder import LineWriter
from measure.records import Ranges, SpoolLine

LATE_US = 1_000
"""Handed over later than this after its due time, an event counts as late."""
UNSENT_US = 1_000_000
"""Later than this, it is not sent at all."""


def ranges(numbers: Iterable[int]) -> Ranges:
    """The numbers as (first, last) ranges, in order."""
    found: Ranges = []
    first = last = None
    for number in sorted(numbers):
        if last is not None and number == last + 1:
            last = number
            continue
        if first is not None and last is not None:
            found.append((first, last))
        first = last = number
    if first is not None and last is not None:
        found.append((first, last))
    return found


class Ledger:
    """The fate of one load's events in one producer."""

    def __init__(self, path: Path, cpu_s: float) -> None:
        self._writer = LineWriter(path)
        self._cpu_s = cpu_s
        self._acked: list[int] = []
        self._failed: list[int] = []
        self._unsent: list[int] = []
        self._late = 0
        self._late_max_us = 0
        self.next_seq = 0
        self.outstanding = 0
        """Handed over, and neither acknowledged nor failed."""

    def handed_over(self, seq: int, late_us: int) -> None:
        """Event `seq` is the client's, `late_us` after its due time."""
        self.next_seq = seq + 1
        self.outstanding += 1
        if late_us > LATE_US:
            self._late += 1
        if late_us > self._late_max_us:
            self._late_max_us = late_us

    def given_up(self, seq: int) -> None:
        """Event `seq` was too late to be sent."""
        self.next_seq = seq + 1
        self._unsent.append(seq)

    def reported(self, seq: int, error: object, _message: object) -> None:
        """The broker's answer, as confluent-kafka's delivery callback gives it."""
        self.outstanding -= 1
        (self._acked if error is None else self._failed).append(seq)

    def spool(self, now_us: int, cpu_s: float) -> None:
        """Append what became known since the last line."""
        line = SpoolLine(
            t_us=now_us,
            next_seq=self.next_seq,
            acked=ranges(self._acked),
            failed=ranges(self._failed),
            unsent=ranges(self._unsent),
            late=self._late,
            late_max_us=self._late_max_us,
            cpu_s=round(cpu_s - self._cpu_s, 4),
        )
        self._acked.clear()
        self._failed.clear()
        self._unsent.clear()
        self._writer.write(line)

    def close(self) -> None:
        """Nothing more will be spooled."""
        self._writer.close()
