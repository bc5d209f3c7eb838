"""Which run a stack has: one at a time, known from a lock that a dead process cannot hold."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import msgspec

from measure.decoding import decode
from scenarios.errors import NoRunError, RunRefusedError
from stack.places import StackFolder

_FILE = "run.json"


class Occupant(msgspec.Struct, frozen=True):
    """`run.json` in the stack's folder. It counts only while it is locked."""

    run: str
    folder: str
    """The run's folder."""
    pid: int


@dataclass(slots=True)
class Occupancy:
    """The stack is taken by this process as long as this is open."""

    path: Path
    file: BinaryIO

    @classmethod
    def take(cls, stack: StackFolder, run: str, folder: Path) -> Occupancy:
        """Take the stack for a run. RunRefusedError names the run that has it."""
        stack.make()
        path = stack.root / _FILE
        file = path.open("a+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            holder = _read(path)
            raise RunRefusedError(
                f"stack {stack.name} has a run in progress: {holder.run if holder else 'one that just begins'}. "
                "Wait for it, end it with `latency stop`, or use another stack with --stack."
            ) from None
        file.truncate(0)
        file.write(msgspec.json.encode(Occupant(run, str(folder), os.getpid())))
        file.flush()
        return cls(path, file)

    def close(self) -> None:
        """Leave the stack to others."""
        self.file.truncate(0)
        self.file.close()

    def __enter__(self) -> Occupancy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def occupant(stack: StackFolder) -> Occupant | None:
    """The run that the stack has now."""
    path = stack.root / _FILE
    try:
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _read(path)
    except FileNotFoundError:
        return None
    return None


def current(stack: StackFolder) -> Occupant:
    """The run that the stack has now; NoRunError without one."""
    found = occupant(stack)
    if found is None:
        raise NoRunError(f"stack {stack.name} has no run in progress. Start one with `latency run SCENARIO`.")
    return found


def _read(path: Path) -> Occupant | None:
    try:
        return decode(path.read_bytes(), Occupant)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
