"""The one-minute windows as cells: what was sold, by event type, product and category, and whose sessions it was.

Money is counted in whole micro-units (int64), so sums are exact. Sessions are HyperLogLog sketches and merge by union;
their counts are estimates (about 2 %).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from datasketches import hll_sketch, hll_union, tgt_hll_type
from numpy.typing import NDArray

from dashboard.database import Database, Document
from dashboard.ranges import moment
from measure.store import WINDOWS

VIEW = "page_view"
CART = "add_to_cart"
PURCHASE = "purchase"
EVENT_TYPES = (VIEW, CART, PURCHASE)

_NOT_BUSINESS = r"^probe\.|\.w$"
"""Runs whose events the business page leaves out: readiness probes and warm-ups."""
_SKETCH_BITS = 12
_MOST_NAMES = 50_000
_MOST_PARTS = 6

Ints = NDArray[np.int64]


class Names:
    """Product and category ids as small integers, so that a cell is a few arrays. Beyond 50,000 all are one: other."""

    OTHER = 0

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {"(all others)": self.OTHER}
        self._names: list[str] = ["(all others)"]

    def number(self, name: object) -> int:
        """The number of `name`, a new one the first time."""
        text = str(name)[:256]
        known = self._numbers.get(text)
        if known is not None:
            return known
        if len(self._names) >= _MOST_NAMES:
            return self.OTHER
        self._numbers[text] = number = len(self._names)
        self._names.append(text)
        return number

    def name(self, number: int) -> str:
        """The name behind a number."""
        return self._names[number]

    def __len__(self) -> int:
        return len(self._names)


@dataclass(slots=True)
class Items:
    """Counts and revenue (micro-units) by name number; a name may occur several times."""

    numbers: list[NDArray[np.int32]] = field(default_factory=list)
    counts: list[Ints] = field(default_factory=list)
    revenue: list[Ints] = field(default_factory=list)

    def add(self, entries: Iterable[Document], names: Names) -> None:
        """Count in a window's list of `{id, n, revenue_micros}`."""
        rows = [(names.number(one["id"]), int(one["n"]), int(one["revenue_micros"])) for one in entries]
        if rows:
            numbers, counts, revenue = zip(*rows, strict=True)
            self.numbers.append(np.array(numbers, np.int32))
            self.counts.append(np.array(counts, np.int64))
            self.revenue.append(np.array(revenue, np.int64))
        if len(self.numbers) > _MOST_PARTS:
            self._compact()

    def _compact(self) -> None:
        numbers, at = np.unique(np.concatenate(self.numbers), return_inverse=True)
        counts, revenue = np.zeros(len(numbers), np.int64), np.zeros(len(numbers), np.int64)
        np.add.at(counts, at, np.concatenate(self.counts))
        np.add.at(revenue, at, np.concatenate(self.revenue))
        self.numbers, self.counts, self.revenue = [numbers], [counts], [revenue]

    @staticmethod
    def totals(parts: Iterable[Items], size: int) -> tuple[Ints, Ints]:
        """Counts and revenue of all `parts`, indexed by name number below `size`."""
        counts, revenue = np.zeros(size, np.int64), np.zeros(size, np.int64)
        for part in parts:
            for number, n, micros in zip(part.numbers, part.counts, part.revenue, strict=True):
                np.add.at(counts, number, n)
                np.add.at(revenue, number, micros)
        return counts, revenue


@dataclass(slots=True)
class TypeTotals:
    """What the windows of one event type add up to."""

    n: int = 0
    revenue_micros: int = 0
    orders: int = 0
    sessions: bytes | None = None
    """Sketch of the sessions seen."""


