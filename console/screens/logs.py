"""Logs: what the services log, followed, filtered, wrapped or not."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Input
from textual.worker import get_current_worker

from console.feed.log_filter import SINCE_S
from console.feed.logs import LogBatch
from console.keys import bindings
from console.screens.base import ModeScreen
from console.widgets.log_view import LogView

LOOK_EVERY_S = 0.25


class LogsRead(Message):
    """A look at the logs."""

    def __init__(self, batch: LogBatch) -> None:
        super().__init__()
        self.batch = batch


class LogsScreen(ModeScreen):
    """One view over all services."""

    SCOPE = "logs"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("logs"), Binding("escape", "to_lines", show=False)]
    DEFAULT_CSS = """
    LogsScreen {
        & #pattern { height: 1; border: none; padding: 0 1; display: none; }
        & #pattern.-shown { display: block; }
        & #pattern.-broken { color: $text-error; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._services: tuple[str, ...] = ()
        self._skipped = 0
        self._reading = False
        self._told = ("", "")
        """What stands in the frame."""

    def compose_body(self) -> ComposeResult:
        yield Input(placeholder="text, or /regular expression/; enter keeps it, escape clears it", id="pattern")
        yield LogView(self.console.clock, id="lines")

    def begin(self) -> None:
        self.query_one(LogView).focus()
        self._say_what()

    def come_on_show(self) -> None:
        if not self._reading:
            self._reading = True
            self._read()

    @work(thread=True, group="logs")
    def _read(self) -> None:
        """Looks while the screen is there; while another is on show the logs wait."""
        worker = get_current_worker()
        while not worker.is_cancelled and self.is_attached:
            if self.is_current and self.console.frozen_s is None:
                self.post_message(LogsRead(self.console.logs.read()))
            time.sleep(LOOK_EVERY_S)

    def on_logs_read(self, message: LogsRead) -> None:
        self._services = message.batch.services
        self._skipped += message.batch.skipped
        self.query_one(LogView).add(message.batch.lines)
        self._say_what()

    @on(LogView.Followed)
    def _say_what(self) -> None:
        view = self.query_one(LogView)
        said = [f"{view.shown:,} lines", "following" if view.following else "held: end follows again"]
        if self._skipped:
            said.append(f"{self._skipped:,} skipped: too fast to read")
        if not self._services:
            said = ["n/a: no logs; the stack never was up"]
        told = (f"Logs · {view.filter.in_words()}", " · ".join(said))
        if told != self._told:
            self._told = told
            view.border_title, view.border_subtitle = map(Content, told)

    # --- what is shown ---

    def action_filter(self) -> None:
        """Type what to look for."""
        field = self.query_one("#pattern", Input)
        field.add_class("-shown")
        field.focus()

    def action_to_lines(self) -> None:
        """Back from the filter, which is cleared."""
        field = self.query_one("#pattern", Input)
        field.value = ""
        field.remove_class("-shown")
        self.query_one(LogView).focus()

    @on(Input.Submitted, "#pattern")
    def _keep(self) -> None:
        self.query_one(LogView).focus()

    @on(Input.Changed, "#pattern")
    def _search(self, event: Input.Changed) -> None:
        wanted = replace(self.query_one(LogView).filter, pattern=event.value)
        try:
            _ = wanted.regex
        except re.error as broken:
            event.input.add_class("-broken")
            event.input.border_subtitle = Content(str(broken))
            return
        event.input.remove_class("-broken")
        self._change(pattern=event.value)

    def action_inverse(self) -> None:
        """Show what does not match."""
        self._change(inverse=not self.query_one(LogView).filter.inverse)

    def action_since(self) -> None:
        """Only the last minutes."""
        before = self.query_one(LogView).filter.since_s
        self._change(since_s=SINCE_S[(SINCE_S.index(before) + 1) % len(SINCE_S)])

    def action_service(self, step: int) -> None:
        """The next service, then all of them."""
        known = [None, *self._services]
        before = self.query_one(LogView).filter.service
        self._change(service=known[(known.index(before) + step) % len(known)] if before in known else None)

    def action_wrap(self) -> None:
        """Long lines on several rows, or to be scrolled sideways."""
        view = self.query_one(LogView)
        view.wrap = not view.wrap
        view.refilter()

    def action_follow(self) -> None:
        """Keep to the end, or stay."""
        view = self.query_one(LogView)
        view.follow(not view.following)

    def _change(self, **fields: object) -> None:
        view = self.query_one(LogView)
        view.filter = replace(view.filter, **fields)  # type: ignore[arg-type]
        view.refilter()
        self._say_what()
