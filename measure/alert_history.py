"""The alerts of a finished run, from the marks that the run process made of them."""

from __future__ import annotations

import msgspec

from measure.evidence import Evidence
from measure.figures import Alert


def alerts(evidence: Evidence) -> list[Alert]:
    """Each alert that was raised, with when it resolved and its worst value."""
    rules = {rule.name: rule for rule in evidence.plan.alerts}
    found: list[Alert] = []
    standing: dict[str, int] = {}
    for mark in evidence.marks:
        rule = rules.get(mark.alert or "")
        if mark.kind != "alert" or rule is None:
            continue
        at_s = evidence.at_s(mark.at_us)
        if mark.edge == "raise":
            standing[rule.name] = len(found)
            found.append(
                Alert(
                    name=rule.name,
                    metric=rule.metric,
                    limit=rule.limit.value,
                    unit=rule.limit.unit,
                    at_s=at_s,
                    until_s=None,
                    worst=mark.value,
                    percentile=rule.percentile,
                )
            )
        elif rule.name in standing:
            at = standing[rule.name]
            if mark.edge == "abort":
                found[at] = msgspec.structs.replace(found[at], aborted=True)
            else:
                found[at] = msgspec.structs.replace(found[at], until_s=at_s, worst=mark.value)
                del standing[rule.name]
    return found
