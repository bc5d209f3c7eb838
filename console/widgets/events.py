"""What happened during the run: phases, bursts, faults, alerts."""

from __future__ import annotations

from textual.content import Content

from console.feed.views import RunView
from console.widgets.lines import MUTED, line, lines
from console.widgets.panel import Panel, nothing
from console.words import cut, signed_clock

STYLES = {"alert": "$text-error", "fault": "$text-warning", "gap": "$text-error", "burst": "$text-accent"}


class EventsPanel(Panel):
    """The last marks, newest first."""

    TITLE = "What happened"

    def draw(self, value: RunView) -> Content:
        if not value.marks:
            return nothing("nothing yet")
        newest = value.marks[::-1][: max(1, self.size.height)]
        room = max(4, self.size.width - 8)
        return lines(
            line(
                (f"{signed_clock(mark.at_s):>6}  ", MUTED),
                (cut(mark.text, room), STYLES.get(mark.kind, "")),
            )
            for mark in newest
        )
