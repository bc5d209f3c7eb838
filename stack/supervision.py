"""Talking to a stack's supervisor: finding it, starting it, asking it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from typing import Any

import msgspec

from measure.decoding import decode
from measure.errors import FailedError, InvalidError, LatencyError, NotReadyError, UsageError
from stack.access import STACK_DIR_VARIABLE
from stack.logs import tail
from stack.places import StackFolder
from stack.process import ProcessRecord, open_log

NAME = "supervisor"
_ERRORS: dict[object, type[LatencyError]] = {
    error.exit_code: error for error in (UsageError, FailedError, InvalidError, NotReadyError)
}
_OURS: list[subprocess.Popen[bytes]] = []
"""Supervisors that this very process started; they outlive it, but while it lives it must reap them."""
_START_S = 20.0
_POLL_S = 0.05


class SupervisorRecord(msgspec.Struct, frozen=True):
    """`supervisor.json`: the process and where it listens."""

    pid: int
    birth: str
    socket: str

    def alive(self) -> bool:
        """Whether it still runs."""
        return ProcessRecord(self.pid, self.birth).alive()


def find_supervisor(folder: StackFolder) -> SupervisorRecord | None:
    """The stack's living supervisor. The record of a dead one is removed on the way."""
    _OURS[:] = [child for child in _OURS if child.poll() is None]
    try:
        record = decode(folder.supervisor.read_bytes(), SupervisorRecord)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    if record.alive():
        return record
    folder.supervisor.unlink(missing_ok=True)
    return None


def ask(folder: StackFolder, request: dict[str, Any], timeout_s: float = 60.0) -> dict[str, Any]:
    """Send one request and return the answer. NotReadyError without a supervisor; LatencyError where it refuses."""
    record = find_supervisor(folder)
    if record is None:
        raise NotReadyError(f"stack {folder.name} is not running: start it with `latency up`.")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(timeout_s)
            line.connect(record.socket)
            line.sendall(msgspec.json.encode(request) + b"\n")
            with line.makefile("rb") as answers:
                answer = decode(answers.readline(), dict[str, Any])
    except (OSError, msgspec.DecodeError) as broken:
        raise NotReadyError(
            f"the supervisor of stack {folder.name} (process {record.pid}) does not answer: {broken}"
        ) from broken
    if not answer.get("ok"):
        raise _ERRORS.get(answer.get("code"), LatencyError)(str(answer.get("error")))
    return answer


def _last_words(folder: StackFolder) -> str:
    """The supervisor writes one line when it gives up; it is the whole message."""
    lines = tail(folder.log(NAME), folder, 1)
    return lines[0].partition(" supervisor: ")[2] or f"the supervisor ended at once: {lines[0]}" if lines else "?"


def start_supervisor(folder: StackFolder) -> SupervisorRecord:
    """Start it in a session of its own and wait until it listens. NotReadyError with its last words if it dies."""
    environment = {**os.environ, STACK_DIR_VARIABLE: str(folder.root), "LATENCY_HOME": str(folder.root.parent.parent)}
    with open_log(folder.log(NAME)) as log:
        child = subprocess.Popen(
            (sys.executable, "-m", "stack.supervisor"),
            env=environment,
            cwd=folder.root,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _OURS.append(child)
    try:
        return _await_supervisor(folder, child)
    except BaseException:
        child.terminate()  # it may not be on record yet, so nobody else would find it
        child.wait()
        raise


def _await_supervisor(folder: StackFolder, child: subprocess.Popen[bytes]) -> SupervisorRecord:
    deadline = time.monotonic() + _START_S
    while (record := find_supervisor(folder)) is None:
        if child.poll() is not None:
            raise NotReadyError(_last_words(folder))
        if time.monotonic() > deadline:
            raise NotReadyError(f"the supervisor does not listen after {_START_S:.0f} s: see {folder.log(NAME)}")
        time.sleep(_POLL_S)
    return record
