"""The console: its modes, its keys, and the way from snapshots to the screen on show."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any, ClassVar

from textual import work
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen
from textual.theme import BUILTIN_THEMES

from console import garbage, priority
from console.actions import ACTIONS
from console.driving import Driving
from console.feed.collector import Collector, Feed
from console.feed.examination import Examination
from console.feed.logs import LogFeed, LogFiles
from console.feed.snapshot import Snapshot
from console.feed.views import Window
from console.keys import bindings, keymap
from console.operations import Narrate, Operations
from console.palette import ActionProvider
from console.screens.base import ModeScreen
from measure.errors import LatencyError, UsageError
from stack.settings import Settings

WINDOWS = tuple(Window)
_SWITCH_S = 0.0005
"""For how long the feed may keep the interpreter from the thread that answers keys and paints (Python's own: 5 ms)."""
_BETWEEN_SCREENS_S = 0.3
_CHANGING = {action.call.partition("(")[0] for action in ACTIONS if action.changes}


def screen(module: str, name: str) -> Screen[Any]:
    """A screen, imported when it is first looked at: all of them at once would hold up the first paint."""
    made: Screen[Any] = getattr(import_module(_module(module)), name)()
    return made


def _module(screen: str) -> str:
    return f"console.screens.{screen}"


class Collected(Message):
    """The feed has a newer snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot


class Narrated(Message):
    """What an operation says on its way; nothing when it has ended."""

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self.title, self.text = title, text


class Operated(Message):
    """How an operation ended."""

    def __init__(self, title: str, text: str, failed: bool) -> None:
        super().__init__()
        self.title, self.text, self.failed = title, text, failed


class ConsoleApp(Driving):
    """One operator's view of one stack."""

    TITLE = "Latency Console"
    COMMANDS = App.COMMANDS | {ActionProvider}
    BINDINGS: ClassVar[list[BindingType]] = bindings()
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {
        "live": partial(screen, "live", "LiveScreen"),
        "latency": partial(screen, "latency", "LatencyScreen"),
        "logs": partial(screen, "logs", "LogsScreen"),
        "scenarios": partial(screen, "scenarios", "ScenariosScreen"),
        "runs": partial(screen, "runs", "RunsScreen"),
        "stack": partial(screen, "stack", "StackScreen"),
        "help": partial(screen, "help", "HelpScreen"),
        "first": partial(screen, "first", "FirstScreen"),
    }

    def __init__(
        self,
        settings: Settings,
        feed: Feed,
        logs: LogFeed,
        operations: Operations,
        read_only: bool = False,
        first: bool = False,
        clock: Callable[[], float] = time.time,
        examine: Callable[[], Examination] | None = None,
    ) -> None:
        """`first`: open with the screen of the first minute. `examine` looks at the machine; it may block."""
        super().__init__()
        self.first = first
        self.examine = examine or partial(examined, settings)
        self.settings, self.operations, self.read_only = settings, operations, read_only
        self.snapshot = Snapshot()
        self.frozen_s: float | None = None
        self.window = Window.TEN_S
        self.logs, self.clock = logs, clock
        self.feed = feed
        self._busy: dict[str, str] = {}
        """Title of each operation under way, in the order of their beginning → what it said last."""
        self._failure = ("", "")
        self.theme = settings.console.theme
        self.set_keymap(keymap(settings.console.keys))

    def delay_update(self, delay: float = 0.05) -> None:
        """Not at all: Textual holds each jump up for 50 ms, lest half a screen be seen; these are painted in one go."""

    def get_default_screen(self) -> Screen[Any]:
        """Nothing: a mode follows at once."""
        return Screen()

    def on_mount(self) -> None:
        self.switch_mode("first" if self.first else "live")
        self.feed.start(self._collected)
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        """The first paint is done: now what takes longer."""
        priority.share(threading.enumerate())
        self.want()
        self._import_screens()

    @work(thread=True, exit_on_error=False)
    def _import_screens(self) -> None:
        """Before somebody wants to jump to them."""
        for made in self.MODES.values():
            if isinstance(made, partial):
                import_module(_module(made.args[0]))
        self.call_from_thread(self.make_ahead, [mode for mode in self.MODES if mode != "first"])

    def make_ahead(self, modes: list[str]) -> None:
        """The screens of these modes, with pauses: each takes as long as a key may."""
        if modes and self.is_running:
            self._init_mode(modes[0])
            self.set_timer(_BETWEEN_SCREENS_S, partial(self.make_ahead, modes[1:]))
            return
        garbage.resume()
        if self.is_running:
            self.keep_question()

    def on_unmount(self) -> None:
        self.feed.close()

    def _collected(self, snapshot: Snapshot) -> None:
        """Called by the feed's threads."""
        self.post_message(Collected(snapshot))

    @property
    def mode_screen(self) -> ModeScreen | None:
        """The screen on show, below whatever dialog lies on it."""
        lowest = self.screen_stack[0] if self.screen_stack else None
        return lowest if isinstance(lowest, ModeScreen) and lowest.is_mounted else None

    def on_collected(self, message: Collected) -> None:
        """Only the screen on show draws it; the others do when they come on show."""
        if self.frozen_s is None:
            self.snapshot = message.snapshot
            if self.mode_screen is not None:
                self.mode_screen.show(self.snapshot)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Greys out what a read-only console may not do."""
        return None if self.read_only and action in _CHANGING else True

    # --- operations ---

    def tell(self) -> None:
        """Let the screen on show say what is under way, or why the operation that ended last failed."""
        if self.mode_screen is None:
            return
        if self._busy:
            self.mode_screen.say(*next(reversed(self._busy.items())))
        else:
            self.mode_screen.say(*self._failure, failed=True)

    def operate(self, title: str, operation: Callable[[Narrate], str]) -> None:
        """See Driving. The same operation is not begun twice at once."""
        if title in self._busy:
            self.notify(f"{title} is under way", severity="warning", markup=False)
            return
        self._failure = ("", "")
        self._busy[title] = ""
        self.tell()
        # No worker of Textual's, which the console would wait for when it is left.
        threading.Thread(target=self._operate, args=(title, operation), name=title, daemon=True).start()

    def _operate(self, title: str, operation: Callable[[Narrate], str]) -> None:
        try:
            ended = Operated(title, operation(lambda text: self._hear(Narrated(title, text))), failed=False)
        except (LatencyError, OSError) as wrong:
            ended = Operated(title, str(wrong), failed=True)
        except Exception as bug:
            ended = Operated(title, f"a bug of the console's: {type(bug).__name__}: {bug}", failed=True)
        self._hear(ended)

    def _hear(self, message: Message) -> None:
        """Called by an operation's thread, which may outlive the console."""
        if self.is_running:
            with suppress(RuntimeError):  # it was left just now
                self.post_message(message)

    def on_narrated(self, message: Narrated) -> None:
        if message.title in self._busy:
            self._busy[message.title] = message.text
            self.tell()

    def on_operated(self, message: Operated) -> None:
        self._busy.pop(message.title, None)
        if message.failed:
            self._failure = (message.title, message.text)
            self.notify(message.text, title=message.title, severity="error", timeout=15, markup=False)
        else:
            self.notify(message.text, title=message.title, timeout=6, markup=False)
        self.tell()
        self.feed.hurry()

    # --- view ---

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Of Textual's own commands those that the table of actions does not have."""
        return (each for each in super().get_system_commands(screen) if each.title in {"Theme", "Screenshot"})

    def action_go(self, mode: str) -> None:
        """Jump to a screen."""
        self.switch_mode(mode)
        self.call_after_refresh(self.want)

    def action_window(self, step: int) -> None:
        """Figures over another window."""
        self.window = WINDOWS[(WINDOWS.index(self.window) + step) % len(WINDOWS)]
        self.want()
        if isinstance(self.screen, ModeScreen) and self.screen is not self.mode_screen:
            self.screen.show(self.snapshot)  # a replay, for which the feed reads nothing

    def action_freeze(self) -> None:
        """Hold the view still, or let it go on."""
        self.frozen_s = self.clock() if self.frozen_s is None else None
        self.feed.pause(self.frozen_s is not None)
        if self.mode_screen is not None:
            self.mode_screen.show(self.snapshot)

    def action_maximise(self) -> None:
        """The panel in focus fills the screen, or no longer."""
        if self.screen.maximized is not None:
            self.screen.minimize()
        elif self.screen.focused is not None:
            self.screen.maximize(self.screen.focused)

    def action_refresh_now(self) -> None:
        """Read again now, also what snapshots do not bring."""
        self.feed.hurry()
        if self.mode_screen is not None:
            self.mode_screen.come_on_show()

    @property
    def _heat_stage(self) -> str | None:
        return self.mode_screen.heat_stage if self.mode_screen is not None else None

    def want(self) -> None:
        """Tell the feed what the screen on show needs."""
        self.feed.want(self.window, self._heat_stage)


def examined(settings: Settings) -> Examination:
    """What the doctor finds. Blocks for a second or so."""
    from console.feed.examination import read_examination

    return read_examination(settings)


def open_console(stack_name: str | None, read_only: bool = False) -> int:
    """The console on the stack of that name, until it is left. Its exit code. UsageError for a wrong configuration, and
    where there is no terminal (nor a server of Textual's that stands in for one)."""
    if not sys.stdout.isatty() and "TEXTUAL_DRIVER" not in os.environ:
        raise UsageError("the console wants a terminal, and stdout is none. `latency run SCENARIO` runs without one.")
    settings = Settings.load(stack_name)
    if settings.console.theme not in BUILTIN_THEMES:
        raise UsageError(f"console.theme: expected one of {', '.join(sorted(BUILTIN_THEMES))}.")
    read_only = read_only or settings.console.read_only
    sys.setswitchinterval(_SWITCH_S)
    with priority.raised():
        app = console_on(settings, read_only)
        app.run()
    return app.return_code or 0


def console_on(settings: Settings, read_only: bool) -> ConsoleApp:
    """The console of a stack; where there is neither a stack nor a run, it opens with the first minute's screen."""
    first = not settings.folder.endpoints.exists() and not any(settings.home.runs.glob("*/plan.json"))
    operations = Operations(settings, read_only)
    return ConsoleApp(settings, Collector(settings), LogFiles(settings.folder), operations, read_only, first)
