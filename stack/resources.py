"""What each service uses: processor, memory, disk, summed over its process and all that it started."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from stack import process
from stack.places import StackFolder
from stack.runtimes import container_sampler
from stack.settings import Settings
from stack.usage import Usage

__all__ = ["ResourceSampler", "Usage"]

_LOOK_AGAIN_S = 10.0


@dataclass(slots=True)
class _Counted:
    cpu_s: float
    read_bytes: int | None
    write_bytes: int | None


@dataclass(slots=True)
class _Watched:
    main_pid: int
    looked_s: float
    processes: list[psutil.Process]
    counted: dict[int, _Counted]


class ResourceSampler:
    """Call `sample` at even intervals; rates are over the time since the call before. Not for several threads."""

    def __init__(self, stack: Settings | StackFolder, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = stack if isinstance(stack, StackFolder) else stack.folder
        self._clock = clock
        self._watched: dict[str, _Watched] = {}
        self._last_s = clock()
        self._containers = container_sampler(self._folder)

    def sample(self) -> dict[str, Usage]:
        """Service → usage, for the services that run. A process counts from the second sample that sees it."""
        if self._containers is not None:
            return self._containers.sample()
        now = self._clock()
        elapsed = max(now - self._last_s, 1e-3)
        self._last_s = now
        return {name: self._usage(watched, elapsed) for name, watched in self._look(now).items()}

    def close(self) -> None:
        """Nothing more is asked of it."""
        if self._containers is not None:
            self._containers.close()

    def _look(self, now: float) -> dict[str, _Watched]:
        """Whom to watch: services come and go, and so do the processes that they start."""
        found = {}
        for file in sorted(self._folder.pids.glob("*.json")):
            record = process.read_record(file)
            if record is None or not record.alive():
                continue
            watched = self._watched.get(file.stem)
            if watched is None or watched.main_pid != record.pid:
                watched = _Watched(record.pid, float("-inf"), [], {})
            if now - watched.looked_s > _LOOK_AGAIN_S:
                watched.looked_s, watched.processes = now, process.tree(record)
            found[file.stem] = watched
        self._watched = found
        return found

    @staticmethod
    def _usage(watched: _Watched, elapsed: float) -> Usage:
        cpu_s, rss = 0.0, 0
        disk = [0.0, 0.0]
        told = False
        counted: dict[int, _Counted] = {}
        for one in watched.processes:
            try:
                now, memory = _count(one), one.memory_info().rss
            except psutil.Error:
                continue
            counted[one.pid], rss = now, rss + memory
            before = watched.counted.get(one.pid)
            if before is None:
                continue
            cpu_s += max(0.0, now.cpu_s - before.cpu_s)
            for at, (new, old) in enumerate(
                ((now.read_bytes, before.read_bytes), (now.write_bytes, before.write_bytes))
            ):
                if new is not None and old is not None:
                    disk[at], told = disk[at] + max(0, new - old) / elapsed, True
        watched.counted = counted
        return Usage(cpu_s / elapsed, rss, disk[0] if told else None, disk[1] if told else None)


def _count(one: psutil.Process) -> _Counted:
    with one.oneshot():
        times = one.cpu_times()
        counters = one.io_counters() if hasattr(one, "io_counters") else None  # macOS has none
    return _Counted(
        times.user + times.system,
        counters.read_bytes if counters else None,
        counters.write_bytes if counters else None,
    )
