"""Answers that are kept for a short time and shared by all viewers.

One viewer's question is computed once; whoever asks for the same meanwhile waits for it, and whoever asks within its
time to live gets the same object. Where it cannot be had anew, the last answer stays, with
the reason why it is not newer.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from measure.errors import NotReadyError

T = TypeVar("T")

_MOST_KEPT = 64
_RETRY_S = 1.0
"""After a failure the database is left alone for this long, so that viewers do not queue for one deadline each."""
_SLACK = 0.9
"""A refresh that comes a little before the time to live is over gets a new answer, not one twice as old."""


class UnavailableError(NotReadyError):
    """What was asked for cannot be had now. The message is fit for a visitor."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """A value (None where there never was one) and, where it could not be had anew, why, and since when."""

    value: T | None
    error: str | None = None
    failing_since: float | None = None


@dataclass(slots=True)
class _Slot:
    lock: threading.Lock = field(default_factory=threading.Lock)
    answer: Answer[Any] = field(default_factory=lambda: Answer(None))
    asked_at: float = float("-inf")
    failed_at: float = float("-inf")


class Answers:
    """A bounded store of answers by key. A `ttl_s` of 0 switches keeping off. Thread-safe."""

    def __init__(self, ttl_s: float, clock: Callable[[], float], steady: Callable[[], float] = time.monotonic) -> None:
        self._ttl_s = ttl_s
        self._clock = clock
        self._steady = steady
        self._lock = threading.Lock()
        self._slots: OrderedDict[Hashable, _Slot] = OrderedDict()

    def get(self, key: Hashable, compute: Callable[[], T], at_least_s: float = 0.0) -> Answer[T]:
        """The answer kept under `key`, computed anew if it is older than the time to live or than `at_least_s`."""
        slot = self._slot(key)
        with slot.lock:
            now = self._steady()
            if now - slot.failed_at < _RETRY_S or now - slot.asked_at < max(self._ttl_s, at_least_s) * _SLACK:
                return cast("Answer[T]", slot.answer)
            try:
                slot.answer = Answer(compute())
                slot.asked_at = now
                slot.failed_at = float("-inf")
            except UnavailableError as error:
                since = slot.answer.failing_since or self._clock()
                slot.answer = Answer(slot.answer.value, str(error), since)
                slot.failed_at = self._steady()
            return cast("Answer[T]", slot.answer)

    def _slot(self, key: Hashable) -> _Slot:
        with self._lock:
            slot = self._slots.get(key)
            if slot is None:
                slot = self._slots[key] = _Slot()
                if len(self._slots) > _MOST_KEPT:
                    self._slots.popitem(last=False)
            self._slots.move_to_end(key)
            return slot
