"""Help: every key, from the table of actions, and what the words mean."""

from __future__ import annotations

from itertools import groupby

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.keys import format_key
from textual.widgets import Static

from console.actions import ACTIONS, Action, Group
from console.screens.base import ModeScreen
from console.widgets.lines import MUTED, hanging, line, lines

WORDS = (
    ("due", "when the schedule wanted the event sent; latency counts from here, however late it was sent"),
    ("e2e", "due → acknowledged write in MongoDB, over all events due; one that never arrived ranks last"),
    ("produce", "due → appended in topic events"),
    ("process", "appended in events → appended in events.clean by the Spark job"),
    ("store", "appended in events.clean → acknowledged write"),
    ("visible", "due → received by a reader of the change stream"),
    ("shown", "due → drawn by the dashboard's live page"),
    ("late", "handed over more than 1 ms after due; sent all the same, and timed from due"),
    ("unsent", "more than 1 s late, so not sent; ranks last"),
    ("lag", "events appended and not yet applied; in ms, the age of the next one"),
    ("commit", "one bulk write of the sink, acknowledged by a majority"),
    ("batch", "one micro-batch of Spark; the realtime profile has none"),
    ("n", "how many events a figure is over; no P99 below 1,000 of them, no P99.9 below 10,000"),
    ("SLA", "the rows as they stand so far; the run's verdict at its end is what counts"),
)


class HelpScreen(ModeScreen):
    """Keys on the left, words on the right."""

    DEFAULT_CSS = """
    HelpScreen {
        & #help { height: 1fr; }
        & .page {
            width: 1fr; height: 1fr; border: round $panel-lighten-2; border-title-color: $foreground-muted;
            border-title-style: bold; padding: 0 1; scrollbar-size-vertical: 1;
            &:focus { border: round $primary; border-title-color: $primary; }
        }
        & Static { width: 100%; height: auto; }
        &.-narrow #help { layout: vertical; }
    }
    """

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="help"):
            with VerticalScroll(classes="page") as keys:
                keys.border_title = "Keys"
                yield Static(id="keys", markup=False)
            with VerticalScroll(classes="page") as words:
                words.border_title = "Words"
                yield Static(id="words", markup=False)

    def on_resize(self) -> None:
        """What fits beside the keys has changed."""
        self.call_after_refresh(self._tell)

    def _tell(self) -> None:
        keys, words = self.query_one("#keys", Static), self.query_one("#words", Static)
        keys.update(self._keys(keys.size.width))
        words.update(_words(words.size.width))

    def _keys(self, width: int) -> Content:
        told: list[Content] = []
        for group, actions in groupby(ACTIONS_BY_GROUP, key=lambda action: action.group):
            told += [line((group.value, "bold $primary")), *(self._row(action, width) for action in actions), line("")]
        told.append(line(("ctrl+p: all of them by name, and themes", MUTED)))
        return lines(told)

    def _row(self, action: Action, width: int) -> Content:
        keys = self.console.settings.console.keys.get(action.id, action.keys)
        shown = " ".join(format_key(key.strip()) for key in keys.split(","))
        refused = " (not read-only)" if action.changes and self.console.read_only else ""
        return hanging(line((f"  {shown:<14}", "bold $text-accent")), f"{action.help}{refused}", width)


_ORDER = list(Group)
ACTIONS_BY_GROUP = sorted(ACTIONS, key=lambda action: _ORDER.index(action.group))


def _words(width: int) -> Content:
    return lines(hanging(line((f"{word:<9}", "bold")), meaning, width, MUTED) for word, meaning in WORDS)
