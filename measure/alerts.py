"""Alerts while a run lasts: each second, the limits of the rules against what was measured lately.

An alert raises once its limit has been broken for its `for` time without a break, and resolves once it has been kept
for as long. A metric without a value (nothing measured) neither breaks nor keeps: the alert stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from measure.histogram import Histogram
from measure.limits import METRICS, UNITS, AlertRule
from measure.load import FROM_DUE, IN_TIME_US
from measure.percentiles import merged_stages, read_percentile
from measure.records import BatchSample, MarkLine, RunSample, SinkSample


@dataclass(frozen=True, slots=True)
class AlertSample:
    """What is known now of the last seconds; give at least the longest `window` of the rules, and 5 s more."""

    slices: Mapping[int, Mapping[str, Histogram]]
    """Due-second → stage → histogram."""
    due: Mapping[int, int] = field(default_factory=dict)
    """Due-second → events due that had to be stored. A second that is not here counts as it is."""
    run: RunSample | None = None
    """The run process's own latest sample."""
    sinks: Sequence[SinkSample] = ()
    batches: Sequence[BatchSample] = ()


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """An alert that was raised, resolved, or ends the run. `value` is in the limit's unit: what broke it, and at
    `resolve` the worst that was seen. None: infinite, events never arrived."""

    rule: AlertRule
    edge: str
    """`raise`, `resolve` or `abort`."""
    at_us: int
    value: float | None

    @property
    def text(self) -> str:
        """One line for people."""
        value = "events that never arrived" if self.value is None else f"{self.value:,.4g} {self.rule.limit.unit}"
        match self.edge:
            case "raise":
                return f"{self.rule.name}: {value}, limit {self.rule.limit}"
            case "resolve":
                return f"{self.rule.name}: resolved, at its worst {value}"
            case _:
                return f"{self.rule.name}: ends the run, {value}, limit {self.rule.limit}"

    def mark(self) -> MarkLine:
        """The line for the run's marks."""
        return MarkLine(self.at_us, "alert", self.text, edge=self.edge, alert=self.rule.name, value=self.value)


INFINITE = float("inf")


@dataclass(slots=True)
class _State:
    raised: bool = False
    aborted: bool = False
    changed_us: int | None = None
    """Since when the limit has been broken (not raised) or kept (raised) without a break."""
    worst: float | None = None


class AlertEvaluator:
    """Holds the state of each rule from one second to the next. `load_started_us` starts the clock of aborts."""

    def __init__(self, rules: Iterable[AlertRule], load_started_us: int) -> None:
        self._rules = list(rules)
        self._states = [_State() for _ in self._rules]
        self._started_us = load_started_us

    def step(self, now_us: int, sample: AlertSample) -> list[AlertEvent]:
        """What changed at `now_us` (µs of the epoch); call it once a second. An `abort` comes once for each rule."""
        events: list[AlertEvent] = []
        for rule, state in zip(self._rules, self._states, strict=True):
            value = observed(rule, sample, now_us)
            if value is not None:
                events += self._judge(rule, state, now_us, value)
        return events

    @property
    def raised(self) -> list[AlertRule]:
        """The rules whose alerts stand."""
        return [rule for rule, state in zip(self._rules, self._states, strict=True) if state.raised]

    def _judge(self, rule: AlertRule, state: _State, now_us: int, value: float) -> list[AlertEvent]:
        broken = not rule.limit.holds(value)
        events: list[AlertEvent] = []
        if broken:
            state.worst = value if state.worst is None else _worse(rule, state.worst, value)
        if broken == state.raised:
            state.changed_us = None
        else:
            state.changed_us = now_us if state.changed_us is None else state.changed_us
            if now_us - state.changed_us >= rule.for_s * 1e6:
                state.raised, state.changed_us = broken, None
                events.append(self._event(rule, state, "raise" if broken else "resolve", now_us))
        if not broken and not state.raised:
            state.worst = None
        late_enough = now_us - self._started_us >= rule.abort_delay_s * 1e6
        if rule.abort and state.raised and broken and late_enough and not state.aborted:
            state.aborted = True
            events.append(self._event(rule, state, "abort", now_us))
        return events

    @staticmethod
    def _event(rule: AlertRule, state: _State, edge: str, now_us: int) -> AlertEvent:
        value = None if state.worst is None or state.worst == INFINITE else round(state.worst, 4)
        return AlertEvent(rule, edge, now_us, value)


def _worse(rule: AlertRule, one: float, other: float) -> float:
    return min(one, other) if METRICS[rule.metric].at_least else max(one, other)


def observed(rule: AlertRule, sample: AlertSample, now_us: int) -> float | None:
    """The value of the rule's metric, in the unit of its limit; infinite where it falls among events that never
    arrived; None where there is nothing to judge."""
    for name in (rule.metric, rule.instead):
        if name is None:
            continue
        value = _base_value(name, rule, sample, now_us)
        if value is not None:
            return value / UNITS[METRICS[name].dimension][rule.limit.unit]
    return None


def _base_value(name: str, rule: AlertRule, sample: AlertSample, now_us: int) -> float | None:
    first = now_us // 1_000_000 - round(rule.window_s)
    if METRICS[name].percentile:
        held, infinite = _recent(name, sample, first, now_us)
        reading = read_percentile(held, rule.percentile or 0, infinite)
        return INFINITE if reading.infinite else reading.ms
    if sample.run is None:
        return None
    return _plain_value(name, sample.run)


def _recent(name: str, sample: AlertSample, first: int, now_us: int) -> tuple[Histogram, int]:
    match name:
        case "commit":
            return Histogram.merged(sink.commits() for sink in sample.sinks if sink.second >= first), 0
        case "batch":
            held = Histogram()
            for batch in sample.batches:
                if batch.second >= first:
                    held.record(round(batch.duration_ms * 1000))
            return held, 0
        case _:
            merged, infinite = recent_stages(sample.slices, sample.due, first, now_us)
            return merged.get(name, Histogram()), infinite if name in FROM_DUE else 0


def recent_stages(
    slices: Mapping[int, Mapping[str, Histogram]], due: Mapping[int, int], first: int, now_us: int
) -> tuple[dict[str, Histogram], int]:
    """Stage → histogram of the due-seconds from `first` on that are complete or older than 5 s, and how many events
    of those were due and have not arrived. A younger second would show only its quick events, and is left out."""
    settled = (now_us - IN_TIME_US) // 1_000_000
    parts: list[dict[str, Histogram]] = []
    infinite = 0
    for second in {*slices, *due}:
        if second < first:
            continue
        held = slices.get(second, {})
        absent = max(0, due.get(second, 0) - held["e2e"].n) if "e2e" in held else due.get(second, 0)
        if absent and second >= settled:
            continue
        parts.append(dict(held))
        infinite += absent
    return merged_stages(parts), infinite


def _plain_value(name: str, run: RunSample) -> float | None:
    usages = run.services.values()
    match name:
        case "lag":
            return run.lag.ms if run.lag else None
        case "lag_events":
            return float(run.lag.events) if run.lag else None
        case "rate":
            return float(run.stored)
        case "cpu":
            return sum(usage.cpu or 0.0 for usage in usages) if usages else None
        case "memory":
            return float(sum(usage.rss_bytes or 0 for usage in usages)) if usages else None
        case _:
            return None
