"""What the console costs and how quick it is, in a real pseudo-terminal beside a real run on the stack that is up.

    latency up && python -m bench.console [--minutes 3] [--rate 5000]

Prints start to first paint, key to paint, CPU (from /proc) on Live and frozen, memory, and key to paint while
100,000 log lines a second come in.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import pty
import signal
import statistics
import struct
import subprocess
import sys
import termios
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.staying import stay
from stack.settings import Settings

SIZE = (40, 120)
ROUNDS = 8
KEYS = (
    (b"2", b"Quantiles"),
    (b"1", b"Services"),
    (b"6", b"Addresses"),
    (b"1", b"Services"),
    (b"4", b"What it will do"),
    (b"5", b"Runs"),
    (b"7", b"Words"),
    (b"1", b"Services"),
    (b"f", b"FROZEN"),
    (b"f", b"left"),
    (b"d", b"Take the stack down?"),
    (b"\r", b"Services"),
)
"""Each with a text that its paint brings."""
SETTLE_S = 8.0
KEPT_BYTES = 1 << 18
"""Of the output: more than one paint."""
FILL_MINUTES = 6.0
"""Minutes after which the console holds what it keeps, five minutes of histograms among it; of a shorter run a half."""
PROGRAM = "from console.main import main; main()"


def never_wait() -> None:
    """Take a core before all others, where that is allowed: the clock's own waiting for one is not the console's."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))


@dataclass(frozen=True)
class Key:
    """What one key took, in ms: until its paint; of that the main thread's work, and its waiting for a core."""

    paint: float
    work: float
    wait: float


class Terminal:
    """The console in a pseudo-terminal whose output is read as it comes."""

    def __init__(self, *arguments: str) -> None:
        self.began = time.perf_counter()
        self.pid, self._master = pty.fork()
        if not self.pid:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
            os.execv(sys.executable, [sys.executable, "-c", PROGRAM, *arguments])  # noqa: S606 - this very program
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
        self._fresh = threading.Condition()
        self._output = b""
        threading.Thread(target=self._read, daemon=True).start()
        self.process = psutil.Process(self.pid)

    def _read(self) -> None:
        never_wait()
        while True:
            try:
                block = os.read(self._master, 1 << 16)
            except OSError:
                return
            with self._fresh:
                self._output = (self._output + block)[-KEPT_BYTES:]
                self._fresh.notify_all()

    def press(self, key: bytes, shows: bytes, deadline_s: float = 10.0) -> Key:
        """From the key to the output that holds `shows`."""
        with self._fresh:
            self._output = b""
        before, began = self._scheduled_ms(), time.perf_counter()
        os.write(self._master, key)
        painted = self.await_output(shows, deadline_s)
        work, wait = (now - then for now, then in zip(self._scheduled_ms(), before, strict=True))
        return Key((painted - began) * 1000, work, wait)

    def _scheduled_ms(self) -> tuple[float, float]:
        """How long the main thread has had a core, and how long it waited for one."""
        work, wait, _ = Path(f"/proc/{self.pid}/task/{self.pid}/schedstat").read_text().split()
        return int(work) / 1e6, int(wait) / 1e6

    def await_output(self, shows: bytes, deadline_s: float) -> float:
        """The moment at which `shows` was painted."""
        until = time.perf_counter() + deadline_s
        with self._fresh:
            while shows not in self._output:
                if not self._fresh.wait(max(0.0, until - time.perf_counter())):
                    raise TimeoutError(f"{shows!r} was not painted within {deadline_s:g} s")
            return time.perf_counter()

    def close(self) -> None:
        """Leave the console."""
        os.write(self._master, b"q")
        try:
            self.process.wait(5)
        except psutil.TimeoutExpired:
            self.process.kill()
        os.close(self._master)


def keys_to_paint(terminal: Terminal) -> list[Key]:
    """Jumps, a freeze, a dialog. The first round, in which each screen is made, counts."""
    took = []
    for key, shows in KEYS * ROUNDS:
        took.append(terminal.press(key, shows))
        time.sleep(0.15)
    return took


def flood(log: Path, ended: threading.Event) -> None:
    """100,000 lines a second."""
    lines = b"".join(
        b"2026-11-24 10:00:00,000 INFO flood: line %06d of a log that nobody can read\n" % n for n in range(10_000)
    )
    with log.open("ab", buffering=0) as file:
        due = time.perf_counter()
        while not ended.is_set():
            file.write(lines)
            due += 0.1
            time.sleep(max(0.0, due - time.perf_counter()))


def under_flood(terminal: Terminal, log: Path) -> list[Key]:
    """Keys while the log view takes a flood in."""
    terminal.press(b"3", b"Logs")
    ended = threading.Event()
    writer = threading.Thread(target=flood, args=(log, ended))
    writer.start()
    try:
        time.sleep(3)
        took = []
        for number in range(20):
            key, shows = (b"t", b"since") if number % 5 < 4 else (b"t", b"services")
            took.append(terminal.press(key, shows))
            time.sleep(0.1)
        return took
    finally:
        ended.set()
        writer.join()
        log.unlink()


def told(what: str, keys: list[Key], bar: str = "") -> None:
    """One line of medians and P95, and below it what they consist of."""
    named = {what: "paint", "  work of its own": "work", "  waiting for a core": "wait"}
    for name, field in named.items():
        values = [getattr(key, field) for key in keys]
        p95 = statistics.quantiles(values, n=20)[-1]
        print(f"{name:<27}{statistics.median(values):4.0f} / {p95:.0f} ms{bar if field == 'paint' else ''}", flush=True)


def on_live(terminal: Terminal, minutes: float) -> None:
    """CPU of so many minutes, and memory from when the console is filled on."""
    took = stay(terminal.process, minutes * 60, FILL_MINUTES * 60)
    print(f"CPU on Live, 120×40        {took.cores * 100:8.1f} %    (bar 12)")
    print(f"memory                     {took.memory / 1e6:8.1f} MB")
    print(f"  change from {took.filling_s / 60:3g} min on    {took.grown / 1e6:+8.1f} MB   (bar ±5)", flush=True)


def measure(terminal: Terminal, minutes: float, flooded: Path) -> None:
    """Every figure, one after the other."""
    first = (terminal.await_output(b"Services", 20) - terminal.began) * 1000
    print(f"start to first paint       {first:8.0f} ms   (bar 1,000)", flush=True)
    time.sleep(SETTLE_S)
    on_live(terminal, minutes)
    told("key to paint, P50 / P95", keys_to_paint(terminal), "   (bar 50)")
    terminal.press(b"f", b"FROZEN")
    time.sleep(2)
    print(f"CPU frozen                 {stay(terminal.process, 15, 0).cores * 100:8.1f} %    (bar 1)")
    terminal.press(b"f", b"now")
    told("key to paint, log flood", under_flood(terminal, flooded))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=3.0, help="of Live, for CPU and memory")
    options.add_argument("--rate", type=float, default=5000.0, help="events/s of the run beside it")
    asked = options.parse_args()
    settings = Settings.load()
    load = ["peak", "--profile=realtime", f"--rate={asked.rate:g}", f"--duration={asked.minutes * 60 + 120:.0f}s"]
    subprocess.run([sys.executable, "-c", PROGRAM, "run", *load, "--detach"], check=True, stdout=subprocess.DEVNULL)
    never_wait()
    terminal = Terminal()
    try:
        measure(terminal, asked.minutes, settings.folder.log("flood"))
    finally:
        terminal.close()
        subprocess.run([sys.executable, "-c", PROGRAM, "stop"], check=False, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    main()
