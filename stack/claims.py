"""Ports that stacks of other homes have chosen and do not listen on yet: two that start at once must not choose alike.

A claim is a small file in the user's runtime folder. It counts while its stack is meant to be up, and only for the
minutes in which its services may still be starting: after that, what listens tells for itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from measure.decoding import decode
from stack.files import write_whole
from stack.places import StackFolder, private_folder, runtime_folder

_STARTING_S = 300.0
_UNWRITTEN_S = 10.0  # between the choice and the endpoints' file


class Claim(msgspec.Struct, frozen=True):
    """Which ports a stack has chosen, and when (seconds of the epoch)."""

    root: str
    ports: list[int]
    at_s: float

    def counts(self, now_s: float) -> bool:
        """Whether the stack may be about to listen on them."""
        age_s = now_s - self.at_s
        return age_s < _UNWRITTEN_S or (age_s < _STARTING_S and StackFolder(Path(self.root)).endpoints.exists())


@contextlib.contextmanager
def choosing() -> Iterator[None]:
    """Only one process of this user chooses ports at a time."""
    with (_folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def claim(folder: StackFolder, ports: Mapping[str, int]) -> None:
    """Note what the stack has chosen."""
    name = hashlib.sha256(str(folder.root).encode()).hexdigest()[:16]
    made = Claim(str(folder.root), list(ports.values()), time.time())
    write_whole(_folder() / f"{name}.json", msgspec.json.encode(made))


def claimed_by_others(folder: StackFolder) -> dict[int, str]:
    """Port → the stack that is about to listen on it. Claims that no longer count are removed on the way."""
    found: dict[int, str] = {}
    now_s = time.time()
    for file in _folder().glob("*.json"):
        try:
            other = decode(file.read_bytes(), Claim)
        except (FileNotFoundError, msgspec.DecodeError):
            continue
        if not other.counts(now_s):
            file.unlink(missing_ok=True)
        elif other.root != str(folder.root):
            found.update(dict.fromkeys(other.ports, f"the stack in {other.root}, which is starting"))
    return found


def _folder() -> Path:
    return private_folder(runtime_folder() / "ports")
