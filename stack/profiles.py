"""The profiles: which Spark job a stack runs, and what stands behind it."""

from __future__ import annotations

from dataclasses import dataclass

from measure.errors import UsageError


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile, as far as the stack must know it."""

    module: str
    """The job, started by name: `jobs` is above this folder."""
    behind: str | None
    """The service that brings the job's output into MongoDB, or measures it there; None: the job does both."""


OWN = "own"
"""The profile of a job that the user wrote, `[job] path`."""
PROFILES = {
    "realtime": Profile("jobs.realtime", "sink"),
    "microbatch": Profile("jobs.microbatch", None),
    "reference": Profile("jobs.reference", None),
    OWN: Profile("", "reader"),
}


def find_profile(name: str) -> Profile:
    """The profile of that name; UsageError where there is none."""
    if name not in PROFILES:
        raise UsageError(f"profile {name!r} does not exist; there are: {', '.join(PROFILES)}.")
    return PROFILES[name]
