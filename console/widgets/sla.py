"""The rows of the SLA as they stand."""

from __future__ import annotations

from textual.content import Content

from console.feed.snapshot import Snapshot
from console.feed.views import RunView, SlaLine
from console.widgets.lines import MUTED, line, lines
from console.widgets.panel import Panel, nothing
from console.words import cut

_SIGNS = {
    "pass": ("✓", "$text-success"),
    "fail": ("✗", "$text-error"),
    "n/a": ("–", MUTED),
    "open": ("…", MUTED),
}


class SlaPanel(Panel):
    """Limit, measured so far, and whether it holds."""

    TITLE = "SLA"
    _title = TITLE

    def show(self, snapshot: Snapshot) -> None:
        run = snapshot.run.value
        title = f"SLA · {run.sla_title}" if run is not None and run.sla_title else "SLA"
        if title != self._title:
            self._title = title
            self.border_title = Content(title)
        super().show(snapshot)

    def draw(self, value: RunView) -> Content:
        if not value.sla:
            return nothing("this run is judged by no tier")
        return lines(self._row(each) for each in value.sla)

    def _row(self, row: SlaLine) -> Content:
        sign, colour = _SIGNS[row.verdict]
        limit, measured = 11, 11
        name = self.size.width - limit - measured - 2
        if name < 10:
            limit, name = 0, self.size.width - measured - 2
        return line(
            (f"{sign} ", f"bold {colour}"),
            f"{cut(row.name, name):<{name}}",
            (f"{cut(row.limit, limit):>{limit}}" if limit else "", MUTED),
            (f"{cut(row.measured, measured - 1):>{measured}}", colour),
        )
