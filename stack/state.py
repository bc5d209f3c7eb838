"""What a stack is at one moment, as others see it."""

from __future__ import annotations

from dataclasses import dataclass, field

from stack.access import Endpoints


@dataclass(frozen=True, slots=True)
class ServiceState:
    """One service. `cpu` in cores, `since` in seconds of the epoch."""

    name: str
    state: str
    """waiting | starting | ready | restarting | paused | failed | stopped, or unsupervised: it runs, and the
    supervisor that kept it is gone (`latency up` adopts it)"""
    pid: int | None = None
    health: str = ""
    """`ready`, or what is the matter."""
    since: float | None = None
    cpu: float | None = None
    memory_bytes: int | None = None
    ports: dict[str, int] = field(default_factory=dict)
    restarts: int = 0
    rx_bytes_s: float | None = None
    """Over its own network; None where the runtime does not tell, as for the next."""
    tx_bytes_s: float | None = None
    container: str | None = None
    """Id of its container; None: it is a process."""
    foreign: bool = False
    """It is not ours to start or stop."""


@dataclass(frozen=True, slots=True)
class StackState:
    """One stack."""

    name: str
    runtime: str
    profile: str
    services: tuple[ServiceState, ...] = ()
    endpoints: Endpoints | None = None
    """None while the stack is down."""
    run: str | None = None
    """Id of the run in progress on it."""

    @property
    def ready(self) -> bool:
        """Whether every service is."""
        return bool(self.services) and all(service.state == "ready" for service in self.services)

    @property
    def up(self) -> bool:
        """Whether anything of it runs."""
        return any(service.state != "stopped" for service in self.services)
