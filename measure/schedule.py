"""When each event of a run is due: spans of constant rate, and the numbering of events over producers.

Event k of a span is due at `start_us + round(k · 10⁶ / rate)`, as long as that lies before `end_us`. Events are
numbered from 0 over all spans; producer P of N takes those whose number leaves P when divided by N, and counts its own
(`seq`) from 0. All arithmetic is that of float64 with halves rounded to even, so that Python and numpy agree.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

BURST_FROM = 1.25
"""A span is a burst if its rate is at least so many times the lowest rate of the schedule."""


class Span(msgspec.Struct, frozen=True):
    """A stretch of constant rate. `rate` is in events/s; 0 is a pause."""

    start_us: int
    end_us: int
    rate: float
    phase: str = ""

    @property
    def count(self) -> int:
        """How many events are due in the span."""
        return self.due_before(self.end_us)

    def due_before(self, at_us: int) -> int:
        """How many of the span's events are due before `at_us`."""
        at_us = min(at_us, self.end_us)
        if self.rate <= 0 or at_us <= self.start_us:
            return 0
        k = math.ceil((at_us - self.start_us) * self.rate / 1e6)
        while k > 0 and self.due_us(k - 1) >= at_us:
            k -= 1
        while self.due_us(k) < at_us:
            k += 1
        return k

    def due_us(self, k: int) -> int:
        """When event `k` of the span is due, in µs of the epoch."""
        return self.start_us + round(k * 1e6 / self.rate)


@dataclass(frozen=True)
class Schedule:
    """The spans of a run, in order and without overlap, and how many producers share them."""

    spans: tuple[Span, ...]
    producers: int = 1

    @cached_property
    def _firsts(self) -> Ints:
        return np.concatenate(([0], np.cumsum([span.count for span in self.spans], dtype=np.int64)))

    @property
    def count(self) -> int:
        """How many events are due in all."""
        return int(self._firsts[-1])

    @property
    def start_us(self) -> int | None:
        """Start of the first span, or None of an empty schedule."""
        return self.spans[0].start_us if self.spans else None

    @property
    def end_us(self) -> int | None:
        """End of the last span, or None of an empty schedule."""
        return self.spans[-1].end_us if self.spans else None

    @property
    def duration_s(self) -> float:
        """Sum of the spans' lengths in seconds."""
        return sum(max(0, span.end_us - span.start_us) for span in self.spans) / 1e6

    def count_of(self, producer: int) -> int:
        """How many events `producer` has: its `seq` go from 0 to one less."""
        return max(0, (self.count - producer + self.producers - 1) // self.producers)

    def due_us(self, numbers: Ints) -> Ints:
        """When the events with these numbers (each ≥ 0 and < `count`) are due."""
        at = np.searchsorted(self._firsts, numbers, side="right") - 1
        starts = np.array([span.start_us for span in self.spans], dtype=np.int64)
        rates = np.array([span.rate for span in self.spans], dtype=np.float64)
        k = (numbers - self._firsts[at]).astype(np.float64)
        dues: Ints = starts[at] + np.rint(k * 1e6 / rates[at]).astype(np.int64)
        return dues

    def due_us_of(self, producer: int, seqs: Ints) -> Ints:
        """When the events with these own numbers of `producer` are due."""
        return self.due_us(seqs.astype(np.int64) * self.producers + producer)

    def due_before(self, at_us: int) -> int:
        """How many events are due before `at_us`."""
        return sum(span.due_before(at_us) for span in self.spans)

    def due_in_second(self) -> dict[int, int]:
        """Second of the epoch → how many events are due in it; seconds without events are not there."""
        due: dict[int, int] = {}
        for span in self.spans:
            before = 0
            for second in range(span.start_us // 1_000_000, -(-span.end_us // 1_000_000)):
                upto = span.due_before((second + 1) * 1_000_000)
                if upto > before:
                    due[second] = due.get(second, 0) + upto - before
                before = upto
        return due

    def clipped(self, end_us: int) -> Schedule:
        """The same schedule, ended at `end_us`."""
        return Schedule(tuple(clip(self.spans, end_us)), self.producers)


def clip(spans: Iterable[Span], end_us: int) -> list[Span]:
    """The spans as far as they lie before `end_us`; their events before it keep their due times."""
    return [msgspec.structs.replace(span, end_us=min(span.end_us, end_us)) for span in spans if span.start_us < end_us]


def amended(spans: Sequence[Span], changes: Iterable[tuple[int, Sequence[Span]]]) -> list[Span]:
    """The spans that were really in force, after `changes` (at µs, the spans in force from then on), in order.

    A change may give the whole list again or only what begins at its time; what was in force before stays.
    """
    in_force = list(spans)
    for at_us, following in changes:
        whole = bool(following) and following[0].start_us < at_us
        in_force = list(following) if whole else clip(in_force, at_us) + list(following)
    return in_force


def burst_spans(spans: Iterable[Span]) -> list[Span]:
    """The spans at the higher rates; none where there is one rate."""
    moving = [span for span in spans if span.rate > 0 and span.end_us > span.start_us]
    lowest = min((span.rate for span in moving), default=0.0)
    return [span for span in moving if span.rate >= BURST_FROM * lowest]
