"""The percentile chart's rows: lines in braille, limit, marks, scale and time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from console.feed.views import ChartView, MarkView
from console.widgets.axis import LogScale, tick_label, time_ticks
from console.widgets.braille import plot
from console.words import milliseconds, signed_clock

_LEFT = 8
_RIGHT = 10
_MARKED = {"phase": "┆", "burst": "┆", "pause": "┆", "resume": "┆", "stop": "┆", "fault": "┊", "alert": "┊", "gap": "┊"}
_NAMES = ("P99", "P95", "P50")


@dataclass(frozen=True, slots=True)
class Cell:
    """A stretch of one row, and the name of its style; empty: the widget's own."""

    text: str
    style: str


def drawn_rows(chart: ChartView, width: int, height: int) -> list[list[Cell]]:
    """`chart` on `height` rows of `width` columns."""
    columns, depth = max(4, width - _LEFT - _RIGHT), max(1, height - 1)
    values = np.concatenate((chart.p50, chart.p95, chart.p99, _near_limit(chart)))
    scale = LogScale.around(values)
    length = max(1e-9, chart.last_s - chart.first_s)
    xs = np.clip((chart.at_s - chart.first_s) / length, 0.0, 1.0)
    codes, owners = plot([(xs, scale.place(ys)) for ys in (chart.p99, chart.p95, chart.p50)], columns, depth)
    text = np.where(codes > 0, codes + np.uint32(0x2800), np.uint32(32)).astype(np.uint32)
    styles = np.where(owners >= 0, owners, -1).astype(np.int8)
    _put_limit(chart, scale, text, styles)
    _put_marks(chart, length, text, styles)
    labels, ends = _labels(scale, depth), _ends(chart, scale, depth)
    rows = []
    for row in range(depth):
        left = Cell(f"{labels.get(row, ''):>{_LEFT - 1}}{'┤' if row in labels else '│'}", "axis")
        right = ends.get(row, Cell("", ""))
        rows.append([left, *_runs(text[row], styles[row]), Cell(f" {right.text:<{_RIGHT - 1}}", right.style)])
    rows.append([Cell(_time_line(chart, columns, length), "axis")])
    return rows


def _near_limit(chart: ChartView) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The limit, where what is drawn comes near enough to it for it to be on the scale."""
    highest = float(np.nanmax(np.concatenate((chart.p95, chart.p99, chart.p50))))
    near = chart.limit_ms is not None and highest >= 0.2 * chart.limit_ms
    return np.array([chart.limit_ms if near else np.nan], dtype=np.float64)


_LIMIT, _MARK, _ALERT = 3, 4, 5
_STYLES = ("p99", "p95", "p50", "limit", "mark", "alert")


def _put_limit(chart: ChartView, scale: LogScale, text: np.ndarray, styles: np.ndarray) -> None:
    if chart.limit_ms is None or not scale.low <= chart.limit_ms <= scale.high:
        return
    row = _row_of(scale.place_one(chart.limit_ms), len(text))
    free = text[row] == 32
    text[row][free], styles[row][free] = ord("╌"), _LIMIT


def _put_marks(chart: ChartView, length: float, text: np.ndarray, styles: np.ndarray) -> None:
    columns = text.shape[1]
    for mark in chart.marks:
        sign = _MARKED.get(mark.kind)
        if sign is None:
            continue
        column = min(columns - 1, round((mark.at_s - chart.first_s) / length * (columns - 1)))
        free = (text[:, column] == 32) | (styles[:, column] == _LIMIT)
        text[free, column] = ord(sign)
        styles[free, column] = _ALERT if mark.kind in {"alert", "fault", "gap"} else _MARK
        _name(mark, column, text, styles)


def _name(mark: MarkView, column: int, text: np.ndarray, styles: np.ndarray) -> None:
    """The kind of a mark beside its line, on the top row, where there is room."""
    word = f" {mark.kind} "
    place = slice(column + 1, column + 1 + len(word))
    free = (text[0, place] == 32) | (styles[0, place] == _LIMIT)
    if len(free) == len(word) and bool(free.all()):
        text[0, place] = [ord(sign) for sign in word]
        styles[0, place] = styles[0, column]


def _runs(text: np.ndarray, styles: np.ndarray) -> list[Cell]:
    """One row as stretches of one style."""
    edges = [0, *(np.flatnonzero(np.diff(styles)) + 1).tolist(), len(text)]
    signs = "".join(map(chr, text.tolist()))
    return [
        Cell(signs[first:end], _STYLES[styles[first]] if styles[first] >= 0 else "") for first, end in pairwise(edges)
    ]


def _row_of(place: float, depth: int) -> int:
    return min(depth - 1, max(0, round((1 - place) * (depth - 1))))


def _labels(scale: LogScale, depth: int) -> dict[int, str]:
    """Row → tick, at least one row apart from the next."""
    labels: dict[int, str] = {}
    for tick in scale.ticks():
        row = _row_of(scale.place_one(tick), depth)
        if row not in labels and row + 1 not in labels:
            labels[row] = tick_label(tick)
    return labels


def _ends(chart: ChartView, scale: LogScale, depth: int) -> dict[int, Cell]:
    """Row → name and last value of the line that ends there; lines that end together are listed apart."""
    ends: dict[int, Cell] = {}
    for name, ys in zip(_NAMES, (chart.p99, chart.p95, chart.p50), strict=True):
        finite = ys[np.isfinite(ys)]
        if not len(finite):
            continue
        row = _row_of(scale.place_one(float(finite[-1])), depth)
        while row in ends and row + 1 < depth:
            row += 1
        while row in ends and row > 0:
            row -= 1
        ends[row] = Cell(f"{name} {milliseconds(float(finite[-1]))}", name.lower())
    return ends


def _time_line(chart: ChartView, columns: int, length: float) -> str:
    line = [" "] * (columns + _RIGHT)
    for tick in time_ticks(chart.first_s, chart.last_s, max(2, columns // 14)):
        label = signed_clock(tick)
        at = round((tick - chart.first_s) / length * (columns - 1))
        line[at : at + len(label) + 1] = list(f"╵{label}")
    return " " * (_LEFT - 1) + "└" + "".join(line)[: columns + _RIGHT]
