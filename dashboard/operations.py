"""The figures of the operations page, computed from cells: pure, and the same for every viewer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from dashboard.ranges import TimeRange, moment
from dashboard.samples import SampleCell, Usage
from dashboard.slices import SliceCell, merged
from dashboard.timeline import View
from measure.document import STAGES
from measure.figures import StageLatency
from measure.percentiles import stage_latency

SETTLED_S = 5
"""A due-second younger than this may still lack its slow events and is left out."""
MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened in the run. `text` is foreign."""

    at_s: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Operations:
    """All that the live part of the operations page shows. Latencies in ms."""

    span: TimeRange
    read_at: float
    complete: float
    unreadable: int
    percentiles: pd.DataFrame
    """One row a step: at, p50, p95, p99, highest, n, mark, of the stage that was chosen."""
    stages: dict[str, StageLatency]
    """Over the whole range."""
    load: pd.DataFrame
    """One row a step: at, target, sent, stored (events/s)."""
    lag: pd.DataFrame
    """One row a step: at, ms, events; the highest of the step."""
    commits: pd.DataFrame
    """One row a step: at, p50, p95, highest (ms) of the bulk writes."""
    commit: StageLatency
    batches: pd.DataFrame
    """One row a batch: at, ms."""
    cpu: pd.DataFrame
    memory: pd.DataFrame
    disk: pd.DataFrame
    network: pd.DataFrame
    """Long rows: at, series (service), value."""
    newest: SampleCell | None
    marks: tuple[Mark, ...]


def figures(
    slices: View[SliceCell],
    run: View[SampleCell],
    sinks: View[SampleCell],
    batches: Iterable[tuple[float, float]],
    marks: Iterable[Mark],
    stage: str,
) -> Operations:
    """Compute the page. `batches` are (end in seconds of the epoch, duration in ms)."""
    span = slices.span
    settled = slices.read_at - SETTLED_S
    known = tuple(mark for mark in marks if span.start_s <= mark.at_s < span.end_s)
    return Operations(
        span=span,
        read_at=slices.read_at,
        complete=min(slices.complete, run.complete, sinks.complete),
        unreadable=sum(cell.unreadable for view in (slices, run, sinks) for cell in view.cells.values()),
        percentiles=_percentiles(slices, stage, settled, known),
        stages=_stages(slices, settled),
        load=_load(run),
        lag=_frame(
            ["at", "ms", "events"],
            ((moment(start), cell.lag_ms, cell.lag_events) for start, cell in sorted(run.cells.items())),
        ),
        commits=_frame(["at", "p50", "p95", "highest"], _commits(sinks)),
        commit=stage_latency(merged(cell.commit for cell in sinks.cells.values())),
        batches=_frame(["at", "ms"], ((moment(end), ms) for end, ms in batches)),
        cpu=_usage(run, "cpu", 1.0),
        memory=_usage(run, "rss_bytes", 1 / 1024**2),
        disk=_both(run, "read_bytes_s", "write_bytes_s", ("read", "write")),
        network=_both(run, "rx_bytes_s", "tx_bytes_s", ("in", "out")),
        newest=run.cells[max(run.cells)] if run.cells else None,
        marks=known,
    )


def _frame(columns: list[str], rows: Iterable[tuple[object, ...]]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=columns)


def _percentiles(view: View[SliceCell], stage: str, settled: float, marks: tuple[Mark, ...]) -> pd.DataFrame:
    """Steps without events have rows without values, so that a line breaks there instead of bridging it."""
    texts: dict[int, list[str]] = {}
    for mark in marks:
        texts.setdefault(int(mark.at_s) // view.span.step_s * view.span.step_s, []).append(f"{mark.kind}: {mark.text}")
    first = min(view.cells, default=view.span.end_s)
    rows = []
    for start in view.span.starts():
        if start < first or start >= settled:
            continue
        found = view.cells[start].figures(stage) if start in view.cells else None
        values = (found.p50, found.p95, found.p99, found.max, found.n) if found else (None, None, None, None, 0)
        rows.append((moment(start), *values, "; ".join(texts.get(start, ()))[:300]))
    return _frame(["at", "p50", "p95", "p99", "highest", "n", "mark"], rows)


def _stages(view: View[SliceCell], settled: float) -> dict[str, StageLatency]:
    cells = [cell for start, cell in view.cells.items() if start < settled]
    found = {stage for cell in cells for stage in cell.stages}
    ordered = [*(stage for stage in STAGES if stage in found), *sorted(found - set(STAGES))]
    return {
        stage: stage_latency(merged(cell.stages[stage] for cell in cells if stage in cell.stages)) for stage in ordered
    }


def _load(view: View[SampleCell]) -> pd.DataFrame:
    rows = []
    for start, cell in sorted(view.cells.items()):
        seconds = max(1, cell.target.n)
        rates = (cell.counters.get(name, 0) / seconds for name in ("sent", "stored"))
        rows.append((moment(start), cell.target.mean, *rates))
    return _frame(["at", "target", "sent", "stored"], rows)


def _commits(view: View[SampleCell]) -> Iterable[tuple[object, ...]]:
    for start, cell in sorted(view.cells.items()):
        found = cell.commit_figures()
        if found.n:
            yield moment(start), found.p50, found.p95, found.max


def _usage(view: View[SampleCell], name: str, factor: float) -> pd.DataFrame:
    return _frame(["at", "series", "value"], _means(view, name, factor, ""))


def _both(view: View[SampleCell], one: str, other: str, words: tuple[str, str]) -> pd.DataFrame:
    """Two directions of one quantity in kB/s; a service that has no such figure has no line."""
    rows = [*_means(view, one, 1 / 1000, f" {words[0]}"), *_means(view, other, 1 / 1000, f" {words[1]}")]
    return _frame(["at", "series", "value"], rows)


def _means(view: View[SampleCell], name: str, factor: float, suffix: str) -> Iterable[tuple[object, ...]]:
    for start, cell in sorted(view.cells.items()):
        for service, used in cell.services.items():
            mean = used.get(name, Usage()).mean
            if mean is not None:
                yield moment(start), service + suffix, mean * factor


def series_of(rows: pd.DataFrame) -> tuple[str, ...]:
    """The names of the series in long rows, in a fixed order."""
    return tuple(sorted(str(name) for name in rows["series"].unique()))
