"""What every screen has: the line at the top, the keys at the foot, panels that follow the snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult

from console.feed.snapshot import Snapshot
from console.screens.styled import StyledScreen
from console.widgets.activity import Activity
from console.widgets.header import Header
from console.widgets.keys_line import KeysLine
from console.widgets.panel import Panel

if TYPE_CHECKING:
    from console.app import ConsoleApp

WIDTHS = [(0, "-narrow"), (100, "-medium"), (170, "-wide")]
HEIGHTS = [(0, "-low"), (32, "-middling"), (50, "-high")]
"""Columns and rows from which on a screen has a class, after which it is laid out."""


class ModeScreen(StyledScreen[None]):
    """One mode of the console. Only the one on show is drawn."""

    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    SCOPE: ClassVar[str] = ""
    """Of its own actions."""
    heat_stage: str | None = None
    """Which stage's heat map the screen shows."""

    def __init__(self) -> None:
        super().__init__()
        # New, it has no styles of an earlier theme. Textual takes it to have some, and works out all styles anew three
        # times: when it is made, shown, and shown again.
        self._css_update_count = self.console._css_update_count  # noqa: SLF001 (no other way)

    @property
    def console(self) -> ConsoleApp:
        """The app that this screen belongs to."""
        return cast("ConsoleApp", self.app)

    def compose(self) -> ComposeResult:
        yield Header(self.console.read_only)
        yield from self.compose_body()
        yield Activity()
        yield KeysLine(self.SCOPE)

    def compose_body(self) -> ComposeResult:
        """What lies between header and footer."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Set up what was composed; that is nothing where the console was left while the screen was being made."""
        if self.children:
            self.begin()

    def begin(self) -> None:
        """What the screen's widgets begin with."""

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Draw what came in while another screen was on show."""
        if not self.children:
            return
        self.show(self.console.snapshot)
        if self.is_current:
            self.console.tell()
            self.come_on_show()

    def come_on_show(self) -> None:
        """Read what snapshots do not bring. Not called when the screen is made ahead."""

    def show(self, snapshot: Snapshot) -> None:
        """Draw a newer snapshot."""
        self.query_one(Header).show(snapshot, self.console.frozen_s)
        for panel in self.query(Panel):
            panel.show(snapshot)

    def say(self, title: str, text: str, failed: bool = False) -> None:
        """What an operation says, or why it failed; an empty title: nothing."""
        self.query_one(Activity).say(title, text, failed)
