"""The list of runs, from their folders alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from measure.errors import UsageError
from measure.figures import Status, Verdict
from measure.history import Filter, delete, history
from measure.report.source import settle
from tests.measure.synthetic import Shape, make_run


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for number, (scenario, status) in enumerate(
        [("peak", Status.FINISHED), ("burst", Status.FINISHED), ("peak", Status.RUNNING)], 1
    ):
        shape = Shape(rates=((100.0, 2.0),), scenario=scenario, status=status, created_us=number, per_slice=20)
        folder = make_run(tmp_path, f"r-{number}", shape)
        if status is Status.FINISHED:
            settle(folder)
    return tmp_path


def test_the_newest_comes_first_and_an_interrupted_run_is_there(runs: Path) -> None:
    listed = history(runs).runs
    assert [each.id for each in listed] == ["r-3", "r-2", "r-1"]
    assert (listed[0].status, listed[0].verdict, listed[0].latency_ms) == (Status.INTERRUPTED, None, {})
    assert listed[2].verdict is not None
    assert listed[2].latency_ms["e2e"].n == 200


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Filter(scenario="peak"), ["r-3", "r-1"]),
        (Filter(scenario="peak", status="finished"), ["r-1"]),
        (Filter(verdict=Verdict.INVALID), []),
        (Filter(profile="microbatch"), []),
        (Filter(stack="default"), ["r-3", "r-2", "r-1"]),
    ],
)
def test_a_filter_leaves_what_is_wanted(runs: Path, wanted: Filter, ids: list[str]) -> None:
    assert [each.id for each in history(runs, wanted).runs] == ids


def test_a_damaged_run_is_left_out_and_said(runs: Path) -> None:
    (runs / "r-2" / "plan.json").write_text("{")
    said: list[str] = []
    assert [each.id for each in history(runs, None, said.append).runs] == ["r-3", "r-1"]
    assert "plan.json" in said[0]


def test_no_runs_are_an_empty_list(tmp_path: Path) -> None:
    assert history(tmp_path / "none").runs == []


def test_deleting_is_all_or_nothing_and_refuses_a_kept_run(runs: Path) -> None:
    from measure.folder import RunFolder

    folders = RunFolder.all(runs)
    folders[1].keep()
    with pytest.raises(UsageError, match="r-2 is kept"):
        delete(folders)
    assert len(RunFolder.all(runs)) == 3
    folders[1].keep(False)
    delete(folders)
    assert RunFolder.all(runs) == []
