"""The business page: what the shop sells right now, in words a shop owner uses."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd
import streamlit as st

from dashboard import charts
from dashboard.board import Board, Choice
from dashboard.business import MICRO, Business, FunnelStep, TopItem
from dashboard.plain import literal, plain
from dashboard.ranges import LIVE_LENGTHS, MINUTE, RangeError, TimeRange, moment, spoken
from dashboard.views.frame import age, board, ground, money, short_money, tile, told
from dashboard.windows import CART, EVENT_TYPES, PURCHASE, VIEW

_ALL = "All shop traffic"
_FIXED = "From … to"
_DEFAULT = "1 hour"
_NAMES = {VIEW: "page views", CART: "put into the basket", PURCHASE: "purchases"}
_LOST = ("looked and put nothing into the basket", "filled the basket and did not buy")
_JUMP = "business_jump"


def page() -> None:
    """Filters in the script, figures in one fragment that refreshes by itself."""
    shared = board()
    st.title("Shop")
    choice = _chosen(shared)
    if choice is None:
        return
    every = shared.configuration.refresh_s if choice.fixed is None else max(10.0, shared.configuration.refresh_s)
    st.fragment(_figures, run_every=every)(shared, choice)


def _chosen(shared: Board) -> Choice | None:
    """What the visitor wants to see; None after saying why that cannot be shown."""
    jump = st.session_state.pop(_JUMP, None)
    if jump is not None:
        st.session_state["business_range"] = _FIXED
        st.session_state["business_from"] = (moment(jump - 59 * MINUTE)).replace(tzinfo=None)
        st.session_state["business_to"] = (moment(jump + MINUTE)).replace(tzinfo=None)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        named = st.segmented_control(
            "Time range", [*LIVE_LENGTHS, _FIXED], default=_DEFAULT, key="business_range", required=True, wrap=True
        )
        known = [entry.run for entry in shared.runs().value or ()]
        run = st.selectbox(
            "Traffic",
            [_ALL, *known],
            key="business_run",
            format_func=lambda one: plain(one, 60),
            width=340,
            help="All shop traffic leaves out readiness probes and warm-ups.",
        )
    only = None if run == _ALL else run
    if named != _FIXED:
        return Choice(length_s=LIVE_LENGTHS[named], run=only)
    return _fixed(shared, only)


def _fixed(shared: Board, run: str | None) -> Choice | None:
    now = moment(shared.clock()).replace(tzinfo=None, second=0, microsecond=0)
    earliest, latest = datetime(1990, 1, 1), now + timedelta(days=366)
    st.session_state.setdefault("business_from", now - timedelta(hours=1))
    st.session_state.setdefault("business_to", now)
    with st.container(horizontal=True):
        start = st.datetime_input("From (UTC)", key="business_from", min_value=earliest, max_value=latest, width=220)
        end = st.datetime_input("To (UTC)", key="business_to", min_value=earliest, max_value=latest, width=220)
    try:
        return Choice(fixed=TimeRange.between(start, end), run=run)
    except RangeError as wrong:
        st.warning(literal(wrong, 300), icon=":material/date_range:")
        return None


def _figures(shared: Board, choice: Choice) -> None:
    shown = told(shared.business(choice))
    if shown is None:
        return
    if shown.is_empty and shown.complete >= 1:
        _nothing(shared, choice)
    else:
        draw(shown, shared.configuration.currency)
    _foot(shared, choice, shown)
    shared.drawn(shown)


def draw(shown: Business, currency: str) -> None:
    """The figures of a range that has some."""
    _tiles(shown, currency)
    _unusual(shown)
    _over_time(shown, currency)
    left, right = st.columns(2)
    with left:
        _funnel(shown)
        _top("Top products", shown.products, currency)
    with right:
        _mix(shown)
        _top("Top categories", shown.categories, currency)


def _nothing(shared: Board, choice: Choice) -> None:
    newest = shared.newest_minute(choice.run)
    if newest is None:
        st.info(
            "No events yet. They appear here as soon as something is sold or looked at: `latency run smoke` in a "
            "terminal sends some for 20 seconds.",
            icon=":material/hourglass_empty:",
        )
        return
    st.info(
        f"No events in this time range. The newest are of {moment(newest):%d %B %Y, %H:%M} UTC.",
        icon=":material/event_busy:",
    )
    if st.button("Show the hour up to then", key="business_jump_button"):
        st.session_state[_JUMP] = newest
        st.rerun()


def _tiles(shown: Business, currency: str) -> None:
    whole = shown.series[~shown.series["so_far"].astype(bool)]
    average = shown.average_order_micros
    minutes = shown.active_s // MINUTE
    with st.container(horizontal=True):
        exact = money(shown.revenue_micros, currency)
        _tile("Revenue", short_money(shown.revenue_micros, currency), whole["revenue"], f"{exact} in this time range")
        _tile("Orders", f"{shown.orders:,}", whole["orders"], "purchases in this time range")
        _tile(
            "Average order",
            "—" if average is None else money(average, currency),
            whole["average_order"],
            "revenue divided by orders",
        )
        _tile(
            "Active sessions",
            f"{shown.active_sessions:,}",
            whole["sessions"],
            f"different sessions (visits) with an event in the last {minutes} minutes; estimated, about 2 % off",
        )
        _tile(
            "Conversion",
            _percent(shown.funnel[-1].share),
            None,
            "sessions that bought, of those that looked at something, in this time range",
        )


def _tile(label: str, value: str, series: pd.Series | None, explained: str) -> None:
    """A figure with its change: the last complete step against the median of those before it."""
    change = None
    if series is not None and len(series) > 3:
        before = series.iloc[1:-1].dropna()
        usual = before.median() if len(before) else None
        if usual and not pd.isna(series.iloc[-1]):
            change = f"{series.iloc[-1] / usual - 1:+.0%}"
    tile(label, value, explained, None if change in {"+0%", "-0%"} else change)


def _unusual(shown: Business) -> None:
    if not shown.findings:
        return
    newest = shown.findings[0]
    with st.expander(f"{len(shown.findings)} unusual, the latest at {newest.at:%H:%M} UTC", icon=":material/warning:"):
        for finding in shown.findings:
            st.text(f"{finding.at:%d %b %H:%M}  {finding.text}")


def _over_time(shown: Business, currency: str) -> None:
    step = spoken(shown.span.step_s)
    mean = "" if shown.span.step_s == MINUTE else f", mean of {step}"
    rows = _with_marks(shown)
    drawn = (
        ("Revenue", "revenue", f"{currency} a minute{mean}", ",.0f"),
        ("Orders", "orders", f"orders a minute{mean}", ",.0f"),
        ("Average order value", "average_order", f"{currency} an order", ",.2f"),
        ("Active sessions", "sessions", f"sessions in a {step}", ",.0f"),
    )
    columns = st.columns(2)
    for place, (title, field, unit, number) in enumerate(drawn):
        with columns[place % 2]:
            st.markdown(f"**{title}**")
            st.vega_lite_chart(
                rows[["at", field, "so_far"]].assign(unusual=rows[f"unusual_{field}"]),
                charts.level(field, unit, number),
                alt=f"{title} over time, {unit}",
                key=f"business_{field}",
            )


_METRIC_OF = {
    "revenue": "Revenue",
    "orders": "Orders",
    "average_order": "Average order value",
    "sessions": "Active sessions",
}


def _with_marks(shown: Business) -> pd.DataFrame:
    rows = shown.series.copy()
    for field, metric in _METRIC_OF.items():
        times = {finding.at for finding in shown.findings if finding.metric == metric}
        rows[f"unusual_{field}"] = rows["at"].isin(times)
    return rows


def _funnel(shown: Business) -> None:
    st.markdown("**From looking to buying**")
    rows = pd.DataFrame(
        [
            {"place": place, "name": step.name, "value": step.sessions, "label": _came(step)}
            for place, step in enumerate(shown.funnel)
        ]
    )
    st.vega_lite_chart(
        rows,
        charts.ranking("different sessions", len(rows), ground()),
        alt="Sessions by how far they came",
        key="business_funnel",
    )
    lost = [
        f"{_percent(max(0.0, 1 - step.kept))} {told}"
        for step, told in zip(shown.funnel[1:], _LOST, strict=True)
        if step.kept is not None
    ]
    st.caption("Drop-off: " + (" · ".join(lost) or "none yet"))


def _came(step: FunnelStep) -> str:
    if step.share is None or step.kept is None:
        return f"{step.sessions:,} sessions"
    return f"{step.sessions:,} sessions · {_percent(step.share)} of those that looked"


def _percent(share: float | None) -> str:
    return "—" if share is None else f"{share:.1%}"


def _top(title: str, items: tuple[TopItem, ...], currency: str) -> None:
    st.markdown(f"**{title}** by revenue")
    if not items:
        st.caption("Nothing was bought in this time range.")
        return
    rows = pd.DataFrame(
        [
            {
                "place": place,
                "name": _distinct_name(plain(item.name, 40), place, items),
                "value": item.revenue_micros / MICRO,
                "label": f"{item.share:.1%} of revenue, {item.orders:,} orders",
            }
            for place, item in enumerate(items)
        ]
    )
    st.vega_lite_chart(
        rows, charts.ranking(currency, len(rows), ground()), alt=f"{title} by revenue", key=f"business_{title}"
    )


def _distinct_name(name: str, place: int, items: tuple[TopItem, ...]) -> str:
    """Two names that look alike once cut must not become one bar."""
    alike = any(plain(item.name, 40) == name for other, item in enumerate(items) if other != place)
    return f"{place + 1}. {name}" if alike or not name else name


def _mix(shown: Business) -> None:
    st.markdown("**What visitors do**")
    total = sum(shown.events.values())
    rows = shown.series[~shown.series["so_far"].astype(bool)][["at", *EVENT_TYPES]]
    st.vega_lite_chart(
        rows,
        charts.lines(tuple(_NAMES.items()), "events a minute"),
        alt="Events a minute by kind",
        key="business_mix",
    )
    shares = (f"{literal(_NAMES.get(name, name))} {n:,} ({n / total:.1%})" for name, n in shown.events.items())
    st.caption(" · ".join(shares))


def _foot(shared: Board, choice: Choice, shown: Business) -> None:
    remarks = []
    if choice.run is None:
        remarks.append("readiness probes and warm-ups are left out")
    if shown.unreadable:
        remarks.append(f"{shown.unreadable:,} documents could not be read and are left out")
    remarks.append(f"amounts in {plain(shared.configuration.currency, 8)}")
    age(shared, shown.read_at, shown.complete, " · ".join(remarks))
