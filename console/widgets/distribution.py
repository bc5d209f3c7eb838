"""The distribution of the window: how many events took how long, on a logarithmic scale."""

from __future__ import annotations

import numpy as np
from textual.content import Content

from console.feed.record import HEAT_EDGES_US
from console.feed.snapshot import Snapshot
from console.feed.views import RunView
from console.widgets.axis import tick_label
from console.widgets.lines import MUTED, line, lines
from console.widgets.panel import Panel, nothing
from console.words import bar, short_count

_PERCENTS = (("P50", "p50"), ("P95", "p95"), ("P99", "p99"), ("P99.9", "p999"))


class Distribution(Panel):
    """A bar for each stretch of latency, with the percentiles beside the bars that hold them."""

    TITLE = "Distribution"

    def show(self, snapshot: Snapshot) -> None:
        run: RunView | None = snapshot.run.value
        if run is not None and run.heat is not None:
            self.border_title = f"{run.heat.stage} distribution · {run.window.label}"
        super().show(snapshot)

    def draw(self, value: RunView) -> Content:
        counts = value.distribution
        if counts is None or not counts.any():
            return nothing("no event of this stage in the window")
        stage = value.heat.stage if value.heat is not None else "e2e"
        held = np.flatnonzero(counts)
        first, last = int(held[0]), int(held[-1]) + 1
        step = max(1, -(-(last - first) // max(1, self.size.height)))
        starts = list(range(first, last, step))
        sums = [int(counts[start : start + step].sum()) for start in starts]
        room = max(4, self.size.width - 26)
        figures = next((each for each in value.stages if each.stage == stage), None)
        named = {name: getattr(figures, field) for name, field in _PERCENTS} if figures else {}
        rows = []
        for start, n in zip(starts, sums, strict=True):
            low, high = HEAT_EDGES_US[start] / 1000, HEAT_EDGES_US[min(start + step, len(HEAT_EDGES_US) - 1)] / 1000
            here = " ".join(name for name, ms in named.items() if ms is not None and low <= ms < high)
            rows.append(
                line(
                    (f"{tick_label(float(f'{low:.3g}')):>8} ", MUTED),
                    (f"{bar(n / max(sums), room):<{room}}", "$primary"),
                    f"{short_count(n):>7} ",
                    (here, "bold $accent"),
                )
            )
        return lines(rows)
