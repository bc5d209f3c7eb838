"""Documents as the sink and the run process write them, for tests and for the benchmark."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from bson import Binary
from datasketches import hll_sketch, tgt_hll_type

from measure import store
from measure.histogram import Histogram

Document = dict[str, Any]

TOPIC = "topicAAAAAAAAAAAAAAAAA"
TYPES = (("page_view", 0.7), ("add_to_cart", 0.2), ("purchase", 0.1))
STAGES = {"produce": 6_000, "process": 9_000, "store": 6_000, "e2e": 22_000, "e2e_sent": 21_000}


def moment(second: float) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def sketch(sessions: range | list[str]) -> Binary:
    held = hll_sketch(12, tgt_hll_type.HLL_8)
    for session in sessions:
        held.update(str(session))
    return Binary(held.serialize_compact())


def window(
    run: str,
    minute_s: int,
    event_type: str,
    n: int,
    *,
    partition: int = 0,
    revenue_micros: int = 0,
    sessions: range | list[str] = (),  # type: ignore[assignment]
    products: list[Document] | None = None,
    categories: list[Document] | None = None,
    updated_s: float | None = None,
    pulse: list[int] | None = None,
) -> Document:
    """One document of `windows`."""
    bought = event_type == "purchase"
    whole = [{"id": "mug", "n": n, "revenue_micros": revenue_micros}] if n else []
    return {
        "_id": store.window_id(run, TOPIC, minute_s, event_type, partition),
        "run": run,
        "topic_id": TOPIC,
        "minute": moment(minute_s),
        "event_type": event_type,
        "partition": partition,
        "fence": n,
        "n": n,
        "quantity": n,
        "revenue_micros": revenue_micros,
        "orders": n if bought else 0,
        "sessions": sketch(sessions),
        "categories": whole if categories is None else categories,
        "products": whole if products is None else products,
        "other_n": 0,
        "pulse": pulse or [],
        "updated": moment(minute_s + 60 if updated_s is None else updated_s),
    }


def shop_minutes(
    run: str, first_s: int, minutes: int, per_minute: int = 600, products: int = 40, partitions: int = 3, seed: int = 7
) -> Iterator[Document]:
    """Windows of an ordinary shop: the report's mix, Zipf products, sessions that overlap from minute to minute."""
    random_ = random.Random(seed)  # noqa: S311 - test data
    weights = [1 / (rank + 1) for rank in range(products)]
    whole = sum(weights)
    names = [f"Product {number:04d}" for number in range(products)]
    kinds = ("Kitchen", "Garden", "Toys", "Books", "Lights")
    for minute in range(minutes):
        start = first_s + minute * 60
        wave = 1 + 0.2 * math.sin(minute / 9)
        for event_type, share in TYPES:
            for partition in range(partitions):
                n = max(1, round(per_minute * share * wave / partitions * random_.uniform(0.95, 1.05)))
                entries = []
                by_kind: dict[str, list[int]] = {}
                for number, name in enumerate(names):
                    bought = round(n * weights[number] / whole)
                    if bought:
                        micros = bought * (4_990_000 + 250_000 * number)
                        entries.append({"id": name, "n": bought, "revenue_micros": micros})
                        kind = by_kind.setdefault(kinds[number % len(kinds)], [0, 0])
                        kind[0] += bought
                        kind[1] += micros
                first_session = start // 60 * 40 + partition * 1_000_000
                yield window(
                    run,
                    start,
                    event_type,
                    sum(entry["n"] for entry in entries),
                    partition=partition,
                    revenue_micros=sum(entry["revenue_micros"] for entry in entries),
                    sessions=range(first_session, first_session + max(2, round(120 * share * wave))),
                    products=entries,
                    categories=[{"id": kind, "n": n, "revenue_micros": m} for kind, (n, m) in by_kind.items()],
                )


