"""What is added to a window, however its events are cut into batches; test_writing.py has the real database."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from jobs.clean import CleanRecord
from jobs.records import Arrival
from jobs.window import LARGEST_SLOTS, Delta, Slots, Window, WindowKey
from measure.stamp import Stamp

MINUTE_US = 1_700_000_040_000_000
NOW = datetime(2026, 11, 24, tzinfo=UTC)

Sale = tuple[int, int, int, int]
"""Product, category, session, quantity."""
sales = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3), st.integers(0, 40), st.integers(1, 5)), min_size=1)


def arrival(offset: int, sale: Sale) -> Arrival:
    product, category, session, quantity = sale
    price = 1_000_000 + offset
    record = CleanRecord(
        "t", 0, offset, 0, None, "purchase", f"s{session}", f"p{product}", f"c{category}", quantity, price, MINUTE_US
    )
    return Arrival(record, Stamp("r", 0, offset, offset, offset))


def batches(arrivals: list[Arrival], cuts: set[int]) -> list[list[Arrival]]:
    edges = [0, *sorted(cut for cut in cuts if 0 < cut < len(arrivals)), len(arrivals)]
    return [arrivals[first:behind] for first, behind in pairwise(edges)]


def apply(document: dict[str, Any], window: Window, batch: list[Arrival], *, pulse: bool = False) -> None:
    """As MongoDB applies the operation: increments and sets by path, a number after a list's name being a place."""
    delta = Delta(window)
    for each in batch:
        delta.add(each)
    operation = delta.operation(NOW, pulse)
    assert operation._filter["fence"] == document.get("fence")  # noqa: SLF001 (what the driver sends)
    update = operation._doc  # noqa: SLF001
    for path, value in update["$inc"].items():
        holder, name = _holder(document, path)
        holder[name] = _value(holder, name) + value
    for path, value in update["$set"].items():
        holder, name = _holder(document, path)
        if isinstance(holder, list) and name == len(holder):
            holder.append(value)
        else:
            holder[name] = value
    touched = [*update["$inc"], *update["$set"]]
    assert not [path for path in touched for other in touched if other.startswith(f"{path}.")], "MongoDB refuses these"


def _holder(document: dict[str, Any], path: str) -> tuple[Any, Any]:
    *way, last = path.split(".")
    holder: Any = document
    for name in way:
        holder = holder[int(name) if isinstance(holder, list) else name]
    return holder, int(last) if isinstance(holder, list) else last


def _value(holder: Any, name: Any) -> int:
    value: int = holder[name] if isinstance(holder, list) else holder.get(name, 0)
    return value


@given(sales, st.sets(st.integers(1, 60)), st.sets(st.integers(0, 60)))
def test_a_window_is_the_sum_of_its_events_however_they_are_cut(
    sold: list[Sale], cuts: set[int], forgotten: set[int]
) -> None:
    """Between batches the window may be forgotten and read again."""
    arrivals = [arrival(offset, sale) for offset, sale in enumerate(sold)]
    key = WindowKey.of(arrivals[0])
    document: dict[str, Any] = {}
    window = Window.read(key, None)
    for number, batch in enumerate(batches(arrivals, cuts)):
        if number in forgotten:
            window = Window.read(key, document or None)
        apply(document, window, batch)

    records = [each.record for each in arrivals]
    assert (document["n"], document["orders"], document["fence"]) == (len(sold), len(sold), len(sold) - 1)
    assert document["quantity"] == sum(record.quantity for record in records)
    assert document["revenue_micros"] == sum(record.revenue_micros for record in records)
    for name, item in (("products", "product_id"), ("categories", "category")):
        listed = {entry["id"]: (entry["n"], entry["revenue_micros"]) for entry in document[name]}
        n = Counter(getattr(record, item) for record in records)
        revenue: Counter[str] = Counter()
        for record in records:
            revenue[getattr(record, item)] += record.revenue_micros
        assert listed == {known: (n[known], revenue[known]) for known in n}
        assert len(listed) == len(document[name])
    sessions = Window.read(key, document).sessions.get_estimate()
    assert round(sessions) == len({record.session_id for record in records})


def test_a_full_list_takes_no_more_and_loses_nothing() -> None:
    document: dict[str, Any] = {}
    arrivals = [arrival(offset, (offset % (LARGEST_SLOTS + 20), 0, 0, 1)) for offset in range(2 * LARGEST_SLOTS)]
    window = Window.read(WindowKey.of(arrivals[0]), None)
    for batch in batches(arrivals, set(range(0, 2 * LARGEST_SLOTS, 70))):
        apply(document, window, batch)
    assert len(document["products"]) == LARGEST_SLOTS
    assert sum(item["n"] for item in document["products"]) + document["other_n"] == document["n"] == 2 * LARGEST_SLOTS


def test_only_a_pulse_tells_due_times_and_only_of_its_own_events() -> None:
    document: dict[str, Any] = {}
    first, second = [arrival(0, (0, 0, 0, 1))], [arrival(1, (0, 0, 0, 1))]
    window = Window.read(WindowKey.of(first[0]), None)
    apply(document, window, first)
    assert "pulse" not in document
    apply(document, window, second, pulse=True)
    assert document["pulse"] == [1]


def test_a_slot_is_given_once() -> None:
    slots = Slots(largest=2)
    assert [slots.place(name) for name in ("a", "b", "c", "a", "b")] == [0, 1, None, 0, 1]
