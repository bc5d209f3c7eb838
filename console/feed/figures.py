"""A stage's figures from its merged histogram, with the reason where a percentile must not be shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from console.feed.tally import Tally
from console.feed.views import StageFigures
from measure.histogram import bucket_of
from measure.percentiles import PERCENTS, events_needed, percent_name


def figures_of(stage: str, tally: Tally, missing: int = 0) -> StageFigures:
    """A stage's figures, with the reason where a percentile must not be shown."""
    n = tally.n + missing
    if not n:
        return StageFigures(stage, 0, negatives=tally.negatives, reason="no events")
    reasons: list[str] = []
    found: dict[str, float | None] = {}
    for (name, percent), us in zip(
        PERCENTS.items(), tally.percentiles_us(tuple(PERCENTS.values()), missing), strict=True
    ):
        needed = events_needed(percent)
        if n < needed:
            reasons.append(f"{percent_name(percent)} needs {needed:,} events")
            us = None
        elif us is None:
            reasons.append(f"{percent_name(percent)}: {missing:,} of {n:,} not stored")
        found[name] = None if us is None else us / 1000
    longest = tally.max_us / 1000 if tally.max_us else None
    return StageFigures(
        stage,
        n,
        **found,
        max=longest,
        missing=missing,
        negatives=tally.negatives,
        reason=reasons[0] if reasons else None,
    )


def durations(values_ms: Iterable[float]) -> Tally:
    """Durations in ms as a histogram."""
    values_us = [round(ms * 1000) for ms in values_ms]
    return Tally.of(Counter(map(bucket_of, values_us)), 0, max(values_us, default=0))
