"""What each container uses, by the engine's own counters."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from docker.errors import DockerException
from urllib3.exceptions import HTTPError

from measure.errors import LatencyError
from stack.docker.clearing import containers
from stack.docker.engine import connect
from stack.usage import Usage

_LOOK_AGAIN_S = 5.0
_STALE_S = 5.0
"""The engine tells once a second; what it last told so long ago says nothing about now."""


@dataclass(frozen=True, slots=True)
class _Counted:
    at_s: float
    cpu_ns: int
    read: int | None
    written: int | None
    received: int
    sent: int


@dataclass(frozen=True, slots=True)
class _Told:
    """What the engine said of one service; None: that it does not run."""

    service: str
    at_s: float
    usage: Usage | None


class ContainerSampler:
    """Has the engine send each container's counters, to a thread each: one that is asked may take a second for each
    container. Rates are over the time between two of its messages."""

    def __init__(self, stack: str, host: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stack, self._host, self._clock = stack, host, clock
        self._heard: queue.SimpleQueue[_Told] = queue.SimpleQueue()
        self._latest: dict[str, _Told] = {}
        self._ended = threading.Event()
        threading.Thread(target=self._look, name="usage", daemon=True).start()

    def sample(self) -> dict[str, Usage]:
        """Service → usage, for the containers that run, as the engine told it last; returns at once. None while the
        engine does not answer. Not for several threads."""
        with contextlib.suppress(queue.Empty):
            while True:
                told = self._heard.get_nowait()
                self._latest[told.service] = told
        oldest_s = self._clock() - _STALE_S
        return {
            name: told.usage
            for name, told in sorted(self._latest.items())
            if told.usage is not None and told.at_s >= oldest_s
        }

    def close(self) -> None:
        """Listen no more."""
        self._ended.set()

    def _look(self) -> None:
        """A thread for each container that runs: they come and go."""
        followed: dict[str, threading.Thread] = {}
        while not self._ended.is_set():
            with contextlib.suppress(LatencyError, DockerException, OSError):
                there = _running(self._stack, self._host)
                followed = {one: thread for one, thread in followed.items() if thread.is_alive()}
                for container in there.keys() - followed.keys():
                    arguments = (there[container], container)
                    thread = threading.Thread(target=self._follow, args=arguments, name="usage", daemon=True)
                    followed[container] = thread
                    thread.start()
            self._ended.wait(_LOOK_AGAIN_S)

    def _follow(self, service: str, container: str) -> None:
        before: _Counted | None = None
        with contextlib.suppress(LatencyError, DockerException, HTTPError, OSError, ValueError):
            for told in connect(self._host, timeout_s=None).api.stats(container, decode=True):
                if self._ended.is_set():
                    return
                at_s = self._clock()
                now = _count(told, at_s)
                self._heard.put(_Told(service, at_s, None if now is None else _usage(told, now, before)))
                before = now


def _running(stack: str, host: str | None) -> dict[str, str]:
    """Container → its service."""
    there = containers(connect(host), stack)
    return {str(one.id): name for name, one in there.items() if one.status in ("running", "paused")}


def _usage(told: dict[str, Any], now: _Counted, before: _Counted | None) -> Usage:
    memory = told["memory_stats"]
    inactive = memory.get("stats", {}).get("inactive_file", memory.get("stats", {}).get("total_inactive_file", 0))
    resident = memory["usage"] - inactive
    if before is None or now.cpu_ns < before.cpu_ns:
        return Usage(0.0, resident, None, None)
    elapsed = max(now.at_s - before.at_s, 1e-3)
    return Usage(
        (now.cpu_ns - before.cpu_ns) / 1e9 / elapsed,
        resident,
        _rate(now.read, before.read, elapsed),
        _rate(now.written, before.written, elapsed),
        _rate(now.received, before.received, elapsed),
        _rate(now.sent, before.sent, elapsed),
    )


def _rate(now: int | None, before: int | None, elapsed: float) -> float | None:
    return None if now is None or before is None else max(0, now - before) / elapsed


def _count(told: dict[str, Any], at_s: float) -> _Counted | None:
    """None for a container that does not run: its counters are empty."""
    if "usage" not in told.get("memory_stats", {}):
        return None
    disk = told.get("blkio_stats", {}).get("io_service_bytes_recursive") or []
    networks = (told.get("networks") or {}).values()
    return _Counted(
        at_s,
        told["cpu_stats"]["cpu_usage"]["total_usage"],
        sum(each["value"] for each in disk if each["op"].lower() == "read") if disk else None,
        sum(each["value"] for each in disk if each["op"].lower() == "write") if disk else None,
        sum(each["rx_bytes"] for each in networks),
        sum(each["tx_bytes"] for each in networks),
    )
