"""What Prometheus reads is what was published, and its buckets merge."""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from measure.errors import NotReadyError
from measure.figures import Verdict
from measure.histogram import Histogram
from measure.metrics import BOUNDS_US, MetricsServer, MetricsSnapshot, cumulative


@pytest.fixture
def server() -> Iterator[MetricsServer]:
    with MetricsServer(0) as running:
        yield running


def scraped(server: MetricsServer) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Sample name and labels → value, as a scraper reads them."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def histogram(values: list[int]) -> Histogram:
    made = Histogram()
    for value in values:
        made.record(value)
    return made


def test_shows_nothing_before_the_first_snapshot(server: MetricsServer) -> None:
    assert scraped(server) == {}


def test_shows_what_was_published_last(server: MetricsServer) -> None:
    server.publish(MetricsSnapshot("smoke-1", "smoke", "realtime", "warm-up"))
    server.publish(
        MetricsSnapshot(
            "peak-1",
            'pe"ak\n',
            "realtime",
            "load",
            histograms={"e2e": histogram([900, 1_000, 18_000, 90_000_000])},
            events={"scheduled": 40, "stored": 39},
            target_rate=2000.0,
            achieved_rate=1999.5,
            lag_events=41,
            lag_ms=20.0,
            alerts={"p95": True},
        )
    )
    found = scraped(server)
    assert found[("latency_run_info", (("profile", "realtime"), ("run", "peak-1"), ("scenario", 'pe"ak\n')))] == 1
    assert found[("latency_events_total", (("outcome", "stored"),))] == 39
    assert found[("latency_target_rate", ())] == 2000
    assert found[("latency_lag_seconds", ())] == 0.02
    assert found[("latency_alert_raised", (("alert", "p95"),))] == 1
    assert found[("latency_run_verdict", (("verdict", "pass"),))] == 0
    buckets = {le: found[("latency_stage_seconds_bucket", (("le", le), ("stage", "e2e")))] for le in ("0.001", "0.02")}
    assert buckets == {"0.001": 2, "0.02": 3}
    assert found[("latency_stage_seconds_count", (("stage", "e2e"),))] == 4


def test_what_is_not_known_is_not_there_rather_than_zero(server: MetricsServer) -> None:
    server.publish(MetricsSnapshot("smoke-1", "smoke", "realtime", "done", verdict=Verdict.FAIL))
    found = scraped(server)
    assert not any(name.startswith(("latency_lag", "latency_target")) for name, _ in found)
    assert found[("latency_run_verdict", (("verdict", "fail"),))] == 1


def test_a_taken_port_is_an_error_that_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(NotReadyError, match=f"{port}.*LATENCY_METRICS_PORT"):
            MetricsServer(port)


values = st.lists(st.integers(0, 200_000_000), max_size=60)


@given(values, values)
def test_buckets_of_two_histograms_add_up_to_those_of_the_merged_one(one: list[int], other: list[int]) -> None:
    parts = (histogram(one), histogram(other))
    sums = [a + b for (_, a), (_, b) in zip(cumulative(parts[0]), cumulative(parts[1]), strict=True)]
    assert sums == [n for _, n in cumulative(Histogram.merged(parts))]


@given(values)
def test_buckets_are_those_of_the_values_to_half_a_bucket(drawn: list[int]) -> None:
    for bound, (_, n) in zip(BOUNDS_US, cumulative(histogram(drawn)), strict=False):
        assert sum(v <= bound * 0.999 for v in drawn) <= n <= sum(v <= bound * 1.001 for v in drawn)
