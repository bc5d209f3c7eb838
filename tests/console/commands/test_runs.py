"""`latency runs | report | compare` as a user calls them, with no stack anywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console.main import latency
from measure.comparison import Comparison
from measure.document import from_json, to_json
from measure.errors import LatencyError
from measure.figures import Status
from measure.folder import RunFolder
from measure.history import Runs
from measure.report.formats import FORMATS
from measure.report.source import settle
from tests.measure.synthetic import Shape, make_run

NAMES = ("peak-a", "peak-b", "burst-c")


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with three finished runs, and one that was cut."""
    monkeypatch.setenv("LATENCY_HOME", str(tmp_path))
    folder = tmp_path / "runs"
    for number, name in enumerate(NAMES):
        shape = Shape(rates=((200.0, 3.0),), scenario=name.split("-")[0], created_us=number, per_slice=50, seed=number)
        settle(make_run(folder, name, shape))
    make_run(folder, "cut-d", Shape(rates=((200.0, 3.0),), scenario="cut", status=Status.RUNNING, created_us=9))
    return folder


def call(*arguments: str) -> Result:
    return CliRunner().invoke(latency, list(arguments))


def refused(*arguments: str) -> str:
    """What is said of a call that must end with exit code 2."""
    result = call(*arguments)
    if isinstance(result.exception, LatencyError):
        assert result.exception.exit_code == 2
        return str(result.exception)
    assert result.exit_code == 2
    return result.output


def listed(*arguments: str) -> list[str]:
    result = call("runs", "--json", *arguments)
    assert result.exit_code == 0
    return [each.id for each in json_of(result, Runs).runs]


def json_of(result: Result, kind: type) -> object:
    import msgspec

    return msgspec.json.decode(result.stdout, type=kind)


def test_the_list_has_every_run_newest_first(runs: Path) -> None:
    assert listed() == ["cut-d", "burst-c", "peak-b", "peak-a"]
    assert listed("--limit", "1") == ["cut-d"]
    assert listed("--scenario", "peak") == ["peak-b", "peak-a"]
    assert listed("--status", "interrupted") == ["cut-d"]
    drawn = call("runs").stdout
    assert [line.split()[0] for line in drawn.splitlines()[2:]] == ["cut-d", "burst-c", "peak-b", "peak-a"]


def test_an_empty_home_lists_nothing_and_says_how_to_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENCY_HOME", str(tmp_path))
    result = call("runs")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "latency run smoke" in result.stderr
    assert json.loads(call("runs", "--json").stdout) == {"runs": []}
    assert "there is no run" in refused("report", "last")


def test_the_json_report_is_the_document_of_the_run(runs: Path) -> None:
    stored = RunFolder(runs / "peak-a").document()
    assert stored is not None
    for arguments in (("--json",), ("--format", "json")):
        assert call("report", "peak-a", *arguments).stdout_bytes == to_json(stored)


def test_last_is_the_newest_and_an_interrupted_run_has_a_report(runs: Path) -> None:
    result = call("report", "last", "--json")
    assert from_json(result.stdout).run == "cut-d"
    assert call("report", "cut-d").stdout.startswith("INVALID (interrupted)  cut-d")


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_can_be_written_to_a_file(runs: Path, tmp_path: Path, form: str) -> None:
    out = tmp_path / "report"
    result = call("report", "peak-a", "--format", form, "--out", str(out))
    assert (result.exit_code, result.stdout) == (0, "")
    assert out.read_text("utf-8").strip()
    if form != "html":  # its first rendering makes the library that later ones keep
        assert call("report", "peak-a", "--format", form).stdout == out.read_text("utf-8")


def test_a_file_that_cannot_be_written_is_one_clear_line(runs: Path, tmp_path: Path) -> None:
    result = call("report", "peak-a", "--out", str(tmp_path / "no" / "file"))
    assert isinstance(result.exception, LatencyError)
    assert result.exception.exit_code == 5
    assert "--out" in str(result.exception)


@pytest.mark.parametrize(
    "arguments",
    [
        ("report", "nix"),
        ("report", "../runs/peak-a"),
        ("report", "peak-a", "--format", "pdf"),
        ("runs", "--verdict", "maybe"),
        ("runs", "delete"),
        ("runs", "delete", "nix"),
        ("runs", "import", "nix.tar.gz"),
        ("compare", "peak-a"),
        ("compare", "peak-a", "peak-a"),
        ("compare", "peak-a", "vs"),
        ("compare", "peak-a", "nix"),
        ("compare", "peak-a", "vs", "peak-b", "vs", "burst-c"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_is_refused_as_usage(runs: Path, arguments: tuple[str, ...]) -> None:
    assert refused(*arguments)


def test_a_kept_run_is_deleted_only_when_released(runs: Path) -> None:
    assert call("runs", "keep", "peak-a").exit_code == 0
    assert "peak-a is kept" in refused("runs", "delete", "peak-a", "peak-b")
    assert (runs / "peak-b").is_dir()
    assert call("runs", "keep", "--release", "peak-a").exit_code == 0
    assert call("runs", "delete", "peak-a", "peak-b").exit_code == 0
    assert listed() == ["cut-d", "burst-c"]


def test_a_run_goes_to_another_home(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exported = call("runs", "export", "peak-a", "--out", str(tmp_path)).stdout.strip()
    before = call("report", "peak-a", "--format", "md").stdout
    monkeypatch.setenv("LATENCY_HOME", str(tmp_path / "other"))
    assert call("runs", "import", exported).stdout.strip() == "peak-a"
    assert call("report", "last", "--format", "md").stdout == before
    assert "already" in refused("runs", "import", exported)


def test_runs_are_compared_side_by_side_and_in_groups(runs: Path) -> None:
    result = call("compare", "peak-a", "peak-b", "burst-c")
    assert result.exit_code == 0
    assert "The runs differ in scenario: peak, burst." in result.stdout
    groups = call("compare", "peak-a", "peak-b", "vs", "burst-c", "--json")
    comparison = json_of(groups, Comparison)
    assert isinstance(comparison, Comparison)
    assert comparison.groups == [["peak-a", "peak-b"], ["burst-c"]]
    assert "No difference shown" in call("compare", "peak-a", "vs", "peak-b", "--format", "md").stdout
