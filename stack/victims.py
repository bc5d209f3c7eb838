"""Whom a fault is done to: every process of a service, or its container."""

from __future__ import annotations

import contextlib
import signal
from typing import Protocol

import psutil

from stack import process
from stack.places import StackFolder
from stack.runtimes import engine_of


class Victim(Protocol):
    """What it is told to do may come too late for it: that is no error."""

    @property
    def pid(self) -> int:
        """Of its first process on this machine."""

    @property
    def refusal(self) -> str:
        """What was last said against what it was told; empty where nothing was."""

    def kill(self) -> None:
        """At once, without a word."""

    def pause(self) -> None:
        """Hold it still."""

    def resume(self) -> None:
        """Let it go on."""

    def is_gone(self) -> bool:
        """Whether that life is over."""

    def is_paused(self) -> bool:
        """Whether it is held still."""


class _ProcessVictim:
    refusal = ""

    def __init__(self, one: psutil.Process) -> None:
        self._one = one
        self.pid = one.pid

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def pause(self) -> None:
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        with contextlib.suppress(psutil.Error):
            self._one.send_signal(number)

    def is_gone(self) -> bool:
        try:
            return not self._one.is_running() or self._one.status() == psutil.STATUS_ZOMBIE
        except psutil.Error:
            return True

    def is_paused(self) -> bool:
        try:
            return bool(self._one.status() == psutil.STATUS_STOPPED)
        except psutil.Error:
            return False


def victims(folder: StackFolder, service: str) -> list[Victim]:
    """Those of the service that live now."""
    contained, host = engine_of(folder)
    if contained:
        from stack.docker.victims import container_victims

        return list(container_victims(folder.name, host, service))
    return [_ProcessVictim(one) for one in process.members(folder, service)]
