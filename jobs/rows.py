"""A micro-batch's rows, from `validation.judged` to arrivals, by Arrow."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.clean import CleanRecord
from jobs.records import Arrival
from measure.stamp import Stamp

_EVENT = ("event_type", "session_id", "product_id", "category", "quantity", "price_micros", "minute_us")


def narrowed(judged: DataFrame) -> DataFrame:
    """Only the columns that `arrivals` reads; the bytes of a record only where it is a dead letter. Headers go as they
    are: to look for six of them in each record took a fifth of Spark's work on the rows."""
    bad = F.col("reason").isNotNull()
    return judged.select(
        "partition",
        "offset",
        F.unix_millis("timestamp").alias("source_time_ms"),
        "reason",
        *_EVENT,
        "headers",
        *(F.when(bad, F.col(name)).alias(f"dead_{name}") for name in ("key", "value")),
    )


def in_order(rows: pa.Table) -> pa.Table:
    """By source partition and offset."""
    return rows.sort_by([("partition", "ascending"), ("offset", "ascending")])


def arrivals(rows: pa.Table, topic_id: str, read_us: int, ready_us: int) -> Iterator[Arrival]:
    """The arrivals of a batch that was begun and computed at these µs of the epoch."""
    columns = (rows[name].to_pylist() for name in ("partition", "offset", "source_time_ms", "reason", *_EVENT))
    for headers, (partition, offset, time_ms, reason, *event) in zip(
        _headers(rows), zip(*columns, strict=True), strict=True
    ):
        if reason is None:
            record = CleanRecord(topic_id, partition, offset, time_ms, None, *event)
        else:
            record = CleanRecord(topic_id, partition, offset, time_ms, reason)
        yield Arrival(record, Stamp.read(headers), ready_us, read_us)


def dead_rows(rows: pa.Table) -> list[dict[str, Any]]:
    """The rows of dead letters: partition, offset, source_time_ms, reason, headers, dead_key, dead_value."""
    wanted = ["partition", "offset", "source_time_ms", "reason", "headers", "dead_key", "dead_value"]
    found: list[dict[str, Any]] = rows.filter(rows["reason"].is_valid()).select(wanted).to_pylist()
    return found


def _headers(rows: pa.Table) -> Iterator[Iterator[tuple[str, bytes]]]:
    """Of each row, to be read before the next one's."""
    for chunk in rows["headers"].chunks:
        flat = chunk.flatten()
        pairs = zip(flat.field("key").to_pylist(), flat.field("value").to_pylist(), strict=True)
        for length in chunk.value_lengths().fill_null(0).to_pylist():
            yield islice(pairs, length)
