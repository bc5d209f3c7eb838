"""A run, end to end, on the real stack."""

from __future__ import annotations

import json
import signal
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from pymongo import MongoClient

from measure.document import from_json, json_schema
from measure.figures import Status, Verdict
from measure.folder import RunFolder
from measure.records import RunSample
from stack.access import Access, Role
from stack.settings import Settings
from tests.scenarios.driving import Live, answer, latency, rebuilt, scenario
from tests.stack.waiting import wait_for

pytestmark = pytest.mark.stack
Begin = Callable[..., Live]


def test_a_run_is_warmed_up_driven_drained_and_judged(
    tmp_path: Path, stack_settings: Settings, stack_access: Access, lenient: str
) -> None:
    text = 'title = "x"\nwarm_up = { for = "11s", at_most = "40s" }\n[[stages]]\nrate = 300\nfor = "6s"\n'
    ended = latency("run", scenario(tmp_path, text=text), "--sla", lenient, "--json", "--out", str(tmp_path / "out"))
    assert ended.returncode == 0, ended.stderr
    jsonschema.validate(json.loads(ended.stdout), json.loads(json_schema()))
    document = from_json(ended.stdout)
    assert (document.status, document.verdict, document.reasons) == (Status.FINISHED, Verdict.PASS, [])
    audit = document.audit
    assert (audit.scheduled, audit.sent, audit.acked, audit.stored) == (1800, 1800, 1800, 1800)
    assert (audit.duplicates, audit.unmeasured, audit.closed) == (0, 0, True)
    assert document.latency_ms["e2e"].n == document.latency_ms["store"].n == 1800
    assert document.latency_ms["visible"].n > 0
    assert document.warmup is not None
    assert document.warmup.audit is not None
    assert document.warmup.audit.closed
    assert document.warmup.audit.stored == document.warmup.audit.scheduled >= 11 * 300
    assert document.duration_s == 6
    assert set(document.resources) >= {"kafka", "mongod", "spark", "sink", "generator"}
    assert document.lag.samples >= 4
    assert [mark.text for mark in document.marks if mark.kind == "phase"] == ["warm-up", "load", "drain", "done"]

    folder = RunFolder.find(stack_settings.home.runs, document.run)
    assert folder.document() == document
    assert rebuilt(folder) == document
    assert rebuilt(RunFolder(tmp_path / "out" / document.run)) == document
    _is_mirrored(stack_access, folder)


def _is_mirrored(access: Access, folder: RunFolder) -> None:
    samples = [sample for sample in folder.samples() if isinstance(sample, RunSample)]
    with MongoClient[dict[str, Any]](access.mongo_uri(Role.RUN)) as client:
        database = client[access.names.database]
        run = database["runs"].find_one({"_id": folder.run})
        assert run is not None
        assert (run["status"], run["phase"], run["progress"], run["verdict"]) == ("finished", "done", 1.0, "pass")
        found = list(database["samples"].find({"kind": "run", "run": folder.run}).sort("second", 1))
        assert [msgspec.convert(each, RunSample) for each in found] == samples
        assert database["marks"].count_documents({"run": folder.run}) == len(folder.marks())
        visible = sum(
            sum(found["stages"]["visible"].values())
            for found in database["slices"].find({"run": folder.run, "partition": -1})
        )
    in_folder = sum(stages["visible"].n for stages in folder.slices().values() if "visible" in stages)
    assert visible == in_folder > 0


def test_commands_change_the_load_and_the_audit_knows(tmp_path: Path, begin: Begin, lenient: str) -> None:
    path = scenario(tmp_path, rate=100, seconds=60)
    live = begin("run", path, "--sla", lenient, "--json")
    folder = live.in_phase("load")
    assert answer("status")["run"] == folder.run

    second = latency("run", path)
    assert second.returncode == 2
    assert folder.run in second.stderr

    assert answer("burst", "--rate", "700", "--for", "2s")["run"] == folder.run
    live.sent(folder, 1_200)
    assert answer("pause")["phase"] == "load"
    again = latency("pause")
    assert (again.returncode, "paused already" in again.stderr) == (2, True)
    live.until(folder, lambda samples: samples[-1].sent == 0, "a second without events")
    answer("resume")
    before = sum(sample.sent for sample in folder.samples() if isinstance(sample, RunSample))
    live.sent(folder, before + 100)
    assert latency("burst", "--rate", "0").returncode == 2
    answer("stop")
    code, document = live.document()
    assert code == 0, document.reasons
    assert document.amended
    assert document.status is Status.FINISHED
    assert document.audit.closed
    assert document.audit.stored == document.audit.scheduled == document.audit.sent
    kinds = [mark.kind for mark in document.marks if mark.kind not in ("phase", "checkpoint")]
    assert kinds == ["burst", "pause", "resume", "stop"]
    assert document.rate.peak_target == 700
    assert latency("stop").returncode == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_closed_properly(
    tmp_path: Path, begin: Begin, lenient: str, number: signal.Signals
) -> None:
    live = begin("run", scenario(tmp_path, seconds=60), "--sla", lenient, "--json")
    folder = live.in_phase("load")
    live.sent(folder, 200)
    children = live.producers()
    live.child.send_signal(number)
    code, document = live.document()
    assert code == 130
    assert document.status is folder.status() is Status.INTERRUPTED
    assert document.audit.closed
    assert document.audit.stored == document.audit.scheduled
    assert not any(child.is_running() for child in children)
    process = folder.process()
    assert process is not None
    assert not Path(process.socket).exists()


