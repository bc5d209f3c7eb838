"""Exactly once through a whole sink: while its database dies, forgets, or somebody else took its partitions."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from pymongo.errors import ConnectionFailure

from measure.store import POSITIONS, SEQUENCES, SLICES, WINDOWS, Store
from stack import faults, lifecycle
from stack.settings import Settings
from tests.jobs.conftest import RunningSink, beginnings, sink_process
from tests.jobs.feed import Feed, assert_exact, await_stored, stored
from tests.stack.waiting import wait_for

pytestmark = pytest.mark.stack


def test_a_database_killed_under_load_loses_nothing(
    stack_settings: Settings, feed: Feed, own_folder: Path, database: Store
) -> None:
    total, part = 800, 40
    with sink_process(own_folder) as child:
        for sent in range(0, total, part):
            feed.clean(feed.events(part))
            if sent in (5 * part, 13 * part):
                _await_through(database, sent // 2)
                assert faults.inject(stack_settings, "kill", "mongod", 0).acted
        _await_through(database, total)
        wait_for(lambda: lifecycle.status(stack_settings).ready, "a stack that is ready again", 60)
        assert child.poll() is None, "a sink waits for its database"
    assert_exact(database, total)


def _await_through(database: Store, count: int) -> None:
    """Wait, while it may be away, until it holds so many."""

    def held() -> bool:
        try:
            return stored(database) >= count
        except ConnectionFailure:
            return False

    wait_for(held, f"{count} stored", 60)


def test_a_database_that_forgot_acknowledged_work_has_it_done_again(
    feed: Feed, database: Store, sink: RunningSink
) -> None:
    """As after a disk that lied: everything stands as it did a while ago."""
    feed.clean(feed.events(30))
    await_stored(database, 30)
    before = {name: list(database[name].find()) for name in (WINDOWS, SLICES, SEQUENCES, POSITIONS)}
    feed.clean(feed.events(30))
    await_stored(database, 60)
    for name, documents in before.items():
        database[name].delete_many({})
        database[name].insert_many(documents)
    feed.clean(feed.events(30))
    await_stored(database, 90)
    assert_exact(database, 90)


def test_a_sink_that_slept_while_another_took_over_counts_nothing_twice(
    feed: Feed, own_folder: Path, database: Store
) -> None:
    with sink_process(own_folder, "sink") as sleeper:
        feed.clean(feed.events(300))
        await_stored(database, 1)
        before = beginnings(own_folder)
        sleeper.send_signal(signal.SIGSTOP)
        feed.clean(feed.events(300))
        with sink_process(own_folder, "sink-2"):
            await_stored(database, 600, deadline_s=60)
            sleeper.send_signal(signal.SIGCONT)
            for _ in range(10):
                feed.clean(feed.events(30))
            await_stored(database, 900)
            wait_for(lambda: beginnings(own_folder) > before, "the sleeper, which finds itself shut out", 30)
            assert stored(database) == 900
            assert sleeper.poll() is None
    assert_exact(database, 900)
