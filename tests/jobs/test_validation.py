"""What is wrong with an event, by a real Spark."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession

from jobs import session
from jobs.validation import judged

GOOD: dict[str, Any] = {
    "event_id": "e",
    "event_type": "purchase",
    "user_id": "u",
    "session_id": "s",
    "product_id": "p",
    "category": "c",
    "price": 12.34,
    "quantity": 2,
    "currency": "GBP",
    "event_time": "2026-11-24T03:42:39.123456Z",
}


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("PYSPARK_SUBMIT_ARGS", "--conf spark.ui.enabled=false pyspark-shell")
        started = session.start("tests", 1, session.PLAIN)
    yield started
    started.stop()


def judge(spark: SparkSession, records: list[tuple[bytes | None, bytes | None]]) -> list[Row]:
    """Rows of (key, value), judged, in their order."""
    rows = [(number, key, value) for number, (key, value) in enumerate(records)]
    frame = spark.createDataFrame(rows, "number int, key binary, value binary").coalesce(1)
    return sorted(judged(frame).drop("moment").collect(), key=lambda row: row["number"])


def event(**other: object) -> bytes:
    return json.dumps(GOOD | other).encode()


def without(name: str) -> bytes:
    return json.dumps({key: value for key, value in GOOD.items() if key != name}).encode()


BAD: list[tuple[bytes | None, str]] = [
    (None, "value: null"),
    (b"\xff\xfe{}", "value: not UTF-8"),
    (b"", "value: not a JSON object"),
    (b"{broken", "value: not a JSON object"),
    (b"[1]", "value: not a JSON object"),
    (b'"text"', "value: not a JSON object"),
    (b"null", "value: not a JSON object"),
    (b"{},[{}", "value: not a JSON object"),
    (event() + b" {}", "value: not a JSON object"),
    (event() + b",{}", "value: not a JSON object"),
    (without("event_id"), "event_id: missing or not a text"),
    (event(user_id=5), "user_id: missing or not a text"),
    (event(session_id=""), "session_id: missing or not a text"),
    (event(product_id="x" * 257), "product_id: longer than 256 characters"),
    (event(category=1), "category: not a text"),
    (event(event_type="x"), "event_type: 'x' is not known"),
    (event(event_type="cancellation"), "event_type: cancellation"),
    (without("price"), "price: missing or not a number"),
    (event(price="1.5"), "price: missing or not a number"),
    (event(price=-0.01), "price: negative"),
    (event(price=0.1234567), "price: more than 6 decimals"),
    (event(price=1e12), "price: above 1000000000"),
    (event(price=1e6, quantity=5000), "price: × quantity above 1000000000"),
    (without("quantity"), "quantity: missing or not a whole number"),
    (event(quantity=1.5), "quantity: missing or not a whole number"),
    (event(quantity="2"), "quantity: missing or not a whole number"),
    (event(quantity=0), "quantity: not positive"),
    (event(quantity=-3), "quantity: not positive"),
    (without("event_time"), "event_time: missing or not ISO 8601"),
    (event(event_time="yesterday"), "event_time: missing or not ISO 8601"),
    (event(event_time=1700000000), "event_time: missing or not ISO 8601"),
    (event(event_time="2026-02-30T00:00:00Z"), "event_time: missing or not ISO 8601"),
    (event(event_time="1969-12-31T23:59:59Z"), "event_time: before 1970"),
    (event(event_time="9999-12-31T23:59:59-12:00"), "event_time: after 9999"),
    (b"[" * 2000, "value: not a JSON object"),
    (event().replace(b"12.34", b"1" * 2000), "value: not a JSON object"),
    (event().replace(b"12.34", b"1e400"), "price: above 1000000000"),
    (event().replace(b'"price"', b'"price": 1, "price"'), "value: not a JSON object"),
    (event(event_type="purchase", category=["c"]), "category: not a text"),
    (event(currency="x" * 257), "currency: longer than 256 characters"),
    (event(quantity=2**63), "quantity: above 1000000000"),
    (event(quantity=True), "quantity: missing or not a whole number"),
    (event(price=None), "price: missing or not a number"),
]


def test_each_bad_record_has_its_reason(spark: SparkSession) -> None:
    rows = judge(spark, [(b"u", value) for value, _ in BAD] + [(None, event())])
    assert [row["reason"] for row in rows] == [reason for _, reason in BAD] + ["key: missing"]


def test_good_records_keep_their_values(spark: SparkSession) -> None:
    spaced = b"\n " + event() + b" \r\n"
    values = [event(), without("category"), without("currency"), event(price=0), event(quantity=2.0), spaced]
    rows = judge(spark, [(b"u", value) for value in values])
    assert [row["reason"] for row in rows] == [None] * len(values)
    assert [row["category"] for row in rows] == ["c", "unknown", "c", "c", "c", "c"]
    assert rows[2]["currency"] == "XXX"
    assert rows[0]["minute_us"] == 1_795_491_720_000_000
    assert [row["quantity"] for row in rows] == [2] * len(values)


def test_money_is_exact(spark: SparkSession) -> None:
    prices = ["0.1", "0.000001", "19.99", "123456.789012", "1000000000"]
    texts = [event().replace(b"12.34", price.encode()).replace(b'"quantity": 2', b'"quantity": 1') for price in prices]
    rows = judge(spark, [(b"u", text) for text in texts])
    assert [row["price_micros"] for row in rows] == [int(Decimal(price) * 1_000_000) for price in prices]


def test_a_time_with_an_offset_is_brought_to_utc(spark: SparkSession) -> None:
    (row,) = judge(spark, [(b"u", event(event_time="2026-11-24T05:42:39+02:00"))])
    assert row["minute_us"] == 1_795_491_720_000_000
