"""The real command in a process of its own, and the runs that it leaves."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from measure.document import build, from_json
from measure.figures import RunDocument
from measure.folder import RunFolder
from measure.records import RunSample
from scenarios import control, occupancy
from stack.settings import Settings
from tests.stack.waiting import wait_for

PROGRAM = "from console.main import main; main()"
RUN_S = 240.0

SCENARIO = """
title = "A short load"
warm_up = false
drain = "60s"
producers = {producers}

[[stages]]
rate = {rate}
for = "{seconds}s"
"""
LENIENT = '[[sla]]\nmetric = "error_rate"\nlimit = "< 0.5 %"\n'
"""A tier that a busy machine does not break."""


def scenario(folder: Path, rate: float = 200, seconds: int = 5, producers: int = 1, text: str | None = None) -> str:
    """The path of a scenario file."""
    path = folder / "short.toml"
    text = text or SCENARIO.format(rate=rate, seconds=seconds, producers=producers)
    path.write_text(text, encoding="utf-8")
    return str(path)


def latency(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, to its end."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=RUN_S, check=False)


def answer(*arguments: str) -> dict[str, Any]:
    """What the command says with --json; it must succeed."""
    ended = latency(*arguments, "--json")
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


@dataclass
class Live:
    """A run under way in a process of its own."""

    child: subprocess.Popen[str]
    settings: Settings

    @property
    def folder(self) -> RunFolder:
        found = occupancy.occupant(self.settings.folder)
        assert found is not None, self.child.communicate()[1] if self.child.poll() is not None else "no run yet"
        return RunFolder(Path(found.folder))

    def in_phase(self, phase: str) -> RunFolder:
        """The run's folder, once the run is in this phase."""

        def there() -> RunFolder | None:
            if self.child.poll() is not None:
                raise AssertionError(f"the run has ended: {self.child.communicate()[1]}")
            found = occupancy.occupant(self.settings.folder)
            if found is None:
                return None
            folder = RunFolder(Path(found.folder))
            is_there = folder.process() is not None and control.send(folder.path, control.Status())["phase"] == phase
            return folder if is_there else None

        return wait_for(there, f"a run in its {phase}", RUN_S)  # type: ignore[return-value]

    def until(self, folder: RunFolder, seen: Callable[[list[RunSample]], bool], described: str) -> None:
        """Wait until the run's samples show it."""
        wait_for(lambda: seen([s for s in folder.samples() if isinstance(s, RunSample)]), described, RUN_S)

    def sent(self, folder: RunFolder, n: int) -> None:
        """Wait until so many events were sent."""
        self.until(folder, lambda samples: sum(sample.sent for sample in samples) >= n, f"{n} events sent")

    def producers(self) -> list[psutil.Process]:
        """Its producer processes."""
        return [p for p in psutil.Process(self.child.pid).children() if "scenarios.producer" in p.cmdline()]

    def end(self) -> tuple[int, str, str]:
        """Exit code, stdout and stderr."""
        out, err = self.child.communicate(timeout=RUN_S)
        return self.child.returncode, out, err

    def document(self) -> tuple[int, RunDocument]:
        """Exit code and the document on stdout."""
        code, out, err = self.end()
        assert out, err
        return code, from_json(out)


def begin(settings: Settings, *arguments: str) -> Live:
    """Start the command and leave it running."""
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    return Live(child, settings)


def rebuilt(folder: RunFolder) -> RunDocument:
    """The document, from the folder alone."""
    return build(folder)
