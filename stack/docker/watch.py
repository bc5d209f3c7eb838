"""What happens to a stack's containers, as the engine tells it: events are subscribed to, nothing is polled."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass
from typing import Any

import requests
from docker.errors import DockerException, NotFound

from measure.errors import LatencyError
from stack.docker import labels
from stack.docker.engine import connect

_AGAIN_S = 1.0
_KILLED = 137
_LOG_S = 5.0


@dataclass(slots=True)
class ContainerLife:
    """One life of a container, from a start to its end."""

    container: str
    """Id."""
    pid: int | None
    started: str
    over: bool = False
    code: int | None = None
    paused: bool = False
    out_of_memory: bool = False
    log: threading.Thread | None = None
    """Copies its output to the service's log, and ends with it."""

    @property
    def exit_code(self) -> int | None:
        return self.code

    def ended(self) -> bool:
        return self.over

    def await_log(self) -> None:
        if self.log is not None:
            self.log.join(_LOG_S)


class Watch:
    """Follows the events of one stack in a thread of its own, and keeps the lives that it was given up to date."""

    def __init__(self, stack: str, host: str | None) -> None:
        self._stack = stack
        self._host = host
        self._lives: dict[str, ContainerLife] = {}
        threading.Thread(target=self._follow, name="engine events", daemon=True).start()

    def add(self, life: ContainerLife) -> None:
        """Keep this life up to date from now on; it may have ended meanwhile."""
        self._lives[life.container] = life
        self._look(life)

    def _follow(self) -> None:
        while True:
            with contextlib.suppress(LatencyError, requests.RequestException, DockerException, OSError, ValueError):
                client = connect(self._host, timeout_s=None)
                filters = labels.selecting(self._stack) | {"type": "container"}
                events = client.events(decode=True, filters=filters)
                for life in list(self._lives.values()):
                    self._look(life)
                for event in events:
                    self._take(event)
            self._lose()
            time.sleep(_AGAIN_S)

    def _take(self, event: dict[str, Any]) -> None:
        actor = event.get("Actor", {})
        life = self._lives.get(actor.get("ID", ""))
        if life is None:
            return
        match event.get("Action"):
            case "die":
                life.code = int(actor.get("Attributes", {}).get("exitCode", 0))
                if life.code == _KILLED:
                    self._look(life)  # the engine may tell of the memory in the container's state only
                life.over = True
            case "oom":
                life.out_of_memory = True
            case "pause":
                life.paused = True
            case "unpause":
                life.paused = False

    def _look(self, life: ContainerLife) -> None:
        """Events may have been missed: ask."""
        try:
            state = connect(self._host).api.inspect_container(life.container)["State"]
        except NotFound:
            life.over = True
            return
        except (LatencyError, requests.RequestException, DockerException):
            return
        life.paused = bool(state.get("Paused"))
        if not state["Running"] or state["StartedAt"] != life.started:
            life.code = state.get("ExitCode") if not state["Running"] else life.code
            life.out_of_memory = life.out_of_memory or bool(state.get("OOMKilled"))
            life.over = True

    def _lose(self) -> None:
        """The stream has ended: where the engine is gone, so are its containers as far as anybody can tell."""
        try:
            connect(self._host)
        except LatencyError:
            for life in list(self._lives.values()):
                life.over = True
