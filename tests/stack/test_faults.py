from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from measure.errors import InvalidError, UsageError
from stack import process
from stack.faults import Kind, do, history, new_fault, read_journal, sweep, undo
from stack.places import StackFolder
from tests.stack.conftest import Launch, MakeService
from tests.stack.test_process import PARENT, SLEEP, logged
from tests.stack.waiting import wait_for


@pytest.fixture
def victim(folder: StackFolder, make_service: MakeService, launch: Launch) -> subprocess.Popen[bytes]:
    """A service of two processes."""
    service = make_service(PARENT)
    child = launch(service)
    wait_for(lambda: logged(service.log), "its child")
    return child


@pytest.mark.parametrize(
    ("kind", "for_s", "told"),
    [("melt", 1.0, "'melt' does not exist"), ("pause", 0.0, "more than 0"), ("kill", -1.0, "up to 3600 s")],
)
def test_a_fault_that_cannot_be_is_refused(kind: str, for_s: float, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        new_fault(kind, "one", for_s)


def test_a_pause_stops_every_process_and_its_undoing_lets_them_go_on(
    folder: StackFolder, victim: subprocess.Popen[bytes]
) -> None:
    fault = do(folder, new_fault("pause", "one", 10))
    assert fault.acted
    assert len(fault.pids) == 2
    assert victim.pid in fault.pids
    assert all(one.status() == "stopped" for one in process.members(folder, "one"))
    assert read_journal(folder) == fault

    over = undo(folder, fault)

    assert not any(one.status() == "stopped" for one in process.members(folder, "one"))
    assert read_journal(folder) is None
    assert history(folder) == [over]
    assert over.ended_us is not None
    assert over.ended_us > over.began_us


def test_a_kill_is_proved_by_what_is_gone(folder: StackFolder, victim: subprocess.Popen[bytes]) -> None:
    fault = do(folder, new_fault("kill", "one", None))
    assert fault.acted
    assert victim.wait(5) == -signal.SIGKILL
    assert not process.members(folder, "one")


def test_a_fault_that_hits_nothing_did_not_act(folder: StackFolder) -> None:
    with pytest.raises(InvalidError, match="did not act: processes found: none"):
        do(folder, new_fault("kill", "one", None))
    assert read_journal(folder) is None
    assert [fault.acted for fault in history(folder)] == [False]


def test_a_fault_left_by_a_crash_is_undone_by_whoever_comes(
    folder: StackFolder, victim: subprocess.Popen[bytes]
) -> None:
    do(folder, new_fault("pause", "one", 3600))
    left = sweep(folder)
    assert left is not None
    assert left.kind is Kind.PAUSE
    assert victim.poll() is None
    assert not any(one.status() == "stopped" for one in process.members(folder, "one"))
    assert sweep(folder) is None


def test_a_history_cut_in_the_middle_of_a_line_is_read_up_to_it(
    folder: StackFolder, make_service: MakeService, launch: Launch
) -> None:
    launch(make_service(SLEEP))
    undo(folder, do(folder, new_fault("pause", "one", 1)))
    with Path(folder.root / "faults.jsonl").open("ab") as file:
        file.write(b'{"id":"x","kind":"ki')
    assert len(history(folder)) == 1
    for _ in range(2):  # the first is lost with what it was appended to
        undo(folder, do(folder, new_fault("pause", "one", 1)))
    assert len(history(folder)) == 2


class Stubborn:
    """What an engine's container can be: it fails to freeze, and to thaw, so many times."""

    pid = 7

    def __init__(self, times: int) -> None:
        self._times = self._left = times
        self._paused = False
        self.refusal = ""

    def kill(self) -> None: ...

    def pause(self) -> None:
        self._set(paused=True)

    def resume(self) -> None:
        self._set(paused=False)

    def _set(self, paused: bool) -> None:
        if self._left:
            self._left, self.refusal = self._left - 1, "unable to freeze"
        else:
            self._left, self._paused = self._times, paused

    def is_gone(self) -> bool:
        return False

    def is_paused(self) -> bool:
        return self._paused


def test_who_fails_to_freeze_or_to_thaw_is_asked_again(folder: StackFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Stubborn(3)
    monkeypatch.setattr("stack.faults.victims", lambda *_: [one])
    fault = do(folder, new_fault("pause", "one", 1))
    assert fault.acted
    assert one.is_paused()
    undo(folder, fault)
    assert not one.is_paused()


def test_who_ends_by_itself_before_it_is_paused_is_no_hindrance(
    folder: StackFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spark's JVM forks a process for a moment here and there."""
    fleeting = Stubborn(1_000_000)
    monkeypatch.setattr(fleeting, "is_gone", lambda: True)
    monkeypatch.setattr("stack.faults.victims", lambda *_: [fleeting, Stubborn(0)])
    assert do(folder, new_fault("pause", "one", 1)).acted
    monkeypatch.setattr("stack.faults.victims", lambda *_: [fleeting])
    with pytest.raises(InvalidError, match="did not act"):
        do(folder, new_fault("pause", "one", 1))


def test_a_fault_that_did_not_act_tells_what_was_said_against_it(
    folder: StackFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stack.faults.victims", lambda *_: [Stubborn(1_000_000)])
    monkeypatch.setattr("stack.faults._PROOF_S", 0.1)
    with pytest.raises(InvalidError, match="processes found: 7; unable to freeze"):
        do(folder, new_fault("pause", "one", 1))
    assert read_journal(folder) is None
