"""Latency histograms that merge without loss, with HDR-style log-linear buckets.

Values are whole microseconds. Below 2,048 µs each value has a bucket of its own; above, each power of two is split
into 1,024 equal buckets, so a bucket is never wider than 1/1024 of its value (3 significant digits, as in
HdrHistogram with 2,048 sub-buckets). There is no upper clip. Negative values are counted apart and enter no
percentile.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

LINEAR = 2048
HALF_BITS = 10


def bucket_of(value_us: int) -> int:
    """Index of the bucket that holds `value_us` (≥ 0)."""
    if value_us < LINEAR:
        return value_us
    shift = value_us.bit_length() - (HALF_BITS + 1)
    return (shift << HALF_BITS) + (value_us >> shift)


def bucket_bounds_us(index: int) -> tuple[int, int]:
    """First and last value in µs, both inclusive, that fall into bucket `index`."""
    if index < LINEAR:
        return index, index
    shift = (index >> HALF_BITS) - 1
    low = (index - (shift << HALF_BITS)) << shift
    return low, low + (1 << shift) - 1


def bucket_middle_us(index: int) -> float:
    """The value that stands for bucket `index`: its middle, at most 0.05 % from any value in it."""
    low, high = bucket_bounds_us(index)
    return (low + high) / 2


@dataclass(slots=True)
class Histogram:
    """Bucket counts with the exact maximum. `merge` is associative and commutative."""

    counts: dict[int, int] = field(default_factory=dict)
    negatives: int = 0
    max_us: int = 0

    def record(self, value_us: int, n: int = 1) -> None:
        """Count `value_us` (µs) `n` times; a negative value is only counted apart."""
        if value_us < 0:
            self.negatives += n
            return
        index = bucket_of(value_us)
        self.counts[index] = self.counts.get(index, 0) + n
        if value_us > self.max_us:
            self.max_us = value_us

    def merge(self, other: Histogram) -> None:
        """Add all of `other` to this histogram."""
        if not self.counts:
            self.counts = dict(other.counts)
        else:
            for index, n in other.counts.items():
                self.counts[index] = self.counts.get(index, 0) + n
        self.negatives += other.negatives
        self.max_us = max(self.max_us, other.max_us)

    @classmethod
    def merged(cls, parts: Iterable[Histogram]) -> Histogram:
        """A new histogram that holds all of `parts`."""
        whole = cls()
        for part in parts:
            whole.merge(part)
        return whole

    @classmethod
    def from_counts(cls, counts: Mapping[str, int], negatives: int = 0, max_us: int = 0) -> Histogram:
        """From stored counts, whose keys are bucket indexes written as text."""
        return cls({int(index): n for index, n in counts.items()}, negatives, max_us)

    @property
    def n(self) -> int:
        """How many values were recorded, negatives not among them."""
        return sum(self.counts.values())

    def percentile_us(self, percent: float, infinite: int = 0) -> float | None:
        """Nearest-rank percentile in µs, or None where it falls among `infinite` or nothing was recorded.

        `infinite` values rank above all recorded ones: events that never arrived. Rank is ceil(percent/100 · N), N
        with the infinite ones (the inverse of the empirical distribution, type 1 of Hyndman and Fan 1996).
        """
        return self.percentiles_us((percent,), infinite)[0]

    def percentiles_us(self, percents: Iterable[float], infinite: int = 0) -> list[float | None]:
        """`percentile_us` of each of `percents`, in one pass."""
        indexes = sorted(self.counts)
        seen = list(accumulate(self.counts[index] for index in indexes))
        total = (seen[-1] if seen else 0) + infinite
        found: list[float | None] = []
        for percent in percents:
            rank = max(1, math.ceil(percent / 100 * total - 1e-9))
            at = bisect_left(seen, rank)
            found.append(self._middle_us(indexes[at]) if at < len(seen) else None)
        return found

    def _middle_us(self, index: int) -> float:
        middle = bucket_middle_us(index)
        return min(middle, float(self.max_us)) if self.max_us else middle

    def mean_us(self) -> float | None:
        """Mean in µs from the buckets' middles, or None of nothing."""
        n = self.n
        return sum(bucket_middle_us(index) * count for index, count in self.counts.items()) / n if n else None
