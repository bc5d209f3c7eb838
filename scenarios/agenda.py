"""What one producer sends next and when: its share of the schedule, joined with the events of its source."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Protocol

from measure.schedule import Span, amended
from scenarios.draft import Draft

_AHEAD = 2_048


class Agenda(Protocol):
    """The events of one producer in the order in which they are due."""

    next_us: int | None
    """When the next event is due, in µs of the epoch; None when there is none left."""
    next_seq: int
    """The next event's own number."""
    end_us: int
    """Until when an amendment can still bring events."""

    def peek(self) -> Draft:
        """The next event, while `next_us` is not None."""

    def take(self) -> Draft:
        """The next event; `next_us` and `next_seq` then tell of the one after it."""

    def amend(self, at_us: int, following: Sequence[Span]) -> None:
        """From `at_us` on, `following` is in force."""

    def prepare(self) -> bool:
        """Make one event ahead of its time; False when enough are ready."""


class _Prepared:
    """Drafts made ahead, in the idle time between events."""

    def __init__(self, drafts: Iterator[Draft]) -> None:
        self._drafts = drafts
        self._ready: deque[Draft] = deque()

    def more(self) -> bool:
        if len(self._ready) >= _AHEAD:
            return False
        draft = next(self._drafts, None)
        if draft is None:
            return False
        self._ready.append(draft)
        return True

    def first(self) -> Draft | None:
        return self._ready[0] if self._ready or self.more() else None

    def peek(self) -> Draft:
        draft = self.first()
        if draft is None:
            raise LookupError("an agenda was asked for an event that its source does not have")
        return draft

    def take(self) -> Draft:
        draft = self.peek()
        self._ready.popleft()
        return draft


class RateAgenda:
    """By the spans: event i of the load goes to producer i mod N."""

    def __init__(self, spans: Sequence[Span], producer: int, producers: int, drafts: Iterator[Draft]) -> None:
        self._spans = list(spans)
        self._producer, self._producers = producer, producers
        self._prepared = _Prepared(drafts)
        self.next_seq = 0
        self.next_us: int | None = None
        self.end_us = 0
        self._seek()

    def peek(self) -> Draft:
        return self._prepared.peek()

    def take(self) -> Draft:
        draft = self._prepared.take()
        self.next_seq += 1
        self._k += self._producers
        due_us = self._start_us + round(self._k * 1e6 / self._rate)
        if due_us >= self._span_end_us:
            self._seek()
        else:
            self.next_us = due_us if self._prepared.first() else None
        return draft

    def amend(self, at_us: int, following: Sequence[Span]) -> None:
        self._spans = amended(self._spans, [(at_us, following)])
        self._seek()

    def prepare(self) -> bool:
        return self._prepared.more()

    def _seek(self) -> None:
        """Find the span that holds the next event's number."""
        k = self.next_seq * self._producers + self._producer
        self.next_us = None
        self.end_us = self._spans[-1].end_us if self._spans else 0
        for span in self._spans:
            count = span.count
            if k < count:
                self._k, self._start_us, self._span_end_us, self._rate = k, span.start_us, span.end_us, span.rate
                self.next_us = span.due_us(k) if self._prepared.first() else None
                return
            k -= count


class OwnAgenda:
    """By the file's own times: its first event is due at the start of the load, `speed` times faster from there."""

    def __init__(self, spans: Sequence[Span], first_us: int, speed: float, drafts: Iterator[Draft]) -> None:
        self._start_us = spans[0].start_us if spans else 0
        self.end_us = spans[-1].end_us if spans else 0
        self._first_us, self._speed = first_us, speed
        self._prepared = _Prepared(drafts)
        self.next_seq = 0
        self.next_us: int | None = None
        self._look()

    def peek(self) -> Draft:
        return self._prepared.peek()

    def take(self) -> Draft:
        draft = self._prepared.take()
        self.next_seq += 1
        self._look()
        return draft

    def amend(self, at_us: int, following: Sequence[Span]) -> None:
        """Only a stop: the file has no rate that could be another."""
        self.end_us = following[-1].end_us if following else at_us
        self._look()

    def prepare(self) -> bool:
        return self._prepared.more()

    def _look(self) -> None:
        draft = self._prepared.first()
        if draft is None or draft.at_us is None:
            self.next_us = None
            return
        due_us = self._start_us + round((draft.at_us - self._first_us) / self._speed)
        self.next_us = due_us if due_us < self.end_us else None
