"""What is unusual, against the recent past, and why it is called so.

A complete step is compared with the complete steps before it by median and MAD (median absolute deviation), which a
single odd step cannot bend. It is an anomaly if it lies beyond four robust deviations, differs by at least a quarter,
and is more than counting noise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

BASELINE = 30
"""Steps with which one is compared, at most."""
_FEWEST = 8
_DEVIATIONS = 4.0
_LEAST_CHANGE = 0.25
_MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True, slots=True)
class Metric:
    """A series by step. `count` says how many things each value rests on; None where a step has no value."""

    name: str
    unit: str
    values: Sequence[float | None]
    counts: Sequence[int]
    is_ratio: bool = False
    """A mean or a share, whose noise shrinks with the root of its count; else a sum, whose noise grows with it."""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One unusual value. `index` is its step; `usual` the median of the `steps` before it."""

    metric: str
    unit: str
    index: int
    value: float
    usual: float
    spread: float
    steps: int

    @property
    def change(self) -> float:
        """Relative difference from what is usual: 0.5 is half as much again, -0.5 is half."""
        return (self.value - self.usual) / self.usual if self.usual else math.inf


def find(metric: Metric, newest: int = BASELINE) -> list[Anomaly]:
    """Anomalies among the `newest` steps, the newest first. All steps given must be complete."""
    first = max(_FEWEST, len(metric.values) - newest)
    found = (_judged(metric, index) for index in range(len(metric.values) - 1, first - 1, -1))
    return [anomaly for anomaly in found if anomaly is not None]


def _judged(metric: Metric, index: int) -> Anomaly | None:
    value = metric.values[index]
    past = [before for before in metric.values[max(0, index - BASELINE) : index] if before is not None]
    if value is None or len(past) < _FEWEST:
        return None
    usual = median(past)
    spread = _MAD_TO_SIGMA * median(abs(before - usual) for before in past)
    counts = [n for n in metric.counts[max(0, index - BASELINE) : index] if n]
    noise = _noise(usual, median(counts) if counts else 0, metric, index)
    away = abs(value - usual)
    if away <= _DEVIATIONS * math.hypot(spread, noise) or away < _LEAST_CHANGE * abs(usual) or away == 0:
        return None
    return Anomaly(metric.name, metric.unit, index, value, usual, spread, len(past))


def _noise(usual: float, count: float, metric: Metric, index: int) -> float:
    """Standard deviation of pure chance: of a sum over `count` things, or of a mean or share over this step's own."""
    own = metric.counts[index]
    if metric.is_ratio:
        return abs(usual) / math.sqrt(own) if own else math.inf
    return abs(usual) / math.sqrt(count) if count else 1.0
