"""The line above the keys: what an operation that is under way says."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from console.widgets.lines import MUTED, line
from console.words import cut


class Activity(Widget):
    """Hidden while nothing is under way."""

    DEFAULT_CSS = """
    Activity { dock: bottom; height: 1; background: $boost; padding: 0 1; margin-bottom: 1; display: none; }
    Activity.-busy { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._title, self._said = "", ""

    def say(self, title: str, said: str) -> None:
        """`title` is under way and says `said`; an empty title: nothing is under way."""
        self._title, self._said = title, said
        self.set_class(bool(title), "-busy")
        self.refresh()

    def render(self) -> Content:
        """One row."""
        said = cut(self._said or "under way", max(8, self.size.width - len(self._title) - 4))
        return line(("▸ ", "bold $accent"), (f"{self._title} ", "bold"), (said, MUTED))
