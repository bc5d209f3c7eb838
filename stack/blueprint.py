"""What a stack is to look like: settings, profile, and the ports that were chosen; services are defined from it."""

from __future__ import annotations

from typing import Any

import msgspec

from measure.decoding import decode
from stack.access import Access
from stack.driver_address import driver_host
from stack.files import write_whole
from stack.places import Home, StackFolder
from stack.ports import HOST
from stack.settings import EXTERNAL, Settings


class Plan(msgspec.Struct, frozen=True):
    """What `up` was asked for, and the ports that it chose. Kept in `plan.json`; holds no secret."""

    settings: dict[str, Any]
    ports: dict[str, int]

    @classmethod
    def read(cls, folder: StackFolder) -> Plan | None:
        """The last plan of the stack, if it had one."""
        try:
            return decode(folder.plan.read_bytes(), cls)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def write(self, folder: StackFolder) -> None:
        """Keep the plan."""
        write_whole(folder.plan, msgspec.json.encode(self))


class Blueprint(msgspec.Struct, frozen=True):
    """All that the definitions of services are made from."""

    home: Home
    folder: StackFolder
    settings: Settings
    ports: dict[str, int]
    access: Access

    @property
    def master(self) -> str | None:
        """Of Spark; None: the job runs in its own process."""
        external = self.settings.external
        return external.spark if self.settings.runtime == EXTERNAL and external.spark != "local" else None

    @property
    def driver_host(self) -> str:
        """This machine's address as Spark's executors see it."""
        return HOST if self.master is None else driver_host(self.master, self.settings.external.driver_host)

    @classmethod
    def read(cls, folder: StackFolder) -> Blueprint:
        """From the stack's folder, for the supervisor. NotReadyError where `up` never was."""
        access = Access.load(folder.root)
        plan = Plan.read(folder)
        if plan is None:
            raise access_missing(folder)
        return cls(Home(folder.root.parent.parent), folder, Settings(**plan.settings), plan.ports, access)


def access_missing(folder: StackFolder) -> Exception:
    """The error for a stack that has no plan."""
    from measure.errors import NotReadyError

    return NotReadyError(f"{folder.plan} is missing or damaged: run `latency up`.")
