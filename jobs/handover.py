"""The measuring thread: takes parts from the main loop, gives back which partitions were refused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

from jobs.measuring import Part


class Handover:
    """One batch of parts is under way at a time; what comes meanwhile waits with the main loop."""

    def __init__(self, measure: Callable[[Sequence[Part]], frozenset[int]]) -> None:
        self._measure = measure
        self._parts: SimpleQueue[Sequence[Part] | None] = SimpleQueue()
        self._results: SimpleQueue[frozenset[int] | BaseException] = SimpleQueue()
        self.under_way = False
        self._thread = threading.Thread(target=self._work, name="measuring", daemon=True)
        self._thread.start()

    def give(self, parts: Sequence[Part]) -> None:
        """Hand over; only while nothing is under way."""
        self.under_way = True
        self._parts.put(parts)

    def result(self, wait_s: float = 0) -> frozenset[int]:
        """The partitions refused since the last call; waits up to `wait_s` for what is under way. Raises what the
        thread raised."""
        if not self.under_way:
            return frozenset()
        try:
            result = self._results.get(block=wait_s > 0, timeout=wait_s or None)
        except Empty:
            return frozenset()
        self.under_way = False
        if isinstance(result, BaseException):
            raise result
        return result

    def close(self) -> None:
        """End the thread once it is idle."""
        self._parts.put(None)

    def _work(self) -> None:
        while (parts := self._parts.get()) is not None:
            try:
                self._results.put(self._measure(parts))
            except BaseException as failed:  # told to the main loop, which ends the process
                self._results.put(failed)
