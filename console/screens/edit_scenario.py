"""A copy of a scenario, edited; what is wrong with it is said while it is typed."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Input, Label, TextArea

from console.feed.scenario_shelf import problem_of
from console.screens.dialog import Dialog, buttons


class EditScenarioScreen(Dialog[tuple[str, str]]):
    """Gives back name and text."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+s", "save", "save")]
    DEFAULT_CSS = """
    EditScenarioScreen {
        & > #box { width: 90%; height: 90%; }
        & .field { height: 3; }
        & .field Label { width: 8; padding: 1 0; }
        & TextArea { height: 1fr; }
        & .problem { height: auto; max-height: 5; min-height: 1; &.-fine { color: $text-success; } }
    }
    """

    def __init__(self, name: str, text: str) -> None:
        super().__init__("Edit a copy")
        self._copy_name, self._text = name, text

    def compose_content(self) -> ComposeResult:
        yield Horizontal(Label("name"), Input(self._copy_name, id="name"), classes="field")
        yield TextArea.code_editor(self._text, language=None, id="text")
        yield Label("", classes="problem", markup=False)
        yield buttons("Save (ctrl+s)")

    def on_mount(self) -> None:
        self.query_one(TextArea).focus()
        self._check()

    @on(TextArea.Changed)
    @on(Input.Changed)
    def _check(self) -> None:
        problem = problem_of(self.query_one(TextArea).text, self.query_one("#name", Input).value)
        said = self.query_one(".problem", Label)
        said.update(problem or "nothing is wrong with it")
        said.set_class(not problem, "-fine")
        self.query_one("#do", Button).disabled = problem is not None

    def action_save(self) -> None:
        """Give it back, if nothing is wrong with it."""
        if not self.query_one("#do", Button).disabled:
            self.dismiss(self.answer())

    def answer(self) -> tuple[str, str]:
        """As it stands."""
        return self.query_one("#name", Input).value, self.query_one(TextArea).text
