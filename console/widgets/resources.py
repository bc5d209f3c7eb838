"""What each service and the generator used, as the run process saw it in its last second."""

from __future__ import annotations

from textual.content import Content

from console.feed.views import RunView
from console.widgets.lines import MUTED, line, lines
from console.widgets.panel import Panel, nothing
from console.words import share, size

_NETWORK_FROM = 54


class ResourcesPanel(Panel):
    """CPU in cores, memory, disk, and network where the runtime tells of it."""

    TITLE = "Resources of the run"

    def draw(self, value: RunView) -> Content:
        if not value.usages:
            return nothing("no sample of the run yet")
        wide = self.size.width >= _NETWORK_FROM
        network = f"{'rx/s':>8}{'tx/s':>8}" if wide else ""
        rows = [line((f"{'':<10}{'cpu':>6}{'memory':>8}{'write/s':>9}{network}", MUTED))]
        for name, used in value.usages:
            more = f"{size(used.rx_bytes_s):>8}{size(used.tx_bytes_s):>8}" if wide else ""
            rows.append(
                line(
                    (f"{name:<10}", ""),
                    f"{share(used.cpu):>6}{size(used.rss_bytes):>8}{size(used.write_bytes_s):>9}{more}",
                )
            )
        return lines(rows)
