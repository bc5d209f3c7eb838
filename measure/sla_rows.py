"""One row for each SLA rule: the limit, what was measured, the margin, over how many, and whether it holds."""

from __future__ import annotations

from collections.abc import Sequence

from measure.evidence import Evidence
from measure.figures import RecoverySummary, RowVerdict, SlaRow
from measure.limits import METRICS, UNITS, SlaRule
from measure.service_level import SERVED_SHARE, served
from measure.sla_values import NOTHING, Value, in_second, over_span, target_rate


def judge(rules: Sequence[SlaRule], evidence: Evidence, recovered: RecoverySummary) -> list[SlaRow]:
    """A row for each rule, in their order. A metric without a value is `n/a` with the reason, unless events that
    never arrived or a recovery that never came are the reason: then the row fails."""
    return [_row(rule, evidence, recovered) for rule in rules]


def _row(rule: SlaRule, evidence: Evidence, recovered: RecoverySummary) -> SlaRow:
    seconds = evidence.seconds_during(rule.during)
    if not seconds:
        without = "no load" if rule.during == "load" else "the schedule had no burst"
        return _written(rule, Value(None, 0, without), RowVerdict.NOT_APPLICABLE)
    if rule.metric == "rate":
        return _rate_row(rule, evidence, seconds, recovered)
    if rule.for_s:
        value = _sustained(rule, evidence, seconds)
    else:
        value = over_span(rule.metric, rule.percentile, evidence, rule.during, recovered)
    return _written(rule, value, _verdict(rule, value))


def _verdict(rule: SlaRule, value: Value) -> RowVerdict:
    if value.number is None:
        return RowVerdict.FAIL if value.missed else RowVerdict.NOT_APPLICABLE
    return RowVerdict.PASS if rule.limit.holds(_in_unit(rule, value.number)) else RowVerdict.FAIL


def _rate_row(rule: SlaRule, evidence: Evidence, seconds: Sequence[int], recovered: RecoverySummary) -> SlaRow:
    """Not applicable where the schedule wanted less than the limit; else 99.5 % of it must be stored in time."""
    value = over_span(rule.metric, None, evidence, rule.during, recovered)
    target = target_rate(evidence, rule.during)
    if value.number is None:
        return _written(rule, value, RowVerdict.NOT_APPLICABLE)
    if not rule.limit.holds(round(target, 3)):
        reason = f"the schedule wanted {target:,.6g}/s only"
        return _written(rule, Value(value.number, value.n, reason), RowVerdict.NOT_APPLICABLE)
    if rule.for_s:
        value = _sustained(rule, evidence, seconds)
        share = _held_for(rule, [_served_share(evidence, [second]) for second in seconds])
        span = f", at worst for {_length(rule)} s without a break"
    else:
        share, span = _served_share(evidence, seconds), ""
    if value.number is None or share is None:
        return _written(rule, value, RowVerdict.NOT_APPLICABLE)
    reason = f"{share:.2%} of the events due were stored within 5 s{span}"
    kept = RowVerdict.PASS if share >= SERVED_SHARE else RowVerdict.FAIL
    return _written(rule, Value(value.number, value.n, reason), kept)


def _served_share(evidence: Evidence, seconds: Sequence[int]) -> float | None:
    due, in_time = served(evidence.load, seconds)
    return in_time / due if due else None


def _sustained(rule: SlaRule, evidence: Evidence, seconds: Sequence[int]) -> Value:
    """The worst value that was held, or exceeded, for `for_s` seconds without a break."""
    values = [in_second(rule.metric, rule.percentile, evidence, second) for second in seconds]
    n = sum(value.n for value in values)
    found = _held_for(rule, [float("inf") if value.missed else value.number for value in values])
    length = _length(rule)
    if found is None:
        reasons = [value.reason for value in values if value.reason]
        return Value(None, n, reasons[0] if reasons else f"no {length} s without a break") if n else NOTHING
    if found == float("inf"):
        return Value(None, n, f"events that never arrived, for {length} s without a break", missed=True)
    return Value(found, n)


def _held_for(rule: SlaRule, numbers: Sequence[float | None]) -> float | None:
    """Of each stretch of `for_s` seconds its best number, since that was held all the time; of these the worst. None
    where each stretch has a second without a number."""
    length = _length(rule)
    best, worst = (max, min) if METRICS[rule.metric].at_least else (min, max)
    stretches = [numbers[start : start + length] for start in range(len(numbers) - length + 1)]
    held = [best(number for number in stretch if number is not None) for stretch in stretches if None not in stretch]
    return worst(held, default=None)


def _length(rule: SlaRule) -> int:
    return max(1, round(rule.for_s))


def _in_unit(rule: SlaRule, number: float) -> float:
    return number / UNITS[METRICS[rule.metric].dimension][rule.limit.unit]


def _written(rule: SlaRule, value: Value, verdict: RowVerdict) -> SlaRow:
    measured = None if value.number is None else _in_unit(rule, value.number)
    return SlaRow(
        metric=rule.metric,
        limit=rule.limit.value,
        measured=None if measured is None else round(measured, 4),
        unit=rule.limit.unit,
        n=value.n,
        verdict=verdict,
        name=rule.name,
        operator=rule.limit.operator,
        percentile=rule.percentile,
        during=rule.during,
        margin=_margin(rule, measured),
        reason=value.reason,
    )


def _margin(rule: SlaRule, measured: float | None) -> float | None:
    if measured is None or not rule.limit.value:
        return None
    left = measured - rule.limit.value if METRICS[rule.metric].at_least else rule.limit.value - measured
    return round(left / rule.limit.value, 4)
