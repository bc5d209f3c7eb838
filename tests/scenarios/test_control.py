"""Commands to a run: over a real socket, answered, refused, and without a run said to be so."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from measure.errors import LatencyError, UsageError
from measure.folder import RunFolder
from measure.records import Plan, Process
from scenarios.control import Burst, Command, ControlServer, Pause, Reply, Status, control_server, send
from scenarios.errors import NoRunError, RunRefusedError
from scenarios.occupancy import Occupancy, current, occupant
from stack.places import StackFolder
from stack.process import current_process


@pytest.fixture
def server() -> Iterator[ControlServer]:
    with control_server() as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path, server: ControlServer) -> RunFolder:
    made = RunFolder.create(tmp_path, "mine-1")
    made.write_plan(Plan(run="mine-1", scenario="m", profile="p", runtime="local", stack="s", producers=1, spans=[]))
    this = current_process()
    made.write_process(Process(this.pid, str(server.path), this.birth))
    return made


def answering(server: ControlServer, reply: Reply) -> tuple[list[Command], threading.Thread]:
    heard: list[Command] = []

    def work() -> None:
        asked = server.take(10)
        if asked is not None:
            heard.append(asked.command)
            asked.answer(reply)

    thread = threading.Thread(target=work)
    thread.start()
    return heard, thread


def test_a_command_is_heard_and_its_answer_comes_back(server: ControlServer, folder: RunFolder) -> None:
    heard, thread = answering(server, {"ok": True, "rate": 7.0})
    assert send(folder.path, Burst(7, 30)) == {"ok": True, "rate": 7.0}
    thread.join()
    assert heard == [Burst(7, 30)]


def test_a_refusal_is_an_error_that_says_why(server: ControlServer, folder: RunFolder) -> None:
    _, thread = answering(server, {"ok": False, "error": "the load is paused already"})
    with pytest.raises(UsageError, match="mine-1: the load is paused already"):
        send(folder.path, Pause())
    thread.join()


@pytest.mark.parametrize(
    "line", [b"nonsense\n", b'{"do":"dance"}\n', b'{"do":"burst"}\n', b'{"do":"stop","now":1}\n', b"[]\n", b"\xff\n"]
)
def test_what_is_not_a_command_is_refused_and_the_line_stays_open(server: ControlServer, line: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(server.path))
        with client.makefile("rb") as answers:
            for _ in range(2):
                client.sendall(line)
                assert answers.readline().startswith(b'{"ok":false,"error":"not a command')


def test_the_socket_is_the_users_alone_and_goes_with_the_server() -> None:
    with control_server() as server:
        assert server.path.parent.stat().st_mode & 0o077 == 0
    assert not server.path.exists()


def test_a_run_whose_process_is_gone_is_said_to_be_so(folder: RunFolder) -> None:
    process = folder.process()
    assert process is not None
    folder.write_process(Process(process.pid, process.socket, "another"))
    with pytest.raises(NoRunError, match="mine-1 is not in progress"):
        send(folder.path, Status())


def test_a_run_that_listens_no_more_is_said_to_be_so(tmp_path: Path) -> None:
    with control_server() as server:
        this = current_process()
        made = RunFolder.create(tmp_path, "mine-2")
        made.write_process(Process(this.pid, str(server.path), this.birth))
    with pytest.raises(LatencyError, match=r"mine-2.*does not answer"):
        send(made.path, Status())


def test_a_run_that_ends_before_it_answers_is_said_to_be_so(tmp_path: Path) -> None:
    path, this = tmp_path / "line", current_process()
    made = RunFolder.create(tmp_path, "mine-3")
    made.write_process(Process(this.pid, str(path), this.birth))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        hanging_up = threading.Thread(target=hear_and_hang_up, args=(listener,))
        hanging_up.start()
        with pytest.raises(NoRunError, match="mine-3 ended before it answered"):
            send(made.path, Status())
        hanging_up.join()


def hear_and_hang_up(listener: socket.socket) -> None:
    line, _ = listener.accept()
    with line:
        line.recv(1024)


def test_a_stack_has_one_run_at_a_time_which_the_second_is_told(tmp_path: Path) -> None:
    stack = StackFolder(tmp_path / "stacks" / "s")
    assert occupant(stack) is None
    with Occupancy.take(stack, "first-1", tmp_path / "runs" / "first-1"):
        with pytest.raises(RunRefusedError, match="stack s has a run in progress: first-1"):
            Occupancy.take(stack, "second-1", tmp_path)
        held = current(stack)
        assert (held.run, held.folder) == ("first-1", str(tmp_path / "runs" / "first-1"))
    with pytest.raises(NoRunError, match="stack s has no run in progress"):
        current(stack)
    Occupancy.take(stack, "third-1", tmp_path).close()


def test_a_dead_process_holds_no_stack(tmp_path: Path) -> None:
    import subprocess
    import sys

    stack = StackFolder(tmp_path / "stacks" / "s")
    program = (
        "import os, sys; from pathlib import Path; from stack.places import StackFolder;"
        "from scenarios.occupancy import Occupancy;"
        "held = Occupancy.take(StackFolder(Path(sys.argv[1])), 'dead-1', Path('x')); os._exit(9)"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(stack.root)], check=False, timeout=60)
    assert ended.returncode == 9
    assert b"dead-1" in (stack.root / "run.json").read_bytes()
    assert occupant(stack) is None
    Occupancy.take(stack, "next-1", tmp_path).close()
