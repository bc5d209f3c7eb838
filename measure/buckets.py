"""The histogram's buckets for many values at once: `measure.histogram`'s own formulas over arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from measure.histogram import HALF_BITS, LINEAR

Whole = NDArray[np.int64]


def buckets_of(values_us: Whole) -> Whole:
    """`bucket_of` of each value (≥ 0, below 2⁵³)."""
    bits = np.frexp(values_us.astype(np.float64))[1].astype(np.int64)
    shift = np.maximum(bits - (HALF_BITS + 1), 0)
    return np.where(values_us < LINEAR, values_us, (shift << HALF_BITS) + (values_us >> shift))


def bounds_us(buckets: NDArray[np.integer[Any]]) -> tuple[Whole, Whole]:
    """First and last value in µs of each bucket, as `bucket_bounds_us` gives them."""
    index = buckets.astype(np.int64)
    shift = np.where(index < LINEAR, 0, (index >> HALF_BITS) - 1)
    low = np.where(index < LINEAR, index, (index - (shift << HALF_BITS)) << shift)
    return low, low + (1 << shift) - 1
