"""Due times of the events that reach the windows, as the change stream tells them: what stage `shown` is made of.

All pulses (measure/store.py) are collected here while a live page is looked at, so that an event applied right after a
refresh weighs as much as one applied right before the next. What a read of the database contains is taken once that
read is there and becomes a latency when the page that shows it is drawn: what comes late, because a read failed or was
slow, comes as late as it does.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from pymongo import errors
from pymongo.collection import Collection

from measure.store import PULSES, Pulse, pulse_of

_MOST_KEPT = 20_000
_KEPT_S = 120.0
"""How long a pulse waits for a page that shows it: longer than any read that still comes."""
_RETRY_S = 2.0
_AWAIT_MS = 500

log = logging.getLogger(__name__)


class PulseWatch:
    """Follows the change stream of `windows` in a thread of its own, for as long as somebody asks for pulses."""

    def __init__(self, windows: Collection[dict[str, Any]], clock: Callable[[], float], idle_s: float = 15.0) -> None:
        self._windows = windows
        self._clock = clock
        self._idle_s = idle_s
        self._lock = threading.Lock()
        self._pulses: list[tuple[float, Pulse]] = []
        """With when it was received, seconds of the epoch; in this order."""
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()
        self._asked_at = 0.0

    def attend(self) -> None:
        """Somebody looks at a live page: have the stream followed from now on, for a while."""
        with self._lock:
            self._asked_at = self._clock()
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._follow, name="dashboard-pulses", daemon=True)
                self._thread.start()

    def take(self, read_at: float, wanted: Callable[[Pulse], bool]) -> list[Pulse]:
        """The `wanted` pulses not taken yet that a read begun at `read_at` (seconds of the epoch) contains.

        What the stream delivers is majority-committed, so a read that starts afterwards sees it. Call it only once that
        read has succeeded: what a failed one would have shown waits for the next.
        """
        with self._lock:
            oldest = self._clock() - _KEPT_S
            taken = [(at, pulse) for at, pulse in self._pulses if at <= read_at and wanted(pulse)]
            held = [(at, pulse) for at, pulse in self._pulses if not (at <= read_at and wanted(pulse))]
            self._pulses = [(at, pulse) for at, pulse in held if at > oldest]
        return [pulse for _, pulse in taken]

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
        with self._windows.watch(PULSES, max_await_time_ms=_AWAIT_MS) as stream:
            while self._wanted():
                change = stream.try_next()
                if change is not None:
                    self._keep(change)

    def _wanted(self) -> bool:
        return not self._closed.is_set() and self._clock() - self._asked_at < self._idle_s

    def _keep(self, change: dict[str, Any]) -> None:
        pulse = pulse_of(change)
        with self._lock:
            if pulse is not None and len(self._pulses) < _MOST_KEPT:
                self._pulses.append((self._clock(), pulse))
