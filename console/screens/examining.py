"""What the screens that show the doctor's findings have in common: a look at the machine, off the UI's thread."""

from __future__ import annotations

from textual import work
from textual.message import Message

from console.feed.examination import Examination
from console.screens.base import ModeScreen


class Examined(Message):
    """The machine was looked at."""

    def __init__(self, examination: Examination) -> None:
        super().__init__()
        self.examination = examination


class ExaminingScreen(ModeScreen):
    """Is sent an Examined after each look."""

    @work(thread=True, exclusive=True, group="doctor", exit_on_error=False)
    def look(self) -> None:
        """Look at the machine, for a second or so."""
        self.post_message(Examined(self.console.examine()))
