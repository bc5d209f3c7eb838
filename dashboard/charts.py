"""Chart specifications. Each is built once for its arguments; only its data changes from refresh to refresh.

Every axis has a unit, time is UTC and says so, and series differ by dash as well as by colour. Field names are our own;
foreign text is only ever data.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import altair as alt

Spec = dict[str, Any]

_TIME = "time (UTC)"
_HEIGHT = 220
_CLOCK = (
    "utchours(datum.value) + utcminutes(datum.value) + utcseconds(datum.value) == 0 ? utcFormat(datum.value, '%d %b')"
    " : utcFormat(datum.value, utcseconds(datum.value) == 0 ? '%H:%M' : '%H:%M:%S')"
)
_GREY = "#888888"
"""Seen on a light ground and on a dark one."""
_INK = {"light": "#31333f", "dark": "#fafafa"}
_DASHES = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4], [4, 4, 1, 4], [1, 4], [10, 2]]


def _spec(chart: Any) -> Spec:
    made: Spec = chart.to_dict()
    made.pop("$schema", None)
    for part in (made, *made.get("layer", ())):
        part.pop("data", None)
        part.pop("datasets", None)
    made["autosize"] = {"type": "fit", "contains": "padding"}
    return made


def _base() -> Any:
    return alt.Chart(alt.NamedData(name="rows"))


def _time(title: str | None = _TIME) -> Any:
    axis = alt.Axis(labelOverlap=True, tickCount=6, labelExpr=_CLOCK)
    return alt.X("at:T", title=title, scale=alt.Scale(type="utc"), axis=axis)


@lru_cache(maxsize=64)
def level(field: str, unit: str, number: str = ",.0f", bars: bool = False) -> Spec:
    """One quantity over time from rows of at, `field`, so_far and unusual: the step under way is a hollow point, what
    is unusual a triangle."""
    value = alt.Y(f"{field}:Q", title=unit, axis=alt.Axis(format=number, tickCount=5))
    shown = [
        alt.Tooltip("at:T", title=_TIME, format="%Y-%m-%d %H:%M", formatType="utc"),
        alt.Tooltip(f"{field}:Q", title=unit, format=number),
    ]
    whole = _base().transform_filter("!datum.so_far").encode(x=_time(), y=value)
    line = whole.mark_bar() if bars else whole.mark_line(strokeWidth=2)
    hover = whole.mark_point(size=120, opacity=0).encode(tooltip=shown)
    so_far = (
        _base()
        .transform_filter("datum.so_far")
        .mark_point(shape="circle", filled=False, size=60, strokeWidth=2)
        .encode(x=_time(), y=value, tooltip=[*shown, alt.Tooltip("note:N", title="note")])
        .transform_calculate(note="'this step is still under way'")
    )
    unusual = (
        _base()
        .transform_filter("datum.unusual && !datum.so_far")
        .mark_point(shape="triangle-up", filled=True, size=110, color="#d55e00")
        .encode(x=_time(), y=value, tooltip=[*shown, alt.Tooltip("note:N", title="note")])
        .transform_calculate(note="'unusual, see the list'")
    )
    return _spec(alt.layer(line, hover, so_far, unusual).properties(height=_HEIGHT))


@lru_cache(maxsize=64)
def lines(fields: tuple[tuple[str, str], ...], unit: str, number: str = ",.0f", log: bool = False) -> Spec:
    """Several quantities over time from wide rows: pairs of field and name, told apart by dash and colour."""
    names = [name for _, name in fields]
    columns = [field for field, _ in fields]
    label = "{" + ", ".join(f"'{field}': '{name}'" for field, name in fields) + "}[datum.column]"
    rows = _base().transform_fold(columns, as_=["column", "value"]).transform_calculate(series=label)
    return _many(rows, names, unit, number, log)


@lru_cache(maxsize=64)
def by_name(names: tuple[str, ...], unit: str, number: str = ",.2f") -> Spec:
    """Several quantities over time from long rows of at, series, value; `names` fixes their order and looks."""
    return _many(_base(), list(names), unit, number, log=False)


def _many(rows: Any, names: list[str], unit: str, number: str, log: bool) -> Spec:
    scale = alt.Scale(type="log", nice=True) if log else alt.Scale(zero=True)
    rows = rows.encode(
        x=_time(),
        y=alt.Y("value:Q", title=unit, scale=scale, axis=alt.Axis(format=number, tickCount=5)),
        color=alt.Color("series:N", title=None, sort=names, scale=alt.Scale(domain=names)),
    )
    # No value, no line: a gap stays one, and a value that stands alone is a dot.
    dot = alt.OverlayMarkDef(size=6, shape="circle", filled=True)
    line = rows.mark_line(strokeWidth=2, invalid="break-paths-show-path-domains", point=dot).encode(
        strokeDash=alt.StrokeDash(
            "series:N", title=None, sort=names, scale=alt.Scale(domain=names, range=_DASHES[: len(names)])
        ),
        detail="series:N",
    )
    valued = rows.transform_filter("isValid(datum.value)")
    hover = valued.mark_point(size=100, opacity=0).encode(
        tooltip=[
            alt.Tooltip("at:T", title=_TIME, format="%Y-%m-%d %H:%M:%S", formatType="utc"),
            alt.Tooltip("series:N", title="what"),
            alt.Tooltip("value:Q", title=unit, format=number),
        ]
    )
    chart = alt.layer(line, hover).properties(height=_HEIGHT)
    legend = chart.configure_legend(orient="top", symbolType="stroke", symbolSize=400, symbolStrokeWidth=2, columns=3)
    return _spec(legend)


@lru_cache(maxsize=32)
def ranking(unit: str, rows: int, ground: str, number: str = ",.0f") -> Spec:
    """Horizontal bars from rows of place, name, value and label (written on the bar), in the order of `place`; on a
    `light` or `dark` ground."""
    order = alt.EncodingSortField(field="place", order="ascending")
    axis = alt.Axis(labelLimit=170, labelOverlap=False, ticks=False, domain=False, labelPadding=6)
    value = alt.X("value:Q", title=unit, axis=alt.Axis(format=number, tickCount=4), scale=alt.Scale(zero=True))
    shown = [
        alt.Tooltip("name:N", title="name"),
        alt.Tooltip("value:Q", title=unit, format=number),
        alt.Tooltip("label:N", title="share"),
    ]
    both = _base().encode(y=alt.Y("name:N", title=None, sort=order, axis=axis), tooltip=shown)
    bars = both.mark_bar(cornerRadiusEnd=3, opacity=0.55).encode(x=value)
    words = both.mark_text(align="left", dx=6, color=_INK[ground]).encode(x=alt.datum(0), text="label:N")
    return _spec(alt.layer(bars, words).properties(height=30 * max(2, rows) + 56))


@lru_cache(maxsize=8)
def stages(unit: str, rows: int) -> Spec:
    """P50, P95 and P99 of each stage as points on one line a stage, from rows of stage, place, percentile, value."""
    order = alt.EncodingSortField(field="place", order="ascending")
    names = ["P50", "P95", "P99"]
    stage = alt.Y("stage:N", title=None, sort=order, axis=alt.Axis(labelLimit=150))
    value = alt.X("value:Q", title=unit, axis=alt.Axis(format=",.0f", tickCount=5), scale=alt.Scale(zero=True))
    span = (
        _base()
        .mark_rule(strokeWidth=2, opacity=0.5, color=_GREY)
        .encode(y=stage, x=alt.X("min(value):Q", title=unit), x2="max(value):Q")
    )
    points = (
        _base()
        .mark_point(filled=True, size=110, opacity=1)
        .encode(
            y=stage,
            x=value,
            color=alt.Color("percentile:N", title=None, sort=names, scale=alt.Scale(domain=names)),
            shape=alt.Shape(
                "percentile:N",
                title=None,
                sort=names,
                scale=alt.Scale(domain=names, range=["circle", "diamond", "triangle-up"]),
            ),
            tooltip=[
                alt.Tooltip("stage:N", title="stage"),
                alt.Tooltip("percentile:N", title="percentile"),
                alt.Tooltip("value:Q", title=unit, format=",.1f"),
                alt.Tooltip("n:Q", title="events", format=","),
            ],
        )
    )
    chart = alt.layer(span, points).properties(height=max(120, 34 * rows + 70))
    return _spec(chart.configure_legend(orient="top"))
