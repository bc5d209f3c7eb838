"""The table of actions as Textual's bindings, and the user's own keys for them."""

from __future__ import annotations

from collections.abc import Mapping

from textual.binding import Binding, BindingType

from console.actions import ACTIONS
from measure.errors import UsageError


def bindings(scope: str = "") -> list[BindingType]:
    """The bindings of the app, or of the screen named `scope`."""
    return [
        Binding(action.keys, action.call, action.title, show=action.footer, tooltip=action.help, id=action.id)
        for action in ACTIONS
        if action.scope == scope
    ]


def keymap(keys: Mapping[str, str]) -> dict[str, str]:
    """The user's keys by action; UsageError for an action that does not exist."""
    known = {action.id for action in ACTIONS}
    for name in keys:
        if name not in known:
            raise UsageError(f"console.keys.{name}: there is no such action. Known: {', '.join(sorted(known))}.")
    return dict(keys)
