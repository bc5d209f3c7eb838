"""Replays of files: stored + dead are the file's rows, and the money is the file's to the last digit."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pymongo import MongoClient

from measure.document import from_json
from measure.figures import RunDocument
from measure.store import DEAD, WINDOWS, Document
from stack.access import Access, Role
from stack.settings import Settings
from tests.scenarios.driving import latency
from tests.stack.waiting import wait_for

DATA = Path(__file__).parent / "data"
DIRTY = ["C1001", "A1004", "A1007", "A1008", "A1009", "A1010", "A1011", "A1013", "A1015", ""]
"""Orders of its bad rows."""
REAL = os.environ.get("LATENCY_DATA", "")
UCI = "uci_online_retail_2011-09_12.csv.gz"
OTTO = "otto_recsys_sample.csv.gz"

pytestmark = pytest.mark.stack
needs_real_data = [
    pytest.mark.real_data,
    pytest.mark.skipif(not (Path(REAL) / UCI).is_file(), reason="LATENCY_DATA names no folder with the real data"),
]

Revenue = dict[str, Decimal]
"""Minute of event time → sum of price × quantity."""


def replay(name: str, lenient: str, *arguments: str) -> RunDocument:
    ended = latency("run", name, "--sla", lenient, "--json", *arguments)
    assert ended.stdout, ended.stderr
    document = from_json(ended.stdout)
    assert ended.returncode == 0, document.reasons
    assert document.audit.closed
    assert document.audit.dead_unexpected == document.audit.duplicates == document.audit.lost == 0
    return document


def stored_revenue(access: Access, run: str) -> Revenue:
    with MongoClient[Document](access.mongo_uri(Role.RUN), tz_aware=True) as client:
        revenue: Revenue = {}
        for window in client[access.names.database][WINDOWS].find({"run": run}):
            minute = window["minute"].strftime("%Y-%m-%dT%H:%MZ")
            revenue[minute] = revenue.get(minute, Decimal(0)) + Decimal(window["revenue_micros"]) / 1_000_000
        return revenue


def pandas_revenue(rows: pd.DataFrame, price: str, quantity: str, time: str) -> Revenue:
    """From cells that are still text: nothing is ever a float."""
    lines = [Decimal(p) * int(q) for p, q in zip(rows[price], rows[quantity], strict=True)]
    minutes = pd.to_datetime(rows[time], utc=True, format="ISO8601").dt.strftime("%Y-%m-%dT%H:%MZ")
    found: dict[Any, Decimal] = pd.Series(lines, index=rows.index, dtype=object).groupby(minutes).sum().to_dict()
    return {str(minute): Decimal(total) for minute, total in found.items()}


def dead_reasons(access: Access, run: str, n: int) -> dict[str, int]:
    """Reason → letters, once all `n` are copied into the collection."""
    with MongoClient[Document](access.mongo_uri(Role.RUN)) as client:
        letters = client[access.names.database][DEAD]
        wait_for(lambda: letters.count_documents({"run": run}) == n, f"{n} dead letters of {run}", 60)
        grouped = [{"$match": {"run": run}}, {"$group": {"_id": "$reason", "n": {"$sum": 1}}}]
        return {each["_id"]: each["n"] for each in letters.aggregate(grouped)}


def test_a_small_dirty_file(stack_settings: Settings, stack_access: Access, lenient: str) -> None:
    document = replay(str(DATA / "dirty.toml"), lenient)
    rows = pd.read_csv(DATA / "dirty.csv", dtype=str, keep_default_na=False)
    assert (document.audit.scheduled, document.audit.stored, document.audit.dead) == (len(rows), 8, 10)
    good = rows[~rows["Order"].isin(DIRTY)]
    assert stored_revenue(stack_access, document.run) == pandas_revenue(good, "Price", "Pieces", "When")
    assert dead_reasons(stack_access, document.run, 10) == {
        "event_type: cancellation": 1,
        "quantity: not positive": 1,
        "price: missing or not a number": 1,
        "product_id: missing or not a text": 1,
        "quantity: missing or not a whole number": 1,
        "price: negative": 1,
        "event_time: missing or not ISO 8601": 1,
        "event_type: 'gift' is not known": 1,
        "price: more than 6 decimals": 1,
        "session_id: missing or not a text": 1,
    }
    assert document.latency_ms["e2e"].n == 8


class TestRealData:
    pytestmark = needs_real_data

    def test_order_lines_of_a_real_shop(self, stack_settings: Settings, stack_access: Access, lenient: str) -> None:
        document = replay("uci", lenient)
        rows = pd.read_csv(Path(REAL) / UCI, dtype=str, keep_default_na=False)
        assert document.audit.scheduled == len(rows) == 221_204
        cancelled = rows["InvoiceNo"].str.startswith("C")
        good = rows[~cancelled & (rows["Quantity"].astype(int) > 0) & ~rows["UnitPrice"].str.startswith("-")]
        assert document.audit.stored == len(good)
        assert document.audit.dead == len(rows) - len(good)
        assert stored_revenue(stack_access, document.run) == pandas_revenue(
            good, "UnitPrice", "Quantity", "InvoiceDate"
        )
        reasons = dead_reasons(stack_access, document.run, len(rows) - len(good))
        assert reasons["event_type: cancellation"] == int(cancelled.sum())
        assert sum(reasons.values()) == document.audit.dead

    def test_sessions_by_their_own_timing(self, stack_settings: Settings, stack_access: Access, lenient: str) -> None:
        document = replay("otto", lenient)
        rows = pd.read_csv(Path(REAL) / OTTO)
        assert document.audit.stored == document.audit.scheduled == len(rows) == 862
        span_s = (rows["ts"].max() - rows["ts"].min()) / 1000 / 60_000
        assert span_s <= document.duration_s <= span_s + 2
        with MongoClient[Document](stack_access.mongo_uri(Role.RUN)) as client:
            windows = client[stack_access.names.database][WINDOWS]
            grouped = [{"$match": {"run": document.run}}, {"$group": {"_id": "$event_type", "n": {"$sum": "$n"}}}]
            assert {each["_id"]: each["n"] for each in windows.aggregate(grouped)} == {
                "page_view": 800,
                "add_to_cart": 52,
                "purchase": 10,
            }
