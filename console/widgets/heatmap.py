"""Latency over time: each cell's colour is how many events took so long in that stretch."""

from __future__ import annotations

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.content import Content
from textual.strip import Strip

from console.feed.snapshot import Snapshot
from console.feed.views import HeatView, RunView
from console.widgets.axis import tick_label, time_ticks
from console.widgets.panel import Panel, nothing
from console.words import signed_clock

_LEFT = 8
_SHADES = " ░▒▓█"
_LEVELS = 16


class HeatMap(Panel):
    """Rows are latencies (two to a cell where there is colour), columns are seconds."""

    TITLE = "Latency over time"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._heat: HeatView | None = None
        self._strips: list[Strip] = []
        self._painted: tuple[object, ...] = ()
        self._colours: list[str] = []
        self._cells: dict[tuple[int, int], Segment] = {}

    def show(self, snapshot: Snapshot) -> None:
        run: RunView | None = snapshot.run.value
        heat = run.heat if run is not None else None
        self._heat = heat if heat is not None and heat.counts.any() else None
        if heat is not None:
            self.border_title = f"{heat.stage} over time · brighter is more events"
        super().show(snapshot)

    def draw(self, value: RunView) -> Content:
        return nothing("being read" if value.heat is None else "no event of this stage in the span")

    def _redraw(self) -> None:
        heat = self._heat
        if heat is None:
            self._strips, self._painted = [], ()
            super()._redraw()
            return
        painted = (heat.stage, heat.first_s, heat.step_s, heat.counts.shape, int(heat.counts.sum()), self.size)
        if painted != self._painted and self.size.height > 2:
            self._painted = painted
            self._strips = self._paint(heat)
            self.refresh()

    def on_resize(self) -> None:
        self._painted = ()
        super().on_resize()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self._strips and self._palette() != self._colours:  # another theme
            self._painted = ()
            self._redraw()

    def render_line(self, y: int) -> Strip:
        if not self._strips:
            return super().render_line(y)
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    def _paint(self, heat: HeatView) -> list[Strip]:
        self._colours, self._cells = self._palette(), {}
        width, depth = self.size.width, self.size.height - 1
        columns = max(1, min(width - _LEFT, heat.counts.shape[0]))
        bins = np.flatnonzero(heat.counts.any(axis=0))
        first, last = max(0, int(bins[0]) - 1), min(heat.counts.shape[1], int(bins[-1]) + 2)
        rows = depth if self.app.no_color else 2 * depth
        grid = resample(heat.counts[:, first:last], columns, rows)[:, ::-1].T
        stretch = max(1, (width - _LEFT) // columns)
        levels = _levels(grid).repeat(stretch, axis=1)
        labels = _labels(heat, first, last, depth)
        strips = [self._row(levels, row, labels.get(row, "")) for row in range(depth)]
        return [*strips, self._time(heat, levels.shape[1])]

    def _row(self, levels: np.ndarray, row: int, label: str) -> Strip:
        base = self.rich_style
        head = Segment(f"{label:>{_LEFT - 1}}{'┤' if label else '│'}", base)
        if self.app.no_color:
            text = "".join(_SHADES[-(-level * (len(_SHADES) - 1) // _LEVELS)] for level in levels[row].tolist())
            return Strip([head, Segment(text, base)]).adjust_cell_length(self.size.width, base)
        upper, lower = levels[2 * row].tolist(), levels[2 * row + 1].tolist()
        cells = [self._cell(pair) for pair in zip(upper, lower, strict=True)]
        return Strip([head, *Segment.simplify(cells)]).adjust_cell_length(self.size.width, base)

    def _cell(self, levels: tuple[int, int]) -> Segment:
        """Two levels, one above the other."""
        found = self._cells.get(levels)
        if found is None:
            above, below = levels
            style = Style(color=self._colours[above], bgcolor=self._colours[below])
            found = self._cells[levels] = Segment("▀", style)
        return found

    def _palette(self) -> list[str]:
        """From the background over the theme's primary colour to its accent, as hexadecimal colours."""
        variables = self.app.theme_variables
        ground = self.background_colors[1]
        middle, top = Color.parse(variables["primary"]), Color.parse(variables["accent"])
        half = _LEVELS // 2
        low = [ground.blend(middle, 0.15 + 0.85 * level / half) for level in range(1, half + 1)]
        high = [middle.blend(top, level / half) for level in range(1, half + 1)]
        return [color.hex6 for color in (ground, *low, *high)]

    def _time(self, heat: HeatView, columns: int) -> Strip:
        length = heat.counts.shape[0] * heat.step_s
        line = [" "] * (columns + 8)
        for tick in time_ticks(heat.first_s, heat.first_s + length, max(2, columns // 14)):
            label = f"╵{signed_clock(tick)}"
            at = round((tick - heat.first_s) / length * (columns - 1))
            line[at : at + len(label)] = list(label)
        text = " " * (_LEFT - 1) + "└" + "".join(line)
        return Strip([Segment(text, self.rich_style)]).adjust_cell_length(self.size.width, self.rich_style)


def resample(counts: np.ndarray, columns: int, rows: int) -> np.ndarray:
    """`counts[column, bin]` as sums on another grid; a bin that spans several rows is spread over them."""
    wide = np.add.reduceat(counts, np.linspace(0, counts.shape[0], columns, endpoint=False).astype(int), axis=0)
    bins = counts.shape[1]
    if rows >= bins:
        return wide[:, (np.arange(rows) * bins // rows)]
    return np.add.reduceat(wide, np.linspace(0, bins, rows, endpoint=False).astype(int), axis=1)


def _levels(grid: np.ndarray) -> np.ndarray:
    """0 for none, then 1 to 16 by the logarithm of the count."""
    highest = max(1, int(grid.max()))
    scaled = np.log1p(grid) / np.log1p(highest) * _LEVELS
    return np.where(grid > 0, np.maximum(1, np.ceil(scaled)), 0).astype(np.int64)


def _labels(heat: HeatView, first: int, last: int, depth: int) -> dict[int, str]:
    """Row → latency at its foot, some rows apart."""
    labels = {}
    low, high = heat.edges_ms[first], heat.edges_ms[last]
    span = np.log10(high) - np.log10(low)
    for decade in range(-3, 6):
        for step in (1, 2, 5):
            tick = step * 10.0**decade
            if low <= tick <= high:
                row = min(depth - 1, round((1 - (np.log10(tick) - np.log10(low)) / span) * (depth - 1)))
                if row not in labels and row + 1 not in labels:
                    labels[row] = tick_label(tick)
    return labels
