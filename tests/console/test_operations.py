"""What the actions do, against a real run socket and real commands."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner

from console.main import latency
from console.operations import Burst, Launch, Operations
from measure.errors import LatencyError, NotReadyError, UsageError
from measure.folder import RunFolder
from measure.records import Process
from scenarios import control
from scenarios.control import ControlServer, control_server
from scenarios.errors import NoRunError
from scenarios.occupancy import Occupancy
from stack.process import current_process
from stack.settings import Settings


@dataclass
class Answering:
    """A run's end of the socket: notes what it is told, and answers as a run does."""

    server: ControlServer
    told: queue.SimpleQueue[control.Command] = field(default_factory=queue.SimpleQueue)
    paused: bool = False
    ended: threading.Event = field(default_factory=threading.Event)

    def work(self) -> None:
        while not self.ended.is_set():
            asked = self.server.take(0.05)
            if asked is None:
                continue
            if isinstance(asked.command, control.Burst) and asked.command.rate > 100_000:
                asked.answer({"ok": False, "error": "too fast for this generator"})
                continue
            if not isinstance(asked.command, control.Status):
                self.told.put(asked.command)
            self.paused = isinstance(asked.command, control.Pause) or (
                self.paused and not isinstance(asked.command, control.Resume)
            )
            asked.answer({"ok": True, "run": "peak-1", "paused": self.paused})


@pytest.fixture
def settings() -> Settings:
    return Settings.load("shop")


@pytest.fixture
def run(settings: Settings) -> Iterator[Answering]:
    """A run in progress on the stack, as far as its socket goes."""
    folder = RunFolder.create(settings.home.runs, "peak-1")
    with control_server() as server, Occupancy.take(settings.folder, "peak-1", folder.path):
        this = current_process()
        folder.write_process(Process(this.pid, str(server.path), this.birth))
        answering = Answering(server)
        thread = threading.Thread(target=answering.work)
        thread.start()
        yield answering
        answering.ended.set()
        thread.join()


def test_burst_pause_resume_stop_reach_the_run(settings: Settings, run: Answering) -> None:
    operations = Operations(settings)
    assert operations.burst(Burst(5000.0, "1m30s")) == "5,000 events/s for 1m30s"
    assert operations.pause_or_resume() == "the load is paused"
    assert operations.pause_or_resume() == "the load goes on"
    assert "peak-1" in operations.stop()
    told = [run.told.get(timeout=5) for _ in range(4)]
    assert told == [control.Burst(5000.0, 90.0), control.Pause(), control.Resume(), control.Stop()]


def test_what_the_run_refuses_is_said(settings: Settings, run: Answering) -> None:
    with pytest.raises(UsageError, match="too fast for this generator"):
        Operations(settings).burst(Burst(500_000.0, "30s"))


def test_a_burst_of_no_length_is_refused(settings: Settings, run: Answering) -> None:
    with pytest.raises(UsageError, match="burst: expected a duration"):
        Operations(settings).burst(Burst(5000.0, "soon"))


def test_without_a_run_there_is_nothing_to_tell(settings: Settings) -> None:
    with pytest.raises(NoRunError, match="has no run in progress"):
        Operations(settings).stop()


def test_without_a_stack_there_is_nothing_to_restart_or_break(settings: Settings) -> None:
    operations = Operations(settings)
    with pytest.raises(NotReadyError, match="not running"):
        operations.restart("sink", lambda _: None)
    with pytest.raises(NotReadyError, match="not running"):
        operations.fault("kill", "sink", None)


def test_down_of_a_stack_that_is_not_there_is_fine(settings: Settings) -> None:
    assert Operations(settings).down(lambda _: None) == "stack shop is down"


def test_a_command_that_fails_says_why(settings: Settings, monkeypatch: pytest.MonkeyPatch, own_place: Path) -> None:
    monkeypatch.setenv("LATENCY_JAVA", str(own_place / "no-java"))
    said: list[str] = []
    with pytest.raises(LatencyError, match="no-java"):
        Operations(settings).up(said.append)


def test_a_command_goes_on_though_the_console_that_listens_is_gone() -> None:
    ear, mouth = os.pipe()
    os.close(ear)
    program = "from console.commands.stack import narrate; narrate('one'); narrate('two'); print('done')"
    ran = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=mouth, check=False)
    os.close(mouth)
    assert ran.stdout == b"done\n"


FAILING = """
import sys
print("bringing the stack up", file=sys.stderr)
print("latency: kafka did not start; its log ends with:\\nOutOfMemoryError", file=sys.stderr)
sys.exit(5)
"""


def test_a_run_that_ends_at_once_says_all_of_why(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing of what an earlier one wrote into the same log."""
    monkeypatch.setattr("console.commands.run._PROGRAM", FAILING)
    settings.folder.make()
    settings.folder.log("run").write_text("latency: another one\n")
    ended = CliRunner().invoke(latency, ["run", "smoke", "--stack", "shop", "--detach"])
    assert isinstance(ended.exception, NotReadyError)
    assert str(ended.exception) == "kafka did not start; its log ends with:\nOutOfMemoryError"
    monkeypatch.setattr("console.commands.run._PROGRAM", "raise SystemExit(5)")
    ended = CliRunner().invoke(latency, ["run", "smoke", "--stack", "shop", "--detach"])
    assert "the run ended at once: see " in str(ended.exception)


def test_a_launch_is_the_command_of_the_shell() -> None:
    launch = Launch("peak", rate=2500.0, duration="1m", profile="microbatch", sla="tier2")
    assert launch.arguments() == [
        "peak", "--rate", "2500", "--duration", "1m", "--profile", "microbatch", "--sla", "tier2",
    ]  # fmt: skip
    assert Launch("burst", scale=0.1).arguments() == ["burst", "--scale", "0.1"]
