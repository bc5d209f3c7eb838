"""The producer processes of a run: started, told what to send, heard, and ended with the run."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import psutil

from measure.decoding import decode
from measure.schedule import Span
from scenarios.errors import ProducerError
from scenarios.orders import Amend, Broken, Done, Finish, Load, Notice, Order, Ready
from stack.access import STACK_DIR_VARIABLE

_END_S = 10.0
_MODULE = "scenarios.producer"


@dataclass(frozen=True, slots=True)
class Gone:
    """A producer process has ended; nobody starts it again."""

    code: int


Heard = Notice | Gone


@dataclass(slots=True)
class _Member:
    child: subprocess.Popen[bytes]
    process: psutil.Process
    done: set[str] = field(default_factory=set)
    ready: bool = False
    gone: Gone | None = None
    error: str = ""


class Crew:
    """N producer processes. Not for several threads."""

    def __init__(self, size: int, stack_dir: Path, logs: Path) -> None:
        self._heard: queue.SimpleQueue[tuple[int, Heard]] = queue.SimpleQueue()
        self._members = [self._start(number, stack_dir, logs / f"{number}.log") for number in range(size)]

    def _start(self, number: int, stack_dir: Path, log: Path) -> _Member:
        with log.open("ab") as errors:
            child = subprocess.Popen(  # noqa: S603 - this package's own module
                (sys.executable, "-m", _MODULE),
                env={**os.environ, STACK_DIR_VARIABLE: str(stack_dir)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        threading.Thread(target=self._listen, args=(number, child), name=f"producer-{number}", daemon=True).start()
        return _Member(child, psutil.Process(child.pid))

    def _listen(self, number: int, child: subprocess.Popen[bytes]) -> None:
        if child.stdout is not None:
            with child.stdout as notices:
                for line in notices:
                    with contextlib.suppress(msgspec.DecodeError):
                        self._heard.put((number, decode(line, Notice)))
        self._heard.put((number, Gone(child.wait())))

    def await_ready(self, deadline_s: float) -> None:
        """Until each one has its id; ProducerError with its own words where one does not get so far."""
        until = time.monotonic() + deadline_s
        while not all(member.ready for member in self._members):
            with contextlib.suppress(queue.Empty):
                self._take(*self._heard.get(timeout=0.1))
            for number, member in enumerate(self._members):
                if member.gone:
                    raise ProducerError(f"producer {number} ended before the load: {_reason(member)}")
            if time.monotonic() > until:
                raise ProducerError(f"a producer is not ready after {deadline_s:.0f} s. See `latency status`.")

    def hear(self) -> list[str]:
        """Take in what the producers said; a line for each that has died since the last call."""
        died = []
        with contextlib.suppress(queue.Empty):
            while True:
                number, heard = self._heard.get_nowait()
                self._take(number, heard)
                if isinstance(heard, Gone):
                    died.append(f"producer {number} died: {_reason(self._members[number])}")
        return died

    def _take(self, number: int, heard: Heard) -> None:
        member = self._members[number]
        match heard:
            case Ready():
                member.ready = True
            case Done(run=run):
                member.done.add(run)
            case Broken(error=error):
                member.error = error
            case Gone():
                member.gone = heard

    def order(self, number: int, order: Load) -> None:
        """Tell one producer; one that is gone does not hear it."""
        self._send(self._members[number], order)

    def amend(self, run: str, at_us: int, spans: Sequence[Span]) -> None:
        """Tell all of them what is in force from `at_us` on."""
        for member in self._members:
            self._send(member, Amend(run, at_us, list(spans)))

    def is_through(self, run: str) -> bool:
        """Whether each living producer has a fate for every event of this load."""
        return all(member.gone or run in member.done for member in self._members)

    @property
    def alive(self) -> int:
        """How many are left."""
        return sum(member.gone is None for member in self._members)

    @property
    def processes(self) -> list[psutil.Process]:
        """Those that are left."""
        return [member.process for member in self._members if member.gone is None]

    def close(self) -> None:
        """Have them give up what is outstanding and end; who does not is killed."""
        for member in self._members:
            self._send(member, Finish())
        until = time.monotonic() + _END_S
        for member in self._members:
            try:
                member.child.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                member.child.kill()
                member.child.wait()
            if member.child.stdin is not None:
                with contextlib.suppress(BrokenPipeError):
                    member.child.stdin.close()

    def _send(self, member: _Member, order: Order) -> None:
        if member.child.stdin is None or member.gone:
            return
        with contextlib.suppress(BrokenPipeError, ValueError):
            member.child.stdin.write(msgspec.json.encode(order) + b"\n")
            member.child.stdin.flush()


def _reason(member: _Member) -> str:
    code = member.gone.code if member.gone else 0
    if member.error:
        return member.error
    return f"signal {-code}" if code < 0 else f"exit code {code}"
