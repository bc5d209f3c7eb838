"""A core for the console before the stack that it watches, where the system allows it: root, or a limit of niceness.

On two busy cores a key otherwise waits for one longer than its answer takes to make. The stack's own processes and
the generator are left as they are, among themselves and against everything else on the machine.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

NICENESS = -10
_SESSION = Path("/proc/self/autogroup")
"""Where Linux weighs whole sessions against each other; niceness then counts within one only."""


@contextlib.contextmanager
def raised() -> Iterator[None]:
    """The calling thread goes first meanwhile, and its session, which is as it was afterwards; what it starts does not.
    Without the right to it nothing changes."""
    before = _session_niceness()
    with contextlib.suppress(AttributeError, OSError):  # macOS has no such call
        os.sched_setscheduler(0, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
        _SESSION.write_text(str(NICENESS))
    try:
        yield
    finally:
        if before is not None:
            with contextlib.suppress(OSError):
                _SESSION.write_text(str(before))


def _session_niceness() -> int | None:
    """None where sessions are not weighed."""
    try:
        return int(_SESSION.read_text().rpartition(" ")[2])
    except (OSError, ValueError):
        return None
