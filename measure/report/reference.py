"""The reference report's figures, and which of our stages each may be set beside.

A figure of theirs is only ever shown beside a stage that spans the same way: their overall figure ends at the
dashboard, so it stands beside `shown`, never beside `e2e`, which ends at the acknowledged write.
"""

from __future__ import annotations

import importlib.resources
import tomllib
from functools import cache

import msgspec

from measure.decoding import convert


class Component(msgspec.Struct, frozen=True):
    """One row of its component table, in ms."""

    name: str
    p50: float
    p95: float
    p99: float


class ScenarioClaim(msgspec.Struct, frozen=True):
    """What it says of one scenario; None where it says nothing."""

    mean_ms: float | None = None
    p95_ms: float | None = None
    max_ms: float | None = None
    error_rate: float | None = None
    recovery_s: float | None = None


class Reference(msgspec.Struct, frozen=True):
    """The whole of it."""

    title: str
    latency: dict[str, float]
    """Overall percentiles, event to dashboard: name (`p95`) → ms."""
    component: list[Component]
    scenario: dict[str, ScenarioClaim]

    def beside(self, stage: str) -> list[Component]:
        """Its rows that span, one after the other, what our `stage` spans; several are never added."""
        return [row for row in self.component if row.name in COUNTERPARTS.get(stage, ())]


COUNTERPARTS: dict[str, tuple[str, ...]] = {
    "produce": ("Producer → Kafka",),
    "queue": ("Kafka → Spark",),
    "compute": ("Spark Processing",),
    "process": ("Kafka → Spark", "Spark Processing"),
    "store": ("Spark → MongoDB",),
    "query": ("MongoDB → Dashboard",),
    "shown": ("Event → Dashboard",),
}
"""Our stage → its components."""


@cache
def reference() -> Reference:
    """The reference report, from the file beside this module."""
    text = (importlib.resources.files("measure.report") / "reference.toml").read_text("utf-8")
    return convert(tomllib.loads(text), Reference)
