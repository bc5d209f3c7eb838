from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PARTS = {"console", "dashboard", "scenarios", "jobs", "stack", "measure"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, built from this tree."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        check=True,
        capture_output=True,
        timeout=300,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and what it depends on, and not the clone.

    The packages it depends on are this environment's own, on whose list the clone is an editable install: a `.pth`
    file is not followed from the folder that another one names, so the clone itself is not found by it.
    """
    folder = tmp_path_factory.mktemp("elsewhere")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], check=True, timeout=120)
    python = folder / "env" / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*install, "--no-index", "--no-deps", wheel], check=True, timeout=300)
    packages = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    Path(packages.stdout.strip(), "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def run(folder: Path, *command: str, timeout: int = 60) -> subprocess.CompletedProcess[str]:
    """A command of that environment, as a user has it who never saw the clone."""
    mine = ("PYTHON", "LATENCY_", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
    environment |= {"LATENCY_HOME": str(folder / "home"), "PATH": f"{folder / 'env' / 'bin'}:{os.environ['PATH']}"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=timeout, check=False
    )


def test_it_holds_the_parts_and_their_data_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.split("/")[0] for name in names} - {f"latency_console-{version()}.dist-info"} == PARTS
    tracked = subprocess.run(
        ["git", "ls-files", "--", *sorted(PARTS)], cwd=ROOT, check=True, capture_output=True, text=True, timeout=60
    )
    assert set(tracked.stdout.split("\n")) - {""} <= names
    assert {"stack/jars.lock", "scenarios/peak.toml", "measure/sla/tier1.toml"} <= names


def test_it_says_what_it_needs(wheel: Path) -> None:
    metadata = zipfile.ZipFile(wheel).read(f"latency_console-{version()}.dist-info/METADATA").decode()
    assert "Requires-Python: <3.14,>=3.11" in metadata
    assert "License-Expression: Apache-2.0" in metadata
    assert "Requires-Dist: pyspark==4.2.0" in metadata


def test_the_clone_is_not_on_its_path(elsewhere: Path) -> None:
    told = run(
        elsewhere, "python", "-c", "import sys, stack, measure; print(stack.__file__, measure.__file__, sys.path)"
    )
    assert told.returncode == 0, told.stderr
    assert str(elsewhere / "env") in told.stdout
    assert str(ROOT / "stack") not in told.stdout
    assert repr(str(ROOT)) not in told.stdout


def test_it_passes_the_smoke_run_by_itself(elsewhere: Path) -> None:
    """From an empty home: it downloads and verifies its jars, starts a stack, loads it, judges it, takes it down."""
    done = run(elsewhere, "latency", "run", "smoke", "--json", timeout=540)
    assert done.returncode == 0, f"{done.stderr}\n{done.stdout}"
    document = json.loads(done.stdout)
    assert (document["status"], document["verdict"]) == ("finished", "pass")
    audit = document["audit"]
    assert audit["stored"] + audit["dead"] == audit["scheduled"] > 0
    status = json.loads(run(elsewhere, "latency", "status", "--json").stdout)
    assert {service["state"] for service in status["services"]} <= {"stopped"}


def version() -> str:
    import importlib.metadata

    return importlib.metadata.version("latency-console")
