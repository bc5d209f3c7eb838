"""The console: modes, keys, and the way from snapshots to the screen. What actions do lies in `operations`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ClassVar

from textual import work
from textual.app import App
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen

from console.actions import ACTIONS
from console.feed.collector import Collector, Feed
from console.feed.snapshot import Snapshot
from console.feed.views import Window
from console.keys import bindings
from console.operations import Launch, Narrate, Operations
from console.screens.base import ModeScreen
from console.screens.live import LiveScreen
from measure.errors import LatencyError
from stack.settings import Settings

_WINDOWS = tuple(Window)
_CHANGING = {action.call.partition("(")[0] for action in ACTIONS if action.changes}


class Collected(Message):
    """The feed has a newer snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot


class Narrated(Message):
    """A line that an operation said on its way."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class ConsoleApp(App[int]):
    """One operator's view of one stack."""

    TITLE = "Latency Console"
    BINDINGS: ClassVar[list[BindingType]] = bindings()
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {"live": LiveScreen}
    DEFAULT_MODE = "live"
    ENABLE_COMMAND_PALETTE = True

    def __init__(self, settings: Settings, feed: Feed, operations: Operations, read_only: bool = False) -> None:
        super().__init__()
        self.settings, self.read_only = settings, read_only
        self.snapshot = Snapshot()
        self.frozen_s: float | None = None
        self._feed, self._operations = feed, operations
        self._window = Window.TEN_S

    def on_mount(self) -> None:
        self._feed.start(self._collected)

    def _collected(self, snapshot: Snapshot) -> None:
        """Called by the feed's threads."""
        self.post_message(Collected(snapshot))

    def on_unmount(self) -> None:
        self._feed.close()

    def on_collected(self, message: Collected) -> None:
        """The screen on show draws it; the others do when they come on show."""
        if self.frozen_s is not None:
            return
        self.snapshot = message.snapshot
        screen = self.screen_stack[0] if self.screen_stack else None
        if isinstance(screen, ModeScreen) and screen.is_mounted:
            screen.show(self.snapshot)

    def on_narrated(self, message: Narrated) -> None:
        self.notify(message.text, markup=False, timeout=4)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Greys out what a read-only console may not do."""
        return None if self.read_only and action in _CHANGING else True

    def operate(self, title: str, operation: Callable[[Narrate], str]) -> None:
        """Run an operation off the UI's thread, and say how it ended."""
        self._operate(title, operation)

    @work(thread=True, exit_on_error=False)
    def _operate(self, title: str, operation: Callable[[Narrate], str]) -> None:
        def narrate(text: str) -> None:
            self.post_message(Narrated(text))

        try:
            said = operation(narrate)
        except (LatencyError, OSError) as wrong:
            self.call_from_thread(self.notify, str(wrong), title=title, severity="error", timeout=12, markup=False)
        else:
            self.call_from_thread(self.notify, said, title=title, markup=False)

    def action_go(self, mode: str) -> None:
        """Jump to a screen."""
        self.switch_mode(mode)

    def action_launch(self, scenario: str) -> None:
        self.operate(f"run {scenario}", lambda narrate: self._operations.launch(Launch(scenario), narrate))

    def action_burst_now(self) -> None:
        self.operate("burst", lambda _: self._operations.burst(5000.0, 30.0))

    def action_pause(self) -> None:
        self.operate("load", lambda _: self._operations.pause_or_resume())

    def action_stop(self) -> None:
        self.operate("stop", lambda _: self._operations.stop())

    def action_up(self) -> None:
        self.operate("up", self._operations.up)

    def action_down(self) -> None:
        self.operate("down", self._operations.down)

    def action_window(self, step: int) -> None:
        """Figures over another window."""
        self._window = _WINDOWS[(_WINDOWS.index(self._window) + step) % len(_WINDOWS)]
        self._want()

    def action_freeze(self) -> None:
        """Hold the view still, or let it go on."""
        self.frozen_s = time.time() if self.frozen_s is None else None
        self._feed.pause(self.frozen_s is not None)
        if isinstance(self.screen, ModeScreen):
            self.screen.show(self.snapshot)

    def _want(self) -> None:
        stage = self.screen.HEAT_STAGE if isinstance(self.screen, ModeScreen) else None
        self._feed.want(self._window, stage)


def open_console(stack_name: str | None, read_only: bool = False) -> int:
    """The console on the stack of that name, until it is left. Its exit code."""
    settings = Settings.load(stack_name)
    app = ConsoleApp(settings, Collector(settings), Operations(settings, read_only), read_only)
    return app.run() or 0
