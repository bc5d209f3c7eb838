"""Limits as data: which metrics there are, how a limit is written, and the rules that SLA and alert files hold.

A limit is text such as `< 1000 ms`: operator, number, unit. A unit is never left out, since a limit of 1,000 without
one has been read as seconds before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from measure.errors import UsageError


class Dimension(StrEnum):
    """What a metric is measured in."""

    TIME = "time"
    SHARE = "share"
    RATE = "rate"
    EVENTS = "events"
    MEMORY = "memory"
    CORES = "cores"


UNITS: dict[Dimension, dict[str, float]] = {
    Dimension.TIME: {"us": 0.001, "µs": 0.001, "ms": 1.0, "s": 1_000.0, "min": 60_000.0},
    Dimension.SHARE: {"%": 0.01},
    Dimension.RATE: {"/s": 1.0, "events/s": 1.0},
    Dimension.EVENTS: {"events": 1.0},
    Dimension.MEMORY: {"B": 1.0, "KiB": 1024.0, "MiB": 1024.0**2, "GiB": 1024.0**3},
    Dimension.CORES: {"cores": 1.0},
}
"""Dimension → unit → how many base units (ms, share of 1, events/s, events, bytes, cores) it is."""


@dataclass(frozen=True, slots=True)
class Metric:
    """Something that can have a limit."""

    name: str
    title: str
    dimension: Dimension
    percentile: bool = False
    """Whether a percentile of it is meant, which must then be given."""
    at_least: bool = False
    """Whether more is better."""
    in_seconds: bool = True
    """Whether it has a value each second, so that `for` and alerts make sense."""
    by_span: bool = True
    """Whether it can be told for the bursts alone."""


def _stage(name: str, title: str) -> Metric:
    return Metric(name, title, Dimension.TIME, percentile=True)


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        _stage("e2e", "latency, due to acknowledged write"),
        _stage("e2e_sent", "latency, sent to acknowledged write"),
        _stage("produce", "produce latency"),
        _stage("queue", "queue latency"),
        _stage("compute", "compute latency"),
        _stage("process", "process latency"),
        _stage("store", "store latency"),
        _stage("visible", "latency, due to change seen"),
        _stage("query", "dashboard query time"),
        _stage("shown", "latency, due to dashboard"),
        _stage("commit", "bulk write time"),
        _stage("batch", "batch time"),
        Metric("lag", "lag", Dimension.TIME),
        Metric("lag_events", "lag in events", Dimension.EVENTS),
        Metric("rate", "rate stored in time", Dimension.RATE, at_least=True),
        Metric("error_rate", "error rate", Dimension.SHARE, in_seconds=False, by_span=False),
        Metric("availability", "availability", Dimension.SHARE, at_least=True, in_seconds=False),
        Metric("unsent", "share unsent", Dimension.SHARE, in_seconds=False, by_span=False),
        Metric("generator_late", "share sent late", Dimension.SHARE, in_seconds=False, by_span=False),
        Metric("recovery", "recovery time", Dimension.TIME, in_seconds=False, by_span=False),
        Metric("cpu", "CPU of all services", Dimension.CORES),
        Metric("memory", "memory of all services", Dimension.MEMORY),
    )
}
"""Name → metric. A name that is not here is an error at load: a limit on nothing would pass in silence."""


class Limit(msgspec.Struct, frozen=True):
    """A bound, in the unit in which it was written."""

    operator: str
    value: float
    unit: str

    def base(self, dimension: Dimension) -> float:
        """The bound in the base unit of `dimension`."""
        return self.value * UNITS[dimension][self.unit]

    def holds(self, value: float) -> bool:
        """Whether `value`, in this limit's unit, keeps it."""
        match self.operator:
            case "<":
                return value < self.value
            case "<=":
                return value <= self.value
            case ">":
                return value > self.value
            case _:
                return value >= self.value

    def __str__(self) -> str:
        return f"{self.operator} {self.value:,g} {self.unit}"


class SlaRule(msgspec.Struct, frozen=True, kw_only=True):
    """One row of an SLA."""

    metric: str
    limit: Limit
    percentile: float | None = None
    during: str = "load"
    for_s: float = 0.0
    """Seconds for which the limit must be broken without a break before the row fails; 0 judges the whole span."""
    name: str


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """A named set of SLA rows."""

    name: str
    title: str = ""
    sla: list[SlaRule]


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """What to do when an alert raises or resolves: run `command` (an argument list, no shell) or post to `webhook`."""

    command: list[str] | None = None
    webhook: str | None = None
    on: tuple[str, ...] = ("raise", "resolve")
    timeout_s: float = 10.0


class AlertRule(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that is watched while the run lasts."""

    name: str
    metric: str
    limit: Limit
    percentile: float | None = None
    instead: str | None = None
    """The metric that is judged where `metric` has no value: the bulk write, where Spark has no batch of its own."""
    for_s: float = 0.0
    """Seconds for which the limit must be broken (or kept again) without a break."""
    window_s: float = 10.0
    """Percentiles are those of the events due in the last so many seconds."""
    abort: bool = False
    abort_delay_s: float = 0.0
    """The run is not aborted before so many seconds of load."""
    actions: list[Action] = []


_LIMIT = re.compile(r"\s*(<=|>=|≤|≥|<|>)\s*([0-9][0-9_]*(?:\.[0-9]+)?)\s*(\S*)\s*\Z")
_PLAIN = {"≤": "<=", "≥": ">="}


def parse_limit(text: str, metric: Metric, where: str) -> Limit:
    """The limit that `text` states for `metric`; UsageError, with `where`, if it states none."""
    units = UNITS[metric.dimension]
    example = f"`{'>=' if metric.at_least else '<'} 100 {next(u for u in units if u != 'us')}`"
    found = _LIMIT.match(text)
    if not found:
        raise UsageError(f"{where}: expected operator, number and unit such as {example}, found {text!r}.")
    sign, number, unit = found.groups()
    operator = _PLAIN.get(sign, sign)
    if not unit:
        raise UsageError(f"{where}: {text!r} has no unit. Write one of {', '.join(units)}, such as {example}.")
    if unit not in units:
        raise UsageError(f"{where}: {metric.name} has no unit {unit!r}. Write one of {', '.join(units)}.")
    if operator.startswith(">") != metric.at_least:
        bound = "at least (> or >=)" if metric.at_least else "at most (< or <=)"
        raise UsageError(f"{where}: a limit of {metric.name} is {bound} something, found {text!r}.")
    return Limit(operator, float(number.replace("_", "")), unit)


_DURATION = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|min|h)\s*\Z")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def parse_duration(text: str, where: str) -> float:
    """Seconds that `text`, such as `10s`, states; UsageError, with `where`, if it states none."""
    found = _DURATION.match(text)
    if not found:
        raise UsageError(f"{where}: expected a duration such as `10s` or `2m`, found {text!r}.")
    return float(found[1]) * _SECONDS[found[2]]
