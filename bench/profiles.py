"""The profiles against each other, and against the floor."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from bench import pipeline, runs
from bench.pipeline import Pair
from stack.access import Access

RATE = 2_000
LARGEST_RATIO = 40
"""microbatch's P95 over the floor's."""
LEAST_GAIN = 8
"""microbatch's P95 over realtime's."""
_LADDER = (10, 20, 50, 100, 200, 400, 800)
_FLOOR_S = 20.0

Rounds = dict[str, list[Pair]]


def interleaved(access: Access, up: Callable[[str], Access], rounds: int, duration: str) -> Rounds:
    """Each round: realtime, then microbatch, each with a floor before it."""
    found: Rounds = {"realtime": [], "microbatch": []}
    for _ in range(rounds):
        for profile, pairs in found.items():
            access = up(profile)
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


def highest_rate(up: Callable[[str], Access]) -> float:
    """The highest rate of a ladder at which `reference` stores 99.5 % in time: the lag does not grow for a minute."""
    up("reference")
    held = 0.0
    for rate in _LADDER:
        document = runs.run(runs.scenario(f"reference at {rate}", [(rate, "60s")]), "--keep")
        e2e = document["latency_ms"]["e2e"]
        if document["audit"]["lost"] or e2e["p95"] is None or document["lag"]["ms_max"] > 30_000:
            break
        held = rate
    return held
