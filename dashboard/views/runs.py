"""Runs: the list, a report with its downloads, and runs beside each other. All from the runs' folders."""

from __future__ import annotations

import re
from datetime import datetime
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.answers import Answer
from dashboard.board import Board
from dashboard.plain import literal, plain
from dashboard.reports import DOWNLOADS
from dashboard.views.frame import board
from measure.figures import Status
from measure.history import Entry
from measure.report.blocks import ChartPlace
from measure.report.charts import charts
from measure.report.markdown import to_markdown
from measure.report.page import page as report_page
from measure.report.percentile import percentile
from measure.report.source import Source
from measure.report.wording import count

_LIST_S = 10.0
_VERDICTS = {"pass": "✓ pass", "fail": "✗ fail", "invalid": "! invalid"}


def page() -> None:
    """A list that refreshes by itself; reports and comparisons only when asked for."""
    shared = board()
    st.title("Runs")
    st.fragment(_list, run_every=max(_LIST_S, shared.configuration.refresh_s))(shared)
    known = shared.history().value or []
    if not known:
        return
    names = [entry.id for entry in known]
    report, compared = st.tabs(["Report", "Compare"])
    with report:
        _report(shared, names)
    with compared:
        _compare(shared, names)


def _list(shared: Board) -> None:
    answer = shared.history()
    _say(answer)
    if answer.value is None:
        return
    if not answer.value:
        st.info(
            "No run yet. `latency run smoke` in a terminal makes one. (From within a container this page does not see "
            "runs: they lie where they are driven from, and `latency runs` and `latency report` show them.)",
            icon=":material/hourglass_empty:",
        )
        return
    st.dataframe(
        pd.DataFrame([_row(entry) for entry in answer.value]),
        hide_index=True,
        width="stretch",
        height=min(420, 36 * len(answer.value) + 40),
        column_config={"started (UTC)": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm:ss", timezone="UTC")},
        key="runs_list",
    )


def _row(entry: Entry) -> dict[str, object]:
    e2e = entry.latency_ms.get("e2e")
    running = entry.status is Status.RUNNING
    return {
        "run": plain(entry.id),
        "started (UTC)": datetime.fromisoformat(entry.started) if entry.started else None,
        "scenario": plain(entry.scenario),
        "profile": plain(entry.profile),
        "status": "▶ running" if running else entry.status.value,
        "verdict": _VERDICTS.get(entry.verdict.value, "–") if entry.verdict else "–",
        **{f"e2e {name.upper()} (ms)": percentile(e2e, name) for name in ("p50", "p95", "p99")},
        "n": count(e2e.n if e2e else None),
        "kept": "kept" if entry.kept else "",
    }


def _say(answer: Answer[Any]) -> bool:
    """Whether there is nothing wrong, after saying what is."""
    if answer.error is not None:
        st.warning(literal(answer.error, 500), icon=":material/folder_off:")
    return answer.error is None


def _report(shared: Board, names: list[str]) -> None:
    run = st.selectbox("Run", names, key="runs_report", format_func=lambda one: plain(one, 80), width=420)
    if run is None:
        return
    answer = shared.report(run)
    if not _say(answer) or answer.value is None:
        return
    source = answer.value
    _downloads(shared, source)
    st.markdown(_smaller(to_markdown(report_page(source))))
    _charts(source)


def _downloads(shared: Board, source: Source) -> None:
    """The files are made when they are asked for: HTML takes a second."""
    run = source.folder.run
    with st.container(horizontal=True):
        for title, (form, ending, media_type) in DOWNLOADS.items():
            st.download_button(
                title,
                partial(shared.reports.written, source, form),
                file_name=f"{run}.{ending}",
                mime=media_type,
                key=f"runs_download_{form}",
                icon=":material/download:",
                on_click="ignore",
            )


def _charts(source: Source) -> None:
    drawn = charts(source)
    places = [block for section in report_page(source).sections for block in section.blocks]
    for block in places:
        if isinstance(block, ChartPlace) and block.name in drawn:
            st.markdown(f"**{literal(block.title)}**")
            st.vega_lite_chart(drawn[block.name], alt=block.title, key=f"runs_chart_{block.name}")


def _compare(shared: Board, names: list[str]) -> None:
    first = st.multiselect("Runs", names, key="runs_first", format_func=lambda one: plain(one, 80))
    second = st.multiselect(
        "Against (optional): a second group",
        [name for name in names if name not in first],
        key="runs_second",
        format_func=lambda one: plain(one, 80),
        help="With two groups the run is the unit, and four and four are the least that can show a difference.",
    )
    groups = (tuple(first), tuple(second)) if second else (tuple(first),)
    if not first or sum(map(len, groups)) < 2:
        st.caption("Choose two runs or more.")
        return
    answer = shared.comparison(groups)
    if _say(answer) and answer.value is not None:
        st.markdown(_smaller(answer.value))


def _smaller(markdown: str) -> str:
    """The report's headings below this page's own."""
    return re.sub(r"^#", "###", markdown, flags=re.MULTILINE)
