"""What each container uses, by the engine's own counters."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests
from docker import DockerClient
from docker.errors import APIError, DockerException

from measure.errors import LatencyError
from stack.docker.clearing import containers
from stack.docker.engine import connect
from stack.usage import Usage

_LOOK_AGAIN_S = 10.0


@dataclass(frozen=True, slots=True)
class _Counted:
    at_s: float
    cpu_ns: int
    read: int | None
    written: int | None
    received: int
    sent: int


class ContainerSampler:
    """Call `sample` at even intervals; rates are over the time since the call before. Not for several threads."""

    def __init__(self, stack: str, host: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stack = stack
        self._host = host
        self._clock = clock
        self._client: DockerClient | None = None
        self._ids: dict[str, str] = {}
        self._looked_s = float("-inf")
        self._counted: dict[str, _Counted] = {}

    def sample(self) -> dict[str, Usage]:
        """Service → usage, for the containers that run; none while the engine does not answer."""
        try:
            return self._sample()
        except (LatencyError, requests.RequestException, DockerException):
            self._client, self._counted = None, {}
            return {}

    def _sample(self) -> dict[str, Usage]:
        if self._client is None:
            self._client = connect(self._host)
        if self._clock() - self._looked_s > _LOOK_AGAIN_S:
            there = containers(self._client, self._stack)
            self._ids = {name: str(one.id) for name, one in there.items() if one.status == "running"}
            self._looked_s = self._clock()
        found = {}
        for name, container in self._ids.items():
            with contextlib.suppress(APIError):
                told: Any = self._client.api.stats(container, stream=False, one_shot=True)
                if usage := self._usage(name, told):
                    found[name] = usage
        return found

    def _usage(self, name: str, told: dict[str, Any]) -> Usage | None:
        """None for a container that has just ended: its counters are empty."""
        memory = told.get("memory_stats", {})
        if "usage" not in memory:
            return None
        now, before = _count(told, self._clock()), self._counted.get(name)
        self._counted[name] = now
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


def _count(told: dict[str, Any], at_s: float) -> _Counted:
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
