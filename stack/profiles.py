"""The profiles: which Spark job a stack runs, and whether sinks stand behind it."""

from __future__ import annotations

from dataclasses import dataclass

from measure.errors import UsageError


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile, as far as the stack must know it."""

    module: str
    """The job, started by name: `jobs` is above this folder."""
    has_sink: bool
    """Whether the job leaves it to sinks to write to MongoDB."""


PROFILES = {
    "realtime": Profile("jobs.realtime", has_sink=True),
    "microbatch": Profile("jobs.microbatch", has_sink=False),
    "reference": Profile("jobs.reference", has_sink=False),
}


def find_profile(name: str) -> Profile:
    """The profile of that name; UsageError where there is none."""
    if name not in PROFILES:
        raise UsageError(f"profile {name!r} does not exist; there are: {', '.join(PROFILES)}.")
    return PROFILES[name]
