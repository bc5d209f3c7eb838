"""Everything of a stack that an engine holds, found by its labels; and its removal."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from docker import DockerClient
from docker.errors import APIError, NotFound
from docker.models.containers import Container

from stack.docker import labels
from stack.docker.engine import told

_GONE = (404, 409)
_LAST = {"spark-master": 1, "kafka": 2, "mongod": 3}


def _label_filter(stack: str) -> dict[str, str | list[str] | bool]:
    return {"label": f"{labels.OURS}={stack}"}


def containers(client: DockerClient, stack: str) -> dict[str, Container]:
    """Service → its container, whether it runs or not."""
    found = client.containers.list(all=True, filters=_label_filter(stack), ignore_removed=True)
    return {container.labels[labels.SERVICE]: container for container in found if labels.SERVICE in container.labels}


@contextlib.contextmanager
def _maybe_gone() -> Iterator[None]:
    try:
        yield
    except NotFound:
        return
    except APIError as refused:
        if refused.status_code not in _GONE:
            raise


def remove_containers(client: DockerClient, stack: str) -> None:
    """Stop and remove, consumers before what they consume, then the network. Volumes stay."""
    with told(f"stack {stack}"):
        there = containers(client, stack)
        for name in sorted(there, key=lambda name: (_LAST.get(name, 0), name)):
            with _maybe_gone():
                if there[name].status == "paused":
                    there[name].unpause()
                there[name].stop(timeout=20)
            with _maybe_gone():
                there[name].remove(force=True, v=True)
        for network in client.networks.list(filters=_label_filter(stack)):
            with _maybe_gone():
                network.remove()


def remove_volumes(client: DockerClient, stack: str) -> list[str]:
    """Remove the stack's volumes; their names."""
    removed = []
    with told(f"stack {stack}"):
        for volume in client.volumes.list(filters=_label_filter(stack)):
            with _maybe_gone():
                volume.remove(force=True)
                removed.append(str(volume.name))
    return removed
