"""Asks for one of a list; a digit takes that line at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from console.screens.dialog import Dialog
from console.widgets.lines import MUTED


@dataclass(frozen=True, slots=True)
class Choice:
    """What is given back, and what is shown for it."""

    value: str
    title: str
    about: str = ""


class ChooseScreen(Dialog[str]):
    """One of `choices`."""

    DEFAULT_CSS = """
    ChooseScreen OptionList {
        height: auto; max-height: 16; border: none; background: $surface; padding: 0;
        &:focus { border: none; }
    }
    """

    def __init__(self, title: str, about: str, choices: Sequence[Choice], chosen: int = 0) -> None:
        super().__init__(title, about)
        self._choices, self._chosen = list(choices), chosen

    def compose_content(self) -> ComposeResult:
        widest = max((len(choice.title) for choice in self._choices), default=0)
        yield OptionList(
            *(Option(_text(number, choice, widest)) for number, choice in enumerate(self._choices, 1)), id="choices"
        )

    def on_mount(self) -> None:
        options = self.query_one(OptionList)
        options.highlighted = self._chosen if self._choices else None
        options.focus()

    def on_key(self, event: events.Key) -> None:
        """1 to 9 take a line."""
        if event.key.isdecimal() and 0 < int(event.key) <= len(self._choices):
            event.stop()
            self.dismiss(self._choices[int(event.key) - 1].value)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._choices[event.option_index].value)


def _text(number: int, choice: Choice, widest: int) -> Content:
    digit = f"{number} " if number < 10 else "  "
    return Content.assemble((digit, "bold $accent"), f"{choice.title:<{widest}}  ", (choice.about, MUTED))
