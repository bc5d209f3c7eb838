"""The life of a stack as a whole: up, down, restart, status."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from measure.errors import LatencyError, NotReadyError, UsageError
from stack import process
from stack.access import Access, Endpoints, Role
from stack.blueprint import Plan
from stack.choice import choose_ports
from stack.credentials import KAFKA_CLIENTS, ensure_credentials
from stack.external import external_credentials, external_endpoints
from stack.files import write_whole
from stack.interruption import interruptible, uninterrupted
from stack.observe import runtime_of, status
from stack.places import StackFolder
from stack.ports import HOST
from stack.probe import wait_for_probe
from stack.provision import provision
from stack.runtimes import engine_of, remove_containers, remove_volumes, running_containers, with_engine, with_image
from stack.services import check, chosen, runs_whole
from stack.settings import DEFAULT_ORIGIN, DOCKER, EXTERNAL, Settings
from stack.state import StackState
from stack.supervision import ask, find_supervisor, start_supervisor

__all__ = ["down", "endpoints_of", "halt", "restart", "status", "up"]

Narrate = Callable[[str], None]

LEAST_FREE_BYTES = 1_000_000_000
_POLL_S = 0.1
_UP_S = 300.0
_PROBE_S = 60.0
_DOWN_S = 60.0


def up(settings: Settings, profile: str | None, sinks: int | None, narrate: Narrate) -> StackState:
    """Start what is not running and return when a probe event came through to MongoDB.

    On any failure, Ctrl-C included, what this call started is taken down again. NotReadyError says why.
    """
    settings = _as_asked(_as_made(settings), profile=profile, sinks=sinks)
    check(settings)
    folder = settings.folder
    with interruptible():
        _check_space(settings.home.root)
        settings = with_image(with_engine(settings))
        provision(settings, narrate)
        with _changing(folder):
            _bring_up(settings, folder, narrate)
    return status(settings)


def _as_made(settings: Settings) -> Settings:
    """A stack keeps the runtime that it was made with: its data lie there. UsageError where another is asked for."""
    made = runtime_of(settings)
    if made != settings.runtime and settings.origin("runtime") != DEFAULT_ORIGIN:
        raise UsageError(
            f"stack {settings.stack} was made with runtime {made}, not {settings.runtime}: take another name with "
            "--stack, or remove it with `latency down --purge`."
        )
    return settings.model_copy(update={"runtime": made})


def _as_asked(settings: Settings, **flags: object) -> Settings:
    """The settings with the flags; what nobody has said stays as it runs, if it runs."""
    running = Plan.read(settings.folder) if find_supervisor(settings.folder) else None
    changes = {}
    for name, flag in flags.items():
        if flag is not None:
            changes[name] = flag
        elif running is not None and settings.origin(name) == DEFAULT_ORIGIN:
            changes[name] = running.settings[name]
    if running is not None and settings.origin("docker.workers") == DEFAULT_ORIGIN:
        workers = running.settings["docker"]["workers"]
        changes["docker"] = settings.docker.model_copy(update={"workers": workers})
    return settings.model_copy(update=changes)


def _bring_up(settings: Settings, folder: StackFolder, narrate: Narrate) -> None:
    mine = find_supervisor(folder) is None
    try:
        _begin(settings, folder, mine, narrate)
        _await_ready(folder, narrate)
        if runs_whole(settings):
            took = wait_for_probe(Access.load(folder.root), _PROBE_S)
            narrate(f"a probe event came through to MongoDB in {took * 1000:.0f} ms")
    except BaseException:
        if mine:
            with uninterrupted():
                with contextlib.suppress(OSError):  # a terminal that was closed
                    narrate("taking down again what was started")
                _take_down(folder)
        raise


def _check_space(place: Path) -> None:
    free = shutil.disk_usage(place).free
    if free < LEAST_FREE_BYTES:
        raise NotReadyError(
            f"only {free / 1e6:.0f} MB are free in {place}, and a stack needs {LEAST_FREE_BYTES / 1e6:.0f} MB: "
            "free some space, or name another place in LATENCY_HOME."
        )


def _begin(settings: Settings, folder: StackFolder, mine: bool, narrate: Narrate) -> None:
    """Write down what is wanted and make the supervisor follow it."""
    before = Plan.read(folder)
    if before is None or (mine and not _leftovers(folder)):
        ports = choose_ports(settings, before.ports if before else {}, narrate)
    else:
        ports = before.ports
    try:
        if settings.runtime == EXTERNAL:
            write_whole(folder.credentials, msgspec.json.encode(external_credentials(settings.external)))
        else:
            ensure_credentials(folder)
        Plan(settings.model_dump(mode="json"), ports).write(folder)
        write_whole(folder.endpoints, msgspec.json.encode(endpoints_of(settings, ports)))
    except OSError as refused:
        raise NotReadyError(f"cannot write to {folder.root}: {refused.strerror}.") from refused
    if mine:
        start_supervisor(folder)
    else:
        ask(folder, {"do": "apply"})


def _leftovers(folder: StackFolder) -> list[str]:
    """Services that run without their supervisor; they listen on the ports of the last plan."""
    if engine_of(folder)[0]:
        return running_containers(folder)
    return [name for name in _stop_order(folder) if process.find(folder, name) is not None]


def endpoints_of(settings: Settings, ports: dict[str, int]) -> Endpoints:
    """Where a stack of these settings and ports listens, for this machine."""
    there = chosen(settings)
    if settings.runtime == EXTERNAL:
        return external_endpoints(settings, ports, there)
    reached = ("producer", "host") if settings.runtime == DOCKER else KAFKA_CLIENTS  # the others are for containers
    listeners = {role: role if role in reached else "host" for role in KAFKA_CLIENTS}
    return Endpoints(
        kafka={role: f"{HOST}:{ports[f'kafka.{listener}']}" for role, listener in listeners.items()},
        mongo=f"{HOST}:{ports['mongo']}",
        dashboard=f"http://{HOST}:{ports['dashboard']}" if "dashboard" in there else None,
        spark_ui=f"http://{HOST}:{ports['spark.ui']}" if "spark" in there else None,
    )


def _await_ready(folder: StackFolder, narrate: Narrate, only: str | None = None) -> None:
    """Until every service is ready, or that one; NotReadyError at once when one has failed."""
    began = time.monotonic()
    told: dict[str, str] = {}
    while True:
        services = [each for each in ask(folder, {"do": "status"})["services"] if only in (None, each["name"])]
        for service in services:
            if told.get(service["name"]) != service["state"]:
                told[service["name"]] = service["state"]
                narrate(f"{time.monotonic() - began:5.1f} s  {service['name']:<8} {service['state']}")
            if service["state"] == "failed":
                raise NotReadyError(service["reason"])
        if all(state == "ready" for state in told.values()):
            return
        if time.monotonic() - began > _UP_S:
            late = ", ".join(f"{s['name']} ({s['health']})" for s in services if s["state"] != "ready")
            raise NotReadyError(f"not ready after {_UP_S:.0f} s: {late}. See `latency logs SERVICE`.")
        time.sleep(_POLL_S)


def down(settings: Settings, purge: bool, narrate: Narrate) -> None:
    """Stop the stack; what is not there is fine. With `purge`, remove its data and credentials too (runs stay)."""
    folder = settings.folder
    if not folder.root.exists():
        return
    with _changing(folder), uninterrupted():
        if purge:
            _tell_what_stays(folder, narrate)
        _take_down(folder)
    if purge:
        for volume in remove_volumes(folder):
            narrate(f"removed volume {volume}")
        shutil.rmtree(folder.root)
        narrate(f"removed {folder.root}")


def _tell_what_stays(folder: StackFolder, narrate: Narrate) -> None:
    """In clusters that are not ours, nothing is removed."""
    with contextlib.suppress(NotReadyError):
        endpoints = Access.load(folder.root).endpoints
        if endpoints.foreign is not None:
            names = endpoints.names
            narrate(
                f"left as they are: topics {names.events}, {names.clean} and {names.dead} at "
                f"{endpoints.kafka[Role.HOST]}, database {names.database} at {endpoints.mongo}"
            )


def _take_down(folder: StackFolder) -> None:
    """Tell the supervisor, and end by hand whatever it did not."""
    supervisor = find_supervisor(folder)
    if supervisor is not None:
        with contextlib.suppress(LatencyError):
            ask(folder, {"do": "stop"})
        deadline = time.monotonic() + _DOWN_S
        while find_supervisor(folder) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        if supervisor.alive():
            os.kill(supervisor.pid, signal.SIGKILL)
    for name in _stop_order(folder):
        process.stop(folder, name, signal.SIGTERM, 20.0)
    remove_containers(folder)
    folder.supervisor.unlink(missing_ok=True)
    folder.endpoints.unlink(missing_ok=True)


def _stop_order(folder: StackFolder) -> list[str]:
    """Services with a process record, consumers before what they consume."""
    last = {"kafka": 1, "mongod": 2}
    return sorted((file.stem for file in folder.pids.glob("*.json")), key=lambda name: (last.get(name, 0), name))


def halt(settings: Settings, service: str) -> None:
    """Stop one service; it stays down until it is restarted, or until the next `up`."""
    ask(settings.folder, {"do": "halt", "service": service})


def restart(settings: Settings, service: str, narrate: Narrate, anew: bool = False) -> StackState:
    """Restart one service and return when it is ready; `anew`: in a container that is made anew."""
    folder = settings.folder
    ask(folder, {"do": "restart", "service": service, "anew": anew})
    _await_ready(folder, narrate, only=service)
    return status(settings)


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
