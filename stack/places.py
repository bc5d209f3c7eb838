"""Where things are kept: one folder, mode 0700, that `LATENCY_HOME` moves."""

from __future__ import annotations

import os
import re
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from measure.errors import NotReadyError, UsageError

DEFAULT_STACK = "default"
JARS_VARIABLE = "LATENCY_JARS"

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}\Z")
_LONGEST_BASE = 70  # a socket's whole path may have 104 bytes on macOS, 108 on Linux


@dataclass(frozen=True, slots=True)
class Home:
    """The one folder under which everything that this program keeps lives."""

    root: Path

    @classmethod
    def find(cls) -> Home:
        """`LATENCY_HOME`, or the platform's folder for user data; made with mode 0700 if it is not there."""
        named = os.environ.get("LATENCY_HOME")
        root = Path(named).expanduser().resolve() if named else Path(platformdirs.user_data_dir("latency-console"))
        private_folder(root)
        return cls(root)

    @property
    def jars(self) -> Path:
        """Folder of the verified jars: `kafka/` and `spark/`; several homes may share one by `LATENCY_JARS`."""
        named = os.environ.get(JARS_VARIABLE)
        return Path(named).expanduser().resolve() if named else self.root / "jars"

    @property
    def runs(self) -> Path:
        """Folder of the runs, one folder each; kept when a stack is purged."""
        return self.root / "runs"

    @property
    def stacks(self) -> Path:
        """Folder of all stacks."""
        return self.root / "stacks"

    def stack(self, name: str = DEFAULT_STACK) -> Path:
        """Folder of one stack: data, logs, credentials, process records."""
        if not _NAME.match(name):
            raise UsageError(
                f"stack name {name!r}: expected up to 32 of a-z, 0-9, - and _, beginning with a letter or digit."
            )
        return self.stacks / name


@dataclass(frozen=True, slots=True)
class StackFolder:
    """The files of one stack."""

    root: Path

    @property
    def name(self) -> str:
        return self.root.name

    @property
    def endpoints(self) -> Path:
        """Addresses; there only while the stack is meant to be up."""
        return self.root / "endpoints.json"

    @property
    def credentials(self) -> Path:
        return self.root / "credentials.json"

    @property
    def plan(self) -> Path:
        """What `up` was asked for; what really runs is in the process records."""
        return self.root / "plan.json"

    @property
    def supervisor(self) -> Path:
        return self.root / "supervisor.json"

    @property
    def faults(self) -> Path:
        """Journal of the faults in force."""
        return self.root / "faults.json"

    @property
    def lock(self) -> Path:
        """Held while `up` or `down` changes the stack."""
        return self.root / "lock"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def pids(self) -> Path:
        return self.root / "pids"

    def log(self, service: str) -> Path:
        return self.logs / f"{service}.log"

    def pid(self, service: str) -> Path:
        return self.pids / f"{service}.json"

    def data(self, service: str) -> Path:
        return self.root / service

    def make(self) -> None:
        """Make the folders that are not there, each with mode 0700."""
        for folder in (self.root, self.logs, self.pids):
            private_folder(folder)


def private_folder(folder: Path) -> Path:
    """Make `folder` (and what is above it) with mode 0700; NotReadyError where the system refuses."""
    if not folder.parent.exists():  # `parents=True` would give those the ordinary mode
        private_folder(folder.parent)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as refused:
        raise NotReadyError(
            f"cannot make the folder {folder}: {refused.strerror}. Free some space, or name another place in "
            "LATENCY_HOME."
        ) from refused
    return folder


def runtime_folder() -> Path:
    """A short folder of mode 0700 for Unix sockets, whose paths may have about a hundred bytes only.

    NotReadyError where somebody else made it or may write to it.
    """
    candidates = (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir())
    base = next((c for c in candidates if c and len(c) <= _LONGEST_BASE and os.access(c, os.W_OK | os.X_OK)), "/tmp")  # noqa: S108
    folder = Path(base) / f"latency-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise NotReadyError(
            f"{folder} must be a folder of yours with mode 0700, or others could talk to your stack: remove it."
        )
    return folder
