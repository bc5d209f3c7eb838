"""The figures of the business page, computed from cells: pure, and the same for every viewer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from dashboard import anomalies
from dashboard.anomalies import Anomaly, Metric
from dashboard.ranges import MINUTE, TimeRange, moment, spoken
from dashboard.timeline import View
from dashboard.windows import CART, EVENT_TYPES, PURCHASE, VIEW, Items, Names, SalesCell, distinct, union_of

MICRO = 1_000_000
TOP = 10
ACTIVE_S = 5 * MINUTE
"""Sessions with an event in the last five minutes count as active."""
_MOST_ANOMALIES = 8


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """Sessions that came this far; `kept` is the share of the step before, None for the first."""

    name: str
    sessions: int
    share: float | None
    kept: float | None


@dataclass(frozen=True, slots=True)
class TopItem:
    """A product or category with its purchases; money in micro-units."""

    name: str
    orders: int
    revenue_micros: int
    share: float


@dataclass(frozen=True, slots=True)
class Finding:
    """An anomaly put into words, at the start of its step."""

    at: datetime
    metric: str
    value: float
    text: str


@dataclass(frozen=True, slots=True)
class Business:
    """All that the business page shows. Money in micro-units unless a column's name says otherwise."""

    span: TimeRange
    read_at: float
    complete: float
    unreadable: int
    events: dict[str, int]
    revenue_micros: int
    orders: int
    sessions: int
    active_sessions: int
    active_s: int
    series: pd.DataFrame
    """One row a step: at, revenue (a minute), orders (a minute), average_order, sessions, page_view, add_to_cart,
    purchase (a minute), so_far (whether the step is still under way)."""
    funnel: tuple[FunnelStep, ...]
    products: tuple[TopItem, ...]
    categories: tuple[TopItem, ...]
    findings: tuple[Finding, ...]

    @property
    def average_order_micros(self) -> float | None:
        """Mean value of an order, or None without one."""
        return self.revenue_micros / self.orders if self.orders else None

    @property
    def is_empty(self) -> bool:
        """Whether the range holds no event at all."""
        return not self.events


