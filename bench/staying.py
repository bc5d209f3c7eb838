"""What a process takes while it stays: CPU over all of the time, and memory from when its caches are full."""

from __future__ import annotations

import time
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Stay:
    """Cores; bytes at the end; bytes more than once it was filled, which took `filling_s`."""

    cores: float
    memory: int
    grown: int
    filling_s: float


def stay(process: psutil.Process, seconds: float, fill_s: float) -> Stay:
    """Over the next so many seconds. It is filled after `fill_s`, and after a half of a shorter time."""
    filling_s = min(fill_s, seconds / 2)
    before, began = sum(process.cpu_times()[:2]), time.monotonic()
    time.sleep(filling_s)
    filled = process.memory_info().rss
    time.sleep(seconds - filling_s)
    cores = (sum(process.cpu_times()[:2]) - before) / (time.monotonic() - began)
    memory = process.memory_info().rss
    return Stay(cores, memory, memory - filled, filling_s)
