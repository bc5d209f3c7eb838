"""Live: the run as it comes."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll

from console.screens.base import ModeScreen
from console.widgets.chart import PercentileChart
from console.widgets.events import EventsPanel
from console.widgets.lag import LagPanel
from console.widgets.rate import RatePanel
from console.widgets.resources import ResourcesPanel
from console.widgets.services import Services
from console.widgets.sla import SlaPanel
from console.widgets.stages import StagesPanel
from console.widgets.tiles import Tiles
from console.widgets.writes import WritesPanel


class LiveScreen(ModeScreen):
    """Services, percentiles, rate, lag, chart; beside them SLA, writes, stages, resources, and what happened."""

    CSS_PATH = "live.tcss"

    def compose_body(self) -> ComposeResult:
        with VerticalScroll(id="live", can_focus=False):
            with Vertical(id="main"):
                with Horizontal(id="top"):
                    yield Services(id="services")
                    yield Tiles(id="tiles")
                with Horizontal(id="flow"):
                    yield RatePanel(id="rate")
                    yield LagPanel(id="lag")
                yield PercentileChart(id="chart")
            with Vertical(id="side"):
                yield SlaPanel(id="sla")
                yield WritesPanel(id="writes")
                yield StagesPanel(id="stages")
                yield ResourcesPanel(id="resources")
                yield EventsPanel(id="events")
