"""Timelines: whatever ranges are looked at one after the other, the cells are those of reading anew."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard import timeline
from dashboard.ranges import TimeRange
from dashboard.timeline import Timeline, View

STEP_S = 5
NOW = 1_000_000.0
Document = dict[str, Any]


class Tally:
    """Counts the documents of a step, each by its id and what was written last."""

    def __init__(self) -> None:
        self.held: Counter[tuple[int, datetime]] = Counter()

    def add(self, document: Document) -> None:
        self.held[document["_id"], document["updated"]] += 1


class Written:
    """Documents by id; a later write of one replaces it."""

    page = 3

    def __init__(self) -> None:
        self.documents: dict[int, Document] = {}
        self._at = datetime(2026, 11, 24, tzinfo=UTC)

    def write(self, number: int, second: int) -> None:
        self._at += timedelta(seconds=1)
        known = self.documents.get(number)
        self.documents[number] = {"_id": number, "second": known["second"] if known else second, "updated": self._at}

    def empty(self) -> Tally:
        return Tally()

    def newest_write(self) -> datetime | None:
        return max((one["updated"] for one in self.documents.values()), default=None)

    def changed(self, since: datetime, start_s: int, end_s: int, limit: int) -> list[Document]:
        found = [one for one in self._within(start_s, end_s) if one["updated"] >= since]
        return sorted(found, key=lambda one: one["updated"])[:limit]

    def read(self, start_s: int, end_s: int, limit: int) -> list[Document]:
        return sorted(self._within(start_s, end_s), key=lambda one: -one["second"])[:limit]

    def second_of(self, document: Document) -> int:
        return int(document["second"])

    def _within(self, start_s: int, end_s: int) -> list[Document]:
        return [one for one in self.documents.values() if start_s <= one["second"] < end_s]


def held(view: View[Tally]) -> dict[int, Counter[tuple[int, datetime]]]:
    return {start: cell.held for start, cell in view.cells.items() if cell.held}


def whole(looked: Timeline[Tally], span: TimeRange) -> View[Tally]:
    """The view once everything has been read, a page at each refresh."""
    while True:
        view = looked.refresh(span, NOW, 0.0)
        assert 0 <= view.complete <= 1
        assert all(span.start_s <= start < span.end_s for start in view.cells)
        if view.complete == 1 and view.current:
            return view


def span(first: int, steps: int) -> TimeRange:
    return TimeRange(first * STEP_S, (first + steps) * STEP_S, STEP_S, live=True)


spans = st.builds(span, st.integers(0, 20), st.integers(1, 12))
writes = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 160)), max_size=12)


@settings(deadline=None)
@given(st.lists(st.tuples(writes, spans, st.booleans()), min_size=1, max_size=8))
def test_any_ranges_one_after_the_other_give_the_cells_of_reading_anew(
    looks: list[tuple[list[tuple[int, int]], TimeRange, bool]],
) -> None:
    source = Written()
    looked = Timeline(source)
    for written, chosen, patient in looks:
        for number, second in written:
            source.write(number, second)
        if not patient:  # the visitor turns to the next range before all of this one is read
            looked.refresh(chosen, NOW, 0.0)
            continue
        assert held(whole(looked, chosen)) == held(whole(Timeline(source), chosen))


def test_a_shorter_range_and_back_loses_nothing() -> None:
    source = Written()
    for second in range(100):
        source.write(second, second)
    looked = Timeline(source)
    long, short = span(0, 20), span(10, 10)
    before = held(whole(looked, long))
    whole(looked, short)
    assert held(whole(looked, long)) == before
    assert sum(sum(cell.values()) for cell in before.values()) == 100


def test_more_changes_than_one_look_takes_are_all_seen(monkeypatch: Any) -> None:
    monkeypatch.setattr(timeline, "_MOST_CHANGED", 7)
    source = Written()
    looked = Timeline(source)
    whole(looked, span(0, 20))
    for second in range(40):
        source.write(second, second)
    assert held(whole(looked, span(0, 20))) == held(whole(Timeline(source), span(0, 20)))
