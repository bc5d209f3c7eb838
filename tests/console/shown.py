"""What a console shows, as text."""

from __future__ import annotations

from textual.widget import Widget
from textual.widgets import Static

from console.app import ConsoleApp


def said(app: ConsoleApp, name: str) -> str:
    """The text of a widget."""
    return str(app.screen.query_one(name, Static).render())


def title(widget: Widget) -> str:
    """The text in the frame; `border_title` would give it as markup."""
    return widget._border_title.plain if widget._border_title else ""  # noqa: SLF001 (no other way)


def notes(app: ConsoleApp) -> str:
    """What was told in passing."""
    return "\n".join(note.message for note in app._notifications)  # noqa: SLF001 (no other way)
