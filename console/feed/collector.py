"""The threads that read, and what they hand out: a frozen snapshot whenever something was read.

The stack and the run are read by a thread each, so that a database that does not answer holds up nothing else. A read
that fails leaves its reason in the snapshot, and is tried again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from console.feed.reading import Reading
from console.feed.snapshot import Snapshot
from console.feed.views import Window
from measure.errors import LatencyError
from stack.logs import clean
from stack.settings import Settings

if TYPE_CHECKING:
    from console.feed.run_source import RunSource

Publish = Callable[[Snapshot], None]

STACK_EVERY_S = 1.0
RUN_EVERY_S = 0.5
PATIENCE_S = 2.0
"""How long it is waited for somebody to want something: before the first paint, reading would only hold that up."""
_JOIN_S = 0.2


class Feed(Protocol):
    """Where snapshots come from."""

    def start(self, publish: Publish) -> None:
        """Begin; `publish` is called from other threads."""

    def close(self) -> None:
        """End."""

    def pause(self, paused: bool) -> None:
        """Read nothing for a while."""

    def want(self, window: Window, heat_stage: str | None) -> None:
        """What the figures are to be taken over, and which heat map is looked at; read at once where that is new."""

    def hurry(self) -> None:
        """Read again now."""


class Collector:
    """The feed of a real stack."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._settings, self._clock = settings, clock
        self._lock = threading.Lock()
        self._snapshot = Snapshot()
        self._wanted: tuple[Window, str | None] = (Window.TEN_S, None)
        self._ended = threading.Event()
        self._paused = False
        self._hurry = threading.Event()
        self._asked = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, publish: Publish) -> None:
        """See Feed."""
        self._publish = publish
        for work in (self._read_stack, self._read_run):
            thread = threading.Thread(target=work, name=work.__name__.strip("_"), daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """See Feed. A thread that still waits for an answer is left to the process's end."""
        self._ended.set()
        self._asked.set()
        self._hurry.set()
        for thread in self._threads:
            thread.join(_JOIN_S)

    def pause(self, paused: bool) -> None:
        """See Feed."""
        self._paused = paused
        self._hurry.set()

    def want(self, window: Window, heat_stage: str | None) -> None:
        """See Feed."""
        wanted = (window, heat_stage)
        if wanted != self._wanted or not self._asked.is_set():
            self._wanted = wanted
            self._asked.set()
            self._hurry.set()

    def hurry(self) -> None:
        """See Feed."""
        self._hurry.set()

    def _put(self, **parts: Reading[Any]) -> None:
        with self._lock:
            self._snapshot = replace(self._snapshot, at_s=self._clock(), **parts)
            snapshot = self._snapshot
        if not self._ended.is_set():
            self._publish(snapshot)

    def _read_stack(self) -> None:
        self._asked.wait(PATIENCE_S)
        from console.feed.stack_source import read_stack

        while not self._ended.is_set():
            if not self._paused:
                try:
                    stack = Reading(read_stack(self._settings), self._clock())
                except (LatencyError, OSError) as broken:
                    stack = Reading(None, self._clock(), why(broken))
                self._put(stack=stack)
            self._ended.wait(STACK_EVERY_S)

    def _read_run(self) -> None:
        self._asked.wait(PATIENCE_S)
        from pymongo.errors import PyMongoError

        from console.feed.run_source import RunSource

        source = RunSource(self._settings)
        while not self._ended.is_set():
            began = time.monotonic()
            self._hurry.clear()
            if not self._paused:
                try:
                    self._look_at_run(source)
                except (LatencyError, PyMongoError, OSError) as broken:
                    self._put(run=Reading(None, self._clock(), why(broken)))
            self._hurry.wait(max(0.05, RUN_EVERY_S - (time.monotonic() - began)))
        source.close()

    def _look_at_run(self, source: RunSource) -> None:
        now_us = round(self._clock() * 1e6)
        if source.find() is None:
            nothing: Reading[Any] = Reading(None, self._clock(), "no run on this stack yet")
            self._put(progress=nothing, run=nothing)
            return
        progress = Reading(source.progress(now_us), self._clock())
        with self._lock:
            self._snapshot = replace(self._snapshot, progress=progress)
        self._put(run=Reading(source.read(now_us, *self._wanted), self._clock()))


def why(broken: BaseException) -> str:
    """A failure in one line, as text that is safe to show."""
    text = clean(str(broken).partition("\n")[0])
    name = type(broken).__name__
    short = text.split(", Timeout:")[0].split(" (configured timeouts")[0][:160]
    return short if isinstance(broken, LatencyError) else f"{name}: {short}"
