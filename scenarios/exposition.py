"""The run in progress as Prometheus sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from measure.metrics import MetricsServer, MetricsSnapshot
from measure.percentiles import merged_stages
from scenarios.beat import Beat


@dataclass(frozen=True, slots=True)
class Exposition:
    """Publishes one snapshot a second."""

    server: MetricsServer
    scenario: str
    profile: str

    def show(self, beat: Beat, phase: str, scheduled: int, alerts: Mapping[str, bool]) -> None:
        """The run as the last beat left it; `scheduled` counts the events due so far."""
        if not beat.last:
            return
        seen, sample, run = beat.observer.latest, beat.last[-1], beat.run
        tally = beat.spools[run].read()
        newer = [stages for second, stages in seen.slices.get(run, {}).items() if second > beat.folded_to]
        self.server.publish(
            MetricsSnapshot(
                run=run,
                scenario=self.scenario,
                profile=self.profile,
                phase=phase,
                histograms=merged_stages((beat.folded, *newer)),
                events={
                    "scheduled": scheduled,
                    "sent": tally.sent,
                    "acked": tally.acked,
                    "failed": tally.failed,
                    "unsent": tally.unsent,
                    "stored": seen.stored.get(run, 0),
                },
                target_rate=sample.target_rate,
                achieved_rate=float(sample.stored),
                lag_events=sample.lag.events if sample.lag else None,
                lag_ms=sample.lag.ms if sample.lag else None,
                alerts=alerts,
            )
        )
