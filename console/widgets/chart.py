"""e2e percentiles over time, with marks and the limit. Drawn once a second, in braille."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from console.feed.snapshot import Snapshot
from console.feed.views import ChartView, MarkView, RunView
from console.widgets.axis import LogScale, tick_label, time_ticks
from console.widgets.braille import plot
from console.widgets.panel import Panel, nothing
from console.words import milliseconds, signed_clock

_LEFT = 8
_RIGHT = 10
_MARKED = {"phase": "┆", "burst": "┆", "pause": "┆", "resume": "┆", "stop": "┆", "fault": "┊", "alert": "┊", "gap": "┊"}
_NAMES = ("P99", "P95", "P50")


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    style: str


class PercentileChart(Panel):
    """P50, P95 and P99 on a logarithmic scale."""

    TITLE = "e2e percentiles"
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "chart--p50",
        "chart--p95",
        "chart--p99",
        "chart--axis",
        "chart--limit",
        "chart--mark",
        "chart--alert",
    }
    DEFAULT_CSS = """
    PercentileChart {
        & > .chart--p50 { color: $success; }
        & > .chart--p95 { color: $warning; }
        & > .chart--p99 { color: $error; }
        & > .chart--axis { color: $foreground-muted; }
        & > .chart--limit { color: $error-darken-1; }
        & > .chart--mark { color: $accent; }
        & > .chart--alert { color: $error; }
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._chart: ChartView | None = None
        self._rows: list[list[_Cell]] = []
        self._painted: tuple[object, ...] = ()

    def show(self, snapshot: Snapshot) -> None:
        run: RunView | None = snapshot.run.value
        chart = run.chart if run is not None else None
        self._chart = chart if chart is not None and not chart.empty else None
        if chart is not None:
            self.border_title = f"e2e percentiles · {_span(chart)} · one point each {chart.step_s} s"
        super().show(snapshot)

    def _redraw(self) -> None:
        chart = self._chart
        if chart is None or not self.size.height:
            self._rows, self._painted = [], ()
            reading = self._reading
            self.set_class(True, "-none")
            self._drawn = nothing(reading.reason if reading and reading.reason else "no second is complete yet")
            self.refresh()
            return
        self.set_class(False, "-none")
        painted = (chart.first_s, chart.last_s, chart.step_s, len(chart.marks), self.size, float(np.nansum(chart.p99)))
        if painted != self._painted:
            self._painted = painted
            self._rows = _rows(chart, self.size.width, self.size.height)
            self.refresh()

    def on_resize(self) -> None:
        self._painted = ()
        self._redraw()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        if not self._rows:
            return super().render_line(y)
        if y >= len(self._rows):
            return Strip.blank(self.size.width, self.rich_style)
        base = self.rich_style
        return Strip(
            [Segment(cell.text, base + self._style(cell.style) if cell.style else base) for cell in self._rows[y]]
        ).adjust_cell_length(self.size.width, base)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"chart--{name}", partial=True)


def _span(chart: ChartView) -> str:
    length = chart.last_s - chart.first_s
    return f"last {length / 60:.0f} min" if length >= 120 else f"last {length:.0f} s"


def _rows(chart: ChartView, width: int, height: int) -> list[list[_Cell]]:
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
        left = _Cell(f"{labels.get(row, ''):>{_LEFT - 1}}{'┤' if row in labels else '│'}", "axis")
        right = ends.get(row, _Cell("", ""))
        rows.append([left, *_runs(text[row], styles[row]), _Cell(f" {right.text:<{_RIGHT - 1}}", right.style)])
    rows.append([_Cell(_time_line(chart, columns, length), "axis")])
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


def _runs(text: np.ndarray, styles: np.ndarray) -> list[_Cell]:
    """One row as stretches of one style."""
    edges = [0, *(np.flatnonzero(np.diff(styles)) + 1).tolist(), len(text)]
    signs = "".join(map(chr, text.tolist()))
    return [
        _Cell(signs[first:end], _STYLES[styles[first]] if styles[first] >= 0 else "") for first, end in pairwise(edges)
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


def _ends(chart: ChartView, scale: LogScale, depth: int) -> dict[int, _Cell]:
    """Row → name and last value of the line that ends there; lines that end together are listed apart."""
    ends: dict[int, _Cell] = {}
    for name, ys in zip(_NAMES, (chart.p99, chart.p95, chart.p50), strict=True):
        finite = ys[np.isfinite(ys)]
        if not len(finite):
            continue
        row = _row_of(scale.place_one(float(finite[-1])), depth)
        while row in ends and row + 1 < depth:
            row += 1
        while row in ends and row > 0:
            row -= 1
        ends[row] = _Cell(f"{name} {milliseconds(float(finite[-1]))}", name.lower())
    return ends


def _time_line(chart: ChartView, columns: int, length: float) -> str:
    line = [" "] * (columns + _RIGHT)
    for tick in time_ticks(chart.first_s, chart.last_s, max(2, columns // 14)):
        label = signed_clock(tick)
        at = round((tick - chart.first_s) / length * (columns - 1))
        line[at : at + len(label) + 1] = list(f"╵{label}")
    return " " * (_LEFT - 1) + "└" + "".join(line)[: columns + _RIGHT]
