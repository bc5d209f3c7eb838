"""Everything of a stack that an engine holds, found by its labels; and its removal."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from docker import DockerClient
from docker.errors import APIError, NotFound
from docker.models.containers import Container

from stack.docker import labels
from stack.docker.engine import told

_GOING = 409
_LAST = {"spark-master": 1, "kafka": 2, "mongod": 3}


def containers(client: DockerClient, stack: str, service: str | None = None) -> dict[str, Container]:
    """Service → its container, whether it runs or not; of all services, or that one."""
    found = _all(client, stack, service)
    return {_service(container): container for container in found if container.labels.get(labels.ONE_OFF) != "True"}


def _all(client: DockerClient, stack: str, service: str | None = None) -> list[Container]:
    """Also those that compose has run beside the services or made more than one of."""
    return client.containers.list(all=True, filters=labels.selecting(stack, service), ignore_removed=True)


def _service(container: Container) -> str:
    return str(container.labels.get(labels.SERVICE, container.name))


@contextlib.contextmanager
def _maybe_gone() -> Iterator[None]:
    """By itself, or because somebody else removes it now."""
    try:
        yield
    except APIError as refused:
        if not isinstance(refused, NotFound) and refused.status_code != _GOING:
            raise


def remove_containers(client: DockerClient, stack: str) -> None:
    """Stop and remove, consumers before what they consume, then the network. Volumes stay."""
    with told(f"stack {stack}"):
        for container in sorted(_all(client, stack), key=lambda one: (_LAST.get(_service(one), 0), _service(one))):
            with _maybe_gone():
                if container.status == "paused":
                    container.unpause()
                container.stop(timeout=20)
            with _maybe_gone():
                container.remove(force=True, v=True)
        for network in client.networks.list(filters=labels.selecting(stack)):
            with _maybe_gone():
                network.remove()


def remove_volumes(client: DockerClient, stack: str) -> list[str]:
    """Remove the stack's volumes; their names. NotReadyError names one that somebody else uses."""
    removed = []
    with told(f"stack {stack}"):
        for volume in client.volumes.list(filters=labels.selecting(stack)):
            with contextlib.suppress(NotFound):
                volume.remove(force=True)
                removed.append(str(volume.name))
    return removed
