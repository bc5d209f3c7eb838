"""From a run's record to the frozen view of it at one moment."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from console.feed.charts import chart_view, heat_view
from console.feed.figures import durations, figures_of
from console.feed.record import HEAT_EDGES_US, RunRecord
from console.feed.sla import sla_lines
from console.feed.tally import EMPTY, Tally, merged_stages
from console.feed.views import (
    LagView,
    MarkView,
    Progress,
    RateView,
    RunView,
    StageFigures,
    Window,
    WriteView,
)
from measure.document import STAGES
from measure.limits import Dimension
from measure.load import FROM_DUE, IN_TIME_US
from measure.records import RunSample, Usage

ARRIVAL_US = IN_TIME_US + 1_000_000
"""How long after its end a second surely counts."""
TRAIL_S = 120
"""Seconds of the small lines for rate and lag."""


def run_view(record: RunRecord, now_us: int, window: Window, heat_stage: str | None = None) -> RunView:
    """The run as it stood at `now_us`; with `heat_stage`, the heat map of that stage too.

    Of a load that has ended the figures stay those of its last seconds.
    """
    facts = record.facts
    now_us = min(now_us, facts.end_us + ARRIVAL_US) if facts.end_us else now_us
    seconds = _seconds(record, now_us, window)
    merged = _merged(record, seconds, now_us, window)
    stages = _stages(record, seconds, merged)
    newest = max(seconds, default=None)
    marks = _marks(record, now_us)
    sampled_us = now_us if record.standing.status == "running" else min(now_us, facts.end_us)
    samples = [record.samples[s] for s in sorted(record.samples) if (s + 1) * 1_000_000 <= sampled_us]
    lines, error_rate = sla_lines(record, now_us, _total(record, now_us))
    tier = record.facts.tier
    limits = {
        rule.percentile: rule.limit.base(Dimension.TIME)
        for rule in (tier.sla if tier else ())
        if rule.metric == "e2e" and rule.percentile
    }
    return RunView(
        progress=progress_of(record, now_us),
        window=window,
        window_s=len(seconds),
        e2e=next((figures for figures in stages if figures.stage == "e2e"), StageFigures("e2e", 0, reason="no events")),
        limits_ms=limits,
        stages=stages,
        rate=_rate(samples),
        lag=_lag(samples),
        writes=_writes(record, now_us, window),
        sla_title=(tier.title or tier.name) if tier else "",
        sla=lines,
        error_rate=error_rate,
        chart=chart_view(record, now_us, window, marks, limits.get(95.0)),
        heat=heat_view(record, now_us, window, heat_stage) if heat_stage else None,
        distribution=merged.get(heat_stage, EMPTY).binned(HEAT_EDGES_US) if heat_stage else None,
        usages=_usages(samples),
        marks=marks,
        newest_us=None if newest is None else (newest + 1) * 1_000_000,
    )


def _seconds(record: RunRecord, now_us: int, window: Window) -> list[int]:
    """The due-seconds that the window's figures are over: the last ones, as far as they count yet."""
    last = now_us // 1_000_000
    known = record.arrived if window is Window.RUN else record.seconds
    due = record.facts.due
    first = -math.inf if window.value is None else last - window.value - ARRIVAL_US // 1_000_000
    candidates = {s for s in known if first <= s <= last} | {s for s in due if first <= s <= last}
    settled = sorted(s for s in candidates if record.settled(s, now_us))
    return settled if window.value is None else settled[-window.value :]


def _merged(record: RunRecord, seconds: Sequence[int], now_us: int, window: Window) -> dict[str, Tally]:
    """Stage → what the window holds in one."""
    if window is Window.RUN:
        return _total(record, now_us)
    return merged_stages([record.seconds[second] for second in seconds if second in record.seconds])


def _stages(record: RunRecord, seconds: Sequence[int], merged: Mapping[str, Tally]) -> tuple[StageFigures, ...]:
    missing = sum(record.missing(second) for second in seconds)
    ordered = [name for name in STAGES if name in merged or name == "e2e"]
    return tuple(figures_of(name, merged.get(name, EMPTY), missing if name in FROM_DUE else 0) for name in ordered)


