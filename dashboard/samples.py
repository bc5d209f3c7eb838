"""What the run process and the sinks sampled once a second, as cells: load, lag, resources, and bulk-write times."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dashboard.database import Database, Document
from dashboard.slices import Packed, merged
from measure.figures import StageLatency
from measure.percentiles import stage_latency
from measure.store import SAMPLES

COUNTERS = ("sent", "acked", "stored", "late", "unsent", "failed")
USAGES = ("cpu", "rss_bytes", "read_bytes_s", "write_bytes_s", "rx_bytes_s", "tx_bytes_s")


@dataclass(slots=True)
class Usage:
    """One quantity of one service over a step."""

    total: float = 0.0
    n: int = 0

    @property
    def mean(self) -> float | None:
        """Mean of the samples, or None of none."""
        return self.total / self.n if self.n else None

    def add(self, value: object) -> None:
        """Count a sample in; what is no number is left out."""
        if isinstance(value, int | float):
            self.total += value
            self.n += 1


@dataclass(slots=True)
class SampleCell:
    """All samples of one step. Counters are sums over it; lag is the highest."""

    counters: dict[str, int] = field(default_factory=dict)
    target: Usage = field(default_factory=Usage)
    lag_events: int | None = None
    lag_ms: float | None = None
    services: dict[str, dict[str, Usage]] = field(default_factory=dict)
    commit: Packed = field(default_factory=Packed)
    unreadable: int = 0
    _commit_figures: StageLatency | None = None

    def commit_figures(self) -> StageLatency:
        """Percentiles of the bulk writes, computed when first asked for after a change."""
        if self._commit_figures is None:
            self._commit_figures = stage_latency(merged([self.commit]))
        return self._commit_figures

    def add(self, document: Document) -> None:
        """Count a sample in."""
        self._commit_figures = None
        try:
            if document["kind"] == "sink":
                self.commit.add(document.get("commit") or {}, 0, int(document.get("commit_max_us", 0)))
            else:
                self._add_run(document)
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
            self.unreadable += 1

    def _add_run(self, document: Document) -> None:
        self.target.add(document.get("target_rate"))
        for name in COUNTERS:
            self.counters[name] = self.counters.get(name, 0) + int(document.get(name) or 0)
        lag = document.get("lag")
        if lag:
            self.lag_events = max(self.lag_events or 0, int(lag["events"]))
            if lag.get("ms") is not None:
                self.lag_ms = max(self.lag_ms or 0.0, float(lag["ms"]))
        for service, used in (document.get("services") or {}).items():
            held = self.services.setdefault(service, {})
            for name in USAGES:
                held.setdefault(name, Usage()).add(used.get(name))


class SampleSource:
    """Samples of kind `run` of one run, or of kind `sink`, as a timeline's source."""

    page = 300

    _FIELDS = {"_id": 0, "sink": 0, "run": 0, "updated": 0}  # noqa: RUF012 - constant

    def __init__(self, database: Database, where: dict[str, Any]) -> None:
        self._database = database
        self._where = where

    @classmethod
    def of_run(cls, database: Database, run: str) -> SampleSource:
        """What the run process of `run` sampled."""
        return cls(database, {"kind": "run", "run": run})

    @classmethod
    def of_sinks(cls, database: Database) -> SampleSource:
        """What all sinks sampled."""
        return cls(database, {"kind": "sink"})

    def empty(self) -> SampleCell:
        """A cell that holds nothing."""
        return SampleCell()

    def newest_write(self) -> datetime | None:
        """The latest `updated` of all samples."""
        return self._database.newest_write(SAMPLES)

    def changed(self, since: datetime, start_s: int, end_s: int, limit: int) -> list[Document]:
        """Samples of this span written since, oldest write first."""
        where = {"updated": {"$gte": since}, **self._span(start_s, end_s)}
        return self._database.find(SAMPLES, where, {"second": 1, "updated": 1}, sort=[("updated", 1)], limit=limit)

    def read(self, start_s: int, end_s: int, limit: int) -> list[Document]:
        """Samples of this span, newest second first."""
        return self._database.find(
            SAMPLES, self._span(start_s, end_s), self._FIELDS, sort=[("second", -1)], limit=limit
        )

    def second_of(self, document: Document) -> int:
        """The second that was sampled."""
        return int(document["second"])

    def _span(self, start_s: int, end_s: int) -> dict[str, Any]:
        return {**self._where, "second": {"$gte": start_s, "$lt": end_s}}
