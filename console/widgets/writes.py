"""Bulk writes, and Spark's batches where the profile has some."""

from __future__ import annotations

from textual.content import Content

from console.feed.views import RunView, StageFigures
from console.widgets.lines import MUTED, line, lines
from console.widgets.panel import Panel
from console.words import milliseconds, share, short_count


class WritesPanel(Panel):
    """Commit and batch time."""

    TITLE = "Writes, P50 / P95 in ms"

    def draw(self, value: RunView) -> Content:
        writes = value.writes
        rows = [_row("commit", writes.commit, "no bulk write in the window")]
        rows.append(_row("batch", writes.batch, writes.batch_reason or "no batch in the window"))
        said = f"sink busy {share(writes.busy)}"
        if writes.redelivered:
            said += f" · {short_count(writes.redelivered)} redelivered"
        rows.append(line((said, MUTED)))
        return lines(rows[: max(1, self.size.height)])


def _row(name: str, figures: StageFigures | None, reason: str) -> Content:
    if figures is None or not figures.n:
        return line((f"{name:<7}", "bold"), (f"n/a: {reason}", MUTED))
    return line(
        (f"{name:<7}", "bold"),
        f"{milliseconds(figures.p50)} / {milliseconds(figures.p95)}",
        (f"  max {milliseconds(figures.max)}  n {short_count(figures.n)}", MUTED),
    )
