"""The run document: what is written is what the schema says, and what is read back is what was written."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from measure.birth import birth
from measure.document import build, from_json, json_schema, schema_of_structs, to_json
from measure.figures import RowVerdict, Status, Verdict
from measure.folder import RunFolder
from measure.records import MarkLine, Outcome, Process
from tests.measure.synthetic import T0_US, Shape, make_run

STEADY = Shape(rates=((2000.0, 5.0),), per_slice=200)
BURSTS = Shape(
    scenario="burst",
    rates=((500.0, 8.0), (100.0, 8.0), (500.0, 8.0)),
    per_slice=100,
    extra_marks=(MarkLine(T0_US + 9_000_000, "fault", "kill", fault="kill", service="sink", edge="begin", acted=True),),
)
EMPTY = Shape(rates=())
LOST = Shape(rates=((100.0, 5.0),), lost=2)
CUT = Shape(rates=((100.0, 5.0),), status=Status.RUNNING)
SHAPES = {"steady": STEADY, "bursts": BURSTS, "empty": EMPTY, "lost": LOST, "cut": CUT}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json_schema())
    jsonschema.Draft202012Validator.check_schema(found)
    return found


def test_the_committed_schema_is_that_of_the_structs(schema: dict[str, Any]) -> None:
    assert schema == schema_of_structs()


def test_the_copy_for_readers_is_the_schema_itself() -> None:
    copy = Path(__file__).parents[2] / "docs" / "latency-run-1.schema.json"
    assert copy.read_bytes() == json_schema()


@pytest.mark.parametrize("name", SHAPES)
def test_a_document_fits_the_schema_and_comes_back(tmp_path: Path, schema: dict[str, Any], name: str) -> None:
    document = build(make_run(tmp_path, "r-1", SHAPES[name]))
    written = to_json(document)
    jsonschema.validate(json.loads(written), schema)
    assert from_json(written) == document


@pytest.mark.parametrize(
    "change", [{"verdict": "perhaps"}, {"status": 3}, {"audit": {}}, {"schema": "latency-run/2"}, {"run": None}]
)
def test_a_document_of_another_kind_does_not_fit(
    tmp_path: Path, schema: dict[str, Any], change: dict[str, Any]
) -> None:
    document = json.loads(to_json(build(make_run(tmp_path, "r-1", STEADY)))) | change
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema)
    with pytest.raises(msgspec.ValidationError):
        from_json(json.dumps(document))


def test_a_steady_run(tmp_path: Path) -> None:
    document = build(make_run(tmp_path, "r-1", STEADY))
    assert (document.verdict, document.reasons) == (Verdict.PASS, [])
    assert document.audit.scheduled == document.audit.stored == document.latency_ms["e2e"].n == 10_000
    assert (document.rate.target, document.rate.achieved) == (2000, 2000)
    assert [row.verdict.value for row in document.sla] == ["pass"] * 4
    assert document.started == "2026-11-24T10:00:00.000Z"
    assert document.warmup is not None
    assert document.warmup.audit is not None
    assert document.warmup.audit.stored == 2_000


def test_no_latency_of_the_warm_up_enters_the_runs_figures(tmp_path: Path) -> None:
    folder = make_run(tmp_path, "r-1", STEADY)
    before = build(folder).latency_ms
    slow = folder.slices(folder.warmup_run)
    for stages in slow.values():
        stages["e2e"].record(60_000_000)
    folder.write_slices({folder.run: folder.slices(), folder.warmup_run: slow})
    assert build(folder).latency_ms == before


def test_a_run_without_events_says_so_and_makes_up_no_zero(tmp_path: Path) -> None:
    document = build(make_run(tmp_path, "r-1", EMPTY))
    assert document.verdict is Verdict.INVALID
    assert document.reasons[0] == "no event of the load was due"
    assert document.latency_ms == {}
    assert (document.rate.target, document.error_rate, document.availability, document.lag.events_max) == (None,) * 4


def test_a_run_cut_by_a_kill_is_interrupted_with_what_it_has(tmp_path: Path) -> None:
    document = build(make_run(tmp_path, "r-1", CUT))
    assert (document.status, document.verdict) == (Status.INTERRUPTED, Verdict.INVALID)
    assert document.latency_ms["e2e"].n == 500
    assert "the run was interrupted; its figures are over what there is" in document.remarks


def test_a_run_in_progress_has_no_verdict(tmp_path: Path) -> None:
    folder = make_run(tmp_path, "r-1", CUT)
    folder.write_process(Process(os.getpid(), "s", birth(os.getpid())))
    document = build(folder, now_us=T0_US + 11_400_000)
    assert (document.status, document.verdict) == (Status.RUNNING, None)
    assert document.audit.scheduled == 300  # what was due in the whole seconds that ended 8 s before


@pytest.mark.parametrize("into_s", [0.0, 0.5, 0.999])
def test_a_run_in_progress_is_not_judged_by_seconds_that_are_not_written_yet(tmp_path: Path, into_s: float) -> None:
    second = T0_US // 1_000_000 + 20
    folder = make_run(tmp_path, "r-1", Shape(rates=((100.0, 30.0),), status=Status.RUNNING))
    folder.write_process(Process(os.getpid(), "s", birth(os.getpid())))
    shutil.rmtree(folder.path / "sequences")
    # At the beginning of a second, the run process writes the one that ended 6 s before the second just over.
    written = {at: stages for at, stages in folder.slices().items() if at < second - 1 - 6}
    folder.write_slices({folder.run: written})
    document = build(folder, now_us=round((second + into_s) * 1e6))
    assert document.latency_ms["e2e"].infinite == 0
    assert document.latency_ms["e2e"].n == 1_200
    assert {row.name: row.verdict for row in document.sla}["P95 latency"] is RowVerdict.PASS


def test_lost_events_rank_last_and_are_in_n(tmp_path: Path) -> None:
    document = build(make_run(tmp_path, "r-1", LOST))
    e2e = document.latency_ms["e2e"]
    assert (e2e.n, e2e.infinite, document.latency_ms["store"].n) == (500, 2, 498)
    assert document.error_rate == 2 / 500
    assert document.verdict is Verdict.FAIL


def test_no_steady_state_is_a_remark_and_no_failure(tmp_path: Path) -> None:
    folder: RunFolder = make_run(tmp_path, "r-1", STEADY)
    noted = msgspec.structs.replace(folder.outcome(), steady=False, steady_reason="P95 still fell")
    folder.write_outcome(noted)
    document = build(folder)
    assert document.verdict is Verdict.PASS
    assert document.remarks == ["no steady state before the load: P95 still fell"]
    assert isinstance(noted, Outcome)
