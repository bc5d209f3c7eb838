"""The slices of a run that the sinks write, followed while they change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from measure.histogram import Histogram
from measure.percentiles import merged_stages
from measure.store import SLICES, Store, histograms

Stages = dict[str, Histogram]

_OVERLAP = timedelta(seconds=3)
"""Writes that were under way at the last look may carry an earlier time."""
_FIELDS = {"run": 1, "second": 1, "partition": 1, "stages": 1, "negatives": 1, "max_us": 1, "updated": 1}


class SliceCache:
    """Due-second → stages of a few run ids, for the last `kept_s` seconds. Not for several threads."""

    def __init__(self, database: Store, runs: Iterable[str], kept_s: int) -> None:
        self._database = database
        self._kept_s = kept_s
        self._parts: dict[str, dict[int, dict[int, Stages]]] = {run: {} for run in runs}
        self._merged: dict[str, dict[int, Stages]] = {run: {} for run in self._parts}
        self._counted: dict[str, dict[tuple[int, int], int]] = {run: {} for run in self._parts}
        self._totals = dict.fromkeys(self._parts, 0)
        self._since = datetime.now(UTC) - _OVERLAP

    def refresh(self) -> None:
        """Take in what was written since. PyMongoError where MongoDB does not answer."""
        wanted = {"run": {"$in": list(self._parts)}, "updated": {"$gte": self._since - _OVERLAP}}
        now = datetime.now(UTC)
        for found in self._database[SLICES].find(wanted, _FIELDS).hint("updated_ttl"):
            self._take(found)
        self._since = now
        self._forget(int(now.timestamp()) - self._kept_s)

    def stored(self, run: str) -> int:
        """How many events of the run are stored and measured so far."""
        return self._totals[run]

    def seconds(self, run: str) -> dict[int, Stages]:
        """The last seconds; treat what is in it as frozen: a second that changes gets new histograms."""
        return dict(self._merged[run])

    def _take(self, found: Mapping[str, Any]) -> None:
        run, second, partition = found["run"], found["second"], found["partition"]
        stages = histograms(found)
        self._count(run, (second, partition), stages)
        parts = self._parts[run].setdefault(second, {})
        parts[partition] = stages
        self._merged[run][second] = merged_stages(parts.values())

    def _count(self, run: str, place: tuple[int, int], stages: Stages) -> None:
        n = stages["e2e"].n if "e2e" in stages else 0
        self._totals[run] += n - self._counted[run].get(place, 0)
        self._counted[run][place] = n

    def _forget(self, oldest: int) -> None:
        for run, parts in self._parts.items():
            for second in [second for second in parts if second < oldest]:
                del parts[second], self._merged[run][second]
