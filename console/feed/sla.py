"""The rows of the SLA as they stand so far. The run's own verdict, at its end, is the one that counts."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor

from console.feed.record import RunRecord
from console.feed.tally import EMPTY, Tally
from console.feed.views import SlaLine
from measure.limits import METRICS, UNITS, SlaRule
from measure.load import FROM_DUE
from measure.service_level import SERVED_SHARE


def sla_lines(record: RunRecord, now_us: int, totals: Mapping[str, Tally]) -> tuple[tuple[SlaLine, ...], float | None]:
    """Each row of the run's tier as it stands at `now_us`, and the error rate so far (0 to 1)."""
    scheduled = {second: n for second, n in record.facts.due.items() if record.settled(second, now_us)}
    failed = record.failed if record.kept_s is not None else _failed(record, now_us)
    error_rate = failed / sum(scheduled.values()) if scheduled else None
    tier = record.facts.tier
    if tier is None:
        return (), error_rate
    due = {second: n - record.dead.get(second, 0) for second, n in scheduled.items()}
    judge = _Judge(record, totals, {second: n for second, n in due.items() if n > 0}, error_rate)
    return tuple(judge.line(rule) for rule in tier.sla), error_rate


def _failed(record: RunRecord, now_us: int) -> int:
    return sum(sample.failed for second, sample in record.samples.items() if (second + 1) * 1_000_000 <= now_us)


class _Judge:
    def __init__(
        self, record: RunRecord, totals: Mapping[str, Tally], due: dict[int, int], error_rate: float | None
    ) -> None:
        """`due`: by settled due-second, the events that had to be stored."""
        self._record, self._totals, self._due, self._error_rate = record, totals, due, error_rate

    def line(self, rule: SlaRule) -> SlaLine:
        limit = str(rule.limit)
        if rule.during == "burst" and not self._high(rule):
            return SlaLine(rule.name, limit, "no burst", "open")
        if rule.metric == "rate":
            return self._rate(rule, limit)
        base = self._base(rule)
        if base is None:
            return SlaLine(rule.name, limit, "at the end", "open")
        value = base / UNITS[METRICS[rule.metric].dimension][rule.limit.unit]
        verdict = "pass" if rule.limit.holds(value) else "fail"
        shown = "∞" if value == float("inf") else f"{value:,.2f}" if value < 10 else f"{value:,.0f}"
        if rule.metric == "availability":
            shown = f"{value:.2f}"
        return SlaLine(rule.name, limit, f"{shown} {rule.limit.unit}", verdict)

    def _base(self, rule: SlaRule) -> float | None:
        if rule.metric == "error_rate":
            return self._error_rate
        if rule.metric == "availability":
            return self._availability()
        if rule.metric in self._totals and rule.percentile:
            return self._percentile(rule)
        return None

    def _percentile(self, rule: SlaRule) -> float | None:
        if rule.during == "burst":
            seconds = self._high(rule)
            held = [self._record.seconds[s] for s in seconds if s in self._record.seconds]
            tally = Tally.merged(stages[rule.metric] for stages in held if rule.metric in stages)
        else:
            seconds = list(self._due)
            tally = self._totals.get(rule.metric, EMPTY)
        missing = sum(map(self._record.missing, seconds)) if rule.metric in FROM_DUE else 0
        if not tally.n + missing:
            return None
        (us,) = tally.percentiles_us((rule.percentile or 0.0,), missing)
        return float("inf") if us is None else us / 1000

    def _availability(self) -> float | None:
        if not self._due:
            return None
        return sum(self._in_time(s) >= SERVED_SHARE * n for s, n in self._due.items()) / len(self._due)

    def _in_time(self, second: int) -> int:
        return self._record.arrived.get(second, (0, 0))[1]

    def _rate(self, rule: SlaRule, limit: str) -> SlaLine:
        seconds = self._high(rule) if rule.during == "burst" else list(self._due)
        if not seconds:
            return SlaLine(rule.name, limit, "none yet", "open")
        target = max(self._record.facts.due[second] for second in seconds)
        if not rule.limit.holds(target):
            return SlaLine(rule.name, limit, "n/a", "n/a")
        due = sum(self._due[second] for second in seconds)
        stored = sum(map(self._in_time, seconds))
        if stored < SERVED_SHARE * due:  # a higher rate may be wanted than the limit's, so a number says nothing
            return SlaLine(rule.name, limit, f"{floor(100 * stored / due)} % came", "fail")
        return SlaLine(rule.name, limit, f"{stored / len(seconds):,.0f} /s", "pass")

    def _high(self, rule: SlaRule) -> list[int]:
        """The seconds at the higher of the schedule's rates; none where it has one rate only."""
        rates = {span.rate for span in self._record.facts.schedule.spans if span.rate > 0}
        if len(rates) < 2:
            return []
        bar = (max(rates) + min(rates)) / 2
        return [second for second in self._due if self._record.facts.due[second] >= bar]
