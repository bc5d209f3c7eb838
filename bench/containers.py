"""The stack in containers against the same stack in processes, one after the other, and what the console costs there.

    python -m bench.containers [--times 3] [--pairs 3] [--duration 60s]

Wants an engine and the images. Bars: a warm `latency up` until a probe event came through ≤ 60 s; e2e P95 at 2,000
events/s ≤ 1.5 × that of processes; the console, with every container's counters on show, ≤ 10 % of a core.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from statistics import median

from bench import runs
from bench.console import SETTLE_S, Terminal
from bench.staying import stay

UP_S, RATIO, SHARE = 60.0, 1.5, 0.10
LOCAL, BOXED = "bench-local", "bench-boxed"
_RUNTIMES = {LOCAL: "local", BOXED: "docker"}


@dataclass(frozen=True)
class Measured:
    """One run: milliseconds, and whether every event was accounted for."""

    p50: float
    p95: float
    p99: float
    complete: bool


def up(stack: str) -> float:
    """Seconds of a `latency up`."""
    return runs.seconds_of("--stack", stack, "up", "--runtime", _RUNTIMES[stack])


def down(stack: str, *arguments: str) -> None:
    runs.seconds_of("--stack", stack, "down", *arguments)


def peak(stack: str, duration: str) -> Measured:
    """`latency run peak` on a stack that is brought up and warmed for it, and taken down again."""
    up(stack)
    try:
        runs.warm("--stack", stack)
        document = runs.run("peak", f"--duration={duration}", "--stack", stack, "--keep")
    finally:
        down(stack)
    e2e, audit = document["latency_ms"]["e2e"], document["audit"]
    return Measured(e2e["p50"], e2e["p95"], e2e["p99"], audit["closed"] and not audit["lost"])


def console_share(seconds: float) -> float:
    """Cores that the console takes on Live beside a run in containers."""
    up(BOXED)
    terminal = None
    try:
        length = f"--duration={round(seconds + 60)}s"
        runs.seconds_of("run", "peak", length, "--stack", BOXED, "--detach", "--keep")
        terminal = Terminal("--stack", BOXED)
        terminal.await_output(b"Services", 20)
        time.sleep(SETTLE_S)
        return stay(terminal.process, seconds, 0).cores
    finally:
        if terminal is not None:
            terminal.close()
        runs.seconds_of("--stack", BOXED, "stop")
        down(BOXED)


def said(what: str, value: float, bar: float, unit: str) -> str:
    """A figure beside its bar."""
    return f"{what:<44} {value:8.2f} {unit:<3} (bar {bar:g}: {'reached' if value <= bar else 'MISSED'})"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--times", type=int, default=3, help="warm starts")
    options.add_argument("--pairs", type=int, default=3, help="of runs: one in processes, one in containers")
    options.add_argument("--duration", default="60s", help="of a run")
    options.add_argument("--console-s", type=float, default=60.0, help="seconds over which the console's CPU is taken")
    asked = options.parse_args()
    try:
        up(BOXED)  # builds what is not there
        ups = []
        for _ in range(asked.times):
            down(BOXED)
            ups.append(up(BOXED))
        down(BOXED)
        print(said(f"warm up in containers, median of {asked.times}", median(ups), UP_S, "s"), flush=True)
        pairs = []
        for _ in range(asked.pairs):
            one, other = peak(LOCAL, asked.duration), peak(BOXED, asked.duration)
            pairs.append((one, other))
            print(
                f"  e2e P50/P95/P99, processes {one.p50:.1f}/{one.p95:.1f}/{one.p99:.1f} ms, containers "
                f"{other.p50:.1f}/{other.p95:.1f}/{other.p99:.1f} ms; complete: {one.complete and other.complete}",
                flush=True,
            )
        ratio = median(other.p95 / one.p95 for one, other in pairs)
        print(said(f"e2e P95 over that of processes, {asked.pairs} pairs", ratio, RATIO, "×"), flush=True)
        print(said("console beside it", console_share(asked.console_s) * 100, SHARE * 100, "%"), flush=True)
    finally:
        for stack in (LOCAL, BOXED):
            down(stack, "--purge")


if __name__ == "__main__":
    main()
