"""The first minute: what this machine has, and one key to a running stack and the first scenario."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from console.feed.examination import Examination
from console.feed.snapshot import Snapshot
from console.keys import bindings
from console.screens.examining import Examined, ExaminingScreen
from console.widgets.findings import Findings
from console.widgets.lines import MUTED, line, lines
from console.widgets.services import Services


class FirstScreen(ExaminingScreen):
    """On show while there is neither a stack nor a run; gives way to Live once there is a run."""

    SCOPE = "first"
    BINDINGS: ClassVar[list[BindingType]] = bindings("first")
    DEFAULT_CSS = """
    FirstScreen {
        & #first { height: 1fr; align-horizontal: center; padding: 1 2; scrollbar-size-vertical: 1; }
        & #welcome, & #next { width: 100%; max-width: 110; height: auto; margin-bottom: 1; }
        & #machine-box {
            width: 100%; max-width: 110; height: auto; border: round $panel-lighten-2; padding: 0 1; margin-bottom: 1;
            border-title-color: $foreground-muted; border-title-style: bold;
        }
        & Services { width: 100%; max-width: 110; height: 8; display: none; }
        &.-begun Services { display: block; }
    }
    """

    def compose_body(self) -> ComposeResult:
        with VerticalScroll(id="first", can_focus=False):
            yield Static(_welcome(), id="welcome", markup=False)
            yield Static(id="next", markup=False)
            with VerticalScroll(id="machine-box", can_focus=False) as box:
                box.border_title = "This machine"
                yield Findings()
            yield Services()

    def begin(self) -> None:
        self.query_one(Findings).show(None)
        self.look()

    def on_examined(self, message: Examined) -> None:
        self.query_one(Findings).show(message.examination)
        self.query_one("#next", Static).update(_next(message.examination, self.console.read_only))

    def show(self, snapshot: Snapshot) -> None:
        super().show(snapshot)
        progress = snapshot.progress.value
        if progress is not None and progress.running and self.is_current:
            self.console.action_go("live")

    def action_begin(self) -> None:
        """Start the stack, and on it the first scenario."""
        if not self.console.refused():
            self.add_class("-begun")
            self.console.action_launch("smoke")


def _welcome() -> Content:
    return lines(
        [
            line(("Latency Console", "bold $primary")),
            line(
                "A real Kafka, Spark and MongoDB on this machine, a load of your choice, and the latency of every "
                "event of it."
            ),
        ]
    )


def _next(examination: Examination, read_only: bool) -> Content:
    if read_only:
        return line(("This console is read-only: it waits for a stack and a run of somebody else's.", "$text-warning"))
    if not examination.ready:
        return line(("Something is lacking: see ✗ below; 6 looks again.", "$text-error"))
    return lines(
        [
            line((" enter ", "bold reverse"), ("  starts the stack, and on it the first scenario: ", "bold"), "smoke"),
            line(("         500 events/s for 20 s; ready in half a minute or so, more where jars are to come", MUTED)),
            line((" u ", "bold reverse"), "  only the stack   ", (" 4 ", "bold reverse"), "  other scenarios"),
            line((" U ", "bold reverse"), "  the stack in containers, or with another Spark job"),
        ]
    )
