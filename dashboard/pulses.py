"""Due times of the events that reach the windows, as the change stream tells them: what stage `shown` is made of.

In about one bulk of ten the sink writes into each window that it touches the due times of the events just applied
(`pulse`). All of them are collected here while a live page is looked at, so that an event applied right after a
refresh weighs as much as one applied right before the next. What one read of the database contains is taken at that
read and becomes a latency when the page that shows it is drawn.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pymongo import errors
from pymongo.collection import Collection

_MOST_KEPT = 20_000
_KEPT_S = 30.0
_RETRY_S = 2.0
_AWAIT_MS = 500
_PIPELINE: list[dict[str, Any]] = [
    {
        "$match": {
            "$or": [
                {"updateDescription.updatedFields.pulse": {"$exists": True}},
                {"operationType": "insert", "fullDocument.pulse": {"$exists": True}},
            ]
        }
    },
    {
        "$project": {
            "documentKey": 1,
            "pulse": {"$ifNull": ["$updateDescription.updatedFields.pulse", "$fullDocument.pulse"]},
        }
    },
]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pulse:
    """Events of one run and one minute of event time, applied in one bulk; `due_us` in µs of the epoch."""

    run: str
    minute_s: int
    due_us: tuple[int, ...]
    at: float = 0.0
    """When it was received, seconds of the epoch."""


class PulseWatch:
    """Follows the change stream of `windows` in a thread of its own, for as long as somebody asks for pulses."""

    def __init__(self, windows: Collection[dict[str, Any]], clock: Callable[[], float], idle_s: float = 15.0) -> None:
        self._windows = windows
        self._clock = clock
        self._idle_s = idle_s
        self._lock = threading.Lock()
        self._pulses: list[Pulse] = []
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()
        self._asked_at = 0.0
        self.missed = 0
        """Pulses dropped because nobody took them in time."""

    def take(self, wanted: Callable[[Pulse], bool]) -> list[Pulse]:
        """The `wanted` pulses received and not taken yet; call it before the read that is to contain their events.

        What the stream delivers is majority-committed, so a read that starts afterwards sees it. The first call
        starts the watch and returns none.
        """
        with self._lock:
            now = self._asked_at = self._clock()
            taken = [pulse for pulse in self._pulses if wanted(pulse)]
            self._pulses = [pulse for pulse in self._pulses if not wanted(pulse) and pulse.at > now - _KEPT_S]
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._follow, name="dashboard-pulses", daemon=True)
                self._thread.start()
        return taken

    def close(self) -> None:
        """End the watch."""
        self._closed.set()
        thread = self._thread
        if thread is not None:
            thread.join(timeout=5)

    def _follow(self) -> None:
        while self._wanted():
            try:
                self._follow_one_stream()
            except errors.PyMongoError as error:
                log.info("the pulses' change stream broke off (%s); it is tried again", type(error).__name__)
                self._closed.wait(_RETRY_S)
        with self._lock:
            self._thread = None
            self._pulses = []

    def _follow_one_stream(self) -> None:
        with self._windows.watch(_PIPELINE, max_await_time_ms=_AWAIT_MS) as stream:
            while self._wanted():
                change = stream.try_next()
                if change is not None:
                    self._keep(change)

    def _wanted(self) -> bool:
        return not self._closed.is_set() and self._clock() - self._asked_at < self._idle_s

    def _keep(self, change: dict[str, Any]) -> None:
        pulse = pulse_of(change, self._clock())
        if pulse is None:
            return
        with self._lock:
            if len(self._pulses) >= _MOST_KEPT:
                self.missed += 1
            else:
                self._pulses.append(pulse)


def pulse_of(change: dict[str, Any], at: float) -> Pulse | None:
    """The pulse in a change-stream event, or None where it does not look like one."""
    try:
        run, _topic, minute, _rest = str(change["documentKey"]["_id"]).split("|", 3)
        return Pulse(run, int(minute), tuple(int(due) for due in change["pulse"]), at)
    except (KeyError, TypeError, ValueError):
        return None
