"""Where the time goes: each stage's P50 and P95. They are never added."""

from __future__ import annotations

from textual.content import Content

from console.feed.views import RunView, StageFigures
from console.widgets.lines import MUTED, line, lines
from console.widgets.panel import Panel, nothing
from console.words import bar, milliseconds, short_count


class StagesPanel(Panel):
    """A bar for each stage's P95, all on one scale."""

    TITLE = "Stages, P50 / P95 in ms, n"

    def draw(self, value: RunView) -> Content:
        shown = [each for each in value.stages if each.stage != "e2e_sent" and each.n]
        if not shown:
            return nothing("no events in the window")
        longest = max((each.p95 or 0.0 for each in shown), default=0.0) or 1.0
        return lines(self._row(each, longest) for each in shown)

    def _row(self, figures: StageFigures, longest: float) -> Content:
        room = max(0, self.size.width - 8 - 20)
        filled = bar((figures.p95 or 0.0) / longest, room)
        return line(
            (f"{figures.stage:<8}", "bold" if figures.stage == "e2e" else ""),
            (f"{filled:<{room}}", "$accent" if figures.stage == "e2e" else "$primary"),
            (f"{milliseconds(figures.p50):>6}", MUTED),
            f"{milliseconds(figures.p95):>7}",
            (f"{short_count(figures.n):>7}", MUTED),
        )
