"""The table of actions as Textual's bindings."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from console.actions import ACTIONS


def bindings(scope: str = "") -> list[BindingType]:
    """The bindings of the app, or of the screen named `scope`."""
    return [
        Binding(
            action.keys,
            action.call,
            action.title,
            show=action.footer,
            tooltip=action.help,
            id=action.id,
            priority=False,
        )
        for action in ACTIONS
        if action.scope == scope
    ]
