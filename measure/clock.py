"""Whether the wall clock can be trusted: it is compared with the monotonic one once a second.

Every stamp is a wall-clock time of this machine. A step of that clock would make some latencies longer and others
shorter than they were; a slow correction (up to 0.5 ms/s by the kernel) would not matter.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from itertools import pairwise

from measure.figures import Clock
from measure.percentiles import milliseconds
from measure.records import RunSample

STEP_US = 5_000
SLEW_US_PER_S = 500
"""The fastest correction that the kernel makes without a step."""
_TRIES = 5


def read_clock_us(
    wall_ns: Callable[[], int] = time.time_ns, monotonic_ns: Callable[[], int] = time.monotonic_ns
) -> int:
    """Wall clock minus monotonic clock in µs, from the quickest of five readings: `RunSample.clock_us`."""
    readings = []
    for _ in range(_TRIES):
        before = monotonic_ns()
        wall = wall_ns()
        after = monotonic_ns()
        readings.append((after - before, wall - (before + after) // 2))
    return min(readings)[1] // 1000


def check(samples: Iterable[RunSample]) -> Clock:
    """Steps and drift over the samples, in order of time."""
    read = [(sample.second, sample.clock_us) for sample in samples if sample.clock_us is not None]
    steps = [(later - earlier, end - start) for (start, earlier), (end, later) in pairwise(read)]
    stepped = any(abs(step) > STEP_US + SLEW_US_PER_S * seconds for step, seconds in steps)
    return Clock(
        step_max_ms=milliseconds(max(abs(step) for step, _ in steps)) if steps else None,
        drift_ms=milliseconds(read[-1][1] - read[0][1]) if steps else None,
        samples=len(read),
        stepped=stepped,
    )
