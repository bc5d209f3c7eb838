"""Where each record goes: a good one to the clean topic; a bad one to the dead letters, and its marker to the clean."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.clean import CLEAN_FIELDS
from stack.access import Names


def routed(judged: DataFrame, names: Names, topic_id: str) -> DataFrame:
    """From `validation.judged` to what Spark's Kafka sink takes: key, value, headers, topic, partition.

    One row becomes one or two, in one query, so that the clean topic has a record for each source offset.
    """
    topic = F.lit(topic_id).alias("source_topic_id")
    position = (
        topic,
        F.col("partition").alias("source_partition"),
        F.col("offset").alias("source_offset"),
        F.unix_millis("timestamp").alias("source_time_ms"),
    )
    headers = F.coalesce("headers", F.expr("cast(array() as array<struct<key:string,value:binary>>)"))
    event = F.struct(*CLEAN_FIELDS, "quantity", "price_micros", "minute_us", *position)
    marker = F.struct(F.col("reason").alias("dead"), *position)
    good = _record(names.clean, F.to_json(event).cast("binary"), headers)
    bad = _record(names.dead, F.col("value"), F.concat(headers, _dead_headers(topic_id)))
    marked = _record(names.clean, F.to_json(marker).cast("binary"), headers)
    routes = F.when(F.col("reason").isNull(), F.array(good)).otherwise(F.array(bad, marked))
    return judged.select("key", "partition", F.explode(routes).alias("route")).select("key", "partition", "route.*")


def _record(topic: str, value: Column, headers: Column) -> Column:
    return F.struct(F.lit(topic).alias("topic"), value.alias("value"), headers.alias("headers"))


def _dead_headers(topic_id: str) -> Column:
    texts = {
        "reason": F.col("reason"),
        "source_topic_id": F.lit(topic_id),
        "source_partition": F.col("partition").cast("string"),
        "source_offset": F.col("offset").cast("string"),
        "source_time_ms": F.unix_millis("timestamp").cast("string"),
    }
    return F.array(
        *(F.struct(F.lit(name).alias("key"), text.cast("binary").alias("value")) for name, text in texts.items())
    )
