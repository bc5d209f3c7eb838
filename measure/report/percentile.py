"""How a percentile that may be missing is written: as a number, as ∞, or as a dash."""

from __future__ import annotations

from measure.figures import StageLatency
from measure.percentiles import PERCENTS, events_needed
from measure.report.wording import UNKNOWN, ms

INFINITE = "∞"
"""What stands for a percentile that falls among events that never arrived."""


def percentile(stage: StageLatency | None, name: str, unit: bool = False) -> str:
    """The percentile `name` (`p95`, `max`, `mean`) in ms: ∞ where it falls among events that never arrived, a dash
    where it was not measured or would rest on too few events."""
    if stage is None:
        return UNKNOWN
    value: float | None = getattr(stage, name)
    if value is not None:
        return f"{ms(value)} ms" if unit else ms(value)
    percent = PERCENTS.get(name)
    endless = percent is not None and stage.infinite > 0 and stage.n >= events_needed(percent)
    return INFINITE if endless else UNKNOWN
