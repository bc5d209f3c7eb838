"""Talking to a run in progress: one JSON line there, one back, over a Unix socket; it works while MongoDB is down."""

from __future__ import annotations

import contextlib
import os
import queue
import secrets
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from measure.decoding import decode
from measure.errors import LatencyError, UsageError
from measure.folder import RunFolder
from scenarios.errors import NoRunError
from stack.places import runtime_folder

_TIMEOUT_S = 10.0
_LONGEST_LINE = 65_536


class Burst(msgspec.Struct, frozen=True, tag="burst", tag_field="do", forbid_unknown_fields=True):
    """`rate` events/s for `for_s` seconds, from now on."""

    rate: float
    for_s: float


class Pause(msgspec.Struct, frozen=True, tag="pause", tag_field="do", forbid_unknown_fields=True):
    """No event until `resume`, or until the load's planned end."""


class Resume(msgspec.Struct, frozen=True, tag="resume", tag_field="do", forbid_unknown_fields=True):
    """Back to the scenario."""


class Stop(msgspec.Struct, frozen=True, tag="stop", tag_field="do", forbid_unknown_fields=True):
    """The load ends now; what is under way is waited for, and the run judged."""


class Status(msgspec.Struct, frozen=True, tag="status", tag_field="do", forbid_unknown_fields=True):
    """Where the run is."""


Command = Burst | Pause | Resume | Stop | Status
Reply = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A command that waits for its answer."""

    command: Command
    _answer: queue.SimpleQueue[Reply] = field(default_factory=queue.SimpleQueue)

    def answer(self, reply: Reply) -> None:
        """Tell who asked."""
        self._answer.put(reply)

    def wait(self) -> Reply:
        """The answer; queue.Empty where none comes."""
        return self._answer.get(timeout=_TIMEOUT_S)


class ControlServer:
    """Listens in a thread of its own; the run process takes the commands out with `take`."""

    def __init__(self) -> None:
        self.path = runtime_folder() / f"run-{os.getpid()}-{secrets.token_hex(4)}.sock"
        self._asked: queue.SimpleQueue[Asked] = queue.SimpleQueue()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self.path))
        self._listener.listen(8)
        threading.Thread(target=self._accept, name="control", daemon=True).start()

    def take(self, wait_s: float) -> Asked | None:
        """The next command, waiting for it up to `wait_s`."""
        try:
            return self._asked.get(timeout=max(0.0, wait_s))
        except queue.Empty:
            return None

    def close(self) -> None:
        """Stop listening."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(line,), name="control-line", daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        line.settimeout(_TIMEOUT_S)
        with line, line.makefile("rb") as asking, contextlib.suppress(OSError):
            while request := asking.readline(_LONGEST_LINE):
                line.sendall(msgspec.json.encode(self._reply(request)) + b"\n")

    def _reply(self, request: bytes) -> Reply:
        try:
            asked = Asked(decode(request, Command))
        except msgspec.DecodeError as wrong:
            return {"ok": False, "error": f"not a command: {wrong}"}
        self._asked.put(asked)
        try:
            return asked.wait()
        except queue.Empty:
            return {"ok": False, "error": "the run process is busy"}


@contextlib.contextmanager
def control_server() -> Iterator[ControlServer]:
    """A server that is closed at the end."""
    server = ControlServer()
    try:
        yield server
    finally:
        server.close()


def send(run_folder: Path, command: Command) -> Reply:
    """Tell the run in that folder. NoRunError where its process is gone, UsageError where it refuses."""
    folder = RunFolder(run_folder)
    process = folder.process()
    if process is None or not folder.alive():
        raise NoRunError(f"run {folder.run} is not in progress.")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(_TIMEOUT_S + 1)
            line.connect(process.socket)
            line.sendall(msgspec.json.encode(command) + b"\n")
            with line.makefile("rb") as answers:
                answer = answers.readline()
            if not answer:
                raise NoRunError(f"run {folder.run} ended before it answered.")
            reply = decode(answer, Reply)
    except (OSError, msgspec.DecodeError) as broken:
        raise LatencyError(f"run {folder.run} (process {process.pid}) does not answer: {broken}") from broken
    if not reply.get("ok"):
        raise UsageError(f"run {folder.run}: {reply.get('error')}")
    return reply
