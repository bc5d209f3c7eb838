"""The keys at the foot, from the table of actions; one widget, since a widget a key costs too much at every jump."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from textual import events
from textual.content import Content
from textual.keys import format_key
from textual.widget import Widget

from console.actions import ACTIONS, Action
from console.widgets.lines import MUTED, Part, line

if TYPE_CHECKING:
    from console.app import ConsoleApp


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where an action stands: columns from `first` up to `last`."""

    first: int
    last: int
    action: Action


class KeysLine(Widget):
    """As many as fit, the screen's own first; each can be clicked."""

    DEFAULT_CSS = """
    KeysLine { dock: bottom; height: 1; background: $panel; padding: 0 1; }
    """

    def __init__(self, scope: str) -> None:
        super().__init__()
        self._scope = scope
        self._spots: list[_Spot] = []

    def render(self) -> Content:
        """One row."""
        console = cast("ConsoleApp", self.app)
        footer = [action for action in ACTIONS if action.footer]
        own = [action for action in footer if action.scope == self._scope] if self._scope else []
        taken = {key for action in own for key in action.keys.split(",")}
        general = [action for action in footer if not action.scope and action.keys.split(",")[0] not in taken]
        parts: list[Part] = []
        spots: list[_Spot] = []
        at = 0
        for action in [*own, *general]:
            keys = console.settings.console.keys.get(action.id, action.keys)
            key = format_key(keys.split(",")[0].strip())
            width = len(key) + 1 + len(action.title)
            if at + width > self.size.width:
                break
            refused = action.changes and console.read_only
            parts += [
                (key, MUTED if refused else "bold $text-accent"),
                (f" {action.title}", MUTED if refused else ""),
                "  ",
            ]
            spots.append(_Spot(at, at + width, action))
            at += width + 2
        self._spots = spots
        return line(*parts)

    async def on_click(self, event: events.Click) -> None:
        """Do what was pointed at, as its key would."""
        at = event.x - self.styles.padding.left
        action = next((spot.action for spot in self._spots if spot.first <= at < spot.last), None)
        if action is not None:
            await self.app.run_action(action.call, self.screen if action.scope else self.app)
