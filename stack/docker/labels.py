"""The labels by which everything of a stack is found: compose's own, so that its tools see the stack too."""

from __future__ import annotations

from stack.service import Service

_COMPOSE = "com.docker.compose."
PROJECT = _COMPOSE + "project"
SERVICE = _COMPOSE + "service"
HASH = _COMPOSE + "config-hash"
VOLUME = _COMPOSE + "volume"
NETWORK = _COMPOSE + "network"
OURS = "latency.stack"


def project_name(stack: str) -> str:
    """Compose's project of a stack."""
    return f"latency-{stack}"


def of_stack(stack: str) -> dict[str, str]:
    """On everything of the stack."""
    return {PROJECT: project_name(stack), OURS: stack}


def of_container(stack: str, service: Service) -> dict[str, str]:
    """On a service's container."""
    return of_stack(stack) | {
        SERVICE: service.name,
        HASH: service.digest,
        _COMPOSE + "container-number": "1",
        _COMPOSE + "oneoff": "False",
        _COMPOSE + "version": "2.0.0",
        _COMPOSE + "depends_on": ",".join(f"{name}:service_started:false" for name in service.needs),
    }


def of_volume(stack: str, volume: str) -> dict[str, str]:
    """On a volume."""
    return of_stack(stack) | {VOLUME: volume}


def of_network(stack: str) -> dict[str, str]:
    """On the stack's network."""
    return of_stack(stack) | {NETWORK: "default"}
