"""The console in a real terminal on a real stack: from an empty machine to an exported run, over a console's death."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient

from measure.document import from_json
from measure.figures import RunDocument, Status
from measure.store import Document, sequences
from stack import lifecycle
from stack.access import Access, Role
from stack.settings import Settings
from tests.measure.slices_of import latencies

pytestmark = [
    pytest.mark.terminal,
    pytest.mark.stack,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not there: install it"),
]

PROGRAM = "from console.main import main; main()"


class Tmux:
    """A terminal of 120 columns and 40 rows."""

    def __init__(self, place: Path) -> None:
        self._opened = 0
        self._place = place

    def open(self, *arguments: str) -> None:
        """The console in a new session, of a new server: the one before may not have finished dying."""
        self._opened += 1
        command = [sys.executable, "-c", PROGRAM, *arguments]
        size = ("-x", "120", "-y", "40", "-e", "COLUMNS=120", "-e", "LINES=40")
        # A program that ends leaves its last words on the screen, and how it ended.
        keep = (";", "set-option", "remain-on-exit", "on")
        self._tmux("new-session", "-d", *size, "-c", str(self._place), *command, *keep)

    def screen(self) -> str:
        """What stands on it now; nothing where the program has ended."""
        return self._tmux("capture-pane", "-p", check=False)

    def await_text(self, text: str, deadline_s: float = 30.0) -> str:
        """Until `text` is to be seen; AssertionError with the screen at the deadline."""
        ends = time.monotonic() + deadline_s
        while text not in (screen := self.screen()):
            assert "✗ run" not in screen, screen
            assert time.monotonic() < ends, f"{text!r} was not shown within {deadline_s:g} s:\n{screen}"
            time.sleep(0.1)
        return screen

    def press(self, *keys: str) -> None:
        """Keys as tmux names them."""
        self._tmux("send-keys", *keys)

    def process(self) -> int:
        """The console's process."""
        return int(self._tmux("display-message", "-p", "#{pane_pid}"))

    def close(self) -> None:
        """End it, with whatever runs in it."""
        self._tmux("kill-server", check=False)

    def _tmux(self, *arguments: str, check: bool = True) -> str:
        server = ("-L", f"latency-test-{os.getpid()}-{self._opened}", "-f", "/dev/null")
        ran = subprocess.run(["tmux", *server, *arguments], capture_output=True, text=True, check=check)
        return ran.stdout


@pytest.fixture
def terminal(own_place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tmux]:
    """A terminal in whose environment there is a home without a stack or a run; what is started in it is ended."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("TMUX", raising=False)
    made = Tmux(own_place)
    yield made
    made.close()
    lifecycle.down(Settings.load(), purge=True, narrate=lambda _: None)


def test_from_an_empty_machine_to_an_exported_run(terminal: Tmux, own_place: Path) -> None:
    terminal.open()
    terminal.await_text("starts the stack, and on it the first scenario")
    terminal.press("Enter")
    terminal.await_text("warm-up", 300)
    terminal.await_text(" load ", 120)
    run = run_on_screen(terminal)

    terminal.press("b")
    terminal.await_text("5,000 events/s for 30s")
    terminal.await_text("burst", 30)
    os.kill(terminal.process(), 9)
    terminal.close()

    terminal.open()  # the run has gone on meanwhile
    terminal.await_text(run, 60)
    terminal.await_text("● sink")
    terminal.await_text("finished", 180)
    terminal.press("e")
    terminal.await_text("latency-run/1")
    terminal.press("1")
    terminal.await_text("wrote ", 60)
    check_export(own_place / f"{run}.json", run)

    terminal.press("d")
    terminal.await_text("Take the stack down?")
    terminal.press("Tab", "Enter")
    terminal.await_text("is down", 120)
    terminal.press("q")


def run_on_screen(terminal: Tmux) -> str:
    """The run that the first line names."""
    return next(word for word in terminal.screen().splitlines()[0].split() if word.startswith("smoke-"))


def check_export(path: Path, run: str) -> None:
    """What was exported is what the database holds, event by event."""
    document: RunDocument = from_json(path.read_bytes())
    assert (document.run, document.status) == (run, Status.FINISHED)
    assert document.amended
    assert "burst" in {mark.kind for mark in document.marks}
    access = Access.load(Settings.load().folder.root)
    with MongoClient[Document](access.mongo_uri(Role.DASHBOARD)) as client:
        database = client[access.names.database]
        found = sequences(database, run)
        slices = latencies(database, run)
    stored = sum(len(producer.stored) for producer in found.producers.values())
    assert document.audit.stored == stored
    assert document.audit.scheduled > 20 * 500  # the burst came on top
    assert document.audit.lost == 0
    assert slices["e2e"].n == stored
    assert document.latency_ms["e2e"].n == document.audit.scheduled
