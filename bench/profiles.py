"""The profiles against each other, and against the floor."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import takewhile
from statistics import median

from bench import pipeline, runs
from bench.pipeline import Pair
from measure.folder import RunFolder
from measure.records import RunSample
from scenarios.steady import LARGEST_GROWTH, growth
from stack.access import Access
from stack.places import Home

RATE = 2_000
LARGEST_RATIO = 40
"""microbatch's P95 over the floor's."""
LEAST_GAIN = 8
"""microbatch's P95 over realtime's."""
HIGH_RATE = 5_000
"""What microbatch is to hold."""
_LADDER = (10, 20, 50, 100, 200, 400, 800)
_FLOOR_S = 20.0

Rounds = dict[str, list[Pair]]


def interleaved(access: Access, up: Callable[[str], Access], rounds: int, duration: str) -> Rounds:
    """Each round: realtime, then microbatch, each warmed by a load and with a floor before it."""
    found: Rounds = {"realtime": [], "microbatch": []}
    for _ in range(rounds):
        for profile, pairs in found.items():
            access = up(profile)
            runs.warm()
            pairs.append(pipeline.pair(access, RATE, _FLOOR_S, "peak", "--duration", duration, "--keep"))
    return found


def table(found: Rounds) -> str:
    """Both profiles, and the ratio of their medians."""
    gain = median(p.p95 for p in found["microbatch"]) / median(p.p95 for p in found["realtime"])
    return "\n".join(
        [
            pipeline.table("realtime", found["realtime"], 5),
            pipeline.table("microbatch", found["microbatch"], LARGEST_RATIO),
            f"realtime's P95 is {gain:.1f} times below microbatch's (bar {LEAST_GAIN}: "
            f"{'reached' if gain >= LEAST_GAIN else 'MISSED'})",
        ]
    )


def raw(found: Rounds) -> dict[str, object]:
    """For the file of raw results."""
    return {profile: pipeline.raw(pairs) for profile, pairs in found.items()}


def holds(profile: str, rate: int) -> bool:
    """Whether in a minute at this rate the lag does not grow, and nothing is lost."""
    document = runs.run(runs.scenario(f"{profile} at {rate}", [(rate, "60s")]), "--keep")
    lag_s = [
        sample.lag.events / rate
        for sample in RunFolder(Home.find().runs / document["run"]).samples()
        if isinstance(sample, RunSample) and sample.target_rate and sample.lag
    ]
    grew = growth(lag_s)
    print(f"{profile} at {rate}: lag at most {max(lag_s):.1f} s, grew by {grew:.3f} s a second", flush=True)
    return not document["audit"]["lost"] and grew <= LARGEST_GROWTH


def microbatch_holds(up: Callable[[str], Access]) -> bool:
    """Whether microbatch holds the high rate."""
    up("microbatch")
    runs.warm()
    return holds("microbatch", HIGH_RATE)


def highest_rate(up: Callable[[str], Access]) -> int:
    """The highest rate of a ladder that `reference` holds; 0 of none."""
    up("reference")
    return max(takewhile(partial(holds, "reference"), _LADDER), default=0)
