"""The beat: what arrives late is in the folder and in `/metrics` all the same."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from measure.histogram import Histogram
from measure.metrics import MetricsSnapshot
from scenarios.beat import KEPT_S, Beat
from scenarios.exposition import Exposition
from scenarios.observer import Observation
from scenarios.slices import Stages
from scenarios.spools import Tally

RUN, WARMUP = "r-1", "r-1.w"
T0_S = 1_800_000_000


def stages(n: int) -> Stages:
    held = Histogram()
    held.record(20_000, n)
    return {"e2e": held}


class Rig:
    """A beat whose surroundings say nothing but what slices there are."""

    def __init__(self) -> None:
        self.written: list[tuple[str, int, int]] = []
        self.published: list[MetricsSnapshot] = []
        self.observer = SimpleNamespace(latest=Observation())
        recorder = SimpleNamespace(
            sample=lambda _: None, see=lambda _: None, others=lambda *_: None, slices=self._slices
        )
        nothing = SimpleNamespace(take=dict, sample=dict, read=Tally)
        usage = SimpleNamespace(sample=lambda: None)
        parts: tuple[Any, ...] = (recorder, self.observer, nothing, nothing, usage, {RUN: nothing})
        self.beat = Beat(RUN, WARMUP, *parts)
        self._exposition = Exposition(cast("Any", SimpleNamespace(publish=self.published.append)), "s", "p")

    def _slices(self, run: str, seconds: dict[int, Stages]) -> None:
        self.written += [(run, second, held["e2e"].n) for second, held in seconds.items()]

    def second(self, second: int, due: dict[int, int]) -> int:
        """The second passes, with so many events of each due-second stored; how many `/metrics` then has."""
        oldest = second + 1 - KEPT_S
        seen = {at: stages(n) for at, n in due.items() if at >= oldest}
        self.observer.latest = Observation(slices={RUN: seen})
        self.beat.second(second, "load", 100.0)
        self._exposition.show(self.beat, "load", 0, {})
        held = self.published[-1].histograms
        return held["e2e"].n if held else 0


def test_what_is_stored_long_after_it_was_due_is_exposed_and_written_again() -> None:
    rig = Rig()
    due = dict.fromkeys(range(T0_S, T0_S + 200), 10)
    due[T0_S + 3] = 4
    for second in range(T0_S, T0_S + 300):
        if second == T0_S + 60:
            due[T0_S + 3] = 10  # the sink was away for a while
        arrived = {at: n for at, n in due.items() if at <= second}
        assert rig.second(second, arrived) == sum(arrived.values())
    assert [n for run, at, n in rig.written if (run, at) == (RUN, T0_S + 3)] == [4, 10]
    assert len(rig.written) == len(due) + 1


def test_a_second_that_nothing_is_added_to_is_written_once() -> None:
    rig = Rig()
    for second in range(T0_S, T0_S + 20):
        rig.second(second, {T0_S: 10})
    assert rig.written == [(RUN, T0_S, 10)]
