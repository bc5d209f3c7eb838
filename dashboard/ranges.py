"""Time ranges that a page shows, and the step in which a series is drawn so that it has at most 600 points.

Seconds of the epoch, UTC; a range holds its start and not its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from measure.errors import UsageError

MAX_POINTS = 600
"""Points of a series, at most."""

MINUTE = 60
HOUR = 3600
DAY = 86_400

LIVE_LENGTHS = {"15 minutes": 15 * MINUTE, "1 hour": HOUR, "6 hours": 6 * HOUR, "24 hours": DAY, "7 days": 7 * DAY}
"""What a live page offers: its name and its length in seconds."""

_STEPS = (1, 2, 5, 10, 15, 30, *(MINUTE * n for n in (1, 2, 3, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)))


class RangeError(UsageError):
    """A time range that cannot be shown."""


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From `start_s` to before `end_s`, in steps of `step_s`. A live range ends now and moves with it."""

    start_s: int
    end_s: int
    step_s: int
    live: bool = False

    @classmethod
    def last(cls, length_s: int, now: float, finest_s: int = MINUTE) -> TimeRange:
        """The last `length_s` seconds up to and with the step that is now under way."""
        step = step_of(length_s, finest_s)
        end = (int(now) // step + 1) * step
        return cls(end - -(-length_s // step) * step, end, step, live=True)

    @classmethod
    def between(cls, start: datetime, end: datetime, finest_s: int = MINUTE) -> TimeRange:
        """A fixed range; RangeError where it is empty or reversed. Times without a zone are UTC."""
        first, last = (int(_utc(moment).timestamp()) for moment in (start, end))
        if first >= last:
            said = "is not before" if first > last else "equals"
            raise RangeError(
                f"The start ({_utc(start):%Y-%m-%d %H:%M}) {said} the end ({_utc(end):%Y-%m-%d %H:%M}), both UTC. "
                "Choose a start that lies before the end."
            )
        step = step_of(last - first, finest_s)
        if _points(first, last, step) > MAX_POINTS:
            step = step_of(last - first + 2 * step, finest_s)
        return cls(first // step * step, -(-last // step) * step, step)

    @property
    def length_s(self) -> int:
        """Seconds from start to end."""
        return self.end_s - self.start_s

    def starts(self) -> range:
        """The start of each step."""
        return range(self.start_s, self.end_s, self.step_s)


def step_of(length_s: int, finest_s: int = MINUTE) -> int:
    """The finest step, at least `finest_s`, in which `length_s` seconds make at most 600 points."""
    for step in _STEPS:
        if step >= finest_s and length_s <= step * MAX_POINTS:
            return step
    return -(-length_s // (MAX_POINTS * DAY)) * DAY


def _points(first: int, last: int, step: int) -> int:
    return -(-last // step) - first // step


def moment(second: float) -> datetime:
    """A second of the epoch as a time in UTC."""
    return datetime.fromtimestamp(second, UTC)


def spoken(seconds: int) -> str:
    """A step in words: `minute`, `5 minutes`, `day`."""
    for size, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if seconds % size == 0:
            count = seconds // size
            return name if count == 1 else f"{count} {name}s"
    return "second" if seconds == 1 else f"{seconds} seconds"


def _utc(when: datetime) -> datetime:
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
