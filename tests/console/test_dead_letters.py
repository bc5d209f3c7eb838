"""Events that became dead letters had not to be stored: nothing waits for them, and no limit is broken by them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pyroaring import BitMap

from console.feed.compute import run_view
from console.feed.record import RunRecord
from console.feed.replay import Replay
from console.feed.views import RunView, Window
from measure.document import build
from measure.folder import RunFolder
from tests.console import frozen
from tests.console.frozen import START_S
from tests.console.test_compute import US, facts
from tests.measure.synthetic import Shape, make_run

DEAD = 300


@pytest.fixture
def lettered(own_place: Path) -> RunFolder:
    """A run whose last events, some of its last second's, are dead letters."""
    folder = make_run(own_place / "home" / "runs", "peak-1", Shape(lost=DEAD))
    sets = folder.sequences()
    assert sets is not None
    stored = len(sets.of(0).stored)
    sets.of(0).dead = BitMap(range(stored, stored + DEAD))
    folder.write_sequences(sets)
    return folder


def verdicts(view: RunView) -> dict[str, str]:
    return {row.name.lower(): row.verdict for row in view.sla}


def test_a_replay_does_not_miss_them(lettered: RunFolder) -> None:
    replay, document = Replay(lettered), build(lettered)
    view = replay.at(replay.length_s, Window.RUN).run.value
    assert view is not None
    assert (view.e2e.n, view.e2e.missing) == (document.latency_ms["e2e"].n, 0)
    assert verdicts(view)["availability"] == "pass"
    assert {row.name.lower(): row.verdict for row in document.sla}["availability"] == "pass"


def test_the_rows_of_a_run_under_way_do_not_miss_them() -> None:
    record = RunRecord(facts(60, 2000.0))
    for second in range(30):
        record.put({START_S + second: {"e2e": frozen.tally(np.array([20_000.0]), 1900)}})
    record.dead = {START_S + second: 100 for second in range(30)}
    found = verdicts(run_view(record, (START_S + 40) * US, Window.RUN))
    assert (found["availability"], found["throughput"]) == ("fail", "fail"), "the last five seconds did not arrive"
    found = verdicts(run_view(record, round((START_S + 30.1) * US), Window.RUN))
    assert (found["availability"], found["throughput"]) == ("pass", "pass")
