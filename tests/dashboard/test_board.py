from __future__ import annotations

import time

from dashboard.board import Board, Choice
from tests.dashboard import seeding


def test_the_figures_equal_what_is_in_the_database(board: Board, store) -> None:
    minute = int(time.time()) // 60 * 60
    store.windows.insert_many(list(seeding.shop_minutes("peak-1", minute - 29 * 60, 30)))
    shown = board.business(Choice(length_s=3600)).value
    assert shown is not None
    bought = list(store.windows.find({"event_type": "purchase"}))
    assert shown.revenue_micros == sum(one["revenue_micros"] for one in bought)
    assert shown.orders == sum(one["orders"] for one in bought)
    assert shown.complete == 1.0
