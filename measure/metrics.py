"""`/metrics` for Prometheus: the run in progress as counters, gauges and histograms that merge.

Latency goes out as cumulative buckets, never as quantiles: buckets of several processes or spans add up, and
`histogram_quantile` works on the sum. The server listens on loopback only.
"""

from __future__ import annotations

import bisect
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from measure.errors import NotReadyError
from measure.figures import Verdict
from measure.histogram import Histogram, bucket_middle_us

if TYPE_CHECKING:
    from prometheus_client.core import Metric

LOOPBACK = "127.0.0.1"

BOUNDS_US = (
    *(step * 10**decade for decade in range(2, 8) for step in (1, 2, 5) if step * 10**decade < 60_000_000),
    60_000_000,
)
"""Upper bounds of the buckets that go out, 100 µs to 60 s in steps of 1, 2, 5."""


@dataclass(frozen=True)
class MetricsSnapshot:
    """What a run has to show at one moment. Counts and histograms are totals since the load's start."""

    run: str
    scenario: str
    profile: str
    phase: str
    """`warm-up`, `load`, `drain` or `done`."""
    histograms: Mapping[str, Histogram] = field(default_factory=dict)
    """Stage → all latencies so far. They are read while being written out, so hand over copies."""
    events: Mapping[str, int] = field(default_factory=dict)
    """Outcome (`scheduled`, `sent`, `acked`, `stored`, `dead`, `late`, `unsent`, `failed`, …) → events so far."""
    target_rate: float | None = None
    achieved_rate: float | None = None
    lag_events: int | None = None
    lag_ms: float | None = None
    alerts: Mapping[str, bool] = field(default_factory=dict)
    """Alert rule → whether it is raised."""
    verdict: Verdict | None = None
    """None while the run is running."""


class MetricsServer:
    """Serves the snapshot published last at `http://127.0.0.1:PORT/metrics`."""

    def __init__(self, port: int) -> None:
        """Listen on `port` (0 takes a free one); NotReadyError where it is taken."""
        from prometheus_client import CollectorRegistry, start_http_server

        self._snapshot: MetricsSnapshot | None = None
        self._lock = threading.Lock()
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        try:
            self._server, self._thread = start_http_server(port, addr=LOOPBACK, registry=registry)
        except OSError as taken:
            raise NotReadyError(
                f"metrics: cannot listen on {LOOPBACK}:{port}: {taken.strerror or taken}. "
                "Set LATENCY_METRICS_PORT to a free port, or unset it."
            ) from taken

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._server.server_port)

    def publish(self, snapshot: MetricsSnapshot) -> None:
        """Show `snapshot` from now on."""
        with self._lock:
            self._snapshot = snapshot

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> MetricsServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def collect(self) -> Iterator[Metric]:
        """The metrics of the snapshot; nothing before the first one. Called by prometheus-client."""
        with self._lock:
            snapshot = self._snapshot
        if snapshot is not None:
            yield from families(snapshot)


def families(snapshot: MetricsSnapshot) -> Iterator[Metric]:
    """`snapshot` as metric families. Times are in seconds, as Prometheus wants them."""
    yield _info(snapshot)
    yield _latency(snapshot)
    yield _events(snapshot)
    yield from _gauges(snapshot)
    yield from _states(snapshot)


def cumulative(histogram: Histogram) -> list[tuple[str, float]]:
    """(upper bound in seconds, values up to it) for each of BOUNDS_US and `+Inf`.

    A bucket of the histogram that reaches over a bound counts where its middle lies: exact below 2,048 µs, above it
    0.05 % of the bound at most.
    """
    below = [0] * (len(BOUNDS_US) + 1)
    for index, n in histogram.counts.items():
        below[bisect.bisect_left(BOUNDS_US, bucket_middle_us(index))] += n
    bounds = [f"{bound / 1e6:g}" for bound in BOUNDS_US] + ["+Inf"]
    total = 0
    buckets = []
    for bound, n in zip(bounds, below, strict=True):
        total += n
        buckets.append((bound, float(total)))
    return buckets


def _info(snapshot: MetricsSnapshot) -> Metric:
    from prometheus_client.core import InfoMetricFamily

    about = {"run": snapshot.run, "scenario": snapshot.scenario, "profile": snapshot.profile}
    return InfoMetricFamily("latency_run", "The run that the other metrics are of.", about)


def _latency(snapshot: MetricsSnapshot) -> Metric:
    from prometheus_client.core import HistogramMetricFamily

    family = HistogramMetricFamily(
        "latency_stage_seconds", "Latency of each event's stages; e2e is due to acknowledged write.", labels=["stage"]
    )
    for stage, histogram in sorted(snapshot.histograms.items()):
        total_s = (histogram.mean_us() or 0.0) * histogram.n / 1e6
        family.add_metric([stage], cumulative(histogram), total_s)
    return family


def _events(snapshot: MetricsSnapshot) -> Metric:
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily("latency_events", "Events by what became of them.", labels=["outcome"])
    for outcome, n in sorted(snapshot.events.items()):
        family.add_metric([outcome], float(n))
    return family


def _gauges(snapshot: MetricsSnapshot) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    lag_s = None if snapshot.lag_ms is None else snapshot.lag_ms / 1e3
    for name, text, value in (
        ("latency_target_rate", "Events due a second, now.", snapshot.target_rate),
        ("latency_achieved_rate", "Events stored a second, now.", snapshot.achieved_rate),
        ("latency_lag_events", "Events that are in topic events and not yet stored.", snapshot.lag_events),
        ("latency_lag_seconds", "Age of the oldest event that is not yet stored.", lag_s),
    ):
        if value is not None:
            yield GaugeMetricFamily(name, text, value=float(value))


def _states(snapshot: MetricsSnapshot) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    phase = GaugeMetricFamily("latency_run_phase", "1 for the phase that the run is in.", labels=["phase"])
    phase.add_metric([snapshot.phase], 1.0)
    yield phase
    verdict = GaugeMetricFamily("latency_run_verdict", "1 for the verdict; all 0 while it runs.", labels=["verdict"])
    for possible in Verdict:
        verdict.add_metric([possible.value], float(possible is snapshot.verdict))
    yield verdict
    alerts = GaugeMetricFamily("latency_alert_raised", "1 while the alert is raised.", labels=["alert"])
    for name, raised in sorted(snapshot.alerts.items()):
        alerts.add_metric([name], float(raised))
    yield alerts