def figures(view: View[SalesCell], names: Names, now: float) -> Business:
    """Compute the page from the cells of its range."""
    cells = view.cells
    series = _series(view, now)
    sessions = union_of(cell.sessions() for cell in cells.values())
    active_s = max(ACTIVE_S, view.span.step_s)
    active_from = min(view.span.end_s, int(now) // MINUTE * MINUTE + MINUTE) - active_s
    active = union_of(cell.sessions() for start, cell in cells.items() if start + view.span.step_s > active_from)
    purchases = [cell.of(PURCHASE) for cell in cells.values()]
    revenue = sum(totals.revenue_micros for totals in purchases)
    return Business(
        span=view.span,
        read_at=view.read_at,
        complete=view.complete,
        unreadable=sum(cell.unreadable for cell in cells.values()),
        events=_events(cells.values()),
        revenue_micros=revenue,
        orders=sum(totals.orders for totals in purchases),
        sessions=distinct(sessions),
        active_sessions=distinct(active),
        active_s=active_s,
        series=series,
        funnel=_funnel(list(cells.values())),
        products=_top([cell.products for cell in cells.values()], names, revenue),
        categories=_top([cell.categories for cell in cells.values()], names, revenue),
        findings=_findings(series, view.span.step_s),
    )


def _events(cells: object) -> dict[str, int]:
    counts: dict[str, int] = {}
    for cell in cells:  # type: ignore[attr-defined]
        for event_type, totals in cell.types.items():
            counts[event_type] = counts.get(event_type, 0) + totals.n
    known = {event_type: counts.pop(event_type) for event_type in EVENT_TYPES if event_type in counts}
    return {**known, **dict(sorted(counts.items()))}


def _series(view: View[SalesCell], now: float) -> pd.DataFrame:
    """Steps from the first that has events (or was read) to the last that has begun, gaps filled with zeros."""
    span, per = view.span, view.span.step_s / MINUTE
    started = [start for start in span.starts() if view.read_from_s <= start <= now]
    first = min(view.cells, default=span.end_s)
    rows = []
    for start in (start for start in started if start >= first):
        cell = view.cells.get(start) or SalesCell(Names())
        sold = cell.of(PURCHASE)
        rows.append(
            {
                "at": moment(start),
                "revenue": sold.revenue_micros / MICRO / per,
                "orders": sold.orders / per,
                "average_order": sold.revenue_micros / MICRO / sold.orders if sold.orders else None,
                "sessions": distinct(cell.sessions()),
                **{event_type: cell.of(event_type).n / per for event_type in EVENT_TYPES},
                "so_far": start + span.step_s > now,
            }
        )
    columns = ["at", "revenue", "orders", "average_order", "sessions", *EVENT_TYPES, "so_far"]
    return pd.DataFrame(rows, columns=columns)


def _funnel(cells: Sequence[SalesCell]) -> tuple[FunnelStep, ...]:
    steps: list[FunnelStep] = []
    for event_type, name in ((VIEW, "Looked"), (CART, "Filled the basket"), (PURCHASE, "Bought")):
        sessions = distinct(union_of(cell.of(event_type).sessions for cell in cells))
        first, before = (steps[0].sessions, steps[-1].sessions) if steps else (sessions, 0)
        share = sessions / first if first else None
        steps.append(FunnelStep(name, sessions, share, sessions / before if steps and before else None))
    return tuple(steps)


def _top(parts: Sequence[Items], names: Names, all_micros: int) -> tuple[TopItem, ...]:
    counts, revenue = Items.totals(parts, len(names))
    order = sorted(
        (int(number) for number in revenue.nonzero()[0]),
        key=lambda number: (-int(revenue[number]), names.name(number)),
    )
    return tuple(
        TopItem(
            names.name(number),
            int(counts[number]),
            int(revenue[number]),
            int(revenue[number]) / all_micros if all_micros else 0.0,
        )
        for number in order[:TOP]
    )


def _findings(series: pd.DataFrame, step_s: int) -> tuple[Finding, ...]:
    """Unusual complete steps, in words, the newest first. The first step may have begun in the middle: left out."""
    whole = series[~series["so_far"].astype(bool)].iloc[1:]
    per = step_s / MINUTE
    orders = [round(value * per) for value in whole["orders"]]
    views = [round(value * per) for value in whole[VIEW]]
    conversion = [bought / seen if seen else None for bought, seen in zip(orders, views, strict=True)]
    average = [None if pd.isna(value) else float(value) for value in whole["average_order"]]
    metrics = (
        Metric("Revenue", "money", list(whole["revenue"]), orders),
        Metric("Orders", "a minute", list(whole["orders"]), orders),
        Metric("Average order value", "money", average, orders, is_ratio=True),
        Metric("Active sessions", "sessions", list(whole["sessions"]), [int(n) for n in whole["sessions"]]),
        Metric("Orders per page view", "share", conversion, orders, is_ratio=True),
    )
    found = [anomaly for metric in metrics for anomaly in anomalies.find(metric)]
    found.sort(key=lambda anomaly: (-anomaly.index, -abs(anomaly.change)))
    times = list(whole["at"])
    by_step = {(one.index, one.metric): one for one in found}
    return tuple(
        Finding(times[one.index], one.metric, one.value, _sentence(one, by_step, step_s))
        for one in found[:_MOST_ANOMALIES]
    )


def _sentence(one: Anomaly, others: dict[tuple[int, str], Anomaly], step_s: int) -> str:
    more = one.change > 0
    size = f"{abs(one.change):.0%} {'more' if more else 'less'} than usual" if one.usual else "and usually none"
    past = f"usual: {_shown(one.usual, one.unit)}, the median of the {one.steps} × {spoken(step_s)} before"
    return f"{one.metric} {_shown(one.value, one.unit)}, {size} ({past}).{_reason(one, others)}"


def _reason(one: Anomaly, others: dict[tuple[int, str], Anomaly]) -> str:
    """Which other figure moved with it, in the same step."""

    def moved(metric: str) -> Anomaly | None:
        other = others.get((one.index, metric))
        return other if other is not None and (other.change > 0) == (one.change > 0) else None

    if one.metric == "Revenue":
        if orders := moved("Orders"):
            return f" Because there were {orders.change:+.0%} orders."
        if average := moved("Average order value"):
            return f" Because orders were worth {average.change:+.0%} each."
    if one.metric == "Orders":
        if moved("Active sessions"):
            return " Because visitors changed alike."
        if moved("Orders per page view"):
            return " Because a different share of the visitors bought; their number was as usual."
    return ""


def _shown(value: float, unit: str) -> str:
    if unit == "share":
        return f"{value:.1%}"
    if unit == "money":
        return f"{value:,.2f}"
    return f"{value:,.0f} {unit}"
