"""Where things are kept: one folder, mode 0700, that `LATENCY_HOME` moves."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

DEFAULT_STACK = "default"


@dataclass(frozen=True, slots=True)
class Home:
    """The one folder under which everything that this program keeps lives."""

    root: Path

    @classmethod
    def find(cls) -> Home:
        """`LATENCY_HOME`, or the platform's folder for user data; made with mode 0700 if it is not there."""
        named = os.environ.get("LATENCY_HOME")
        root = Path(named).expanduser().resolve() if named else Path(platformdirs.user_data_dir("latency-console"))
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(root)

    @property
    def jars(self) -> Path:
        """Folder of the verified jars: `kafka/` and `spark/`."""
        return self.root / "jars"

    @property
    def runs(self) -> Path:
        """Folder of the runs, one folder each; kept when a stack is purged."""
        return self.root / "runs"

    def stack(self, name: str = DEFAULT_STACK) -> Path:
        """Folder of one stack: data, logs, credentials, process records."""
        return self.root / "stacks" / name
