from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stack import process
from stack.places import Home, StackFolder
from stack.service import Service, Step

MakeService = Callable[..., Service]
Launch = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home of the test's own."""
    monkeypatch.setenv("LATENCY_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return Home.find()


@pytest.fixture
def folder(home: Home) -> StackFolder:
    """A stack's folder with nothing in it."""
    made = StackFolder(home.stack("tried"))
    made.make()
    return made


@pytest.fixture
def make_service(folder: StackFolder) -> Iterator[MakeService]:
    """Defines services that are Python programs; what they leave running is ended."""
    names: set[str] = set()

    def make(program: str, name: str = "one", probe: Step = lambda: None, **more: object) -> Service:
        names.add(name)
        fields: dict[str, object] = {
            "name": name,
            "command": (sys.executable, "-c", program),
            "environment": {},
            "ports": {},
            "log": folder.log(name),
            "probe": probe,
            "stop_timeout_s": 5.0,
        }
        return Service(**(fields | more))  # type: ignore[arg-type]

    yield make
    for name in names:
        process.kill_rest(folder, name)


@pytest.fixture
def launch(folder: StackFolder) -> Iterator[Launch]:
    """Starts services; those that are still there at the end are killed."""
    started: list[subprocess.Popen[bytes]] = []

    def start(service: Service, where: StackFolder = folder) -> subprocess.Popen[bytes]:
        started.append(process.start(service, where))
        return started[-1]

    yield start
    for child in started:
        child.kill()
        child.wait()