@dataclass(slots=True)
class SalesCell:
    """All windows of one step. `unreadable` counts documents or sketches that were not as the contract has them."""

    names: Names
    types: dict[str, TypeTotals] = field(default_factory=dict)
    products: Items = field(default_factory=Items)
    categories: Items = field(default_factory=Items)
    unreadable: int = 0

    def add(self, document: Document) -> None:
        """Count a window in."""
        try:
            self._add(document)
        except (KeyError, TypeError, ValueError, OverflowError, RuntimeError):
            self.unreadable += 1

    def _add(self, document: Document) -> None:
        event_type = str(document["event_type"])
        totals = self.types.setdefault(event_type, TypeTotals())
        totals.n += int(document["n"])
        totals.revenue_micros += int(document.get("revenue_micros", 0))
        totals.orders += int(document.get("orders", 0))
        if document.get("sessions"):
            totals.sessions = union_of([document["sessions"], totals.sessions])
        if event_type == PURCHASE:
            self.products.add(document.get("products") or (), self.names)
            self.categories.add(document.get("categories") or (), self.names)

    def of(self, event_type: str) -> TypeTotals:
        """Totals of one event type; zeros where it has none."""
        return self.types.get(event_type) or TypeTotals()

    def sessions(self) -> bytes | None:
        """Sketch of the sessions of all event types."""
        return union_of(totals.sessions for totals in self.types.values())


def union_of(sketches: Iterable[bytes | None]) -> bytes | None:
    """The sketch that holds the sessions of all `sketches`; ValueError or RuntimeError where one is not readable."""
    present = [sketch for sketch in sketches if sketch]
    if len(present) <= 1:
        return present[0] if present else None
    union = hll_union(_SKETCH_BITS)
    for sketch in present:
        union.update(hll_sketch.deserialize(sketch))
    merged: bytes = union.get_result(tgt_hll_type.HLL_4).serialize_compact()
    return merged


def distinct(sketch: bytes | None) -> int:
    """How many different sessions a sketch holds, estimated."""
    return round(hll_sketch.deserialize(sketch).get_estimate()) if sketch else 0


def of_runs(run: str | None) -> dict[str, Any]:
    """The condition for one run, or for all that are business: neither probes nor warm-ups."""
    return {"run": run} if run is not None else {"run": {"$not": {"$regex": _NOT_BUSINESS}}}


def is_business(run: str) -> bool:
    """Whether the page that shows all runs shows this one."""
    return not (run.startswith("probe.") or run.endswith(".w"))


class WindowSource:
    """Windows of one run, or of all runs but probes and warm-ups, as a timeline's source."""

    page = 120

    _FIELDS = {  # noqa: RUF012 - constant
        "_id": 0,
        "minute": 1,
        "event_type": 1,
        "n": 1,
        "revenue_micros": 1,
        "orders": 1,
        "sessions": 1,
        "products": {"$cond": [{"$eq": ["$event_type", PURCHASE]}, "$products", "$$REMOVE"]},
        "categories": {"$cond": [{"$eq": ["$event_type", PURCHASE]}, "$categories", "$$REMOVE"]},
    }

    def __init__(self, database: Database, names: Names, run: str | None) -> None:
        self._database = database
        self._names = names
        self._run = run

    def empty(self) -> SalesCell:
        """A cell that holds nothing."""
        return SalesCell(self._names)

    def newest_write(self) -> datetime | None:
        """The latest `updated` of all windows that expire."""
        return self._database.newest_write(WINDOWS)

    def changed(self, since: datetime, start_s: int, end_s: int, limit: int) -> list[Document]:
        """Windows of this span written since, oldest write first."""
        where = {"updated": {"$gte": since}, **self._span(start_s, end_s), **of_runs(self._run)}
        return self._database.find(WINDOWS, where, {"minute": 1, "updated": 1}, sort=[("updated", 1)], limit=limit)

    def read(self, start_s: int, end_s: int, limit: int) -> list[Document]:
        """Windows of this span, newest minute first."""
        where = {**of_runs(self._run), **self._span(start_s, end_s)}
        return self._database.find(WINDOWS, where, self._FIELDS, sort=[("minute", -1)], limit=limit)

    def second_of(self, document: Document) -> int:
        """The minute's start in seconds of the epoch."""
        minute: datetime = document["minute"]
        return int(minute.timestamp())

    def newest_minute(self) -> datetime | None:
        """The latest minute of event time that has events."""
        found = self._database.find(
            WINDOWS, of_runs(self._run), {"_id": 0, "minute": 1}, sort=[("minute", -1)], limit=1
        )
        return found[0]["minute"] if found else None

    @staticmethod
    def _span(start_s: int, end_s: int) -> dict[str, Any]:
        return {"minute": {"$gte": moment(start_s), "$lt": moment(end_s)}}
