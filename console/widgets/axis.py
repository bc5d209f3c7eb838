"""Scales: latency in logarithmic steps, time in round ones."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_TIME_STEPS_S = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 86400)


@dataclass(frozen=True, slots=True)
class LogScale:
    """Latency from `low` to `high` ms on a logarithmic scale."""

    low: float
    high: float

    @classmethod
    def around(cls, values_ms: Floats) -> LogScale:
        """A scale of round ends (1, 2 or 5 in each decade) around the finite values."""
        finite = values_ms[np.isfinite(values_ms) & (values_ms > 0)]
        if not len(finite):
            return cls(1.0, 100.0)
        low, high = _round_below(float(finite.min())), _round_above(float(finite.max()))
        return cls(low, high if high > low else low * 10)

    def place(self, values_ms: Floats) -> Floats:
        """0 at `low`, 1 at `high`; NaN stays."""
        with np.errstate(divide="ignore", invalid="ignore"):
            at = (np.log10(values_ms) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        return np.clip(at, 0.0, 1.0)

    def place_one(self, ms: float) -> float:
        """The same for one value."""
        return float(self.place(np.array([ms]))[0])

    def ticks(self) -> list[float]:
        """1, 2 and 5 of each decade between the ends."""
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        steps = (step * 10.0**decade for decade in range(first, last + 1) for step in (1, 2, 5))
        return [tick for tick in steps if self.low * 0.999 <= tick <= self.high * 1.001]


def tick_label(ms: float) -> str:
    """`500 µs`, `20 ms`, `1 s`."""
    if ms < 1:
        return f"{ms * 1000:g} µs"
    return f"{ms:g} ms" if ms < 1000 else f"{ms / 1000:g} s"


def time_ticks(first_s: float, last_s: float, most: int) -> list[int]:
    """Round seconds between the ends, at most about `most` of them."""
    length = max(1.0, last_s - first_s)
    step = next((step for step in _TIME_STEPS_S if length / step <= max(1, most)), _TIME_STEPS_S[-1])
    return list(range(math.ceil(first_s / step) * step, math.floor(last_s) + 1, step))


def _round_below(value: float) -> float:
    decade = 10.0 ** math.floor(math.log10(value))
    return max(step * decade for step in (1, 2, 5) if step * decade <= value * 1.0001)


def _round_above(value: float) -> float:
    decade = 10.0 ** math.floor(math.log10(value))
    return min(step * decade for step in (1, 2, 5, 10) if step * decade >= value * 0.9999)
