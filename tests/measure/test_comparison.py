"""Runs beside each other: rows, differences, and what must be said of runs that are unlike."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from measure.comparison import compare, findings
from measure.document import build
from measure.errors import UsageError
from measure.figures import RunDocument
from measure.inference import Finding
from tests.measure.synthetic import Shape, make_run

MEDIANS = {"produce": 5.0, "process": 7.0, "store": 6.0}


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> list[RunDocument]:
    """Five runs of one shape, whose latencies are drawn anew for each."""
    runs = tmp_path_factory.mktemp("runs")
    return [build(make_run(runs, f"a-{seed}", Shape(rates=((500.0, 4.0),), seed=seed))) for seed in range(5)]


@pytest.fixture(scope="module")
def slower(tmp_path_factory: pytest.TempPathFactory) -> list[RunDocument]:
    runs = tmp_path_factory.mktemp("runs")
    medians = MEDIANS | {"process": 14.0}
    shapes = [Shape(rates=((500.0, 4.0),), seed=seed, medians_ms=medians) for seed in range(5)]
    return [build(make_run(runs, f"b-{number}", shape)) for number, shape in enumerate(shapes)]


def test_single_runs_are_set_against_the_first(group: list[RunDocument], slower: list[RunDocument]) -> None:
    comparison = compare([[group[0], slower[0]]])
    (row,) = [row for row in comparison.rows if row.figure == "e2e P95"]
    first, second = group[0].latency_ms["e2e"].p95, slower[0].latency_ms["e2e"].p95
    assert first is not None
    assert second is not None
    assert row.values == [[first, second]]
    assert row.change == [0, pytest.approx(second / first - 1)]
    assert row.difference is None


def test_groups_differ_in_what_differs_and_in_nothing_else(group: list[RunDocument], slower: list[RunDocument]) -> None:
    found = {row.figure: row.difference.finding for row in findings(compare([group, slower])) if row.difference}
    assert found["e2e P95"] is Finding.WORSE
    assert found["process P95"] is Finding.WORSE
    assert "store P95" not in found
    assert "produce P95" not in found


def test_a_run_without_a_figure_keeps_that_figure_from_being_judged(
    group: list[RunDocument], slower: list[RunDocument]
) -> None:
    without = msgspec.structs.replace(slower[0], latency_ms={})
    (row,) = [row for row in compare([group, [without, *slower[1:]]]).rows if row.figure == "e2e P95"]
    assert row.difference is None
    assert row.why == "1 of 10 runs have no such figure; without them the rest would mislead"


def test_runs_that_are_unlike_are_said_to_be(group: list[RunDocument]) -> None:
    other = msgspec.structs.replace(group[1], profile="microbatch", scenario="peak 2")
    notes = compare([[group[0], other]]).notes
    assert "The runs differ in profile: realtime, microbatch." in notes
    assert any("scenario" in note for note in notes)
    assert compare([[group[0], group[1]]]).notes == []


def test_an_invalid_run_is_said_to_be_one(tmp_path: Path, group: list[RunDocument]) -> None:
    empty = build(make_run(tmp_path, "empty", Shape(rates=())))
    assert "empty is invalid: no event of the load was due." in compare([[group[0], empty]]).notes


def test_what_cannot_be_compared_is_refused(group: list[RunDocument]) -> None:
    for groups in ([], [[]], [[group[0]]], [[group[0]], []], [[group[0]], [group[1]], [group[2]]]):
        with pytest.raises(UsageError, match="two or more runs"):
            compare(groups)
    with pytest.raises(UsageError, match="named twice"):
        compare([[group[0]], [group[0]]])
