"""Lines drawn in braille: each cell has 2 by 4 dots."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.uint8]

_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], dtype=np.uint8)


def plot(series: Sequence[tuple[Floats, Floats]], width: int, height: int) -> tuple[Codes, NDArray[np.int8]]:
    """Draw each (x, y) series, both 0 to 1 (y upwards; NaN breaks the line), on `height` rows of `width` cells.

    Returns the dots of each cell as the low byte of its braille sign, and which series owns the cell (-1: none); a
    later series owns what it shares with an earlier one.
    """
    codes = np.zeros((height, width), dtype=np.uint8)
    owners = np.full((height, width), -1, dtype=np.int8)
    for number, (xs, ys) in enumerate(series):
        dots = _dots(xs, ys, 2 * width, 4 * height)
        cells = _cells(dots, width, height)
        codes |= cells
        owners[cells > 0] = number
    return codes, owners


def _cells(dots: NDArray[np.bool_], width: int, height: int) -> Codes:
    blocks = dots.reshape(height, 4, width, 2).transpose(0, 2, 1, 3)
    codes: Codes = (blocks * _DOTS).sum(axis=(2, 3), dtype=np.uint8)
    return codes


def _dots(xs: Floats, ys: Floats, columns: int, rows: int) -> NDArray[np.bool_]:
    """One line as dots: in each column from where it comes to where it goes."""
    dots = np.zeros((rows, columns), dtype=np.bool_)
    for first, last in _pieces(ys):
        at = xs[first:last] * (columns - 1)
        left, right = int(np.clip(np.round(at[0]), 0, columns - 1)), int(np.clip(np.round(at[-1]), 0, columns - 1))
        across = np.arange(left, right + 1)
        heights = np.interp(across, at, ys[first:last])
        down = np.clip(np.round((1 - heights) * (rows - 1)), 0, rows - 1).astype(np.int64)
        before = np.concatenate((down[:1], down[:-1]))
        low, high = np.minimum(down, before), np.maximum(down, before)
        low = np.where(high - low > 1, np.where(before < down, low + 1, low), low)
        high = np.where(high - low > 1, np.where(before > down, high - 1, high), high)
        for column, top, foot in zip(across.tolist(), low.tolist(), high.tolist(), strict=True):
            dots[top : foot + 1, column] = True
    return dots


def _pieces(ys: Floats) -> list[tuple[int, int]]:
    """The stretches without a gap, as (first, end)."""
    there = np.concatenate(([False], np.isfinite(ys), [False]))
    edges = np.flatnonzero(there[1:] != there[:-1])
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
