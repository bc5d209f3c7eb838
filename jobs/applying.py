"""Applies events to their windows, each once: the document's own fence decides (design: exactly once, point 2).

One unordered bulk of compare-and-set upserts a batch. Equality of the fence proves that what is remembered of a
window is what the document holds. Where a compare fails (another sink was here, an acknowledgement was lost, a crash
cut a bulk in two) the windows are read again, and only what lies above their fences is applied.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from pymongo.errors import BulkWriteError, ConnectionFailure
from tenacity import Retrying, retry_if_exception_type, wait_exponential_jitter

from jobs.records import Arrival
from jobs.window import Delta, Window, WindowKey
from measure.errors import LatencyError
from measure.store import WINDOWS, Store

PULSE_EVERY = 10
"""One bulk in this many carries the due times of its events, from which `visible` is measured."""
LARGEST_MEMORY = 4_096
"""Windows remembered; the one unused for the longest time is forgotten first, and read again when it is needed."""
_DUPLICATE_KEY = 11000


class LostWorkError(LatencyError):
    """MongoDB lost acknowledged work: a window stands before a fence that it had already reported."""


class CompareFailedError(LatencyError):
    """At least one window was not as remembered. Nothing is known of this bulk: read again."""


class Windows:
    """The windows that one process writes. Not to be shared between threads."""

    def __init__(self, database: Store, stopping: Callable[[], bool]) -> None:
        """`stopping` ends the tries while MongoDB does not answer."""
        self._windows = database[WINDOWS]
        self._stopping = stopping
        self._known: OrderedDict[WindowKey, Window] = OrderedDict()
        self._acknowledged: dict[WindowKey, int] = {}
        self._bulks = 0

    def apply(self, arrivals: Sequence[Arrival]) -> int:
        """Apply these events, each once; µs of the epoch when the write of the last of them was acknowledged.

        Events of one partition come in the order of their offsets. Tries again as long as MongoDB does not answer.
        LostWorkError: what was acknowledged is gone; forget the partitions and begin again from their positions.
        """
        keyed = [(WindowKey.of(arrival), arrival) for arrival in arrivals]
        for attempt in Retrying(
            retry=retry_if_exception_type((ConnectionFailure, CompareFailedError)),
            wait=wait_exponential_jitter(multiplier=0.01, max=2, jitter=0.02),
            stop=lambda _: self._stopping(),
            reraise=True,
        ):
            with attempt:
                self._apply_once(keyed, afresh=attempt.retry_state.attempt_number > 1)
        return time.time_ns() // 1000

    def forget(self, partition: int) -> None:
        """Forget the windows of a partition that this process no longer owns."""
        for key in [key for key in self._known if key.partition == partition]:
            del self._known[key]
        for key in [key for key in self._acknowledged if key.partition == partition]:
            del self._acknowledged[key]

    def _apply_once(self, keyed: Sequence[tuple[WindowKey, Arrival]], *, afresh: bool) -> None:
        keys = dict.fromkeys(key for key, _ in keyed)
        if afresh:
            for key in keys:
                self._known.pop(key, None)
        self._read(key for key in keys if key not in self._known)
        deltas = self._deltas(keyed)
        if deltas:
            self._write(deltas)
        self._trim()

    def _read(self, keys: Iterable[WindowKey]) -> None:
        wanted = {key.id: key for key in keys}
        if not wanted:
            return
        found = {window["_id"]: window for window in self._windows.find({"_id": {"$in": list(wanted)}}, {"pulse": 0})}
        for name, key in wanted.items():
            window = Window.read(key, found.get(name))
            reported = self._acknowledged.get(key)
            if reported is not None and (window.fence is None or window.fence < reported):
                raise LostWorkError(
                    f"window {name}: MongoDB had acknowledged offset {reported}, now it holds {window.fence}. "
                    "It lost acknowledged work; going back to the last measured position."
                )
            self._known[key] = window

    def _deltas(self, keyed: Sequence[tuple[WindowKey, Arrival]]) -> list[Delta]:
        deltas: dict[WindowKey, Delta] = {}
        for key, arrival in keyed:
            delta = deltas.get(key)
            if delta is None:
                self._known.move_to_end(key)
                delta = deltas[key] = Delta(self._known[key])
            fence = delta.window.fence
            if fence is None or arrival.record.source_offset > fence:
                delta.add(arrival)
        return [delta for delta in deltas.values() if delta.n]

    def _write(self, deltas: Sequence[Delta]) -> None:
        pulse = self._bulks % PULSE_EVERY == 0
        self._bulks += 1
        now = datetime.now(UTC)
        try:
            done = self._windows.bulk_write([delta.operation(now, pulse) for delta in deltas], ordered=False)
        except BulkWriteError as failed:
            codes = {error["code"] for error in failed.details["writeErrors"]}
            if codes and codes != {_DUPLICATE_KEY}:
                raise
            raise CompareFailedError("a window is there that was not known") from None
        if done.matched_count + done.upserted_count < len(deltas):
            raise CompareFailedError("a window's fence is not the one remembered")
        for delta in deltas:
            self._acknowledged[delta.window.key] = delta.fence

    def _trim(self) -> None:
        while len(self._known) > LARGEST_MEMORY:
            key, _ = self._known.popitem(last=False)
            self._acknowledged.pop(key, None)
