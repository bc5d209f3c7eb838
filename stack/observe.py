"""What a stack is now: asked of its supervisor, else of the processes themselves."""

from __future__ import annotations

from typing import Any

from measure.errors import NotReadyError
from stack.access import Access, Endpoints
from stack.blueprint import Plan
from stack.places import Home, StackFolder
from stack.process import read_record
from stack.runtimes import running_containers
from stack.services import service_names
from stack.settings import DOCKER, Settings
from stack.state import ServiceState, StackState
from stack.supervision import ask, find_supervisor

_ANSWER_S = 10.0


def status(settings: Settings) -> StackState:
    """What runs now. A stack that is down has its services as `stopped`, and no endpoints."""
    folder = settings.folder
    plan = Plan.read(folder)
    planned = Settings(**plan.settings) if plan else settings
    supervised = find_supervisor(folder) is not None
    services = _told(folder) if supervised else _found(folder, planned)
    up = supervised or any(service.state != "stopped" for service in services)
    return StackState(
        name=settings.stack,
        runtime=planned.runtime,
        profile=planned.profile,
        services=services,
        endpoints=_endpoints(folder) if up else None,
        run=run_in_progress(settings.home, settings.stack),
    )


def runtime_of(settings: Settings) -> str:
    """The runtime that the stack was made with; the configured one where it was not made yet."""
    plan = Plan.read(settings.folder)
    return str(plan.settings["runtime"]) if plan else settings.runtime


def _told(folder: StackFolder) -> tuple[ServiceState, ...]:
    return tuple(map(_service_state, ask(folder, {"do": "status"}, _ANSWER_S)["services"]))


def _service_state(told: dict[str, Any]) -> ServiceState:
    return ServiceState(
        name=told["name"],
        state=told["state"],
        pid=told["pid"],
        health=told["reason"] or told["health"],
        since=told["since_s"],
        cpu=told["cpu"],
        memory_bytes=told["memory_bytes"],
        ports=told["ports"],
        restarts=told["restarts"],
        container=told.get("container"),
        foreign=told.get("foreign", False),
        rx_bytes_s=told.get("rx_bytes_s"),
        tx_bytes_s=told.get("tx_bytes_s"),
    )


def _found(folder: StackFolder, planned: Settings) -> tuple[ServiceState, ...]:
    """Without a supervisor: whatever of the plan still runs."""
    if planned.runtime == DOCKER:
        return _found_containers(folder, planned)
    found = []
    for name in service_names(planned):
        record = read_record(folder.pid(name))
        alive = record.process() if record is not None else None
        if alive is not None:
            found.append(ServiceState(name, "unsupervised", alive.pid, "its supervisor is gone", alive.create_time()))
        else:
            found.append(ServiceState(name, "stopped"))
    return tuple(found)


def _found_containers(folder: StackFolder, planned: Settings) -> tuple[ServiceState, ...]:
    try:
        running = running_containers(folder)
    except NotReadyError:  # without its engine, nothing of it runs
        running = []
    return tuple(
        ServiceState(name, "unsupervised", health="its supervisor is gone")
        if name in running
        else ServiceState(name, "stopped")
        for name in service_names(planned)
    )


def _endpoints(folder: StackFolder) -> Endpoints | None:
    return Access.load(folder.root).endpoints if folder.endpoints.exists() else None


def run_in_progress(home: Home, stack: str) -> str | None:
    """Id of the run whose process lives and drives this stack."""
    from measure.folder import RunFolder

    for folder in RunFolder.all(home.runs):
        if folder.alive() and folder.plan().stack == stack:
            return folder.run
    return None
