"""A container as the one that a fault is done to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from docker.errors import APIError, NotFound
from docker.models.containers import Container

from stack.docker.clearing import containers
from stack.docker.engine import connect, told


class ContainerVictim:
    """One life of a container, from the moment at which this is made."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._started = container.attrs["State"]["StartedAt"]
        self.pid = int(container.attrs["State"]["Pid"])
        self.refusal = ""

    def kill(self) -> None:
        with self._noting():
            self._container.kill("SIGKILL")

    def pause(self) -> None:
        with self._noting():
            self._container.pause()

    def resume(self) -> None:
        with self._noting():
            self._container.unpause()

    @contextlib.contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except APIError as refused:
            self.refusal = str(refused.explanation or refused)

    def is_gone(self) -> bool:
        try:
            self._container.reload()
        except NotFound:
            return True
        state = self._container.attrs["State"]
        return not state["Running"] or state["StartedAt"] != self._started

    def is_paused(self) -> bool:
        with contextlib.suppress(NotFound):
            self._container.reload()
        return bool(self._container.attrs["State"].get("Paused"))


def container_victims(stack: str, host: str | None, service: str) -> Iterator[ContainerVictim]:
    """The service's container, if it runs."""
    with told(service):
        there = containers(connect(host), stack, service).get(service)
        if there is not None and there.status in ("running", "paused"):
            yield ContainerVictim(there)
