"""A micro-batch's rows as arrivals: each with its own headers."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from jobs.rows import arrivals, dead_rows, in_order
from measure.stamp import Stamp

RUN = "steady-20261124T100000Z-0a1b"
_HEADERS = pa.list_(pa.struct([("key", pa.string()), ("value", pa.binary())]))
_EVENT = {
    "event_type": "purchase",
    "session_id": "s",
    "product_id": "p",
    "category": "c",
    "quantity": 1,
    "price_micros": 5_000_000,
    "minute_us": 0,
}


def headers(seq: int) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in Stamp(RUN, 0, seq, 10, 20).headers()]


def table(*rows: dict[str, Any]) -> pa.Table:
    """Of rows in order of their offsets."""
    filled = [
        {"partition": 0, "offset": offset, "source_time_ms": 7, "reason": None, "dead_key": None, "dead_value": None}
        | _EVENT
        | row
        for offset, row in enumerate(rows)
    ]
    names = [name for name in filled[0] if name != "headers"]
    columns = {name: [row[name] for row in filled] for name in names}
    return pa.table(columns | {"headers": pa.array([row["headers"] for row in filled], _HEADERS)})


def test_each_arrival_has_its_own_stamp() -> None:
    twice = [{"key": "seq", "value": b"99"}, {"key": "note", "value": None}, *headers(3)]
    rows = table(
        {"headers": headers(1)}, {"headers": None}, {"headers": []}, {"headers": twice}, {"headers": headers(4)}
    )
    backwards = pa.concat_tables([rows.slice(3), rows.slice(0, 3)])
    found = list(arrivals(in_order(backwards), "topic", 1, 2))
    assert [arrival.record.source_offset for arrival in found] == [0, 1, 2, 3, 4]
    assert [arrival.stamp and arrival.stamp.seq for arrival in found] == [1, None, None, 3, 4]
    assert [(arrival.read_us, arrival.ready_us) for arrival in found] == [(1, 2)] * 5
    assert found[0].record.price_micros == 5_000_000


def test_a_dead_letter_keeps_its_bytes_and_headers() -> None:
    bad = {"headers": headers(8), "reason": "price: negative", "dead_key": b"k", "dead_value": b"{}"}
    rows = table({"headers": headers(7)}, bad)
    good, dead = arrivals(rows, "topic", 1, 2)
    assert (good.record.dead, dead.record.dead) == (None, "price: negative")
    assert dead.stamp is not None
    (row,) = dead_rows(rows)
    assert (row["offset"], row["dead_key"], row["dead_value"], row["headers"]) == (1, b"k", b"{}", headers(8))
