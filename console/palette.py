"""The command palette: the same table of actions, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from console.actions import ACTIONS, Action


class ActionProvider(Provider):
    """Offers what can be done here and now: actions of the screen on show and of the app."""

    def _offered(self) -> Iterator[tuple[Action, Callable[[], object]]]:
        scopes = {"", getattr(self.screen, "SCOPE", "")}
        for action in ACTIONS:
            if action.scope in scopes and not (action.changes and getattr(self.app, "read_only", False)):
                where = self.screen if action.scope else self.app
                yield action, partial(self.app.run_action, action.call, where)

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for action, call in self._offered():
            yield DiscoveryHit(title(action), call, help=action.help)

    async def search(self, query: str) -> Hits:
        """Those that match."""
        matcher = self.matcher(query)
        for action, call in self._offered():
            name = title(action)
            score = matcher.match(f"{name} {action.help}")
            if score > 0:
                yield Hit(score, matcher.highlight(name), call, help=action.help)


def title(action: Action) -> str:
    """`load: burst…`"""
    return f"{action.group.value.lower()}: {action.title}"
