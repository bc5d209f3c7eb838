"""A text to read: a run's summary, a comparison."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import ScrollableContainer
from textual.content import Content
from textual.widgets import Static

from console.screens.veil import Veiled


class ReadingScreen(Veiled[None]):
    """Scrolls both ways. The text is shown as it is, never as markup."""

    DEFAULT_CSS = """
    ReadingScreen { align: center middle; }
    ReadingScreen > #page {
        width: 96%; height: 92%; max-width: 126; border: round $primary; background: $surface; padding: 0 1;
        border-title-color: $primary; border-title-style: bold; border-subtitle-color: $foreground-muted;
    }
    ReadingScreen Static { width: auto; height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "dismiss(None)", "close")]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._page_title, self._text = title, text

    def compose(self) -> ComposeResult:
        with ScrollableContainer(id="page") as page:
            page.border_title, page.border_subtitle = Content(self._page_title), "escape closes"
            yield Static(self._text, markup=False)
