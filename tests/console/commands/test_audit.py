"""`latency audit` without a stack: it says what the folder says, and why nothing can be recounted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console.main import latency
from measure.report.source import settle
from tests.measure.synthetic import Shape, make_run


def audit(home: Path, shape: Shape, *arguments: str) -> Result:
    settle(make_run(home / "runs", "r-1", shape))
    return CliRunner().invoke(latency, ["audit", "r-1", *arguments])


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LATENCY_HOME", str(tmp_path))
    return tmp_path


def test_without_the_stack_nothing_is_confirmed(home: Path) -> None:
    result = audit(home, Shape(rates=((100.0, 2.0),), per_slice=20))
    assert result.exit_code == 5
    assert "scheduled                  200" in result.stdout
    assert "not recounted: no running stack" in result.stdout


def test_a_loss_is_what_counts(home: Path) -> None:
    result = audit(home, Shape(rates=((100.0, 2.0),), per_slice=20, lost=1), "--json")
    assert result.exit_code == 3
    report = json.loads(result.stdout)
    assert (report["schema"], report["audit"]["lost"], report["agrees"]) == ("latency-audit/1", 1, None)
    assert "no running stack" in report["note"]
