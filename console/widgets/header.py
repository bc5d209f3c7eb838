"""The line at the top: which stack, which run, how far it is, and what must not be overlooked."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from console.feed.snapshot import Snapshot
from console.feed.views import Progress
from console.widgets.lines import MUTED, Part, line
from console.words import age, clock, cut

_BAR = 14
_VERDICTS = {"pass": "$text-success", "fail": "$text-error", "invalid": "$text-warning"}


class Header(Widget):
    """One row."""

    DEFAULT_CSS = """
    Header { dock: top; height: 1; background: $panel; color: $foreground; padding: 0 1; }
    """

    def __init__(self, read_only: bool) -> None:
        super().__init__()
        self._read_only = read_only
        self._snapshot = Snapshot()
        self._frozen_s: float | None = None

    def show(self, snapshot: Snapshot, frozen_s: float | None) -> None:
        """`frozen_s`: since when the view is held still, in seconds of the epoch."""
        self._snapshot, self._frozen_s = snapshot, frozen_s
        self.refresh()

    def render(self) -> Content:
        """Left what the stack is, right how far the run is."""
        right = line(*self._right())
        for detail in (2, 1, 0):
            left = line(*self._left(detail))
            gap = self.size.width - left.cell_length - right.cell_length
            if gap >= 2:
                break
        return Content.assemble(left, " " * max(1, gap), right)

    def _left(self, detail: int) -> list[Part]:
        """With more or less `detail`, so that it fits."""
        parts: list[Part] = [("Latency Console", "bold $primary"), "  "] if detail == 2 else []
        stack = self._snapshot.stack.value
        if stack is not None:
            parts.append(f"{stack.name} · {stack.runtime} · {stack.profile}" if detail else stack.name)
        elif self._snapshot.stack.reason:
            parts.append((f"stack n/a: {cut(self._snapshot.stack.reason, (12, 24, 60)[detail])}", "$text-warning"))
        if self._read_only:
            parts += [" ", (" READ-ONLY ", "bold $text-warning on $warning-muted")]
        if self._frozen_s is not None:
            parts += [" ", (" FROZEN ", "bold $text-accent on $accent-muted")]
        return parts

    def _right(self) -> list[Part]:
        progress: Progress | None = self._snapshot.progress.value
        if progress is None:
            return [("no run", MUTED)]
        alerts: Part = (
            (f"  ⚑ {progress.alerts} alert{'s' if progress.alerts != 1 else ''}", "bold $text-error")
            if progress.alerts
            else ("  ⚑ 0", MUTED)
        )
        return [(progress.run.removesuffix(".w"), "bold"), "  ", *_standing(progress), alerts]


def _standing(progress: Progress) -> list[Part]:
    if not progress.running:
        verdict = progress.verdict or progress.status
        return [(f"{progress.status} ", MUTED), (f" {verdict} ", f"bold {_VERDICTS.get(verdict, '')}")]
    filled = round(progress.share * _BAR)
    state = "paused" if progress.paused else "burst" if progress.bursting else progress.phase
    times = f" {clock(progress.elapsed_s)} / {clock(progress.length_s)}"
    return [
        (state, "bold $text-warning" if progress.paused or progress.bursting else "bold $text-success"),
        " ",
        ("━" * filled, "$primary"),
        ("━" * (_BAR - filled), "$panel-lighten-2"),
        times,
        (f" · {age(progress.left_s)} left", MUTED),
    ]
