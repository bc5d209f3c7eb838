"""Asks for a burst's rate and length."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Input, Label

from console.operations import Burst
from console.screens.dialog import Dialog, buttons
from scenarios.duration import duration_us


class BurstScreen(Dialog[Burst]):
    """Validated while it is typed."""

    DEFAULT_CSS = """
    BurstScreen {
        & .field Label { width: 12; }
    }
    """

    def __init__(self, burst: Burst) -> None:
        super().__init__("Burst", "Replaces the scenario's rate for a while, and is a mark on the time line.")
        self._burst = burst

    def compose_content(self) -> ComposeResult:
        yield Horizontal(Label("events/s"), Input(f"{self._burst.rate:g}", id="rate"), classes="field")
        yield Horizontal(Label("for"), Input(self._burst.lasting, id="for"), classes="field")
        yield Label("", classes="problem", markup=False)
        yield buttons("Fire")

    def on_mount(self) -> None:
        self.query_one("#rate", Input).focus()

    @on(Input.Changed)
    def _check(self) -> None:
        self.judge(self.answer)

    @on(Input.Submitted)
    def _enter(self) -> None:
        if not self.query_one("#do", Button).disabled:
            self.dismiss(self.answer())

    def answer(self) -> Burst:
        """What stands in the fields; ValueError says what is wrong with it."""
        text, lasting = self.query_one("#rate", Input).value.replace(",", ""), self.query_one("#for", Input).value
        try:
            rate = float(text)
        except ValueError:
            raise ValueError(f"events/s: expected a number, found {text!r}") from None
        if not 0 < rate <= 1_000_000:
            raise ValueError("events/s: expected more than 0 and up to 1,000,000")
        try:
            duration_us(lasting)
        except ValueError as wrong:
            raise ValueError(f"for: expected {wrong}, found {lasting!r}") from None
        return Burst(rate, lasting)
