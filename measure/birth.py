"""Which process a pid means: pids come again, so each is noted together with a mark of its process's birth."""

from __future__ import annotations

from pathlib import Path

import psutil

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_STARTED = 19
"""Of the fields behind the command's name: clock ticks from the boot to the start (proc_pid_stat(5), field 22)."""


def birth(pid: int) -> str:
    """A mark that no other process of this pid ever has, and that no setting of the clock changes (psutil's own start
    time moves with it). psutil.NoSuchProcess where there is no such process."""
    if not psutil.LINUX:
        return str(psutil.Process(pid).create_time())
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        raise psutil.NoSuchProcess(pid) from None
    return f"{_BOOT.read_text().strip()}/{stat.rpartition(')')[2].split()[_STARTED]}"