def test_a_run_whose_process_is_killed_is_interrupted_and_its_producers_end(tmp_path: Path, begin: Begin) -> None:
    live = begin("run", scenario(tmp_path, seconds=60))
    folder = live.in_phase("load")
    live.sent(folder, 300)
    children = live.producers()
    live.child.kill()
    live.end()
    wait_for(lambda: not any(child.is_running() for child in children), "the end of the producers", 30)
    assert folder.status() is Status.INTERRUPTED
    document = rebuilt(folder)
    assert document.status is Status.INTERRUPTED
    assert document.verdict is Verdict.INVALID
    audit = document.audit
    assert audit.acked >= 300
    assert audit.unsent > 0
    assert audit.scheduled == audit.sent + audit.unsent == 12_000
    assert not audit.closed
    assert latency("stop").returncode == 2  # the stack is free again


def test_a_producer_that_is_killed_leaves_unknown_and_unsent_events(tmp_path: Path, begin: Begin, lenient: str) -> None:
    live = begin("run", scenario(tmp_path, rate=400, seconds=8, producers=2), "--sla", lenient, "--json")
    folder = live.in_phase("load")
    live.sent(folder, 800)
    live.producers()[0].kill()
    code, document = live.document()
    assert code == 4
    assert document.status is Status.FINISHED
    assert any("of the events due were sent" in reason for reason in document.reasons)
    assert any("died: signal 9" in remark for remark in document.remarks)
    audit = document.audit
    assert audit.closed
    assert audit.unsent > 0
    assert audit.unknown > 0
    assert audit.acked == audit.stored >= 1_600
    assert audit.scheduled == audit.acked + audit.unknown + audit.unsent == 3_200
    assert audit.lost == audit.unexpected == 0


def test_prometheus_can_ask_a_run(tmp_path: Path, begin: Begin) -> None:
    live = begin("run", scenario(tmp_path, seconds=30), "--metrics-port", "0")
    folder = live.in_phase("load")
    assert live.child.stderr is not None
    address = next(line.split()[-1] for line in live.child.stderr if line.startswith("metrics at"))

    def shown() -> str:
        with urllib.request.urlopen(address, timeout=10) as answered:  # noqa: S310 - our own server
            found: str = answered.read().decode()
        return found if 'latency_stage_seconds_bucket{le="60",stage="e2e"}' in found else ""

    text = wait_for(shown, "a histogram of e2e", 60)
    assert f'run="{folder.run}"' in text
    assert 'latency_events_total{outcome="acked"}' in text
    latency("stop")
    live.end()


def test_a_detached_run_goes_on_by_itself(tmp_path: Path, stack_settings: Settings, lenient: str) -> None:
    started = answer("run", scenario(tmp_path, seconds=4), "--sla", lenient, "--detach")
    folder = RunFolder(Path(started["folder"]))
    assert folder.run == started["run"]
    wait_for(lambda: folder.status() is Status.FINISHED, "the end of the run", 120)
    wait_for(lambda: folder.document() is not None, "its document", 60)
    assert rebuilt(folder).verdict is Verdict.PASS
    refused = latency("run", "nix", "--detach")
    assert (refused.returncode, "there is no scenario 'nix'" in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "nix"), "there is no scenario 'nix'"),
        (("run", "peak", "--profile", "microbatch", "--duration", "2s"), "runs realtime"),
        (("run", "burst", "--rate", "9"), "use --scale"),
        (("run", "peak", "--duration", "soon"), "a duration such as 30s"),
        (("run", "peak", "--rate", "1", "--scale", "2"), "--rate or --scale"),
        (("run", "peak", "--sla", "tier9"), "no SLA tier 'tier9'"),
        (("run", "peak", "--out", "/proc/none"), "expected a folder that can be written to"),
        (("burst",), "no run in progress"),
        (("pause",), "no run in progress"),
    ],
)
def test_what_cannot_be_is_refused_with_one_line_and_exit_code_2(
    stack_settings: Settings, arguments: tuple[str, ...], said: str
) -> None:
    ended = latency(*arguments)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
