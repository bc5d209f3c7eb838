"""What asks before something is done. Escape always means: leave it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Label

from console.screens.veil import Veiled

T = TypeVar("T")


class Dialog(Veiled[T | None]):
    """A box in the middle: a title, what it is about, and what the subclass adds. None: left."""

    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        & > #box {
            width: 72; max-width: 95%; height: auto; max-height: 95%;
            border: round $primary; border-title-color: $primary; border-title-style: bold;
            background: $surface; padding: 1 2;
        }
        & #about { width: 100%; height: auto; margin-bottom: 1; }
        & .field { height: 3; }
        & .field Label { padding: 1 0; }
        & .field Input { width: 1fr; }
        & .problem { width: 100%; height: auto; color: $text-error; }
        & #buttons { height: auto; width: 100%; align-horizontal: right; margin-top: 1; }
        & #buttons Button { margin-left: 2; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "leave it")]

    def __init__(self, title: str, about: str = "") -> None:
        super().__init__()
        self._box_title, self._about = title, about

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = Content(self._box_title)
            if self._about:
                yield Label(self._about, id="about", markup=False)
            yield from self.compose_content()

    def compose_content(self) -> ComposeResult:
        """What lies below the text."""
        raise NotImplementedError

    def answer(self) -> T:
        """What is given back where the button that does it is pressed."""
        raise NotImplementedError

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(self.answer() if event.button.id == "do" else None)

    def judge(self, typed: Callable[[], object]) -> None:
        """Say what is wrong with what was typed, which `typed` raises as ValueError; nothing is done while it is."""
        try:
            typed()
            problem = ""
        except ValueError as wrong:
            problem = str(wrong)
        self.query_one(".problem", Label).update(problem)
        self.query_one("#do", Button).disabled = bool(problem)

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Answer, once: a second key may have reached it before it was gone."""
        return super().dismiss(result) if self.is_active else AwaitComplete()

    def action_leave(self) -> None:
        """Nothing is done."""
        self.dismiss(None)


def buttons(verb: str, grave: bool = False) -> Horizontal:
    """Cancel, and the one that does it."""
    return Horizontal(
        Button("Cancel", id="cancel", compact=False),
        Button(verb, id="do", variant="error" if grave else "primary"),
        id="buttons",
    )
