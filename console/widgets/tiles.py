"""e2e percentiles of the window, large, each against its limit."""

from __future__ import annotations

from textual.content import Content

from console.feed.snapshot import Snapshot
from console.feed.views import RunView
from console.widgets.digits import tall
from console.widgets.lines import MUTED, line, lines
from console.widgets.panel import Panel
from console.words import cut, milliseconds, share, short_count

_PERCENTS = (("P50", "p50", 50.0), ("P95", "p95", 95.0), ("P99", "p99", 99.0))
_NEAR = 0.8
"""From this share of its limit on, a figure is coloured as near to it."""


class Tiles(Panel):
    """P50, P95 and P99 now."""

    TITLE = "e2e latency, ms"

    def show(self, snapshot: Snapshot) -> None:
        run = snapshot.run.value
        if run is not None:
            of = "warm-up, " if run.progress.phase == "warm-up" else ""
            self.border_title = f"e2e latency, ms · {of}{run.window.label}"
        super().show(snapshot)

    def draw(self, value: RunView) -> Content:
        width = max(6, self.size.width // 3)
        cells = [(name, getattr(value.e2e, field), value.limits_ms.get(percent)) for name, field, percent in _PERCENTS]
        rows = [line(*((f"{name:<{width}}", "bold") for name, _, _ in cells))]
        styles = [_colour(ms, limit) for _, ms, limit in cells]
        figures = [milliseconds(ms) for _, ms, _ in cells]
        talls = [tall(figure) for figure in figures]
        if self.size.height >= 6 and all(len(each[0]) < width for each in talls):
            rows += [
                line(*((f"{each[row]:<{width}}", style) for each, style in zip(talls, styles, strict=True)))
                for row in range(3)
            ]
        else:
            rows.append(
                line(*((f"{figure:<{width}}", f"bold {style}") for figure, style in zip(figures, styles, strict=True)))
            )
        limits = [f"limit {milliseconds(limit)}" if limit else "" for _, _, limit in cells]
        rows.append(line(*((f"{text:<{width}}", MUTED) for text in limits)))
        return lines([*rows, *self._below(value)])

    def _below(self, value: RunView) -> list[Content]:
        e2e = value.e2e
        text = f"n {short_count(e2e.n)} · max {milliseconds(e2e.max)} · errors {share(value.error_rate, 2)}"
        told = [line((cut(text, self.size.width), MUTED))]
        if e2e.missing:
            told.append(line((cut(f"{e2e.missing:,} of them not stored yet", self.size.width), "$warning")))
        elif e2e.p99 is None and e2e.reason:
            told.append(line((cut(e2e.reason, self.size.width), MUTED)))
        return told


def _colour(ms: float | None, limit: float | None) -> str:
    if ms is None:
        return MUTED
    if limit is None:
        return "$foreground"
    return "$text-error" if ms >= limit else "$text-warning" if ms >= _NEAR * limit else "$text-success"
