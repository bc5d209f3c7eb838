"""Figures over time: the percentile chart and the heat map."""

from __future__ import annotations

import math

import numpy as np

from console.feed.record import HEAT_EDGES_US, STEPS_S, RunRecord
from console.feed.tally import Counts
from console.feed.views import ChartView, HeatView, MarkView, Window
from measure.percentiles import events_needed

CHART_S = {Window.TEN_S: 120, Window.MINUTE: 300, Window.FIVE_MIN: 900, Window.RUN: None}
"""Window of the figures → span of the chart beside them; None for the whole run."""
_POINTS_WANTED = 300
_COLUMNS_WANTED = 180


def _span(record: RunRecord, now_us: int, window: Window) -> tuple[int, int]:
    """First and last second of the chart: the window's span, from the run's start on at the earliest."""
    facts = record.facts
    end_us = min(now_us, facts.end_us) if facts.end_us else now_us
    last = -(-end_us // 1_000_000)
    start = min([facts.start_us // 1_000_000, *record.seconds]) if facts.start_us else min(record.seconds, default=last)
    width = CHART_S[window]
    return (start if width is None else max(start, last - width)), last


def _step(record: RunRecord, first: int, last: int) -> int:
    """The narrowest step that gives a P99 for the median second and not too many points."""
    counts = sorted(n for second, (n, _) in record.arrived.items() if first <= second <= last and n)
    typical = counts[len(counts) // 2] if counts else 0
    for step in STEPS_S:
        if typical * step >= events_needed(99) and (last - first) / step <= _POINTS_WANTED:
            return step
    return next((step for step in STEPS_S[3:] if (last - first) / step <= _POINTS_WANTED), STEPS_S[-1])


def chart_view(
    record: RunRecord, now_us: int, window: Window, marks: tuple[MarkView, ...], limit_ms: float | None
) -> ChartView:
    """e2e percentiles over the span that goes with `window`."""
    first, last = _span(record, now_us, window)
    step = _step(record, first, last)
    origin = record.facts.start_us / 1e6
    groups = range(first // step * step, last, step)
    held = record.points[step]
    rows = np.full((len(groups), 3), np.nan)
    for at, group in enumerate(groups):
        point = held.get(group)
        if point is not None and record.settled(min(group + step, last) - 1, now_us):
            rows[at] = (point.p50, point.p95, point.p99)
    at_s = np.asarray(groups, dtype=np.float64) + step / 2 - origin
    seen = tuple(mark for mark in marks if first - origin <= mark.at_s <= last - origin)
    return ChartView(at_s, rows[:, 0], rows[:, 1], rows[:, 2], step, first - origin, last - origin, seen, limit_ms)


def heat_view(record: RunRecord, now_us: int, window: Window, stage: str) -> HeatView:
    """The heat map of `stage`. Of stages other than e2e only the last minutes are known."""
    first, last = _span(record, now_us, window)
    step = max(1, math.ceil((last - first) / _COLUMNS_WANTED))
    first = first // step * step
    columns = max(1, math.ceil((last - first) / step))
    counts = np.zeros((columns, len(HEAT_EDGES_US) - 1), np.int64)
    for second in range(first, last):
        row = record.heat.get(second) if stage == "e2e" else _row(record, second, stage)
        if row is not None:
            counts[(second - first) // step] += row
    return HeatView(stage, counts, HEAT_EDGES_US / 1000, first - record.facts.start_us / 1e6, step)


def _row(record: RunRecord, second: int, stage: str) -> Counts | None:
    tally = record.seconds.get(second, {}).get(stage)
    return None if tally is None else tally.binned(HEAT_EDGES_US)
