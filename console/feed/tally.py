"""Histograms as arrays: the same buckets and the same percentiles as measure.histogram, in a tenth of the room.

The console holds hundreds of them and merges a window's worth each second, which dictionaries are too slow for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from measure.buckets import bounds_us
from measure.histogram import bucket_of

Counts = NDArray[np.int64]

BUCKETS = bucket_of(24 * 3600 * 1_000_000) + 1
"""Buckets of a dense array: a day, which no latency on a screen exceeds."""


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """One histogram: `buckets` ascending, each once, with `counts` beside them. Not to be changed."""

    buckets: NDArray[np.uint16]
    counts: NDArray[np.uint32]
    negatives: int = 0
    max_us: int = 0

    @classmethod
    def of(cls, counts: Mapping[str, int] | Mapping[int, int], negatives: int = 0, max_us: int = 0) -> Tally:
        """From stored counts, whose keys are bucket indexes."""
        buckets = np.fromiter(map(int, counts), dtype=np.int64, count=len(counts))
        numbers = np.fromiter(counts.values(), dtype=np.uint32, count=len(counts))
        order = np.argsort(buckets, kind="stable")
        clipped = np.minimum(buckets[order], BUCKETS - 1).astype(np.uint16)
        return cls(clipped, numbers[order], negatives, max_us)

    @classmethod
    def merged(cls, parts: Iterable[Tally]) -> Tally:
        """All of `parts` in one."""
        held = list(parts)
        if len(held) == 1:
            return held[0]
        if not held:
            return EMPTY
        dense = np.bincount(
            np.concatenate([part.buckets for part in held]),
            weights=np.concatenate([part.counts for part in held]),
        )
        buckets = np.flatnonzero(dense)
        return cls(
            buckets.astype(np.uint16),
            dense[buckets].astype(np.uint32),
            sum(part.negatives for part in held),
            max(part.max_us for part in held),
        )

    @property
    def n(self) -> int:
        """How many values, negatives not among them."""
        return int(self.counts.sum())

    def percentiles_us(self, percents: Sequence[float], infinite: int = 0) -> list[float | None]:
        """Nearest-rank percentiles in µs; None where one falls among `infinite`, or of nothing."""
        ranked = np.cumsum(self.counts, dtype=np.int64)
        stored = int(ranked[-1]) if len(ranked) else 0
        found: list[float | None] = []
        for percent in percents:
            rank = max(1, math.ceil(percent / 100 * (stored + infinite) - 1e-9))
            found.append(self._value(int(np.searchsorted(ranked, rank))) if rank <= stored else None)
        return found

    def _value(self, at: int) -> float:
        low, high = bounds_us(self.buckets[at : at + 1])
        middle = float(low[0] + high[0]) / 2
        return min(middle, float(self.max_us)) if self.max_us else middle

    def count_within(self, limit_us: int) -> int:
        """How many values lie in the bucket of `limit_us` or below."""
        upto = int(np.searchsorted(self.buckets, bucket_of(limit_us), side="right"))
        return int(self.counts[:upto].sum())

    def binned(self, edges_us: NDArray[np.float64]) -> Counts:
        """How many values lie between each two of `edges_us` (ascending), by their buckets' middles; what lies outside
        counts in the first or last."""
        low, high = bounds_us(self.buckets)
        at = np.clip(np.searchsorted(edges_us, (low + high) / 2, side="right") - 1, 0, len(edges_us) - 2)
        return np.bincount(at, weights=self.counts, minlength=len(edges_us) - 1).astype(np.int64)


EMPTY = Tally(np.empty(0, np.uint16), np.empty(0, np.uint32))


def merged_stages(held: Sequence[Mapping[str, Tally]]) -> dict[str, Tally]:
    """Stage → all that `held` has of it in one."""
    names = {name: None for stages in held for name in stages}
    return {name: Tally.merged(stages[name] for stages in held if name in stages) for name in names}


class Total:
    """A sum of tallies that can be added to and taken from. Belongs to one thread."""

    def __init__(self) -> None:
        self._dense = np.zeros(BUCKETS, np.int64)
        self._negatives = 0
        self._max_us = 0

    def add(self, part: Tally) -> None:
        """Count `part` in."""
        self._dense[part.buckets] += part.counts
        self._negatives += part.negatives
        self._max_us = max(self._max_us, part.max_us)

    def take(self, part: Tally) -> None:
        """Count `part`, which was added before, out again. The maximum stays."""
        self._dense[part.buckets] -= part.counts
        self._negatives -= part.negatives

    def tally(self, without: Iterable[Tally] = ()) -> Tally:
        """What was added, less `without`, which must be among it."""
        dense = self._dense
        left_out = list(without)
        if left_out:
            dense = dense.copy()
            for part in left_out:
                dense[part.buckets] -= part.counts
        buckets = np.flatnonzero(dense)
        return Tally(buckets.astype(np.uint16), dense[buckets].astype(np.uint32), self._negatives, self._max_us)
