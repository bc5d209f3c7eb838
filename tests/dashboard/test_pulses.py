"""Pulses: from the change stream to those who show or count the events in them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from dashboard.board import Board, Choice
from dashboard.configuration import Configuration
from dashboard.database import Database, DatabaseError
from dashboard.pulses import PulseWatch
from measure.store import Pulse, pulse_of
from scenarios.visible import VisibleWatcher
from stack.places import Home
from tests.dashboard import seeding
from tests.dashboard.database_fixture import RealMongod
from tests.dashboard.serving import wait_until
from tests.measure.slices_of import latencies

RUN = "peak-20261124T100000Z-0a1b"


def change(**fields: Any) -> dict[str, Any]:
    return {"documentKey": {"_id": f"{RUN}|topic|1800000000|purchase|0"}, "pulse": [5, 7], **fields}


def test_a_change_says_whose_events_of_which_minute_were_applied() -> None:
    assert pulse_of(change()) == Pulse(RUN, 1_800_000_000, (5, 7))


@pytest.mark.parametrize("fields", [{"documentKey": {"_id": "x"}}, {"documentKey": {}}, {"pulse": 3}, {"pulse": ["a"]}])
def test_a_change_that_does_not_look_like_one_is_none(fields: dict[str, Any]) -> None:
    assert pulse_of(change(**fields)) is None


def test_a_reader_sees_the_events_of_a_window_that_was_just_made(server: RealMongod, store: Any) -> None:
    watcher = VisibleWatcher(server.access, [RUN])
    watcher.start()
    minute, number = int(time.time()) // 60 * 60, 0
    seen: set[tuple[str, int]] = set()

    def made() -> bool:
        nonlocal number
        number += 1
        window = seeding.window(RUN, minute, "purchase", 1, partition=number, pulse=[int(time.time() * 1e6) - 5_000])
        store.windows.insert_one(window)
        seen.update(watcher.take())
        return bool(seen)

    try:
        wait_until(made, 30)
    finally:
        watcher.close()
    assert {run for run, _ in seen} == {RUN}


class Fed(PulseWatch):
    """A watch that is told what the stream brings."""

    def attend(self) -> None:
        pass

    def feed(self, minute_s: int, *due_us: int) -> None:
        self._keep(change(documentKey={"_id": f"{RUN}|topic|{minute_s}|purchase|0"}, pulse=due_us))


def test_a_read_contains_what_came_before_it_and_only_once(store: Any) -> None:
    now = 100.0
    watch = Fed(store.windows, lambda: now)
    watch.feed(60, 1)
    now = 101.0
    watch.feed(60, 2)
    assert watch.take(100.5, lambda pulse: pulse.minute_s == 0) == []
    assert watch.take(100.5, lambda _: True) == [Pulse(RUN, 60, (1,))]
    assert watch.take(101.0, lambda _: True) == [Pulse(RUN, 60, (2,))]
    assert watch.take(101.0, lambda _: True) == []


def test_a_pulse_that_nobody_shows_is_not_kept_for_ever(store: Any) -> None:
    now = 100.0
    watch = Fed(store.windows, lambda: now)
    watch.feed(60, 1)
    now = 300.0
    assert watch.take(99.0, lambda _: True) == []
    assert watch.take(300.0, lambda _: True) == []


@pytest.fixture
def fed_board(server: RealMongod, store: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Board, Fed]]:
    watch = Fed(store.windows, time.time)
    monkeypatch.setattr("dashboard.board.PulseWatch", lambda *_: watch)
    monkeypatch.setattr("dashboard.answers._RETRY_S", 0.0)
    made = Board(server.access, Configuration(cache_s=0, deadline_s=2), Home(server.home), time.time)
    yield made, watch
    made.close()


def refuse(*_: Any, **__: Any) -> None:
    raise DatabaseError("The database is slow.")


def test_what_a_failed_read_would_have_shown_is_shown_late_and_not_left_out(
    fed_board: tuple[Board, Fed], store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    board, watch = fed_board
    choice = Choice(length_s=3600)
    now = int(time.time())
    watch.feed(now // 60 * 60, now * 1_000_000)
    with monkeypatch.context() as broken:
        broken.setattr(Database, "find", refuse)
        assert board.business(choice).error
    shown = board.business(choice).value
    assert shown is not None
    board.drawn(shown)
    found = wait_until(lambda: latencies(store, RUN).get("shown"), 30)
    assert found.n == 1
