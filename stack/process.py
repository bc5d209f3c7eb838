"""A service's process: how it is started, recorded, found again, and ended with everything that it started.

The record in `pids/SERVICE.json` counts only while a process with that pid has that birth mark. What has no record
(its supervisor died in between) is found by the environment that every service is started with.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil

from measure.birth import birth
from measure.decoding import decode
from measure.errors import NotReadyError
from stack.access import STACK_DIR_VARIABLE
from stack.files import write_whole
from stack.places import StackFolder
from stack.service import Service

SERVICE_VARIABLE = "LATENCY_SERVICE"
NOT_INHERITED = (
    "SPARK_HOME",
    "SPARK_CONF_DIR",
    "HADOOP_CONF_DIR",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "_JAVA_OPTIONS",
)
"""They would put another Spark, or another configuration, under a job of ours."""
_POLL_S = 0.05
_GONE_S = 10.0


class ProcessRecord(msgspec.Struct, frozen=True):
    """Which process is meant: a pid counts only together with its birth mark."""

    pid: int
    birth: str
    service: str = ""
    digest: str = ""
    """Of the definition that it was started from."""

    def process(self) -> psutil.Process | None:
        """The process, if it is this one and not a corpse."""
        try:
            found = psutil.Process(self.pid)
            same = birth(self.pid) == self.birth
            return found if same and found.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None

    def alive(self) -> bool:
        """Whether this very process runs (or is stopped by a signal)."""
        return self.process() is not None


def current_process() -> ProcessRecord:
    """The record of the calling process."""
    return ProcessRecord(os.getpid(), birth(os.getpid()))


def read_record(path: Path) -> ProcessRecord | None:
    """The record in `path`, alive or not; None where there is none that can be read."""
    try:
        return decode(path.read_bytes(), ProcessRecord)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def find(folder: StackFolder, service: str) -> ProcessRecord | None:
    """The service's living process. A record of a dead one is removed on the way."""
    record = read_record(folder.pid(service))
    if record is not None and record.alive():
        return record
    if record is not None:
        folder.pid(service).unlink(missing_ok=True)
    return None


def start(service: Service, folder: StackFolder) -> subprocess.Popen[bytes]:
    """Start the service in a session of its own and record it. NotReadyError where its program cannot be run."""
    try:
        with open_log(service.log) as log:
            child = subprocess.Popen(  # noqa: S603 (the command is ours)
                service.command,
                env=service_environment(service, folder),
                cwd=folder.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as refused:
        raise NotReadyError(f"{service.name}: cannot run {service.command[0]}: {refused.strerror}.") from refused
    record = ProcessRecord(child.pid, birth(child.pid), service.name, service.digest)
    write_whole(folder.pid(service.name), msgspec.json.encode(record))
    return child


@contextlib.contextmanager
def open_log(path: Path) -> Iterator[int]:
    """A log, opened so that each write goes to its end wherever that is: it may be cut short meanwhile."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)


def append(handle: int, content: bytes) -> None:
    """Write all of `content` at the end."""
    while content:
        content = content[os.write(handle, content) :]


def service_environment(service: Service, folder: StackFolder) -> dict[str, str]:
    """What the process sees: the caller's environment, the definition's, and where its stack is."""
    inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    return inherited | {
        "LATENCY_HOME": str(folder.root.parent.parent),
        "PYTHONUNBUFFERED": "1",
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        **service.environment,
        STACK_DIR_VARIABLE: str(folder.root),
        SERVICE_VARIABLE: service.name,
    }


def members(folder: StackFolder, service: str) -> list[psutil.Process]:
    """Every living process of the service: the one that was started, and what it started."""
    wanted = {STACK_DIR_VARIABLE: str(folder.root), SERVICE_VARIABLE: service}
    found = []
    for process in psutil.process_iter():
        try:
            environment = process.environ()
            if all(environment.get(name) == value for name, value in wanted.items()) and (
                process.status() != psutil.STATUS_ZOMBIE
            ):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def signal_all(folder: StackFolder, service: str, number: signal.Signals) -> list[int]:
    """Send a signal to every process of the service; the pids that it reached."""
    reached = []
    for process in members(folder, service):
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)
            reached.append(process.pid)
    return reached


def stop(folder: StackFolder, service: str, number: signal.Signals, timeout_s: float) -> None:
    """End a service: the clean signal, time, then the hard one. Nothing there is fine."""
    record = find(folder, service)
    if record is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(record.pid, signal.SIGCONT)  # a paused process would not hear the signal
            os.kill(record.pid, number)
        deadline = time.monotonic() + timeout_s
        while record.alive() and time.monotonic() < deadline:
            time.sleep(_POLL_S)
    kill_rest(folder, service)
    folder.pid(service).unlink(missing_ok=True)


def kill_rest(folder: StackFolder, service: str) -> None:
    """Kill whatever of the service is still there, and wait until it is gone."""
    left = members(folder, service)
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.kill()
    deadline = time.monotonic() + _GONE_S
    while any(map(_runs, left)) and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _runs(process: psutil.Process) -> bool:
    """Whether it is there and no corpse. (psutil's own waiting would take a child's exit code from its parent.)"""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def tree(record: ProcessRecord) -> list[psutil.Process]:
    """The recorded process and its living descendants; empty when it is gone."""
    main = record.process()
    if main is None:
        return []
    try:
        return [main, *main.children(recursive=True)]
    except psutil.Error:
        return [main]


def is_paused(record: ProcessRecord) -> bool:
    """Whether a signal has stopped it."""
    main = record.process()
    try:
        return main is not None and main.status() == psutil.STATUS_STOPPED
    except psutil.Error:
        return False
