"""Stages `query` and `shown`, as the dashboard's own user writes them into a real MongoDB."""

from __future__ import annotations

import time

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from dashboard.board import Board, Choice
from stack.access import Role
from tests.dashboard import seeding
from tests.dashboard.serving import wait_until
from tests.measure.slices_of import latencies

RUN = "peak-20261124T100000Z-0a1b"


def test_an_event_is_shown_once_the_page_with_it_is_drawn(board: Board, store) -> None:
    def drawn() -> bool:
        now = time.time()
        minute = int(now) // 60 * 60
        due_us = int(now * 1e6) - 5_000
        store.windows.update_one(
            {"_id": seeding.window(RUN, minute, "purchase", 0)["_id"]},
            {
                "$inc": {"n": 1, "orders": 1, "revenue_micros": 5},
                "$set": {
                    "run": RUN,
                    "event_type": "purchase",
                    "minute": seeding.moment(minute),
                    "updated": seeding.moment(now),
                    "pulse": [due_us],
                },
            },
            upsert=True,
        )
        shown = board.business(Choice(length_s=3600)).value
        assert shown is not None
        board.drawn(shown)
        return "shown" in latencies(store, RUN)

    began = time.monotonic()
    wait_until(drawn, 30)
    shown = latencies(store, RUN)["shown"]
    assert shown.n >= 1
    assert shown.negatives == 0
    assert 5_000 <= shown.max_us <= (time.monotonic() - began) * 1e6 + 5_000


def test_what_was_made_but_never_drawn_is_not_shown(board: Board, store) -> None:
    store.windows.insert_one(seeding.window(RUN, int(time.time()) // 60 * 60, "purchase", 1, pulse=[1]))
    board.business(Choice(length_s=3600))
    wait_until(lambda: list(store.slices.find({"partition": -2})), 30)
    stages = {stage for one in store.slices.find({"partition": -2}) for stage in one["stages"]}
    assert stages == {"query"}


def test_the_dashboards_user_may_only_insert_slices(server, store) -> None:
    with MongoClient(server.access.mongo_uri(Role.DASHBOARD)) as client:
        own = client[server.access.names.database]
        own.slices.insert_one({"_id": "x", "run": "-", "second": 0})
        for refused in (
            lambda: own.slices.delete_one({"_id": "x"}),
            lambda: own.slices.update_one({"_id": "x"}, {"$set": {"run": "y"}}),
            lambda: own.windows.insert_one({"_id": "x"}),
            lambda: own.runs.insert_one({"_id": "x"}),
        ):
            with pytest.raises(OperationFailure):
                refused()
