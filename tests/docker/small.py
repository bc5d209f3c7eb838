"""Containers that do little, so that they begin and end at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stack.docker.box import Box
from stack.service import NotYetError, Service
from stack.settings import Settings
from tests.docker import standins

STACK = "poor"
IDLE = "trap exit TERM; sleep 300 & wait"
"""A first process hears only what it asks for."""


def never() -> None:
    raise NotYetError("not ready")


def small(
    settings: Settings,
    script: str,
    memory_mb: int = 64,
    published: Mapping[int, int] | None = None,
    volumes: Mapping[str, str] | None = None,
    **more: Any,
) -> Service:
    """A container that runs a few words of shell."""
    box = Box(standins.KAFKA, memory_mb, cpus=1.0, cpu_shares=1024, published=published or {}, volumes=volumes or {})
    log = settings.folder.log("small")
    fields: dict[str, Any] = {"ports": {}, "probe": never, "start_timeout_s": 30.0} | more
    return Service(name="small", command=("bash", "-c", script), environment={}, log=log, box=box, **fields)
