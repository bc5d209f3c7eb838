"""Asks before a service is broken on purpose, and for how long."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Input, Label

from console.screens.dialog import Dialog, buttons
from scenarios.duration import duration_us
from stack.faults import LONGEST_S


@dataclass(frozen=True, slots=True)
class Lasting:
    """Seconds that were asked for; None: as long as is usual."""

    for_s: float | None


class FaultScreen(Dialog[Lasting]):
    """How long it is to last; Cancel has the focus."""

    DEFAULT_CSS = """
    FaultScreen {
        & .field Label { width: 6; }
    }
    """

    def __init__(self, title: str, about: str, verb: str, lasting: str, otherwise: str) -> None:
        """`lasting` stands in the field at first; `otherwise` says what holds while it is empty."""
        super().__init__(title, about)
        self._verb, self._lasting, self._otherwise = verb, lasting, otherwise

    def compose_content(self) -> ComposeResult:
        field = Input(self._lasting, placeholder=self._otherwise, id="for")
        yield Horizontal(Label("for"), field, classes="field")
        yield Label("", classes="problem", markup=False)
        yield buttons(self._verb, grave=True)

    def on_mount(self) -> None:
        self.query_one("#cancel", Button).focus()

    @on(Input.Changed)
    def _check(self) -> None:
        self.judge(self.answer)

    @on(Input.Submitted)
    def _enter(self) -> None:
        """It is the button that does it."""
        self.query_one("#do", Button).focus()

    def answer(self) -> Lasting:
        """What stands in the field; ValueError says what is wrong with it."""
        text = self.query_one("#for", Input).value
        if not text.strip():
            return Lasting(None)
        try:
            for_s = duration_us(text) / 1e6
        except ValueError as wrong:
            raise ValueError(f"for: expected {wrong}, found {text!r}") from None
        if for_s > LONGEST_S:
            raise ValueError(f"for: expected up to {LONGEST_S:.0f} s, found {text!r}")
        return Lasting(for_s)
