"""The services' log files, followed: their last lines at first, then what comes; never more than can be read.

What comes faster than `MOST_LINES` a look is skipped up to the newest, and counted: a log view that is minutes behind
is worse than one with a gap that it tells of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from stack.credentials import secret_values
from stack.logs import clean
from stack.places import StackFolder

MOST_LINES = 500
"""Lines of one log that are taken at one look."""
FIRST_LINES = 300
_LONGEST_RAW = 20_000
"""Bytes of one line that are looked at at all."""
_MOST_BYTES = 256 * 1024

_MOMENT = re.compile(r"^\W{0,3}(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:[.,]\d+)?(Z|[+-]\d\d:?\d\d)?")
_SPARK_MOMENT = re.compile(r"^(\d\d)/(\d\d)/(\d\d) (\d\d:\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line, safe to show. `at_s` is its own time in seconds of the epoch, or that of the line before it."""

    service: str
    text: str
    at_s: float | None = None


@dataclass(frozen=True, slots=True)
class LogBatch:
    """What one look brought."""

    lines: tuple[LogLine, ...] = ()
    skipped: int = 0
    services: tuple[str, ...] = ()
    """All that have a log."""


class LogFeed(Protocol):
    """Where log lines come from."""

    def read(self) -> LogBatch:
        """What came since the last call. May block a moment."""


class _Tail:
    """One log file from its end on."""

    def __init__(self, log: Path) -> None:
        self._log, self._service = log, log.stem
        self._position = -1
        self._part = b""
        self._at_s: float | None = None

    def read(self, secrets: tuple[str, ...]) -> tuple[list[LogLine], int]:
        """Fresh whole lines, and how many were skipped."""
        size = self._log.stat().st_size
        most = FIRST_LINES if self._position < 0 else MOST_LINES
        if self._position < 0:
            self._position = max(0, size - _MOST_BYTES)
        if size < self._position:  # it was cut short meanwhile
            self._position, self._part = 0, b""
        skipped = self._jump(size) if size - self._position > _MOST_BYTES else 0
        with self._log.open("rb") as file:
            file.seek(self._position)
            fresh = file.read(size - self._position)
        self._position += len(fresh)
        *whole, self._part = (self._part + fresh).split(b"\n")
        self._part = self._part[-_LONGEST_RAW:]
        skipped += max(0, len(whole) - most)
        return [self._line(raw, secrets) for raw in whole[-most:]], skipped

    def _jump(self, size: int) -> int:
        """Pass over all but the end; how many lines that were."""
        passed = 0
        with self._log.open("rb") as file:
            file.seek(self._position)
            while self._position < size - _MOST_BYTES:
                block = file.read(min(1 << 20, size - _MOST_BYTES - self._position))
                if not block:
                    break
                passed += block.count(b"\n")
                self._position += len(block)
        self._part = b""
        return passed

    def _line(self, raw: bytes, secrets: tuple[str, ...]) -> LogLine:
        text = clean(raw[:_LONGEST_RAW].decode("utf-8", "replace"), secrets)
        self._at_s = moment_of(text) or self._at_s
        return LogLine(self._service, text, self._at_s)


class LogFiles:
    """The logs of one stack. Belongs to one thread."""

    def __init__(self, folder: StackFolder) -> None:
        self._folder = folder
        self._tails: dict[str, _Tail] = {}

    def read(self) -> LogBatch:
        """See LogFeed."""
        secrets = secret_values(self._folder)
        lines: list[LogLine] = []
        skipped = 0
        for log in sorted(self._folder.logs.glob("*.log")):
            tail = self._tails.setdefault(log.stem, _Tail(log))
            try:
                fresh, passed = tail.read(secrets)
            except OSError:  # it went just now
                continue
            lines += fresh
            skipped += passed
        return LogBatch(tuple(in_order(lines)), skipped, tuple(self._tails))


def in_order(lines: Iterable[LogLine]) -> list[LogLine]:
    """By their times, as far as they have some; lines of one service keep their order."""
    return sorted(lines, key=lambda line: line.at_s or 0.0)


def moment_of(text: str) -> float | None:
    """The time that a line begins with, in seconds of the epoch; a time without a zone is this machine's."""
    found = _MOMENT.match(text)
    if found:
        day, clock, zone = found.groups()
        return _epoch(f"{day}T{clock}", zone)
    spark = _SPARK_MOMENT.match(text)
    return _epoch(f"20{spark[1]}-{spark[2]}-{spark[3]}T{spark[4]}", None) if spark else None


def _epoch(moment: str, zone: str | None) -> float | None:
    try:
        parsed = datetime.fromisoformat(moment + (zone or "").replace("Z", "+00:00"))
    except ValueError:
        return None
    return (parsed if parsed.tzinfo else parsed.astimezone()).astimezone(UTC).timestamp()