def slice_seconds(
    run: str, first_s: int, seconds: int, per_second: int = 200, partitions: int = 3, seed: int = 7
) -> Iterator[Document]:
    """Slices as a quiet stack makes them: log-normal times, one document a second and partition."""
    random_ = random.Random(seed)  # noqa: S311 - test data
    for second in range(first_s, first_s + seconds):
        for partition in range(partitions):
            yield slice_of(
                run,
                second,
                partition,
                {
                    stage: [int(random_.lognormvariate(math.log(middle), 0.5)) for _ in range(per_second // partitions)]
                    for stage, middle in STAGES.items()
                },
            )


def slice_of(run: str, second: int, partition: int, values_us: dict[str, list[int]]) -> Document:
    """One document of `slices` with just these values."""
    held: dict[str, Histogram] = {}
    for stage, values in values_us.items():
        histogram = held[stage] = Histogram()
        for value in values:
            histogram.record(value)
    return {
        "_id": store.slice_id(run, second, partition),
        "run": run,
        "second": second,
        "partition": partition,
        "stages": {stage: {str(index): n for index, n in one.counts.items()} for stage, one in held.items()},
        "negatives": {stage: one.negatives for stage, one in held.items() if one.negatives},
        "max_us": {stage: one.max_us for stage, one in held.items()},
        "updated": moment(second + 1),
    }


def run_sample(run: str, second: int, rate: int = 200, **more: Any) -> Document:
    """One document of `samples`, kind `run`."""
    wave = math.sin(second / 7)
    return {
        "_id": store.run_sample_id(run, second),
        "kind": "run",
        "run": run,
        "second": second,
        "target_rate": float(rate),
        "sent": rate,
        "acked": rate,
        "stored": rate,
        "late": 0,
        "unsent": 0,
        "failed": 0,
        "lag": {"events": round(40 + 10 * wave), "ms": 20.0 + 5 * wave},
        "services": {
            name: {
                "cpu": cpu + 0.02 * wave,
                "rss_bytes": megabytes * 1024 * 1024,
                "read_bytes_s": 1000.0,
                "write_bytes_s": 250_000.0 + 1000 * wave,
                "rx_bytes_s": None,
                "tx_bytes_s": None,
            }
            for name, cpu, megabytes in (
                ("kafka", 0.14, 412),
                ("mongod", 0.11, 180),
                ("spark", 0.31, 690),
                ("sink", 0.09, 71),
            )
        },
        "phase": "load",
        "updated": moment(second + 1),
        **more,
    }


def sink_sample(second: int, sink: str = "sink") -> Document:
    """One document of `samples`, kind `sink`."""
    held = Histogram()
    for value in (5_000, 6_000, 7_000, 14_000):
        held.record(value)
    return {
        "_id": store.sink_sample_id(sink, second),
        "kind": "sink",
        "sink": sink,
        "second": second,
        "commit": {str(index): n for index, n in held.counts.items()},
        "commit_max_us": held.max_us,
        "applied": 200,
        "redelivered": 0,
        "loop_busy": 0.2,
        "updated": moment(second + 1),
    }


def dead_letter(
    offset: int, *, run: str = "-", reason: str = "price: negative", at_s: float = 0, **more: Any
) -> Document:
    """One document of `dead`."""
    payload = more.pop("payload", b'{"price": -1}')
    return {
        "_id": store.dead_id(TOPIC, 0, offset),
        "run": run,
        "producer": 0,
        "seq": offset,
        "reason": reason,
        "key": Binary(b"user-1"),
        "payload": Binary(payload),
        "size": len(payload),
        "source_time": moment(at_s),
        "expected": False,
        "updated": moment(at_s),
        **more,
    }


def run_entry(run: str, started_s: float, **more: Any) -> Document:
    """One document of `runs`."""
    return {
        "_id": run,
        "status": "running",
        "scenario": run.split("-")[0],
        "profile": "realtime",
        "started_us": int(started_s * 1_000_000),
        "ends_us": int((started_s + 900) * 1_000_000),
        "phase": "load",
        "progress": 0.4,
        "verdict": None,
        "stack": "default",
        "updated": moment(started_s + 1),
        **more,
    }
