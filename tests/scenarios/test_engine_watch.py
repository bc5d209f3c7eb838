"""An engine that does not answer a few times in a row is lost; one that comes back sooner is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scenarios import engine_watch
from scenarios.engine_watch import EngineWatch
from tests.stack.waiting import wait_for


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_watch, "_EVERY_S", 0.01)


def test_it_is_lost_after_some_looks_and_stays_so() -> None:
    watch = EngineWatch(lambda: "no engine answers")
    wait_for(lambda: watch.lost == "no engine answers", "it is lost", 10)
    watch.close()


def test_one_that_comes_back_in_time_is_not_lost() -> None:
    looks = 0

    def answers() -> Iterator[str | None]:
        nonlocal looks
        while True:
            looks += 1
            yield None if looks % 3 == 0 else "away"

    told = answers()
    watch = EngineWatch(lambda: next(told))
    wait_for(lambda: looks > 30, "thirty looks", 10)
    assert watch.lost is None
    watch.close()
