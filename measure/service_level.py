"""How well the load was served: rate, availability, error rate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from measure.evidence import Evidence
from measure.figures import Audit, Rate
from measure.load import Load

SERVED_SHARE = 0.995
"""A second, or a rate, is served if so large a share of the events due was stored within 5 s."""


def rate(evidence: Evidence) -> Rate:
    """Events due and stored, by second of the load."""
    load = evidence.load
    duration_s = load.schedule.duration_s
    if not duration_s:
        return Rate(None, None)
    stored = sum(stages["e2e"].n for stages in load.slices.values() if "e2e" in stages)
    return Rate(
        target=round(load.schedule.count / duration_s, 2),
        achieved=round(stored / duration_s, 2),
        in_time=round(sum(load.in_time(second) for second in evidence.seconds) / duration_s, 2),
        peak_target=max(span.rate for span in load.schedule.spans),
    )


def served(load: Load, seconds: Iterable[int]) -> tuple[int, int]:
    """(events due that had to be stored, those of them stored within 5 s) of these seconds."""
    due = in_time = 0
    for second in seconds:
        due += load.due.get(second, 0)
        in_time += load.in_time(second)
    return due, in_time


def availability(load: Load, seconds: Sequence[int]) -> tuple[float | None, int]:
    """(share of the seconds with events due in which 99.5 % of these were stored within 5 s, number of seconds)."""
    counted = [second for second in seconds if load.due.get(second)]
    if not counted:
        return None, 0
    good = sum(load.in_time(second) >= SERVED_SHARE * load.due[second] for second in counted)
    return good / len(counted), len(counted)


def error_rate(audit: Audit) -> float | None:
    """(failed + dead not expected + lost) / scheduled; None of nothing, and while the audit is open."""
    if not audit.scheduled or audit.lost is None or audit.dead_unexpected is None:
        return None
    return (audit.failed + audit.dead_unexpected + audit.lost) / audit.scheduled
