"""A core for the console before the stack that it watches, where the system allows it: root, or a limit of niceness.

On two busy cores a key otherwise waits for one longer than its answer takes to make. The stack's own processes and
the generator are left as they are, among themselves and against everything else on the machine.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

NICENESS = -10
_SESSION = Path("/proc/self/autogroup")
"""Where Linux weighs whole sessions against each other; niceness then counts within one only."""


@contextlib.contextmanager
def raised() -> Iterator[None]:
    """The calling thread goes first meanwhile, and its session, which is as it was afterwards; what it starts, threads
    and processes, does not. Without the right to it nothing changes."""
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


def share(threads: Iterable[threading.Thread]) -> None:
    """Let these threads go first too, where the calling one does: keys come in and paints go out by threads of their
    own, and one that has to wait for a core while it holds the interpreter holds up the others."""
    if os.getpriority(os.PRIO_PROCESS, 0) != NICENESS:
        return
    for thread in threads:
        if thread.native_id is not None:
            with contextlib.suppress(OSError):  # it has ended
                os.setpriority(os.PRIO_PROCESS, thread.native_id, NICENESS)


def _session_niceness() -> int | None:
    """None where sessions are not weighed."""
    try:
        return int(_SESSION.read_text().rpartition(" ")[2])
    except (OSError, ValueError):
        return None
