"""How far the sink is behind."""

from __future__ import annotations

from textual.content import Content

from console.feed.views import RunView
from console.widgets.lines import MUTED, line, lines
from console.widgets.panel import Panel, nothing
from console.words import count, milliseconds, sparkline


class LagPanel(Panel):
    """Lag in events and in ms."""

    TITLE = "Lag"

    def draw(self, value: RunView) -> Content:
        lag, width = value.lag, self.size.width
        if lag.reason:
            return nothing(lag.reason)
        head = line(
            (count(lag.events), "bold"),
            " events  ",
            (milliseconds(lag.ms), "bold"),
            " ms",
            (" behind", MUTED),
        )
        highest = max((n for n in lag.events_before[-width:] if n == n), default=0.0)
        return lines(
            [
                head,
                line((sparkline(lag.events_before, width), "$primary")),
                line((f"at most {count(highest)} in {min(width, len(lag.events_before))} s", MUTED)),
            ][: max(1, self.size.height)]
        )
