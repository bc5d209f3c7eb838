"""Runs of the real command, as documents."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Document = dict[str, Any]

LATENCY = str(Path(sys.executable).with_name("latency"))
_RUN_S = 900
_MOST_LOADS = 8
_STILL_FALLING = 0.8
"""Of the P95 of the load before; noise alone makes a fifth."""
_JUDGED = (0, 3)
"""Exit codes of a run that was measured: passed, or failed a limit."""


def run(*arguments: str) -> Document:
    """`latency run … --json`; RuntimeError with its own words where it gives no judged document."""
    command = [LATENCY, "run", *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_RUN_S, check=False)
    if done.returncode not in _JUDGED:
        raise RuntimeError(f"{' '.join(command)}: exit code {done.returncode}: {done.stderr.strip()[-800:]}")
    document: Document = json.loads(done.stdout)
    return document


def warm(*arguments: str) -> None:
    """Loads of half a minute for what has just started, which is compiled while it runs, until one is no longer quicker
    than the one before."""
    before = math.inf
    for _ in range(_MOST_LOADS):
        p95 = run("peak", "--duration", "30s", "--keep", *arguments)["latency_ms"]["e2e"]["p95"]
        if p95 > before * _STILL_FALLING:
            return
        before = p95


def seconds_of(*arguments: str) -> float:
    """Wall time of one command of ours, which must succeed."""
    began = time.perf_counter()
    subprocess.run([LATENCY, *arguments], capture_output=True, timeout=_RUN_S, check=True)
    return time.perf_counter() - began


def scenario(title: str, stages: Sequence[tuple[float, str]], repeat: int = 1) -> str:
    """Path of a scenario file with these (rate, duration) stages; it stays for as long as this process."""
    lines = [f'title = "{title}"', f"repeat = {repeat}"]
    for rate, duration in stages:
        lines += ["", "[[stages]]", f"rate = {rate}", f'for = "{duration}"']
    path = Path(_folder.name) / f"{title.replace(' ', '-')}.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


_folder = tempfile.TemporaryDirectory()
