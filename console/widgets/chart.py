"""e2e percentiles over time, with marks and the limit. Drawn once a second, in braille."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from console.feed.snapshot import Snapshot
from console.feed.views import ChartView, RunView
from console.widgets.panel import Panel, nothing

if TYPE_CHECKING:
    from console.widgets.chart_rows import Cell


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
        self._rows: list[list[Cell]] = []
        self._strips: list[Strip] = []
        """The rows in the theme's colours; made when they are first painted."""
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
            self._rows, self._strips, self._painted = [], [], ()
            reading = self._reading
            self.set_class(True, "-none")
            self._drawn = nothing(reading.reason if reading and reading.reason else "no second is complete yet")
            self.refresh()
            return
        self.set_class(False, "-none")
        lines = chart.p95.tobytes() + chart.p99.tobytes()
        painted = (chart.first_s, chart.last_s, chart.step_s, len(chart.marks), self.size, lines)
        if painted != self._painted:
            from console.widgets.chart_rows import drawn_rows  # brings numpy, not needed for the first paint

            self._painted = painted
            self._rows, self._strips = drawn_rows(chart, self.size.width, self.size.height), []
            self.refresh()

    def on_resize(self) -> None:
        self._painted = ()
        self._redraw()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips = []
        self.refresh()

    def render_line(self, y: int) -> Strip:
        if not self._rows:
            return super().render_line(y)
        self._strips = self._strips or self._coloured()
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    def _coloured(self) -> list[Strip]:
        base = self.rich_style
        styles = {cell.style: base for row in self._rows for cell in row}
        styles |= {name: base + self._style(name) for name in styles if name}
        return [
            Strip([Segment(cell.text, styles[cell.style]) for cell in row]).adjust_cell_length(self.size.width, base)
            for row in self._rows
        ]

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"chart--{name}", partial=True)


def _span(chart: ChartView) -> str:
    length = chart.last_s - chart.first_s
    return f"last {length / 60:.0f} min" if length >= 120 else f"last {length:.0f} s"
