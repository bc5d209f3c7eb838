"""The limits of a run: the rows of its SLA, and its alerts."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard.board import Board
from dashboard.plain import literal, plain
from dashboard.reports import Standing
from measure.figures import Alert, RowVerdict
from measure.limits import METRICS, AlertRule, Limit
from measure.report.wording import significant
from measure.stamp import FOREIGN_RUN

_SIGNS = {RowVerdict.PASS: "✓ pass", RowVerdict.FAIL: "✗ fail", RowVerdict.NOT_APPLICABLE: "– n/a"}


def section(shared: Board, run: str) -> None:
    """Drawn inside a live fragment; read from the run's folder, by the code that judges it at its end."""
    st.subheader("Limits")
    if run == FOREIGN_RUN:
        st.caption("Events without a run have no limits.")
        return
    answer = shared.standing(run)
    if answer.value is None:
        st.caption(literal(answer.error or "", 300))
        return
    left, right = st.columns(2)
    with left:
        _service_level(answer.value)
    with right:
        _alerts(answer.value)


def _service_level(standing: Standing) -> None:
    st.markdown("**Service level** " + literal(standing.tier or ""))
    if not standing.rows:
        st.caption("This run has no SLA.")
        return
    rows = [
        {
            "what": plain(row.name or row.metric),
            "limit": str(Limit(row.operator, row.limit, row.unit)),
            "measured": "–" if row.measured is None else f"{significant(row.measured)} {row.unit}",
            "n": f"{row.n:,}",
            "state": _SIGNS[row.verdict],
            "why": plain(row.reason or ""),
        }
        for row in standing.rows
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", key="limits_sla")
    st.caption(
        "At the end of the run."
        if standing.final
        else "So far, up to 8 s ago; the verdict at the end of the run is what counts. Dead letters are known only "
        "then: until then they count as events that never arrived."
    )


def _alerts(standing: Standing) -> None:
    st.markdown("**Alerts**")
    if not standing.rules:
        st.caption("This run has no alerts.")
        return
    rows = [
        _alert_row(rule, [alert for alert in standing.alerts if alert.name == rule.name]) for rule in standing.rules
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", key="limits_alerts")


def _alert_row(rule: AlertRule, raised: Sequence[Alert]) -> dict[str, str]:
    standing = bool(raised) and raised[-1].until_s is None
    worst = [alert.worst for alert in raised if alert.worst is not None]
    return {
        "alert": plain(rule.name),
        "limit": f"{rule.limit} for {rule.for_s:g} s",
        "state": "▲ raised" if standing else "✓ quiet",
        "raised": f"{len(raised)} ×",
        "worst": f"{significant((min if METRICS[rule.metric].at_least else max)(worst))} {rule.limit.unit}"
        if worst
        else "–",
    }
