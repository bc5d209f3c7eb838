"""Alerts of a run on the real stack: raised, told, acted upon, and where the file says so the end of the run."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from measure.figures import Status
from stack.settings import Settings
from tests.scenarios.driving import Live, scenario

pytestmark = pytest.mark.stack
Begin = Callable[..., Live]

ALERTS = """
[[alert]]
name = "too slow"
metric = "rate"
limit = ">= 100000 /s"
abort = true
abort_delay = "3s"

[[alert.action]]
command = ["{python}", "-c", "{program}", "{told}"]
"""
PROGRAM = "import sys, pathlib; pathlib.Path(sys.argv[1]).open('a').write(sys.stdin.read() + chr(10))"


@pytest.fixture
def told(stack_settings: Settings, tmp_path: Path) -> Iterator[Path]:
    """Where the action writes; the user's own alerts hold for this test only."""
    path = tmp_path / "told.jsonl"
    alerts = stack_settings.home.root / "sla" / "alerts.toml"
    alerts.parent.mkdir(exist_ok=True)
    alerts.write_text(ALERTS.format(python=sys.executable, program=PROGRAM, told=path), encoding="utf-8")
    yield path
    alerts.unlink()


def test_a_limit_ends_the_run_after_its_delay(tmp_path: Path, begin: Begin, lenient: str, told: Path) -> None:
    code, document = begin("run", scenario(tmp_path, seconds=60), "--sla", lenient, "--json").document()
    assert code == 0, document.reasons
    assert document.status is Status.FINISHED
    assert 3 <= document.duration_s < 30
    assert document.amended
    assert document.audit.closed
    (alert,) = document.alerts
    assert (alert.name, alert.aborted, alert.until_s) == ("too slow", True, None)
    assert alert.at_s < 3
    assert any("ended early by the alert too slow" in remark for remark in document.remarks)
    kinds = [mark.kind for mark in document.marks if mark.kind not in ("phase", "checkpoint")]
    assert kinds == ["alert", "alert", "stop"]
    (line,) = [json.loads(line) for line in told.read_text(encoding="utf-8").splitlines()]
    assert (line["alert"], line["edge"], line["run"]) == ("too slow", "raise", document.run)
