"""The labels by which everything of a stack is found: ours, and compose's, so that its tools see the stack too."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from measure.errors import NotReadyError
from stack.places import Home
from stack.service import Service

_COMPOSE = "com.docker.compose."
PROJECT = _COMPOSE + "project"
SERVICE = _COMPOSE + "service"
HASH = _COMPOSE + "config-hash"
VOLUME = _COMPOSE + "volume"
NETWORK = _COMPOSE + "network"
ONE_OFF = _COMPOSE + "oneoff"
OURS = "latency.stack"
HOME = "latency.home"


def project_name(stack: str) -> str:
    """Compose's project of a stack."""
    return f"latency-{stack}"


def own(stack: str) -> dict[str, str]:
    """By these everything of the stack is found: its name, and its home, for each home may have one of this name."""
    home = hashlib.sha256(str(Home.find().root.resolve()).encode()).hexdigest()[:12]
    return {OURS: stack, HOME: home}


def selecting(stack: str, service: str | None = None) -> dict[str, str | list[str] | bool]:
    """The engine's filter for what is the stack's own, or that service's."""
    wanted = own(stack) | ({} if service is None else {SERVICE: service})
    return {"label": [f"{name}={value}" for name, value in wanted.items()]}


def require_own(stack: str, what: str, found: Mapping[str, str] | None) -> None:
    """NotReadyError where something bears one of the stack's names, but not its labels."""
    wanted, there = own(stack), found or {}
    if not wanted.items() <= there.items():
        raise NotReadyError(
            f"stack {stack}: the engine has a {what} already that belongs to another home "
            f"({HOME}={there.get(HOME)}, this one is {wanted[HOME]}): take another name by --stack, or remove it there."
        )


def of_stack(stack: str) -> dict[str, str]:
    """On everything of the stack."""
    return {PROJECT: project_name(stack)} | own(stack)


def of_container(stack: str, service: Service) -> dict[str, str]:
    """On a service's container."""
    return of_stack(stack) | {
        SERVICE: service.name,
        HASH: service.digest,
        _COMPOSE + "container-number": "1",
        ONE_OFF: "False",
        _COMPOSE + "version": "2.0.0",
        _COMPOSE + "depends_on": ",".join(f"{name}:service_started:false" for name in service.needs),
    }


def of_volume(stack: str, volume: str) -> dict[str, str]:
    """On a volume."""
    return of_stack(stack) | {VOLUME: volume}


def of_network(stack: str) -> dict[str, str]:
    """On the stack's network."""
    return of_stack(stack) | {NETWORK: "default"}
