"""When a reader sees what was stored: the change stream of `windows`, watched for the pulses in it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from measure.histogram import Histogram
from measure.store import PULSES, WINDOWS, Document, pulse_of
from stack.access import Access, Role

_WAIT_MS = 250
_AGAIN_S = 1.0

Seen = dict[tuple[str, int], Histogram]
"""(run, due-second) → time from due to seen."""


class VisibleWatcher:
    """A thread of its own from `start` to `close`. A stream that breaks is opened anew from now on."""

    def __init__(self, access: Access, runs: Iterable[str]) -> None:
        self._access = access
        self._runs = frozenset(runs)
        self._lock = threading.Lock()
        self._fresh: Seen = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="visible", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self) -> None:
        """End; returns when the thread has."""
        self._ended.set()
        self._thread.join(10)

    def take(self) -> Seen:
        """What was seen since the last call."""
        with self._lock:
            fresh, self._fresh = self._fresh, {}
        return fresh

    def _work(self) -> None:
        with MongoClient[Document](self._access.mongo_uri(Role.RUN)) as client:
            windows = client[self._access.names.database][WINDOWS]
            while not self._ended.is_set():
                try:
                    with windows.watch(PULSES, max_await_time_ms=_WAIT_MS) as stream:
                        while not self._ended.is_set():
                            change = stream.try_next()
                            if change is not None:
                                self._note(change, time.time_ns() // 1000)
                except PyMongoError:
                    self._ended.wait(_AGAIN_S)

    def _note(self, change: Document, now_us: int) -> None:
        pulse = pulse_of(change)
        if pulse is None or pulse.run not in self._runs:
            return
        with self._lock:
            for due_us in pulse.due_us:
                key = (pulse.run, due_us // 1_000_000)
                self._fresh.setdefault(key, Histogram()).record(now_us - due_us)
