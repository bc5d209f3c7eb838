"""What measuring costs: the sink as it is against one that writes no slices and no sequences, in turn (ABBA).

    python -m bench.measuring [--pairs 8] [--seconds 30] [--rate 2000]

Brings up a stack, stops its sink, and has a process of its own in that one's place. CPU time of the sink and of mongod
comes from /proc; latency is that of the pulses (due → seen in the change stream), which both sinks send. Bars: at most
10 % of one core, and no difference in P50 of 20 % or more. Positions are written by both, since exactly-once rests on
them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import psutil
from pymongo import MongoClient, UpdateOne

from jobs import sink
from jobs.measuring import Measurer, Part
from jobs.stopping import serve
from measure.histogram import Histogram
from measure.inference import Finding, difference
from measure.schedule import Span
from measure.store import POSITIONS, WINDOWS, Document
from scenarios.crew import Crew
from scenarios.model import ShopSource
from scenarios.orders import Load, source_table
from scenarios.visible import VisibleWatcher
from stack import lifecycle
from stack.access import STACK_DIR_VARIABLE, Access, Role
from stack.probe import send_probe
from stack.settings import Settings

LARGEST_SHARE = 0.10
LARGEST_CHANGE = 0.20
_DRAIN_S = 3.0
_READY_S = 60.0


class PositionsOnly(Measurer):
    """Moves the positions on, and measures nothing."""

    def _transaction(self, parts: Sequence[Part], beside: Sequence[UpdateOne]) -> None:
        now = datetime.now(UTC)
        moves = [before.move_to(after, now) for part in parts for before, after in part.moves]
        if moves or beside:
            self._database[POSITIONS].bulk_write([*moves, *beside], ordered=False)


@dataclass(frozen=True)
class Round:
    """One load: CPU in cores, P50 in ms."""

    cpu: float
    p50_ms: float


def measure(settings: Settings, access: Access, measuring: bool, rate: float, seconds: float) -> Round:
    """Drive one load through a sink that measures, or one that does not."""
    run = f"bench-{'on' if measuring else 'off'}-{time.time_ns()}"
    mongod = next(service.pid for service in lifecycle.status(settings).services if service.name == "mongod")
    with _sink(settings, access, measuring) as child, tempfile.TemporaryDirectory() as place:
        folder, watcher = Path(place), VisibleWatcher(access, [run])
        watcher.start()
        crew = Crew(1, settings.folder.root, folder)
        try:
            crew.await_ready(_READY_S)
            start_us = time.time_ns() // 1000 + 1_000_000
            span = Span(start_us, start_us + round(seconds * 1e6), rate, "load")
            watched = [psutil.Process(child.pid), psutil.Process(mongod)]
            before = _cpu_s(watched)
            crew.order(0, Load(run, [span], str(folder / "0.spool"), source_table(ShopSource()), 1, 0, 1))
            time.sleep(1 + seconds + _DRAIN_S)
            used = _cpu_s(watched) - before
        finally:
            crew.close()
            watcher.close()
        seen = Histogram.merged(watcher.take().values())
    p50_us = seen.percentile_us(50)
    if p50_us is None:
        raise RuntimeError(f"{run}: no pulse was seen")
    return Round(used / (1 + seconds + _DRAIN_S), p50_us / 1000)


def _cpu_s(processes: Sequence[psutil.Process]) -> float:
    return sum(times.user + times.system for times in (process.cpu_times() for process in processes))


@contextmanager
def _sink(settings: Settings, access: Access, measuring: bool) -> Iterator[subprocess.Popen[bytes]]:
    """A sink of our own that has stored a probe event."""
    module = "jobs.sink" if measuring else "bench.measuring"
    environment = {**os.environ, STACK_DIR_VARIABLE: str(settings.folder.root)}
    command = [sys.executable, "-m", module, *(() if measuring else ("--as-sink",))]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as child:
        try:
            _await_stored(access, send_probe(access, _READY_S))
            yield child
        finally:
            child.terminate()


def _await_stored(access: Access, run: str) -> None:
    until = time.monotonic() + _READY_S
    with MongoClient[Document](access.mongo_uri(Role.RUN)) as client:
        while client[access.names.database][WINDOWS].find_one({"run": run}) is None:
            if time.monotonic() > until:
                raise RuntimeError(f"the sink did not store a probe event in {_READY_S:g} s")
            time.sleep(0.2)


def table(on: Sequence[Round], off: Sequence[Round]) -> str:
    """Each pair, the cost, and whether latency differs."""
    lines = [f"{'CPU on':>8} {'off':>7} {'P50 on':>9} {'off':>7}"]
    lines += [f"{a.cpu:8.3f} {b.cpu:7.3f} {a.p50_ms:9.1f} {b.p50_ms:7.1f}" for a, b in zip(on, off, strict=True)]
    cost = sum(each.cpu for each in on) / len(on) - sum(each.cpu for each in off) / len(off)
    found = difference([r.p50_ms for r in off], [r.p50_ms for r in on], minimum=LARGEST_CHANGE)
    missed = found.finding is Finding.WORSE
    lines.append(f"measuring costs {cost:.3f} cores (bar 0.1: {'reached' if cost <= LARGEST_SHARE else 'MISSED'})")
    lines.append(
        f"P50 on / off {found.ratio or 0:.3f}, 95 % {found.low or 0:.3f} to {found.high or 0:.3f}: {found.finding} "
        f"({found.reason}; bar 20 %: {'MISSED' if missed else 'reached'})"
    )
    return "\n".join(lines)


def main() -> None:
    """Print the table, or be the sink that measures nothing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=2_000.0)
    parser.add_argument("--as-sink", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.as_sink:
        vars(sink)["Measurer"] = PositionsOnly
        serve(sink.main)
    settings = Settings.load()
    lifecycle.up(settings, "realtime", 1, lambda text: click.echo(text, err=True))
    try:
        lifecycle.halt(settings, "sink")
        access = Access.load(settings.folder.root)
        rounds: dict[bool, list[Round]] = {True: [], False: []}
        for pair in range(asked.pairs):
            for measuring in (True, False) if pair % 2 else (False, True):
                rounds[measuring].append(measure(settings, access, measuring, asked.rate, asked.seconds))
        print(table(rounds[True], rounds[False]))
    finally:
        lifecycle.down(settings, False, lambda text: click.echo(text, err=True))


if __name__ == "__main__":
    main()
