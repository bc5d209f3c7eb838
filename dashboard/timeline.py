"""A time range of a collection kept as cells in memory, so that a refresh reads only what changed.

History is read newest first, in pages of documents, as far as the time allowed for one refresh goes; the rest follows
at the next ones, so no refresh is slow, however much there is. Documents written since the last look are found by
their field `updated` and the cells that they belong to are read anew, whole: nothing is ever counted twice, and what
arrives late for an old cell is seen.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from dashboard.ranges import TimeRange

Document = dict[str, Any]

_OVERLAP = timedelta(seconds=10)
"""`updated` is written before the commit that makes it visible: look back this far."""
_EPOCH = datetime(1970, 1, 2, tzinfo=UTC)
_MOST_CHANGED = 5_000
_MOST_JOINED = 10
_FORGET_S = 600.0
"""After this long without a refresh everything is read again rather than caught up with."""


class Cell(Protocol):
    """What is kept of the documents of one step."""

    def add(self, document: Document) -> None:
        """Count a document in."""


C = TypeVar("C", bound=Cell)
Made = TypeVar("Made", bound=Cell, covariant=True)


class Source(Protocol[Made]):
    """Where the documents come from."""

    page: int
    """Documents in one read."""

    def empty(self) -> Made:
        """A cell that holds nothing."""

    def newest_write(self) -> datetime | None:
        """The latest `updated` of all, or None where there is no document."""

    def changed(self, since: datetime, start_s: int, end_s: int, limit: int) -> list[Document]:
        """`_id`, second (by `second_of`) and `updated` of what was written since, oldest write first."""

    def read(self, start_s: int, end_s: int, limit: int) -> list[Document]:
        """At most `limit` documents of this span, newest second first."""

    def second_of(self, document: Document) -> int:
        """The second of the epoch by which a document belongs to a cell."""


@dataclass(frozen=True, slots=True)
class View(Generic[C]):
    """What is known of a range. Cells without documents are not in it; the mapping must not be changed."""

    span: TimeRange
    cells: dict[int, C]
    read_from_s: int
    """What lies before this second is not read yet."""
    read_at: float
    """When the newest read began, seconds of the epoch."""
    current: bool = True
    """Whether all that was written before `read_at` to what is read is in the cells."""

    @property
    def complete(self) -> float:
        """Share of the range that has been read, 0 to 1."""
        return (self.span.end_s - max(self.read_from_s, self.span.start_s)) / self.span.length_s


class Timeline(Generic[C]):
    """Cells of one range of one step. A live range moves with the `span` given to `refresh`."""

    def __init__(self, source: Source[C]) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._reset()

    def _reset(self) -> None:
        self._cells: dict[int, C] = {}
        self._stale: set[int] = set()
        self._seen: dict[Any, datetime] = {}
        self._since: datetime | None = None
        self._lagging = False
        self._read_from = self._read_to = 0
        """All of this span but what is stale is in the cells."""
        self._refreshed_at = 0.0

    def refresh(self, span: TimeRange, now: float, budget_s: float) -> View[C]:
        """Bring the cells up to date, leaving older history for later after `budget_s` seconds of reading.

        DatabaseError passes; what was read before stays. The view's cells are valid until the next refresh.
        """
        with self._lock:
            deadline = time.monotonic() + budget_s
            if now - self._refreshed_at > _FORGET_S or not self._touches(span):
                self._reset()
            if self._since is None:
                self._begin(span)
            else:
                self._drop_outside(span)
                self._note_changes(span)
                self._read_anew(span, deadline)
            read_from = self._read_history(span, deadline)
            self._refreshed_at = now
            current = not self._stale and not self._lagging
            return View(span, dict(self._cells), read_from, now, current)

    def _begin(self, span: TimeRange) -> None:
        self._since = self._source.newest_write() or _EPOCH
        self._read_from = self._read_to = span.end_s

    def _touches(self, span: TimeRange) -> bool:
        return span.start_s <= self._read_to and self._read_from <= span.end_s

    def _drop_outside(self, span: TimeRange) -> None:
        """What a range leaves must be read again by one that comes back to it: nobody looks after it meanwhile."""
        self._read_from, self._read_to = max(self._read_from, span.start_s), min(self._read_to, span.end_s)
        for start in [start for start in self._cells if not span.start_s <= start < span.end_s]:
            del self._cells[start]
        self._stale = {start for start in self._stale if span.start_s <= start < span.end_s}

    def _note_changes(self, span: TimeRange) -> None:
        assert self._since is not None  # noqa: S101 - `refresh` sees to it
        self._stale.update(range(self._read_to, span.end_s, span.step_s))
        self._read_to = span.end_s
        since = self._since if self._lagging else self._since - _OVERLAP
        changed = self._source.changed(since, self._read_from, span.end_s, _MOST_CHANGED)
        for document in changed:
            updated = document["updated"]
            if self._seen.get(document["_id"]) != updated:
                self._seen[document["_id"]] = updated
                self._stale.add(_cell_of(self._source.second_of(document), span))
            self._since = max(self._since, updated)
        self._lagging = len(changed) == _MOST_CHANGED
        oldest = self._since - 2 * _OVERLAP
        self._seen = {key: updated for key, updated in self._seen.items() if updated >= oldest}

    def _read_anew(self, span: TimeRange, deadline: float) -> None:
        """Replace stale cells, the newest first. Of a cell that history has not fully reached, only its read part."""
        for start_s, end_s in _joined(self._stale, span.step_s):
            fresh: dict[int, C] = {}
            before = end_s
            floor = max(start_s, self._read_from)
            while before > floor:
                before = self._read_page(fresh, floor, before, span)
            for start in range(start_s, end_s, span.step_s):
                self._cells.pop(start, None)
                self._stale.discard(start)
            self._cells.update(fresh)
            if time.monotonic() >= deadline:
                return

    def _read_history(self, span: TimeRange, deadline: float) -> int:
        """Read on backwards; the second down to which all is read."""
        while self._read_from > span.start_s:
            self._read_from = self._read_page(self._cells, span.start_s, self._read_from, span)
            if time.monotonic() >= deadline:
                break
        return self._read_from

    def _read_page(self, into: dict[int, C], start_s: int, end_s: int, span: TimeRange) -> int:
        """Add one page of what lies before `end_s` to the cells `into`; the second down to which it was read."""
        limit = self._source.page
        while True:
            documents = self._source.read(start_s, end_s, limit)
            if len(documents) < limit:
                reached = start_s
                break
            reached = self._source.second_of(documents[-1]) + 1
            if reached < end_s:
                break
            limit *= 4
        for document in documents:
            second = self._source.second_of(document)
            if second >= reached:
                start = _cell_of(second, span)
                cell = into.get(start)
                if cell is None:
                    cell = into[start] = self._source.empty()
                cell.add(document)
        return reached


def _cell_of(second: int, span: TimeRange) -> int:
    return second // span.step_s * span.step_s


def _joined(starts: Iterable[int], step_s: int) -> list[tuple[int, int]]:
    """Neighbouring cells as spans of at most 10 steps, the newest first."""
    spans: list[tuple[int, int]] = []
    for start in sorted(starts, reverse=True):
        if spans and spans[-1][0] == start + step_s and spans[-1][1] - start <= _MOST_JOINED * step_s:
            spans[-1] = (start, spans[-1][1])
        else:
            spans.append((start, start + step_s))
    return spans
