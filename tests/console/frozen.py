"""Frozen data for the console: one run as it might stand at one moment, and a feed that hands it out."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from console.feed.collector import Publish
from console.feed.compute import run_view
from console.feed.examination import Examination, FindingRow
from console.feed.logs import LogBatch, LogLine
from console.feed.reading import Reading
from console.feed.record import Facts, RunRecord, Standing
from console.feed.snapshot import Snapshot
from console.feed.tally import Tally
from console.feed.views import ServiceLine, StackView, Window
from measure.histogram import bucket_of
from measure.records import LagSample, MarkLine, RunSample, SinkSample, Usage
from measure.schedule import Schedule, Span
from measure.sla import load_tier

START_S = 1_795_514_400
"""2026-11-24 10:00:00 UTC."""
ELAPSED_S = 134
NOW_S = START_S + ELAPSED_S + 0.4
RUN = "peak-20261124T100000Z-0007"
MEDIANS_MS = {"produce": 5.0, "process": 7.0, "store": 6.0}
BURST_S = (60, 90)


def tally(values_us: np.ndarray, events: int) -> Tally:
    """`events` values, each of `values_us` as often as the others, as near as can be."""
    counts = Counter(bucket_of(int(value)) for value in np.resize(values_us, events))
    return Tally.of(counts, 0, int(values_us.max()))


def rate_at(second: int) -> float:
    return 5000.0 if BURST_S[0] <= second < BURST_S[1] else 2000.0


def facts() -> Facts:
    bounds = [(0, 60, 2000.0, "load"), (60, 90, 5000.0, "burst"), (90, 900, 2000.0, "load")]
    spans = tuple(
        Span((START_S + first) * 1_000_000, (START_S + last) * 1_000_000, rate, phase)
        for first, last, rate, phase in bounds
    )
    return Facts(RUN, "peak", "realtime", Schedule(spans, 1), load_tier("tier1"))


def record(factor: float = 1.0, alert: bool = False) -> RunRecord:
    random = np.random.default_rng(7)
    held = RunRecord(facts(), standing=Standing("running", "load"))
    for second in range(ELAPSED_S):
        events = round(rate_at(second))
        slow = factor * (2.2 if events > 2000 else 1.0) * (1 + 0.3 * np.sin(second / 9))
        stages = {
            name: random.lognormal(np.log(median * 1000 * slow), 0.45, 400) for name, median in MEDIANS_MS.items()
        }
        stages["e2e"] = np.sum(list(stages.values()), axis=0)
        if second % 60 == 31:
            stages["e2e"][:200] += random.uniform(0, 500_000, 200)
        stages["visible"] = stages["e2e"] + 3_000
        held.put({START_S + second: {name: tally(values, events) for name, values in stages.items()}})
        held.put_sample(sample(second, events))
        held.put_sink(SinkSample("sink", START_S + second, commits(random), 14_000, applied=events, loop_busy=0.42))
    held.marks = tuple(marks(alert))
    return held


def commits(random: np.random.Generator) -> dict[str, int]:
    return dict(Counter(str(bucket_of(int(us))) for us in random.lognormal(np.log(6000), 0.4, 20)))


def sample(second: int, events: int) -> RunSample:
    usage = {"kafka": 0.14, "mongod": 0.11, "spark": 0.31, "sink": 0.09, "generator": 0.08}
    return RunSample(
        RUN,
        START_S + second,
        target_rate=float(events),
        sent=events,
        acked=events,
        stored=events - second % 7,
        lag=LagSample(41 + second % 30 * (9 if events > 2000 else 1), 20.0 + second % 12),
        services={name: Usage(cpu, 100_000_000) for name, cpu in usage.items()},
        phase="load",
    )


def marks(alert: bool) -> list[MarkLine]:
    def mark(at_s: float, kind: str, text: str, **more: str) -> MarkLine:
        return MarkLine(round((START_S + at_s) * 1e6), kind, text, **more)  # type: ignore[arg-type]

    found = [
        mark(0, "phase", "load"),
        mark(60, "burst", "burst: 5,000 events/s for 30 s"),
        mark(61.2, "checkpoint", "checkpoint 3"),
        mark(110, "fault", "pause of sink: processes 4711: stopped", fault="pause", service="sink", edge="begin"),
    ]
    if alert:
        found.append(mark(120, "alert", "e2e P95: 1,812 ms, limit <= 1500 ms", alert="e2e P95", edge="raise"))
    return found


def stack(state: str = "ready") -> StackView:
    names = (
        ("kafka", 0.14, 412),
        ("mongod", 0.11, 180),
        ("spark", 0.31, 690),
        ("sink", 0.09, 71),
        ("dashboard", 0.01, 130),
    )
    up = state == "ready"
    return StackView(
        "shop",
        "local",
        "realtime",
        tuple(
            ServiceLine(
                name,
                state,
                pid=4_000 + number if up else None,
                since_s=START_S - 600.0 if up else None,
                cpu=cpu if up else None,
                memory_bytes=mb * 1_000_000 if up else None,
            )
            for number, (name, cpu, mb) in enumerate(names)
        ),
        (("Kafka", "127.0.0.1:9092"), ("MongoDB", "127.0.0.1:27017"), ("dashboard", "http://127.0.0.1:8501"))
        if up
        else (),
        "http://127.0.0.1:8501" if up else None,
        "http://127.0.0.1:4040" if up else None,
        2,
    )


def live(window: Window = Window.TEN_S, factor: float = 1.0, alert: bool = False, heat: str | None = "e2e") -> Snapshot:
    view = run_view(record(factor, alert), round(NOW_S * 1e6), window, heat)
    return Snapshot(NOW_S, Reading(stack(), NOW_S), Reading(view.progress, NOW_S), Reading(view, NOW_S))


def alerting() -> Snapshot:
    return live(factor=70.0, alert=True)


def empty() -> Snapshot:
    nothing: Reading[None] = Reading(None, NOW_S, "no run on this stack yet")
    return Snapshot(NOW_S, Reading(stack("stopped"), NOW_S), nothing, nothing)  # type: ignore[arg-type]


def failed() -> Snapshot:
    """The database does not answer, and neither does the supervisor."""
    whole = live()
    return replace(
        whole,
        stack=Reading(None, NOW_S, "the supervisor of stack shop (process 4711) does not answer: timed out"),
        run=Reading(None, NOW_S, "ServerSelectionTimeoutError: 127.0.0.1:27017: [Errno 111] Connection refused"),
    )


class FrozenFeed:
    """Hands out one snapshot, at once and for ever."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.wanted: list[tuple[Window, str | None]] = []
        self.paused = False

    def start(self, publish: Publish) -> None:
        self.publish = publish
        publish(self.snapshot)

    def close(self) -> None:
        pass

    def pause(self, paused: bool) -> None:
        self.paused = paused

    def want(self, window: Window, heat_stage: str | None) -> None:
        self.wanted.append((window, heat_stage))

    def hurry(self) -> None:
        pass


