"""The life of a stack as a whole: up, down, restart, status."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from measure.errors import LatencyError, NotReadyError
from stack import process
from stack.access import Access, Endpoints
from stack.blueprint import Plan
from stack.choice import choose_ports
from stack.credentials import KAFKA_CLIENTS, ensure_credentials
from stack.files import write_whole
from stack.places import StackFolder
from stack.ports import HOST
from stack.probe import wait_for_probe
from stack.provision import provision
from stack.services import job_module, runs_whole
from stack.settings import Settings
from stack.state import ServiceState, StackState
from stack.supervision import ask, find_supervisor, start_supervisor

Narrate = Callable[[str], None]

_POLL_S = 0.1
_UP_S = 180.0
_PROBE_S = 60.0
_DOWN_S = 60.0


def up(settings: Settings, profile: str | None, sinks: int | None, narrate: Narrate) -> StackState:
    """Start what is not running and return when a probe event came through to MongoDB.

    On any failure, Ctrl-C included, what this call started is taken down again. NotReadyError says why.
    """
    changes = {"profile": profile, "sinks": sinks}
    settings = settings.model_copy(update={name: value for name, value in changes.items() if value is not None})
    job_module(settings.profile)
    folder = settings.folder
    provision(settings, narrate)
    folder.make()
    with _changing(folder):
        mine = find_supervisor(folder) is None
        try:
            _begin(settings, folder, mine, narrate)
            _await_ready(settings, folder, narrate)
            if runs_whole(settings):
                took = wait_for_probe(Access.load(folder.root), _PROBE_S)
                narrate(f"a probe event came through to MongoDB in {took * 1000:.0f} ms")
        except BaseException:
            if mine:
                narrate("taking down again what was started")
                _take_down(folder)
            raise
    return status(settings)


def _begin(settings: Settings, folder: StackFolder, mine: bool, narrate: Narrate) -> None:
    """Write down what is wanted and make the supervisor follow it."""
    before = Plan.read(folder)
    if before is None or (mine and not _leftovers(folder)):
        ports = choose_ports(settings, before.ports if before else {}, narrate)
    else:
        ports = before.ports
    ensure_credentials(folder)
    Plan(settings.model_dump(mode="json"), ports).write(folder)
    write_whole(folder.endpoints, msgspec.json.encode(_endpoints(ports)))
    if mine:
        start_supervisor(folder)
    else:
        ask(folder, {"do": "apply"})


def _leftovers(folder: StackFolder) -> list[str]:
    """Services that run without their supervisor; they listen on the ports of the last plan."""
    return [name for name in _stop_order(folder) if process.find(folder, name) is not None]


def _endpoints(ports: dict[str, int]) -> Endpoints:
    return Endpoints(
        kafka={role: f"{HOST}:{ports[f'kafka.{role}']}" for role in KAFKA_CLIENTS},
        mongo=f"{HOST}:{ports['mongo']}",
        spark_ui=f"http://{HOST}:{ports['spark.ui']}",
    )


def _await_ready(settings: Settings, folder: StackFolder, narrate: Narrate) -> None:
    """Until every service is ready; NotReadyError at once when one has failed."""
    began = time.monotonic()
    told: dict[str, str] = {}
    while True:
        answer = ask(folder, {"do": "status"})
        for service in answer["services"]:
            if told.get(service["name"]) != service["state"]:
                told[service["name"]] = service["state"]
                narrate(f"{time.monotonic() - began:5.1f} s  {service['name']:<8} {service['state']}")
            if service["state"] == "failed":
                raise NotReadyError(service["reason"])
        if all(state == "ready" for state in told.values()):
            return
        if time.monotonic() - began > _UP_S:
            late = ", ".join(f"{s['name']} ({s['health']})" for s in answer["services"] if s["state"] != "ready")
            raise NotReadyError(f"not ready after {_UP_S:.0f} s: {late}. See `latency logs SERVICE`.")
        time.sleep(_POLL_S)


def down(settings: Settings, purge: bool, narrate: Narrate) -> None:
    """Stop the stack; what is not there is fine. With `purge`, remove its data and credentials too (runs stay)."""
    folder = settings.folder
    if not folder.root.exists():
        return
    with _changing(folder):
        _take_down(folder)
    if purge:
        shutil.rmtree(folder.root)
        narrate(f"removed {folder.root}")


def _take_down(folder: StackFolder) -> None:
    """Tell the supervisor, and end by hand whatever it did not."""
    supervisor = find_supervisor(folder)
    if supervisor is not None:
        with contextlib.suppress(LatencyError):
            ask(folder, {"do": "stop"})
        record = process.ProcessRecord(supervisor.pid, supervisor.started)
        deadline = time.monotonic() + _DOWN_S
        while record.alive() and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        if record.alive():
            os.kill(supervisor.pid, signal.SIGKILL)
    for name in _stop_order(folder):
        process.stop(folder, name, signal.SIGTERM, 20.0)
    folder.supervisor.unlink(missing_ok=True)
    folder.endpoints.unlink(missing_ok=True)


def _stop_order(folder: StackFolder) -> list[str]:
    """Services with a process record, consumers before what they consume."""
    last = {"kafka": 1, "mongod": 2}
    return sorted((file.stem for file in folder.pids.glob("*.json")), key=lambda name: (last.get(name, 0), name))


def restart(settings: Settings, service: str, narrate: Narrate) -> StackState:
    """Restart one service and return when it is ready."""
    folder = settings.folder
    ask(folder, {"do": "restart", "service": service})
    _await_ready(settings, folder, narrate)
    return status(settings)


def status(settings: Settings) -> StackState:
    """What runs now."""
    folder = settings.folder
    plan = Plan.read(folder)
    profile = plan.settings["profile"] if plan else settings.profile
    endpoints = Access.load(folder.root).endpoints if folder.endpoints.exists() else None
    if find_supervisor(folder) is None:
        return StackState(settings.stack, settings.runtime, profile, (), None)
    told = ask(folder, {"do": "status"})["services"]
    return StackState(settings.stack, settings.runtime, profile, tuple(map(_service_state, told)), endpoints)


def _service_state(told: dict[str, Any]) -> ServiceState:
    return ServiceState(
        told["name"],
        told["state"],
        told["pid"],
        told["health"],
        told["since_s"],
        None,
        None,
        told["ports"],
        told["restarts"],
    )


@contextlib.contextmanager
def _changing(folder: StackFolder) -> Iterator[None]:
    """One `up` or `down` at a time for each stack."""
    folder.make()
    with folder.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotReadyError(
                f"another `latency up` or `down` is at work on stack {folder.name}: wait until it has ended."
            ) from None
        yield
