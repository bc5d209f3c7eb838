"""How long the report of a half-hour run takes, in a process of its own as a user calls it.

    python -m bench.reporting [--times 3]

The run's folder is made up (2,000 events/s, 3.6 million latencies drawn from log-normal stages) and settled as a run
process leaves it. Bar: each format in under 3 s. The first HTML report on a machine also makes the chart library that
later ones keep, so it is timed apart.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

from bench.runs import LATENCY
from measure.report.formats import FORMATS
from measure.report.source import settle
from tests.measure.synthetic import Shape, make_run

BAR_S = 3.0
RUN = "peak-half-an-hour"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=3)
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory() as home:
        began = time.perf_counter()
        folder = make_run(Path(home) / "runs", RUN, Shape(rates=((2000.0, 1800.0),), checkpoint_s=60))
        print(f"made the run in {time.perf_counter() - began:.1f} s")
        began = time.perf_counter()
        settle(folder)
        print(f"settled it (once, by the run process) in {time.perf_counter() - began:.1f} s")
        print(f"first HTML report on this machine {_seconds(home, 'html'):.1f} s")
        for form in FORMATS:
            taken = median(_seconds(home, form) for _ in range(times))
            print(f"{form:6} {taken:5.2f} s{_judged(form, taken)}")


def _judged(form: str, taken: float) -> str:
    if form == "csv":
        return "  (no bar: it reads every slice)"
    return f"  (bar {BAR_S:g} s: {'reached' if taken < BAR_S else 'MISSED'})"


def _seconds(home: str, form: str) -> float:
    began = time.perf_counter()
    command = [LATENCY, "report", RUN, "--format", form, "--out", os.devnull]
    subprocess.run(command, env={**os.environ, "LATENCY_HOME": home}, capture_output=True, check=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
