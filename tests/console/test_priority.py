"""The console's own priority, in a process of its own: it cannot be tried without changing who tries it."""

from __future__ import annotations

import subprocess
import sys

from console.priority import NICENESS

NICENESS_NOW = "import os; print(os.getpriority(os.PRIO_PROCESS, 0), flush=True)"
MAY = f"import os; os.setpriority(os.PRIO_PROCESS, 0, {NICENESS})"
RAISED = f"""
import os, subprocess, sys, threading
from pathlib import Path
from console import priority

session = Path("/proc/self/autogroup")
before = session.read_text() if session.exists() else ""
with priority.raised():
    exec({NICENESS_NOW!r})
    ends = threading.Event()
    thread = threading.Thread(target=ends.wait)
    thread.start()
    for _ in range(2):
        print(os.getpriority(os.PRIO_PROCESS, thread.native_id), flush=True)
        priority.share(threading.enumerate())
    ends.set()
    subprocess.run([sys.executable, "-c", {NICENESS_NOW!r}], check=True)
assert before == (session.read_text() if session.exists() else "")
"""


def ran(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, start_new_session=True, timeout=30, check=False
    )


def test_it_goes_first_where_it_may_and_what_it_starts_does_not() -> None:
    allowed = ran(MAY).returncode == 0
    done = ran(RAISED)
    assert done.returncode == 0, done.stderr
    raised = str(NICENESS) if allowed else "0"
    main, thread, thread_that_shares, process = done.stdout.split()
    assert (main, thread, thread_that_shares, process) == (raised, "0", raised, "0")
