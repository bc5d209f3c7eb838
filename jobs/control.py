"""What makes a job start anew: another generation, asked for by who found a gap, or a topic that was made anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from pymongo.errors import DuplicateKeyError

from measure.store import CONTROL, CONTROL_JOB, POSITIONS, Store

RESTART_ME = 75
"""Exit code with which a process asks its supervisor for a restart at once (EX_TEMPFAIL of sysexits.h)."""


@dataclass(frozen=True, slots=True)
class Generation:
    """The job's start, counted. A checkpoint belongs to one generation."""

    number: int
    profile: str


def current(database: Store) -> Generation | None:
    """The generation that is asked for, or None where no job ever ran."""
    found = database[CONTROL].find_one({"_id": CONTROL_JOB})
    return Generation(found["generation"], found.get("profile", "")) if found else None


def join(database: Store, profile: str) -> Generation:
    """The generation to run as. Where the last one was another profile's, a new one: this profile's own checkpoint,
    if it left one, is behind what the other has done since."""
    known = current(database)
    if known is None:
        try:
            database[CONTROL].insert_one(_document(0, profile, "first start") | {"_id": CONTROL_JOB})
        except DuplicateKeyError:
            return join(database, profile)
        return Generation(0, profile)
    if known.profile != profile:
        advance(database, known, f"profile {profile} after {known.profile or 'none'}", profile)
        return join(database, profile)
    return known


def advance(database: Store, known: Generation, reason: str, profile: str | None = None) -> bool:
    """Ask for a new generation, unless somebody did so since `known` was read. Whether this call did it."""
    asked = _document(known.number + 1, known.profile if profile is None else profile, reason)
    changed = database[CONTROL].update_one({"_id": CONTROL_JOB, "generation": known.number}, {"$set": asked})
    return changed.matched_count == 1


def _document(number: int, profile: str, reason: str) -> dict[str, object]:
    return {"generation": number, "profile": profile, "reason": reason, "updated": datetime.now(UTC)}


def measured_offsets(database: Store, topic_id: str) -> dict[int, int]:
    """Partition → the source offset up to which everything of this topic is stored and measured."""
    measured: dict[int, int] = {}
    for position in database[POSITIONS].find({"topic_id": topic_id}, {"partition": 1, "measured": 1}):
        partition = position["partition"]
        measured[partition] = max(position["measured"], measured.get(partition, -1))
    return measured
