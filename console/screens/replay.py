"""A finished run, moment by moment, through the widgets of the live screen."""

from __future__ import annotations

import threading
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.timer import Timer
from textual.worker import get_current_worker

from console.feed.replay import Replay
from console.feed.snapshot import Snapshot
from console.feed.views import MarkView
from console.keys import bindings
from console.screens.live import LiveScreen
from console.widgets.scrubber import Scrubber

TICK_S = 0.5
SPEEDS = (1, 2, 5, 10, 30, 60)


class WorkedOut(Message):
    """It is known how the run stood."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot


class ReplayScreen(LiveScreen):
    """Lies on the screen from which it was opened."""

    SCOPE = "replay"
    BINDINGS: ClassVar[list[BindingType]] = bindings("replay")

    def __init__(self, replay: Replay) -> None:
        super().__init__()
        self._replay, self._turn = replay, threading.Lock()
        self.at_s = replay.length_s
        """Seconds from the start of the load to the moment on show."""
        self._playing = False
        self._speed = 10
        self._timer: Timer | None = None
        start_us = replay.record.facts.start_us
        self._marks = tuple(
            MarkView((mark.at_us - start_us) / 1e6, mark.kind, mark.text) for mark in replay.record.marks
        )

    def compose_body(self) -> ComposeResult:
        yield Scrubber()
        yield from super().compose_body()

    def on_mount(self) -> None:
        self._timer = self.set_interval(TICK_S, self._tick, pause=True)

    def show(self, snapshot: Snapshot) -> None:
        """What comes in live does not matter here."""
        self._draw()

    def on_scrubber_moved(self, message: Scrubber.Moved) -> None:
        self._go(message.at_s)

    def action_play(self) -> None:
        """Let it run, or hold it."""
        self._playing = not self._playing
        if self._playing and self.at_s >= self._replay.length_s:
            self.at_s = 0.0
        if self._timer is not None:
            (self._timer.resume if self._playing else self._timer.pause)()
        self._draw()

    def action_seek(self, seconds: float) -> None:
        """So many seconds further, or back."""
        self._go(self.at_s + seconds)

    def action_to(self, share: float) -> None:
        """To the start or the end."""
        self._go(share * self._replay.length_s)

    def action_speed(self, step: int) -> None:
        """Faster, or slower."""
        at = SPEEDS.index(self._speed) + step
        self._speed = SPEEDS[max(0, min(len(SPEEDS) - 1, at))]
        self._draw()

    def action_export_run(self) -> None:
        """Write its report to a file."""
        self.console.export(self._replay.run)

    def action_leave(self) -> None:
        """Back to the runs."""
        self.dismiss(None)

    def _tick(self) -> None:
        self.at_s = min(self._replay.length_s, self.at_s + TICK_S * self._speed)
        if self.at_s >= self._replay.length_s and self._playing:
            self.action_play()
        self._draw()

    def _go(self, at_s: float) -> None:
        self.at_s = max(0.0, min(self._replay.length_s, at_s))
        self._draw()

    def _draw(self) -> None:
        self.query_one(Scrubber).show(self.at_s, self._replay.length_s, self._playing, self._speed, self._marks)
        self._work_out(self.at_s)

    @work(thread=True, exclusive=True, group="replay", exit_on_error=False)
    def _work_out(self, at_s: float) -> None:
        """One at a time; of those that wait, only the newest is worked out."""
        worker = get_current_worker()
        with self._turn:
            if not worker.is_cancelled:
                self.post_message(WorkedOut(self._replay.at(at_s, self.console.window)))

    def on_worked_out(self, message: WorkedOut) -> None:
        super().show(message.snapshot)
