"""What the database holds of a run's latencies, all seconds of it in one."""

from __future__ import annotations

from measure.histogram import Histogram
from measure.percentiles import merged_stages
from measure.store import Store, slices


def latencies(database: Store, run: str) -> dict[str, Histogram]:
    """Stage → histogram over all events of `run`."""
    return merged_stages(parts for _, parts in slices(database, run, 0, 2**40))
