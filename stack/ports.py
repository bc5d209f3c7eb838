"""Ports: the preferred one if it is free, else a free one, and who holds the one that is not."""

from __future__ import annotations

import random
import socket
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import psutil

from measure.errors import NotReadyError

HOST = "127.0.0.1"
_FREE_RANGE = range(20000, 32000)  # below what Linux and macOS give to outgoing connections
_TRIES = 200


@dataclass(frozen=True, slots=True)
class Holder:
    """Who listens on a port. `pid` is None where the system does not tell (a process of another user)."""

    port: int
    pid: int | None
    name: str

    def __str__(self) -> str:
        return f"{self.name} (process {self.pid})" if self.pid else self.name


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` of the loopback address now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def holder(port: int) -> Holder:
    """Who listens on `port`, as far as the system tells."""
    for pid in _listeners(port):
        try:
            return Holder(port, pid, psutil.Process(pid).name())
        except psutil.Error:
            continue
    return Holder(port, None, "a process of another user")


def _listeners(port: int) -> Iterable[int]:
    try:
        connections = psutil.net_connections("inet")
    except psutil.AccessDenied:  # macOS tells it for one's own processes only
        return _own_listeners(port)
    return [c.pid for c in connections if c.status == psutil.CONN_LISTEN and _port(c) == port and c.pid]


def _port(connection: Any) -> int | None:
    address: Any = connection.laddr
    return address.port if address else None


def _own_listeners(port: int) -> list[int]:
    found = []
    for process in psutil.process_iter():
        try:
            if any(c.status == psutil.CONN_LISTEN and _port(c) == port for c in process.net_connections("inet")):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def find_free(taken: Collection[int], chance: random.Random) -> int:
    """A free port that is not in `taken`; NotReadyError after many tries."""
    for _ in range(_TRIES):
        port = chance.choice(_FREE_RANGE)
        if port not in taken and is_free(port):
            return port
    raise NotReadyError(
        f"no free port between {_FREE_RANGE.start} and {_FREE_RANGE.stop} after {_TRIES} tries: stop what listens "
        "there."
    )