def _total(record: RunRecord, now_us: int) -> dict[str, Tally]:
    """Stage → all settled seconds up to `now_us` in one."""
    if record.kept_s is None:
        return merged_stages([stages for second, stages in record.seconds.items() if record.settled(second, now_us)])
    young = [stages for second, stages in record.seconds.items() if not record.settled(second, now_us)]
    return {
        name: total.tally(stages[name] for stages in young if name in stages) for name, total in record.totals.items()
    }


def progress_of(record: RunRecord, now_us: int) -> Progress:
    """How far the run is."""
    facts, standing = record.facts, record.standing
    in_force = next((span for span in facts.schedule.spans if span.start_us <= now_us < span.end_us), None)
    raised: dict[str | None, int] = {}
    for mark in record.marks:
        if mark.kind == "alert" and mark.at_us <= now_us:
            raised[mark.alert] = {"raise": 1, "resolve": 0}.get(mark.edge or "", raised.get(mark.alert, 0))
    return Progress(
        run=facts.run,
        scenario=facts.scenario,
        profile=facts.profile,
        status=standing.status,
        phase=standing.phase or ("warm-up" if facts.warm_up else "load" if now_us < facts.end_us else "drain"),
        elapsed_s=min(max(0, now_us - facts.start_us), facts.end_us - facts.start_us) / 1e6,
        length_s=(facts.end_us - facts.start_us) / 1e6,
        verdict=standing.verdict,
        alerts=sum(raised.values()),
        paused=in_force is not None and in_force.phase == "pause",
        bursting=in_force is not None and in_force.phase == "burst",
    )


def _rate(samples: Sequence[RunSample]) -> RateView:
    if not samples:
        return RateView(reason="no sample of the run yet")
    last, trail = samples[-1], samples[-TRAIL_S:]
    return RateView(
        target=last.target_rate,
        sent=float(last.sent),
        stored=float(last.stored),
        targets=tuple(sample.target_rate for sample in trail),
        stored_before=tuple(float(sample.stored) for sample in trail),
        unsent=sum(sample.unsent for sample in samples[-10:]),
        failed=sum(sample.failed for sample in samples[-10:]),
        late=sum(sample.late for sample in samples[-10:]),
    )


def _usages(samples: Sequence[RunSample]) -> tuple[tuple[str, Usage], ...]:
    return tuple(samples[-1].services.items()) if samples else ()


def _lag(samples: Sequence[RunSample]) -> LagView:
    if not samples:
        return LagView(reason="no sample of the run yet")
    before = tuple(float(sample.lag.events) if sample.lag else math.nan for sample in samples[-TRAIL_S:])
    last = samples[-1].lag
    if last is None:
        return LagView(events_before=before, reason="the run process could not read it")
    return LagView(last.events, last.ms, before)


def _writes(record: RunRecord, now_us: int, window: Window) -> WriteView:
    first = -math.inf if window.value is None else now_us // 1_000_000 - window.value - 1
    sinks = [sample for sample in record.sinks.values() if first <= sample.second <= now_us // 1_000_000]
    commits = Tally.merged(Tally.of(sample.commit, 0, sample.commit_max_us) for sample in sinks)
    batches = [batch for batch in record.batches.values() if first <= batch.second <= now_us // 1_000_000]
    realtime = record.facts.profile == "realtime"
    newest = max((sample.second for sample in sinks), default=0)
    return WriteView(
        commit=figures_of("commit", commits) if sinks else None,
        batch=None if realtime else figures_of("batch", durations(batch.duration_ms for batch in batches)),
        batch_reason="realtime has no batches" if realtime else None,
        busy=max((sample.loop_busy for sample in sinks if sample.second >= newest - 1), default=None),
        redelivered=sum(sample.redelivered for sample in sinks),
    )


def _marks(record: RunRecord, now_us: int) -> tuple[MarkView, ...]:
    start_us = record.facts.start_us
    return tuple(
        MarkView((mark.at_us - start_us) / 1e6, mark.kind, mark.text) for mark in record.marks if mark.at_us <= now_us
    )
