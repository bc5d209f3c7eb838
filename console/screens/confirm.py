"""Asks before something is destroyed."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, Input, Label

from console.screens.dialog import Dialog, buttons


class ConfirmScreen(Dialog[bool]):
    """Yes or no; Cancel has the focus. It can be asked again: to make a dialog takes longer than to paint one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,right", "app.focus_next", "other button", show=False),
    ]

    def __init__(self, title: str, about: str, verb: str) -> None:
        super().__init__(title, about)
        self._verb = verb

    def compose_content(self) -> ComposeResult:
        yield buttons(self._verb, grave=True)

    def on_mount(self) -> None:
        self.query_one("#cancel", Button).focus()

    def put(self, title: str, about: str, verb: str) -> None:
        """Another question, before it is shown again."""
        self.query_one("#box").border_title = Content(title)
        self.query_one("#about", Label).update(about)
        self.query_one("#do", Button).label = verb
        self.set_focus(self.query_one("#cancel"))

    def answer(self) -> bool:
        """Yes."""
        return True


class TypedConfirmScreen(Dialog[bool]):
    """Yes only once the name was typed."""

    def __init__(self, title: str, about: str, verb: str, name: str) -> None:
        super().__init__(title, about)
        self._verb, self._name = verb, name

    def compose_content(self) -> ComposeResult:
        yield Label(f"Type {self._name} to go on:", markup=False)
        yield Input(id="typed")
        yield buttons(self._verb, grave=True)

    def on_mount(self) -> None:
        self.query_one("#do", Button).disabled = True
        self.query_one("#typed", Input).focus()

    @on(Input.Changed, "#typed")
    def _check(self, event: Input.Changed) -> None:
        self.query_one("#do", Button).disabled = event.value != self._name

    @on(Input.Submitted, "#typed")
    def _enter(self, event: Input.Submitted) -> None:
        if event.value == self._name:
            self.dismiss(self.answer())

    def answer(self) -> bool:
        """Yes."""
        return True
