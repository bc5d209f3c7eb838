"""Latency: the heat map, the distribution, and every stage's quantiles."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll

from console.keys import bindings
from console.screens.base import ModeScreen
from console.widgets.distribution import Distribution
from console.widgets.heatmap import HeatMap
from console.widgets.quantiles import Quantiles
from measure.document import STAGES


class LatencyScreen(ModeScreen):
    """Of one stage at a time; the table has them all."""

    SCOPE = "latency"
    BINDINGS: ClassVar[list[BindingType]] = bindings("latency")
    CSS_PATH = "latency.tcss"
    heat_stage = "e2e"

    def compose_body(self) -> ComposeResult:
        with VerticalScroll(id="latency", can_focus=False):
            yield HeatMap(id="heat")
            with Horizontal(id="below"):
                yield Distribution(id="distribution")
                yield Quantiles(id="quantiles")

    def action_stage(self, step: int) -> None:
        """Heat map and distribution of the next stage that has events."""
        run = self.console.snapshot.run.value
        known = [each.stage for each in run.stages if each.n] if run is not None else []
        known = [stage for stage in STAGES if stage in known] or ["e2e"]
        at = known.index(self.heat_stage) if self.heat_stage in known else 0
        self.heat_stage = known[(at + step) % len(known)]
        self.console.want()
