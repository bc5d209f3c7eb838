"""Services with state, CPU and memory."""

from __future__ import annotations

from textual.content import Content

from console.feed.reading import Reading
from console.feed.snapshot import Snapshot
from console.feed.views import ServiceLine, StackView
from console.widgets.lines import MUTED, line, lines
from console.widgets.panel import Panel
from console.words import bar, cut, share, size

SIGNS = {
    "ready": ("●", "$success"),
    "starting": ("◐", "$warning"),
    "waiting": ("◌", "$warning"),
    "restarting": ("◐", "$warning"),
    "paused": ("‖", "$warning"),
    "unsupervised": ("●", "$warning"),
    "failed": ("✗", "$error"),
    "stopped": ("○", MUTED),
}
_BAR_FROM = 44


class Services(Panel):
    """One line a service."""

    TITLE = "Services"

    def pick(self, snapshot: Snapshot) -> Reading[StackView]:
        return snapshot.stack

    def draw(self, value: StackView) -> Content:
        width = self.size.width
        name_width = max((len(service.name) for service in value.services), default=6)
        rows = [self._row(service, name_width, width) for service in value.services]
        if not value.up:
            rows.append(line(("u starts the stack", MUTED)))
        return lines(rows)

    def _row(self, service: ServiceLine, name_width: int, width: int) -> Content:
        sign, colour = SIGNS.get(service.state, ("?", "$warning"))
        head = (f"{sign} ", colour), (f"{service.name:<{name_width}} ", "bold" if service.pid else MUTED)
        if service.cpu is None:
            room = width - name_width - 4
            said = service.health if service.health not in ("", service.state) else ""
            return line(*head, (cut(f"{service.state} {said}".strip(), room), colour))
        usage = f"{share(service.cpu):>6} {size(service.memory_bytes):>7}"
        room = width - name_width - 3 - len(usage)
        if width >= _BAR_FROM:
            gauge = bar(service.cpu, max(0, room - 11))
            return line(
                *head, f"{cut(service.state, 9):<10}", (f"{gauge:<{max(0, room - 11)}} ", "$primary"), (usage, "")
            )
        return line(*head, f"{cut(service.state, max(0, room - 1)):<{max(0, room)}}", usage)
