"""Target and achieved rate."""

from __future__ import annotations

from textual.content import Content

from console.feed.views import RunView
from console.widgets.lines import MUTED, line, lines
from console.widgets.panel import Panel, nothing
from console.words import count, cut, sparkline


class RatePanel(Panel):
    """Events/s due and stored, and what the generator could not do."""

    TITLE = "Rate, events/s"

    def draw(self, value: RunView) -> Content:
        rate, width = value.rate, self.size.width
        if rate.reason:
            return nothing(rate.reason)
        behind = rate.target and rate.stored is not None and rate.stored < 0.9 * rate.target
        head = line(
            (count(rate.stored), "bold $text-warning" if behind else "bold $text-success"),
            " stored",
            (f"  of {count(rate.target)} due", MUTED),
        )
        top = max((*rate.targets[-width:], *rate.stored_before[-width:]), default=0.0)
        trail = line((sparkline(rate.stored_before, width, top or None), "$primary"))
        lost = [(n, word) for n, word in ((rate.unsent, "unsent"), (rate.failed, "failed"), (rate.late, "late")) if n]
        said = ", ".join(f"{n:,} {word}" for n, word in lost)
        grave = rate.unsent or rate.failed
        foot = line(
            (
                cut(f"{said} in 10 s" if said else "all sent on time", width),
                "$warning" if grave else MUTED,
            )
        )
        return lines([head, trail, foot][: max(1, self.size.height)])
