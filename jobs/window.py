"""One-minute windows: what a batch adds to a window's document, and what the sink remembers of that document."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from bson import Binary, Int64
from datasketches import hll_sketch, tgt_hll_type
from pymongo import UpdateOne

from jobs.records import Arrival
from measure.store import Document, window_id

PURCHASE = "purchase"
SKETCH_LG_K = 11
"""2,048 registers: a relative standard error of 2.3 % (Flajolet et al. 2007) in about 1 kB."""
LARGEST_SLOTS = 500
"""Products that a window lists one by one, in the order they came; what further ones sold is counted in `other_n`."""

_OTHERS = {"products": "other_n", "categories": "other_categories_n"}


class WindowKey(NamedTuple):
    """Which window: a minute of event time, of one run, event type and source partition."""

    run: str
    topic_id: str
    minute_s: int
    event_type: str
    partition: int

    @property
    def id(self) -> str:
        """The document's `_id`."""
        return window_id(self.run, self.topic_id, self.minute_s, self.event_type, self.partition)

    @classmethod
    def of(cls, arrival: Arrival) -> WindowKey:
        """The window that an event belongs to."""
        record = arrival.record
        minute_s = record.minute_us // 1_000_000
        return cls(arrival.run, record.source_topic_id, minute_s, record.event_type, record.source_partition)


@dataclass(slots=True)
class Slots:
    """A list of names in a document, each with its place there."""

    places: dict[str, int] = field(default_factory=dict)
    largest: int = LARGEST_SLOTS

    def place(self, name: str) -> int | None:
        """The place of `name`, a new one at the end if it has none; None where the list is full."""
        known = self.places.get(name)
        if known is None and len(self.places) < self.largest:
            known = self.places[name] = len(self.places)
        return known


@dataclass(slots=True)
class Window:
    """What the sink remembers of a window's document. True as long as the document's fence is `fence`."""

    key: WindowKey
    fence: int | None = None
    """The last source offset applied; None: the document is not there yet."""
    sessions: hll_sketch = field(default_factory=lambda: hll_sketch(SKETCH_LG_K, tgt_hll_type.HLL_4))
    products: Slots = field(default_factory=Slots)
    categories: Slots = field(default_factory=Slots)

    @classmethod
    def read(cls, key: WindowKey, found: Mapping[str, Any] | None) -> Window:
        """From the document, or a new window where there is none."""
        if found is None:
            return cls(key)
        window = cls(key, found["fence"])
        if found.get("sessions"):
            window.sessions = hll_sketch.deserialize(bytes(found["sessions"]))
        for name in ("products", "categories"):
            listed = found.get(name) or ()
            getattr(window, name).places.update({item["id"]: place for place, item in enumerate(listed)})
        return window


@dataclass(slots=True)
class _Sold:
    n: int = 0
    revenue_micros: int = 0

    def add(self, revenue_micros: int) -> None:
        self.n += 1
        self.revenue_micros += revenue_micros


@dataclass(slots=True)
class Delta:
    """What one batch adds to one window: events above its fence, in the order of their offsets."""

    window: Window
    n: int = 0
    quantity: int = 0
    revenue_micros: int = 0
    fence: int = -1
    sessions: list[str] = field(default_factory=list)
    products: defaultdict[str, _Sold] = field(default_factory=lambda: defaultdict(_Sold))
    categories: defaultdict[str, _Sold] = field(default_factory=lambda: defaultdict(_Sold))
    due_us: list[int] = field(default_factory=list)

    def add(self, arrival: Arrival) -> None:
        """Count one event."""
        record = arrival.record
        revenue = record.revenue_micros
        self.n += 1
        self.quantity += record.quantity
        self.revenue_micros += revenue
        self.fence = record.source_offset
        self.sessions.append(record.session_id)
        self.categories[record.category].add(revenue)
        if record.event_type == PURCHASE:
            self.products[record.product_id].add(revenue)
        if arrival.stamp:
            self.due_us.append(arrival.stamp.due_us)

    def operation(self, now: datetime, pulse: bool) -> UpdateOne:
        """The upsert that applies this delta if the document's fence is still the one remembered.

        It changes what is remembered: where the write fails, the window must be read again.
        """
        window = self.window
        increments: dict[str, Any] = {"n": self.n, "quantity": Int64(self.quantity)}
        increments["revenue_micros"] = Int64(self.revenue_micros)
        sets: dict[str, Any] = {"fence": self.fence, "updated": now}
        if window.key.event_type == PURCHASE:
            increments["orders"] = self.n
        self._add_sessions(sets)
        _add_sold(window.products, "products", self.products, increments, sets, new=window.fence is None)
        _add_sold(window.categories, "categories", self.categories, increments, sets, new=window.fence is None)
        if pulse:
            sets["pulse"] = self.due_us
        before, window.fence = window.fence, self.fence
        update: Document = {"$inc": increments, "$set": sets}
        if before is None:
            update["$setOnInsert"] = _identity(window.key)
        return UpdateOne({"_id": window.key.id, "fence": before}, update, upsert=before is None)

    def _add_sessions(self, sets: dict[str, Any]) -> None:
        """A sketch whose estimate stays has not changed, and need not be written."""
        sketch = self.window.sessions
        before = sketch.get_estimate()
        for session in self.sessions:
            sketch.update(session)
        if sketch.get_estimate() != before:
            sets["sessions"] = Binary(sketch.serialize_compact())


def _identity(key: WindowKey) -> Document:
    return {
        "run": key.run,
        "topic_id": key.topic_id,
        "minute": datetime.fromtimestamp(key.minute_s, UTC),
        "event_type": key.event_type,
        "partition": key.partition,
    }


def _add_sold(
    slots: Slots, name: str, sold: Mapping[str, _Sold], increments: dict[str, Any], sets: dict[str, Any], *, new: bool
) -> None:
    """Add to a list in the document: by place where it has one, at the end where not; the whole list if it is new."""
    first_new = len(slots.places)
    listed: list[Document] = []
    for item, amount in sold.items():
        place = slots.place(item)
        if place is None:
            other = _OTHERS[name]
            increments[other] = increments.get(other, 0) + amount.n
        elif place < first_new:
            increments[f"{name}.{place}.n"] = amount.n
            increments[f"{name}.{place}.revenue_micros"] = Int64(amount.revenue_micros)
        else:
            listed.append({"id": item, "n": amount.n, "revenue_micros": Int64(amount.revenue_micros)})
    if listed and (new or not first_new):
        sets[name] = listed
    else:
        sets.update({f"{name}.{first_new + index}": item for index, item in enumerate(listed)})
