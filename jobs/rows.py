"""A micro-batch's rows, from `validation.judged` to arrivals, by Arrow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.clean import CleanRecord
from jobs.records import Arrival
from measure.stamp import Stamp

_STAMP = ("run", "producer", "seq", "due", "sent", "expect")
_EVENT = ("event_type", "session_id", "product_id", "category", "quantity", "price_micros", "minute_us")


def narrowed(judged: DataFrame) -> DataFrame:
    """Only the columns that `arrivals` reads; the bytes of a record only where it is a dead letter."""
    bad = F.col("reason").isNotNull()
    return judged.select(
        "partition",
        "offset",
        F.unix_millis("timestamp").alias("source_time_ms"),
        "reason",
        *_EVENT,
        *(_header(name).alias(f"header_{name}") for name in _STAMP),
        *(F.when(bad, F.col(name)).alias(f"dead_{name}") for name in ("key", "value", "headers")),
    )


def _header(name: str) -> Column:
    """The last value of this header."""
    return F.try_element_at(F.filter("headers", lambda header: header.key == name), F.lit(-1))["value"]


def in_order(rows: pa.Table) -> pa.Table:
    """By source partition and offset."""
    return rows.sort_by([("partition", "ascending"), ("offset", "ascending")])


def arrivals(rows: pa.Table, topic_id: str, read_us: int, ready_us: int) -> Iterator[Arrival]:
    """The arrivals of a batch that was begun and computed at these µs of the epoch."""
    for row in _tuples(rows, ("partition", "offset", "source_time_ms", "reason", *_EVENT, *_stamp_columns())):
        partition, offset, time_ms, reason, *rest = row
        event, headers = rest[: len(_EVENT)], rest[len(_EVENT) :]
        stamp = Stamp.read(zip(_STAMP, headers, strict=True))
        if reason is None:
            record = CleanRecord(topic_id, partition, offset, time_ms, None, *event)
        else:
            record = CleanRecord(topic_id, partition, offset, time_ms, reason)
        yield Arrival(record, stamp, ready_us, read_us)


def dead_rows(rows: pa.Table) -> list[dict[str, Any]]:
    """The rows of dead letters: partition, offset, source_time_ms, reason, dead_key, dead_value, dead_headers."""
    wanted = ["partition", "offset", "source_time_ms", "reason", "dead_key", "dead_value", "dead_headers"]
    found: list[dict[str, Any]] = rows.filter(rows["reason"].is_valid()).select(wanted).to_pylist()
    return found


def _stamp_columns() -> tuple[str, ...]:
    return tuple(f"header_{name}" for name in _STAMP)


def _tuples(rows: pa.Table, columns: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    lists = [rows[name].to_pylist() for name in columns]
    return zip(*lists, strict=True)
