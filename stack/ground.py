"""What services run on: what the supervisor asks of a runtime, and processes of this machine as the plainest answer."""

from __future__ import annotations

import contextlib
import subprocess
import time
from typing import Protocol

import psutil

from measure.errors import NotReadyError
from stack import process
from stack.places import StackFolder
from stack.ports import Holder, holder, is_free
from stack.service import Service

_FREED_S = 5.0
_POLL_S = 0.05


class Life(Protocol):
    """One life of a service, from its start to its end."""

    @property
    def pid(self) -> int | None:
        """Of its first process; None where it has none on this machine."""

    @property
    def exit_code(self) -> int | None:
        """None while it lives, and where nobody can tell."""

    @property
    def out_of_memory(self) -> bool:
        """Whether it was ended because it used more memory than it may."""

    @property
    def container(self) -> str | None:
        """Id of its container; None where it is a process."""

    @property
    def paused(self) -> bool:
        """Whether it is held still."""

    def ended(self) -> bool:
        """Whether it is over. Does not block."""

    def await_log(self) -> None:
        """Of a life that is over: return when what it said is in the service's log, or after a few seconds."""


class Ground(Protocol):
    """Everything here but `Life.ended` may block."""

    def find(self, service: Service) -> Life | None:
        """A life of just this definition that is under way already, for adoption."""

    def start(self, service: Service) -> Life:
        """Begin a life on clear ground. NotReadyError where that cannot be."""

    def stop(self, service: Service) -> None:
        """End what runs of it: the clean way, time, then the hard one. Nothing there is fine."""

    def clear(self, service: Service) -> None:
        """Remove what a death left behind."""

    def discard(self, service: Service) -> None:
        """Remove what it ran in, once it is stopped, so that the next start makes that anew. Its data stay."""


class _ProcessLife:
    container = None
    out_of_memory = False

    def __init__(self, record: process.ProcessRecord, child: subprocess.Popen[bytes] | None) -> None:
        self._record = record
        self._child = child

    @property
    def pid(self) -> int | None:
        return self._record.pid

    @property
    def paused(self) -> bool:
        return process.is_paused(self._record)

    @property
    def exit_code(self) -> int | None:
        return self._child.poll() if self._child is not None else None

    def ended(self) -> bool:
        """Reaps it on the way, where it is a child of this process."""
        return self._child.poll() is not None if self._child is not None else not self._record.alive()

    def await_log(self) -> None:
        """It wrote there by itself."""


class Processes:
    """Services as processes of this machine."""

    def __init__(self, folder: StackFolder) -> None:
        self._folder = folder

    def find(self, service: Service) -> Life | None:
        found = process.find(self._folder, service.name)
        return _ProcessLife(found, None) if found is not None and found.digest == service.digest else None

    def start(self, service: Service) -> Life:
        self.stop(service)  # a former supervisor may have left a process of it
        require_ports(service)
        service.prepare()
        child = process.start(service, self._folder)
        record = process.read_record(self._folder.pid(service.name))
        if record is None:
            raise NotReadyError(f"{service.name} was started, but {self._folder.pid(service.name)} cannot be read.")
        return _ProcessLife(record, child)

    def stop(self, service: Service) -> None:
        with contextlib.suppress(OSError):
            process.stop(self._folder, service.name, service.stop_signal, service.stop_timeout_s)

    def clear(self, service: Service) -> None:
        """Whatever its first process started."""
        self.stop(service)

    def discard(self, service: Service) -> None:
        return None


def require_ports(service: Service) -> None:
    """NotReadyError where somebody else listens on one of the service's ports."""
    for listener, port in service.ports.items():
        if whose := _still_held(port):
            raise NotReadyError(
                f"{service.name}: its port {port} ({listener}) is held by {whose}: stop that, or take "
                "another port by `latency down` and `latency up`."
            )


def _still_held(port: int) -> Holder | None:
    """Who holds a port. A process that was killed may be gone before its port is: while nobody who lives is seen on
    it, wait."""
    until = time.monotonic() + _FREED_S
    while not is_free(port):
        whose = holder(port)
        if (whose.pid is not None and not _is_ending(whose.pid)) or time.monotonic() > until:
            return whose
        time.sleep(_POLL_S)
    return None


def _is_ending(pid: int) -> bool:
    """A process gives back its memory, and with it its command line, before it closes its ports."""
    try:
        return not psutil.Process(pid).cmdline()
    except psutil.Error:
        return True


class _ForeignLife:
    pid = None
    container = None
    exit_code = None
    out_of_memory = False
    paused = False

    def ended(self) -> bool:
        return False

    def await_log(self) -> None:
        return None


class Foreign:
    """Services that are not ours to start or stop: they are only asked how they are."""

    def find(self, service: Service) -> Life | None:
        return _ForeignLife()

    def start(self, service: Service) -> Life:
        return _ForeignLife()

    def stop(self, service: Service) -> None:
        return None

    def clear(self, service: Service) -> None:
        return None

    def discard(self, service: Service) -> None:
        return None
