"""What an event must be, as Spark columns: the fields that are used further on, and the first thing that is wrong.

The types are those of the JSON text itself: a number in quotes is no number. Prices are exact; none is rounded.
"""

from __future__ import annotations

from collections.abc import Iterator

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

EVENT_TYPES = ("page_view", "add_to_cart", "purchase")
CANCELLATION = "cancellation"
LONGEST_TEXT = 256
"""Characters in any of the text fields."""
LARGEST_REVENUE = 1_000_000_000
"""Of price × quantity, so that a minute's sum in 10⁻⁶ units stays within 64 bits."""

_REQUIRED = ("event_id", "event_type", "user_id", "session_id", "product_id")
_OPTIONAL = {"category": "unknown", "currency": "XXX"}
_BLANK = " \t\r\n"
"""What JSON allows before a value and behind it."""
_MINUTE_US = 60_000_000
_MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})?$"


def judged(records: DataFrame) -> DataFrame:
    """Adds to Kafka's columns: the event's fields, `price_micros`, `minute_us`, and `reason`, null for a good event.

    The steps are selections of their own, so that each is computed once for a record.
    """
    text = records.withColumn(
        "text", F.when(F.is_valid_utf8(F.col("value").cast("string")), F.col("value").cast("string"))
    )
    # In brackets the parser sees whether anything follows the object; by itself it stops behind the first value.
    parsed = text.withColumn("json", F.try_parse_json(F.concat(F.lit("["), "text", F.lit("]"))))
    fields = parsed.select(
        "*",
        *(_type_of(name).alias(f"{name}_type") for name in (*_REQUIRED, *_OPTIONAL, "price", "quantity", "event_time")),
        *(_field(name, "string").alias(name) for name in (*_REQUIRED, *_OPTIONAL, "event_time")),
        _field("price", "decimal(38,18)").alias("price"),
        _field("quantity", "bigint").alias("quantity"),
    )
    values = fields.withColumns(
        {
            "moment": F.when(F.col("event_time").rlike(_MOMENT), F.col("event_time").try_cast("timestamp")),
            "micros": F.col("price").try_cast("decimal(28,6)"),
            **{name: F.coalesce(name, F.lit(default)) for name, default in _OPTIONAL.items()},
        }
    )
    return values.withColumns(
        {
            "reason": F.coalesce(*_complaints()),
            "price_micros": (F.col("micros") * 1_000_000).try_cast("bigint"),
            "minute_us": F.unix_micros("moment") - F.pmod(F.unix_micros("moment"), F.lit(_MINUTE_US)),
        }
    )


def _path(name: str) -> str:
    return f"$[0].{name}"


def _field(name: str, kind: str) -> Column:
    return F.try_variant_get("json", _path(name), kind)


def _type_of(name: str) -> Column:
    return F.schema_of_variant(F.try_variant_get("json", _path(name), "variant"))


def _when(wrong: Column, complaint: str) -> Column:
    return F.when(wrong, F.lit(complaint))


def _complaints() -> Iterator[Column]:
    """Each is its complaint or null; the first that is not null is the reason."""
    opened = F.ltrim("text", F.lit(_BLANK)).startswith("{")
    closed = F.rtrim("text", F.lit(_BLANK)).endswith("}") & F.try_variant_get("json", "$[1]", "variant").isNull()
    yield _when(F.col("value").isNull(), "value: null")
    yield _when(F.col("text").isNull(), "value: not UTF-8")
    yield _when(F.col("json").isNull() | ~(opened & closed), "value: not a JSON object")
    yield _when(F.col("key").isNull(), "key: missing")
    for name in _REQUIRED:
        yield from _text_complaints(name, required=True)
    yield from _event_type_complaints()
    for name in _OPTIONAL:
        yield from _text_complaints(name, required=False)
    yield from _price_complaints()
    yield from _quantity_complaints()
    yield _when(
        F.col("moment").isNull() | (F.col("event_time_type") != "STRING"), "event_time: missing or not ISO 8601"
    )
    yield _when(F.year("moment") < 1970, "event_time: before 1970")
    yield _when(F.year("moment") > 9999, "event_time: after 9999")  # an offset moves it there; no date can be so late
    yield _when(F.col("price") * F.col("quantity") > LARGEST_REVENUE, f"price: × quantity above {LARGEST_REVENUE}")


def _text_complaints(name: str, required: bool) -> Iterator[Column]:
    kind = F.col(f"{name}_type")
    if required:
        yield _when(kind.isNull() | (kind != "STRING") | (F.col(name) == ""), f"{name}: missing or not a text")
    else:
        yield _when(~kind.isin("STRING", "VOID"), f"{name}: not a text")
    yield _when(F.char_length(name) > LONGEST_TEXT, f"{name}: longer than {LONGEST_TEXT} characters")


def _event_type_complaints() -> Iterator[Column]:
    yield _when(F.col("event_type") == CANCELLATION, f"event_type: {CANCELLATION}")
    yield F.when(
        ~F.col("event_type").isin(*EVENT_TYPES),
        F.concat(F.lit("event_type: '"), F.col("event_type"), F.lit("' is not known")),
    )


def _price_complaints() -> Iterator[Column]:
    kind = F.col("price_type")
    number = kind.startswith("DECIMAL") | kind.isin("BIGINT", "DOUBLE")
    yield _when(~F.coalesce(number, F.lit(False)), "price: missing or not a number")
    yield _when(F.col("price").isNull() | (F.col("price") > LARGEST_REVENUE), f"price: above {LARGEST_REVENUE}")
    yield _when(F.col("price") < 0, "price: negative")
    yield _when(F.col("price") != F.col("micros"), "price: more than 6 decimals")


def _quantity_complaints() -> Iterator[Column]:
    kind = F.col("quantity_type")
    whole = (kind == "BIGINT") | kind.rlike(r"^DECIMAL\([0-9]+,0\)$")
    yield _when(~F.coalesce(whole, F.lit(False)), "quantity: missing or not a whole number")
    yield _when(F.col("quantity") <= 0, "quantity: not positive")
    yield _when(
        F.col("quantity").isNull() | (F.col("quantity") > LARGEST_REVENUE), f"quantity: above {LARGEST_REVENUE}"
    )
