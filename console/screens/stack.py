"""Stack: its services and addresses, how it is configured and by what, and what the doctor finds."""

from __future__ import annotations

import time
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from console.feed.examination import Examination
from console.feed.reading import Reading
from console.feed.snapshot import Snapshot
from console.feed.views import ServiceLine, StackView
from console.keys import bindings
from console.screens.examining import Examined, ExaminingScreen
from console.widgets.findings import Findings
from console.widgets.lines import MUTED, line, lines
from console.widgets.panel import Panel
from console.widgets.services import SIGNS
from console.words import age, cut, share, size


class ServiceTable(Panel):
    """Every service with all that is known of it."""

    TITLE = "Services"

    def pick(self, snapshot: Snapshot) -> Reading[StackView]:
        self._now_s = snapshot.at_s
        return snapshot.stack

    def draw(self, value: StackView) -> Content:
        titles = f"  {'service':<11}{'state':<13}{'pid':>7}{'cpu':>7}{'memory':>9}{'for':>8}{'again':>7}  ports"
        head = line((titles, MUTED))
        return lines([head, *(self._row(service) for service in value.services)])

    def _row(self, service: ServiceLine) -> Content:
        sign, colour = SIGNS.get(service.state, ("?", "$warning"))
        since = "–" if service.since_s is None else age(max(0.0, self._now_s - service.since_s))
        ports = " ".join(f"{name}:{port}" for name, port in service.ports)
        if service.rx_bytes_s is not None:
            ports = f"↓{size(service.rx_bytes_s)}/s ↑{size(service.tx_bytes_s)}/s  {ports}"
        said = service.health if service.health not in ("", service.state) else ports
        return line(
            (f"{sign} ", colour),
            (f"{service.name:<11}", "bold"),
            (f"{service.state:<13}", colour),
            f"{service.pid or '–':>7}{share(service.cpu):>7}{size(service.memory_bytes):>9}{since:>8}",
            f"{service.restarts:>7}  ",
            (cut(said, max(4, self.size.width - 66)), MUTED),
        )


class Addresses(Panel):
    """Where the stack listens, and what it runs."""

    TITLE = "Addresses"

    def pick(self, snapshot: Snapshot) -> Reading[StackView]:
        return snapshot.stack

    def draw(self, value: StackView) -> Content:
        rows = [("runtime", value.runtime), ("profile", value.profile), *value.endpoints]
        if not value.endpoints:
            rows.append(("addresses", "n/a: the stack is down; u starts it"))
        return lines(line((f"{name:<11}", MUTED), address) for name, address in rows)


class StackScreen(ExaminingScreen):
    """Looks at the machine when it comes on show, and at a key."""

    SCOPE = "stack"
    BINDINGS: ClassVar[list[BindingType]] = bindings("stack")
    CSS_PATH = "stack.tcss"

    def compose_body(self) -> ComposeResult:
        with VerticalScroll(id="stack-page", can_focus=False):
            yield ServiceTable(id="table")
            with Horizontal(id="machine"):
                with Vertical(id="left"):
                    yield Addresses(id="addresses")
                    with VerticalScroll(id="doctor", classes="box"):
                        yield Findings()
                with VerticalScroll(id="configuration", classes="box"):
                    yield Static(id="settings", markup=False)

    def begin(self) -> None:
        self.query_one("#doctor").border_title = "Doctor"
        self.query_one("#configuration").border_title = "Configuration and where each value came from"
        self.query_one(Findings).show(None)

    def come_on_show(self) -> None:
        self.action_examine()

    def action_examine(self) -> None:
        """Look at the machine again."""
        self.look()

    def on_examined(self, message: Examined) -> None:
        self.query_one("#doctor").border_subtitle = f"looked at {_clock(self.console.clock())}"
        findings = self.query_one(Findings)
        if message.examination != findings.examination:
            findings.show(message.examination)
            self.query_one("#settings", Static).update(_settings(message.examination))


def _clock(now_s: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(now_s))


def _settings(examination: Examination) -> Content:
    width = max((len(key) for key, _, _ in examination.settings), default=8)
    return lines(
        line(
            (f"{key:<{width}} ", MUTED),
            (f"{value:<16} ", "bold" if origin != "default" else ""),
            (origin, MUTED if origin == "default" else "$text-accent"),
        )
        for key, value, origin in examination.settings
    )
