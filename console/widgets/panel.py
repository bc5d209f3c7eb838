"""The box that every panel is: a title, the age of its data, and either what it shows or why it shows nothing."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.content import Content
from textual.widget import Widget

from console.feed.reading import Reading
from console.feed.snapshot import Snapshot
from console.widgets.lines import MUTED
from console.words import age

FRESH_S = 3.0
"""Data up to this age are as good as now."""


class Panel(Widget, can_focus=True):
    """Draws one part of the snapshot. Subclasses say which (`pick`) and how (`draw`)."""

    DEFAULT_CSS = """
    Panel {
        border: round $panel-lighten-2;
        border-title-color: $foreground-muted;
        border-title-style: bold;
        border-subtitle-color: $foreground-muted;
        padding: 0 1;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        width: 1fr;
        height: 1fr;
        &:focus { border: round $primary; border-title-color: $primary; }
        &.-none { text-wrap: wrap; }
        &.-stale { border-subtitle-color: $warning; }
    }
    """
    ALLOW_MAXIMIZE = True
    TITLE: ClassVar[str] = ""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.border_title = self.TITLE
        self._reading: Reading[Any] | None = None
        self._drawn = Content("")

    def pick(self, snapshot: Snapshot) -> Reading[Any]:
        """The part that this panel shows."""
        return snapshot.run

    def draw(self, value: Any) -> Content:
        """`value` as text that fits `self.size`."""
        raise NotImplementedError

    def show(self, snapshot: Snapshot) -> None:
        """Take in a newer snapshot; only what looks different is painted."""
        self._reading = self.pick(snapshot)
        seconds = self._reading.age_s(snapshot.at_s)
        stale = self._reading.value is not None and seconds > FRESH_S
        subtitle = f"{age(seconds)} old" if stale else "now" if self._reading.value is not None else "n/a"
        if self.border_subtitle != subtitle:
            self.border_subtitle = subtitle
            self.set_class(stale, "-stale")
        self._redraw()

    def _redraw(self) -> None:
        if self._reading is None or not self.size:
            return
        there = self._reading.value is not None
        self.set_class(not there, "-none")
        drawn = self.draw(self._reading.value) if there else nothing(self._reading.reason)
        if drawn != self._drawn:
            self._drawn = drawn
            self.refresh()

    def on_resize(self) -> None:
        """What fits has changed."""
        self._drawn = Content("")
        self._redraw()

    def render(self) -> Content:
        """What was drawn last."""
        return self._drawn


def nothing(reason: str | None) -> Content:
    """What stands where there is no figure."""
    return Content.assemble(("n/a", f"bold {MUTED}"), (f": {reason or 'nothing known'}", MUTED))
