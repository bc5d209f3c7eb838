"""Every stage's quantiles over the window."""

from __future__ import annotations

from textual.content import Content

from console.feed.snapshot import Snapshot
from console.feed.views import RunView, StageFigures
from console.widgets.lines import MUTED, line, lines
from console.widgets.panel import Panel
from console.words import milliseconds, short_count

_FIELDS = (
    ("P50", "p50"),
    ("P75", "p75"),
    ("P90", "p90"),
    ("P95", "p95"),
    ("P99", "p99"),
    ("P99.9", "p999"),
    ("max", "max"),
)
_NARROW = {"P75", "P90"}


class Quantiles(Panel):
    """A row for each stage; a figure that must not be shown is `–`, with the reason below."""

    TITLE = "Quantiles, ms"

    def show(self, snapshot: Snapshot) -> None:
        run: RunView | None = snapshot.run.value
        if run is not None:
            self.border_title = f"Quantiles, ms · {run.window.label}"
        super().show(snapshot)

    def draw(self, value: RunView) -> Content:
        fields = [(title, name) for title, name in _FIELDS if self.size.width >= 74 or title not in _NARROW]
        head = line((f"{'stage':<9}{'n':>8}" + "".join(f"{title:>8}" for title, _ in fields), f"bold {MUTED}"))
        rows = [_row(each, fields) for each in value.stages]
        reasons = dict.fromkeys(f"{each.stage}: {each.reason}" for each in value.stages if each.reason)
        return lines([head, *rows, *(line((reason, MUTED)) for reason in reasons)])


def _row(figures: StageFigures, fields: list[tuple[str, str]]) -> Content:
    values = "".join(f"{milliseconds(getattr(figures, name)):>8}" for _, name in fields)
    weight = "bold" if figures.stage == "e2e" else ""
    return line((f"{figures.stage:<9}{short_count(figures.n):>8}{values}", weight))
