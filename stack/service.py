"""What a service is, said before anything runs: one frozen definition for each process of a stack."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from measure.errors import NotReadyError


class NotYetError(NotReadyError):
    """A probe's answer while the service is still on its way: ask again. The message says what was seen."""


Step = Callable[[], object]
"""A blocking step of a few seconds at most. NotYetError: ask again; any other LatencyError is final. What it returns
is not looked at."""


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Service:
    """How a process is started, when it is ready, and how it is stopped."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    ports: Mapping[str, int]
    """Name of the listener → port on 127.0.0.1."""
    log: Path
    probe: Step
    """Speaks the service's own protocol; returns if it is ready."""
    prepare: Step = _nothing
    """Before each start: configuration files, formatting. Must be safe to repeat."""
    provision: Step = _nothing
    """After each start, until it succeeds: users, topics, indexes. Must be safe to repeat."""
    needs: tuple[str, ...] = ()
    """Services that must be ready before this one is started."""
    start_timeout_s: float = 60
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_s: float = 15
    settings: Mapping[str, object] = field(default_factory=dict)
    """What its configuration files were made from: a change of it means a restart."""

    box: object | None = None
    """What its container is made of (a `stack.docker.box.Box`); None: it is a process."""
    foreign: bool = False
    """It is not ours to start or stop: it is only made ready and asked how it is."""

    @property
    def digest(self) -> str:
        """Changes when the process would have to be restarted to follow the definition."""
        parts = (
            self.command,
            sorted(self.environment.items()),
            sorted(self.ports.items()),
            sorted(self.settings.items()),
            *(() if self.box is None else (self.box,)),
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
