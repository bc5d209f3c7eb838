"""Operations: latency, where the time goes, load, limits, resources and errors, for who has no terminal at hand."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import charts
from dashboard.board import Board, Look
from dashboard.operations import Operations, series_of
from dashboard.plain import literal, plain
from dashboard.ranges import MINUTE, spoken
from dashboard.runs import RunEntry
from dashboard.views import errors, limits
from dashboard.views.frame import age, board, of_day, tile, told
from measure.document import STAGES
from measure.report.percentile import percentile
from measure.report.wording import count, rate
from measure.stamp import FOREIGN_RUN

_LENGTHS = {"5 minutes": 300, "10 minutes": 600, "1 hour": 3600, "6 hours": 21_600, "24 hours": 86_400}
_STEPS = {"by the second": 1, "by the minute": MINUTE}
_STAGE_WORDS = {
    "produce": "produce: due → in Kafka",
    "queue": "queue: in Kafka → batch read",
    "compute": "compute: batch read → computed",
    "process": "process: in Kafka → out of Spark",
    "store": "store: out of Spark → written",
    "e2e": "e2e: due → written",
    "e2e_sent": "e2e_sent: sent → written",
    "visible": "visible: due → change seen",
    "query": "query: this page's queries",
    "shown": "shown: due → drawn here",
}
_PERCENTILES = (("p50", "P50"), ("p95", "P95"), ("p99", "P99"))


def page() -> None:
    """Choices in the script; live figures in one fragment, dead letters in another that waits to be asked."""
    shared = board()
    st.title("Operations")
    look = _chosen(shared)
    every = shared.configuration.refresh_s if look.finest_s == 1 else max(10.0, shared.configuration.refresh_s)
    st.fragment(_figures, run_every=every)(shared, look)
    errors.section(shared, look.run)


def _chosen(shared: Board) -> Look:
    known = {entry.run: entry for entry in shared.runs().value or ()}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        run = st.selectbox(
            "Run",
            [*known, FOREIGN_RUN],
            key="operations_run",
            format_func=lambda one: _run_words(known.get(one)),
            width=340,
        )
        length = st.segmented_control(
            "Time range", list(_LENGTHS), default="10 minutes", key="operations_range", required=True, wrap=True
        )
        step = st.segmented_control(
            "Resolution", list(_STEPS), default="by the second", key="operations_step", required=True
        )
        stage = st.selectbox(
            "Stage over time",
            STAGES,
            index=STAGES.index("e2e"),
            key="operations_stage",
            format_func=lambda one: _STAGE_WORDS[one],
            width=280,
        )
    return Look(run or FOREIGN_RUN, _LENGTHS[length], _STEPS[step], stage)


def _run_words(entry: RunEntry | None) -> str:
    if entry is None:
        return "events without a run"
    return plain(entry.run, 60) + (" (in progress)" if entry.in_progress else "")


def _figures(shared: Board, look: Look) -> None:
    shown = told(shared.operations(look))
    if shown is None:
        return
    _state(shared, look.run)
    if not shown.stages and shown.newest is None and shown.complete >= 1:
        st.info(
            "Nothing was measured in this time range. `latency run smoke` in a terminal loads the stack for 20 s.",
            icon=":material/hourglass_empty:",
        )
    else:
        _tiles(shown)
        _latency(shown, look)
        _stages(shown)
        _load(shown)
        limits.section(shared, look.run)
        _resources(shown)
    unread = f"{shown.unreadable:,} documents could not be read and are left out" if shown.unreadable else ""
    age(shared, shown.read_at, shown.complete, unread)


def _state(shared: Board, run: str) -> None:
    entry = next((one for one in shared.runs().value or () if one.run == run), None)
    if entry is None:
        return
    parts = [f"**{literal(entry.status)}**", literal(entry.scenario), literal(entry.profile)]
    if entry.in_progress:
        parts.append(literal(entry.phase) + (f" {entry.progress:.0%}" if entry.progress is not None else ""))
    elif entry.verdict:
        parts.append(f"verdict **{literal(entry.verdict)}**")
    st.markdown(" · ".join(parts))


def _tiles(shown: Operations) -> None:
    e2e = shown.stages.get("e2e")
    newest = shown.newest
    with st.container(horizontal=True):
        for name, title in _PERCENTILES:
            tile(
                f"e2e {title}",
                literal(percentile(e2e, name, unit=True)),
                f"from when an event was due to its acknowledged write, over n = {count(e2e.n if e2e else 0)} events "
                "of this time range that arrived",
            )
        stored = shown.load["stored"].iloc[-1] if len(shown.load) else None
        target = newest.target.mean if newest else None
        tile("Stored", literal(rate(stored)), f"events a second in the newest step; the schedule wants {rate(target)}")
        lag_events = newest.lag_events if newest else None
        lag_ms = newest.lag_ms if newest else None
        tile(
            "Lag",
            literal(f"{count(lag_events)} ev"),
            f"behind the end of the topic; age of the next: {count(lag_ms)} ms",
        )
        tile(
            "Write P95",
            literal(percentile(shown.commit, "p95", unit=True)),
            f"the sinks' bulk writes, acknowledged by MongoDB; n = {count(shown.commit.n)}",
        )


def _latency(shown: Operations, look: Look) -> None:
    step = spoken(shown.span.step_s)
    rows = shown.percentiles
    st.subheader(f"Latency, {_STAGE_WORDS[look.stage]}")
    if not rows["n"].sum():
        st.caption("No event of this stage in this time range.")
        return
    left, right = st.columns([2, 1])
    with left:
        st.markdown(f"**Percentiles of each {step}**")
        st.vega_lite_chart(
            rows[["at", "p50", "p95", "p99", "n"]],
            charts.lines(_PERCENTILES, "ms"),
            alt=f"P50, P95 and P99 of each {step}, ms",
            key="operations_percentiles",
        )
    with right:
        st.markdown(f"**Events in each {step}** (n)")
        st.vega_lite_chart(
            rows[["at", "n"]].assign(so_far=False, unusual=False),
            charts.level("n", f"events in a {step}"),
            alt=f"Events in each {step}",
            key="operations_n",
        )
    marks = [f"{of_day(mark.at_s)} {literal(mark.kind)}: {literal(mark.text)}" for mark in shown.marks[-5:]]
    st.caption("P99 needs 1,000 events in a step." + (" Lately: " + " · ".join(marks) if marks else ""))


def _stages(shown: Operations) -> None:
    st.subheader("Where the time goes")
    if not shown.stages:
        st.caption("No stage was measured in this time range.")
        return
    rows = pd.DataFrame(
        [
            {"stage": stage, "place": place, "percentile": title, "value": getattr(found, name), "n": found.n}
            for place, (stage, found) in enumerate(shown.stages.items())
            for name, title in _PERCENTILES
            if getattr(found, name) is not None
        ],
        columns=["stage", "place", "percentile", "value", "n"],
    )
    left, right = st.columns([1, 1])
    with left:
        st.vega_lite_chart(
            rows, charts.stages("ms", len(shown.stages)), alt="P50, P95 and P99 by stage", key="operations_stages"
        )
    with right:
        st.dataframe(
            pd.DataFrame(
                [
                    {
                        "stage": _STAGE_WORDS.get(stage, plain(stage)),
                        "n": count(found.n),
                        **{f"{title} (ms)": percentile(found, name) for name, title in _PERCENTILES},
                        "max (ms)": percentile(found, "max"),
                    }
                    for stage, found in shown.stages.items()
                ]
            ),
            hide_index=True,
            width="stretch",
            key="operations_stage_table",
        )
        st.caption("Over the whole time range, from merged histograms. Percentiles of stages do not add up to e2e's.")


def _load(shown: Operations) -> None:
    st.subheader("Load, lag and writes")
    left, right = st.columns(2)
    with left:
        _lines("Rate", shown.load, (("target", "wanted"), ("sent", "sent"), ("stored", "stored")), "events/s")
        _lines("Bulk writes", shown.commits, (("p50", "P50"), ("p95", "P95"), ("highest", "highest")), "ms")
    with right:
        _lines("Lag", shown.lag, (("events", "events behind"),), "events")
        _lines("Age of the next event", shown.lag, (("ms", "age"),), "ms")
    if len(shown.batches):
        _lines("Spark's micro-batches", shown.batches, (("ms", "batch"),), "ms")


def _lines(title: str, rows: pd.DataFrame, fields: tuple[tuple[str, str], ...], unit: str) -> None:
    st.markdown(f"**{title}**")
    if not rows[[field for field, _ in fields]].notna().any(axis=None):
        st.caption("Nothing was sampled in this time range.")
        return
    st.vega_lite_chart(
        rows[["at", *(field for field, _ in fields)]],
        charts.lines(fields, unit),
        alt=f"{title}, {unit}",
        key=f"operations_{title}",
    )


def _resources(shown: Operations) -> None:
    st.subheader("Resources of all services")
    if not len(shown.cpu):
        st.caption("No service was sampled in this time range: services are sampled while a run lasts.")
        return
    left, right = st.columns(2)
    with left:
        _by_service("CPU", shown.cpu, "cores", ".2f")
        _by_service("Disk", shown.disk, "kB/s", ",.0f")
    with right:
        _by_service("Memory", shown.memory, "MiB", ",.0f")
        _by_service("Network", shown.network, "kB/s", ",.0f")


def _by_service(title: str, rows: pd.DataFrame, unit: str, number: str) -> None:
    st.markdown(f"**{title}**")
    if not len(rows):
        st.caption("The runtime does not tell it for each service.")
        return
    st.vega_lite_chart(
        rows,
        charts.by_name(series_of(rows), unit, number),
        alt=f"{title} by service, {unit}",
        key=f"operations_{title}",
    )
