"""The line above the keys: what an operation that is under way says, or why the last one failed."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from console.widgets.lines import MUTED, line
from console.words import cut


class Activity(Widget):
    """Hidden while there is nothing to say."""

    DEFAULT_CSS = """
    Activity { dock: bottom; height: 1; background: $boost; padding: 0 1; margin-bottom: 1; display: none; }
    Activity.-busy { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._title, self._said, self._failed = "", "", False

    def say(self, title: str, said: str, failed: bool = False) -> None:
        """`title` is under way and says `said`, or has failed for that reason; an empty title: there is nothing."""
        self._title, self._said, self._failed = title, " ".join(said.split()), failed
        self.set_class(bool(title), "-busy")
        self.refresh()

    def render(self) -> Content:
        """One row."""
        said = cut(self._said or "under way", max(8, self.size.width - len(self._title) - 4))
        if self._failed:
            return line(("✗ ", "bold $text-error"), (f"{self._title} ", "bold"), (said, "$text-error"))
        return line(("▸ ", "bold $accent"), (f"{self._title} ", "bold"), (said, MUTED))