LOG_LINES = (
    ("kafka", 1, "[2026-11-24 10:02:01,120] INFO [KafkaRaftServer nodeId=1] Kafka Server started (kafka.server)"),
    ("mongod", 2, '2026-11-24T10:02:02.500+00:00 I NETWORK: Connection accepted {"remote":"127.0.0.1:40212"}'),
    ("spark", 3, "26/11/24 10:02:03 WARN ProcessingTimeExecutor: [/x] is not markup, and [bold]neither is this[/bold]"),
    ("spark", 4, "26/11/24 10:02:04 ERROR MicroBatchExecution: Query failed: java.lang.IllegalStateException"),
    ("sink", 5, "2026-11-24 10:02:05,001 INFO sink: 2,000 events applied, 6.1 ms a commit"),
)


class FrozenLogs:
    """The same lines at the first look, then none."""

    def __init__(self, lines: tuple[LogLine, ...] | None = None) -> None:
        self.waiting = (
            tuple(LogLine(service, text, NOW_S - 20 + at) for service, at, text in LOG_LINES)
            if lines is None
            else lines
        )

    def read(self) -> LogBatch:
        lines, self.waiting = self.waiting, ()
        return LogBatch(lines, 0, ("kafka", "mongod", "sink", "spark"))


def examination() -> Examination:
    return Examination(
        (
            FindingRow("platform", "ok", "Linux x86-64, Python 3.11.9"),
            FindingRow("memory", "ok", "21.9 of 25.3 GB available"),
            FindingRow("jars", "note", "0 of 49 verified in /home/me/jars", "`latency up` downloads the others, once"),
            FindingRow("mongod", "ok", "mongod 6.0.5"),
        ),
        (("stack", "shop", "flag"), ("kafka.partitions", "6", "/home/me/latency.toml"), ("sinks", "1", "default")),
    )
