"""The charts of a report, as Vega-Lite specifications made with Altair. Names are those of `ChartPlace`.

Axis of time: seconds from the start of the load. What a chart has no data for is not drawn, and not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import altair as alt

from measure.document import in_order
from measure.records import RunSample, Usage
from measure.report.digest import Digest, Point, step_for
from measure.report.foreign import plain
from measure.report.hgrm import steps
from measure.report.source import Source
from measure.report.stages import component, parts
from measure.schedule import burst_spans

Rows = list[dict[str, Any]]

BLUE, ORANGE, RED, GREEN = "#3b7dd8", "#e69f00", "#d1495b", "#2a9d8f"
GREY, PURPLE, SKY = "#8d99ae", "#8e6bbf", "#56b4e9"
PALETTE = [BLUE, ORANGE, GREEN, RED, PURPLE, SKY, GREY, "#b5835a", "#6a994e", "#bc4b51"]
MARK_COLOURS = {
    "burst": ORANGE,
    "fault": RED,
    "alert": PURPLE,
    "pause": GREY,
    "resume": GREY,
    "stop": GREY,
    "gap": RED,
    "checkpoint": GREEN,
    "phase": GREY,
}
HEIGHT = 260
CLOCK = (
    "(datum.value < 0 ? '−' : '') + "
    "utcFormat(abs(datum.value) * 1000, abs(datum.value) >= 3600 ? '%-H:%M:%S' : '%M:%S')"
)


def charts(source: Source) -> dict[str, dict[str, Any]]:
    """Name → specification, of those charts that there is something to draw for."""
    made = ((name, draw(source)) for name, draw in CHARTS.items())
    return {name: chart.to_dict() for name, chart in made if chart is not None}


def _time() -> alt.X:
    return alt.X(
        "at_s:Q",
        title=None,
        axis=alt.Axis(labelExpr=CLOCK, tickMinStep=1, tickCount=9, labelFlush=False),
        scale=alt.Scale(nice=False),
    )


def _finished(chart: Any) -> Any:
    return chart.properties(width="container", height=HEIGHT)


def _marks(source: Source) -> list[Any]:
    """What happened, as rules over the whole height, and the bursts as bands behind everything."""
    end_s = source.document.duration_s
    rules = [
        {"at_s": mark.at_s, "kind": mark.kind, "what": plain(mark.text)}
        for mark in source.document.marks
        if mark.kind in MARK_COLOURS and 0 <= mark.at_s <= end_s
    ]
    bands = [
        {"at_s": source.at_s(span.start_us), "to_s": source.at_s(span.end_us), "rate": span.rate}
        for span in burst_spans(source.schedule.spans)
    ]
    layers: list[Any] = []
    if bands:
        layers.append(
            alt.Chart(alt.InlineData(values=bands))
            .mark_rect(color=ORANGE, opacity=0.10)
            .encode(x=_time(), x2="to_s:Q", tooltip=[alt.Tooltip("rate:Q", title="events/s due")])
        )
    if rules:
        kinds = [kind for kind in MARK_COLOURS if any(rule["kind"] == kind for rule in rules)]
        colour = alt.Color(
            "kind:N",
            scale=alt.Scale(domain=kinds, range=[MARK_COLOURS[kind] for kind in kinds]),
            legend=alt.Legend(title="marks", symbolType="stroke"),
        )
        layers.append(
            alt.Chart(alt.InlineData(values=rules))
            .mark_rule(strokeDash=[3, 3], opacity=0.75)
            .encode(x=_time(), color=colour, tooltip=["kind:N", alt.Tooltip("what:N", title="what")])
        )
    return layers


def _layered(source: Source, *drawn: Any) -> Any:
    return _finished(alt.layer(*_marks(source), *drawn).resolve_scale(color="independent"))


def _lines(rows: Rows, title: str, colours: Mapping[str, str], scale: alt.Scale | None = None, **mark: Any) -> Any:
    """One line for each `series` of `rows`, in the order of `colours`."""
    return (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(**{"strokeWidth": 1.6, **mark})
        .encode(
            x=_time(),
            y=alt.Y("value:Q", title=title, scale=scale or alt.Scale(zero=True)),
            color=alt.Color(
                "series:N",
                scale=alt.Scale(domain=list(colours), range=list(colours.values())),
                legend=alt.Legend(title=None, symbolType="stroke"),
            ),
            tooltip=[
                alt.Tooltip("series:N", title="what"),
                alt.Tooltip("at_s:Q", title="at, s", format=",.1f"),
                alt.Tooltip("value:Q", title=title, format=",.4~g"),
            ],
        )
    )


def percentiles(source: Source) -> Any | None:
    """P50, P95 and P99 of e2e over the run. A gap is a step whose percentile fell among events that never arrived."""
    colours = {"P99": RED, "P95": ORANGE, "P50": BLUE}
    rows: Rows = [
        {"at_s": at_s, "series": name, "value": point and getattr(point, name.lower())}
        for at_s, point in _unbroken(source.digest)
        for name in colours
    ]
    if not any(row["value"] is not None for row in rows):
        return None
    lines = _lines(rows, "e2e, ms", colours, alt.Scale(type="log", nice=True))
    return _layered(source, lines)


def rates(source: Source) -> Any | None:
    """Events due and stored a second. A step is as long as a point of the digest."""
    rows = [
        row
        for at_s, group in _grouped(source)
        for row in (
            {"at_s": at_s, "series": "due", "value": _mean([each.target_rate for each in group])},
            {"at_s": at_s, "series": "stored", "value": _mean([float(each.stored) for each in group])},
        )
    ]
    return (
        _layered(source, _lines(rows, "events/s", {"due": GREY, "stored": BLUE}, interpolate="step-after"))
        if rows
        else None
    )


def lag(source: Source) -> Any | None:
    """How far the sink was behind: events on one axis, age in ms on the other, each step at its worst."""
    rows: Rows = []
    for at_s, group in _grouped(source):
        read = [each.lag for each in group if each.lag is not None]
        if read:
            oldest = max((each.ms for each in read if each.ms is not None), default=None)
            rows.append({"at_s": at_s, "events": max(each.events for each in read), "ms": oldest})
    if not rows:
        return None
    base = alt.Chart(alt.InlineData(values=rows))
    tip = ["at_s:Q", alt.Tooltip("events:Q", format=","), alt.Tooltip("ms:Q", format=",.1f")]
    behind = base.mark_area(color=BLUE, opacity=0.35, line={"color": BLUE}).encode(
        x=_time(), y=alt.Y("events:Q", title="events behind", axis=alt.Axis(titleColor=BLUE)), tooltip=tip
    )
    age = base.mark_line(color=ORANGE, strokeWidth=1.4, point=alt.OverlayMarkDef(color=ORANGE, size=10)).encode(
        x=_time(), y=alt.Y("ms:Q", title="age of the oldest, ms", axis=alt.Axis(titleColor=ORANGE)), tooltip=tip
    )
    over = alt.layer(behind, age).resolve_scale(y="independent")
    return _finished(alt.layer(*_marks(source), over).resolve_scale(color="independent"))


QUANTILE_LABELS = {2: "50", 4: "75", 10: "90", 20: "95", 100: "99", 1_000: "99.9", 10_000: "99.99", 100_000: "99.999"}


def quantiles(source: Source) -> Any | None:
    """Every stage's quantile curve over 1/(1 − percentile), so that each nine takes the same room."""
    rows: Rows = []
    held = in_order(source.digest.histograms())
    for stage, histogram in held.items():
        infinite = source.digest.infinite if stage in ("e2e", "e2e_sent") else 0
        rows += [
            {"odds": 1 / (1 - share), "series": stage, "value": value_ms, "percent": share * 100}
            for value_ms, share, _ in steps(histogram, infinite)
            if 0.01 < share < 1 and value_ms > 0
        ]
    if not rows:
        return None
    furthest = max(row["odds"] for row in rows)
    ticks = [odds for odds in QUANTILE_LABELS if odds <= max(100, furthest)]
    labels = " : ".join(f"datum.value == {odds} ? '{label} %'" for odds, label in QUANTILE_LABELS.items()) + " : ''"
    shown = list(dict.fromkeys(row["series"] for row in rows))
    return _finished(
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(strokeWidth=1.8)
        .encode(
            x=alt.X(
                "odds:Q",
                title="percentile",
                scale=alt.Scale(type="log", domainMin=1, nice=False),
                axis=alt.Axis(values=ticks, labelExpr=labels),
            ),
            y=alt.Y("value:Q", title="ms", scale=alt.Scale(type="log", nice=True)),
            color=_palette(shown),
            tooltip=[
                alt.Tooltip("series:N", title="stage"),
                alt.Tooltip("percent:Q", title="percentile", format=".5~g"),
                alt.Tooltip("value:Q", title="ms", format=",.4~g"),
            ],
        )
    )


def shares(source: Source) -> Any | None:
    """Each stage's share of the mean time to the acknowledged write: means of consecutive stages add up."""
    wanted = parts({stage for point in source.digest.points for stage in point.means})
    rows = [
        {"at_s": at_s, "series": component(stage), "order": order, "value": point.means.get(stage) if point else None}
        for at_s, point in _unbroken(source.digest)
        for order, stage in enumerate(wanted)
    ]
    if not rows:
        return None
    names = [component(stage) for stage in wanted]
    area = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_area(opacity=0.8)
        .encode(
            x=_time(),
            y=alt.Y("value:Q", title="share of the mean", stack="normalize", axis=alt.Axis(format="%")),
            color=_palette(names),
            order=alt.Order("order:Q"),
            tooltip=[
                alt.Tooltip("series:N", title="stage"),
                "at_s:Q",
                alt.Tooltip("value:Q", title="mean, ms", format=",.4~g"),
            ],
        )
    )
    return _finished(area)


def cpu(source: Source) -> Any | None:
    """CPU of each service, the mean of each step."""
    return _by_service(source, "CPU, cores", lambda used: _mean([each.cpu for each in used if each.cpu is not None]))


def memory(source: Source) -> Any | None:
    """Memory of each service, the most of each step."""

    def most_mib(used: Sequence[Usage]) -> float | None:
        return max((each.rss_bytes / 2**20 for each in used if each.rss_bytes is not None), default=None)

    return _by_service(source, "memory, MiB", most_mib)


def _by_service(source: Source, title: str, read: Callable[[Sequence[Usage]], float | None]) -> Any | None:
    rows: Rows = []
    for at_s, group in _grouped(source):
        for service in sorted({name for each in group for name in each.services}):
            value = read([each.services[service] for each in group if service in each.services])
            rows.append({"at_s": at_s, "series": plain(service), "value": value})
    names = sorted({row["series"] for row in rows})
    colours = {name: PALETTE[at % len(PALETTE)] for at, name in enumerate(names)}
    return _finished(_lines(rows, title, colours)) if rows else None


def recovery(source: Source) -> Any | None:
    """How long each disturbance took to be over; a cross is one that was not seen to be."""
    rows = [
        {
            "cause": f"{number}. {plain(each.cause)}",
            "seconds": each.seconds,
            "seen": "recovered" if each.seconds is not None else "not recovered",
            "reason": plain(each.reason or ""),
        }
        for number, each in enumerate(source.document.recovery, 1)
    ]
    if not any(row["seconds"] is not None for row in rows):
        return None
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("cause:N", title=None, sort=None),
        tooltip=["cause:N", alt.Tooltip("seconds:Q", format=".2f"), "seen:N", "reason:N"],
    )
    longest = max(float(each.seconds or 0) for each in source.document.recovery)
    scale = alt.Scale(domain=[0, max(1.0, longest)], nice=True)
    bars = base.mark_bar(color=BLUE).encode(x=alt.X("seconds:Q", title="s until calm", scale=scale))
    crosses = (
        base.transform_filter("datum.seconds === null")
        .mark_text(text="✕ not recovered", color=RED, align="left", dx=4)
        .encode(x=alt.value(0))
    )
    return alt.layer(bars, crosses).properties(width="container", height=max(60, 24 * len(rows)))


def _unbroken(digest: Digest) -> Iterator[tuple[float, Point | None]]:
    """(start in s, point), and a None where steps had no events: a line must not bridge a pause."""
    expected: float | None = None
    for point in digest.points:
        if expected is not None and point.at_s > expected + 0.5:
            yield expected, None
        yield point.at_s, point
        expected = point.at_s + digest.step_s


def _palette(names: Sequence[str]) -> alt.Color:
    colours = [PALETTE[at % len(PALETTE)] for at in range(len(names))]
    return alt.Color("series:N", scale=alt.Scale(domain=list(names), range=colours), legend=alt.Legend(title=None))


def _grouped(source: Source) -> Iterator[tuple[float, list[RunSample]]]:
    """(start in s, samples) of each step of the load, so that a long run makes no more points than a short one."""
    samples = source.samples
    if not samples:
        return
    step_s = step_for(samples[-1].second - samples[0].second + 1)
    groups: dict[int, list[RunSample]] = {}
    for sample in samples:
        groups.setdefault((sample.second - samples[0].second) // step_s, []).append(sample)
    for step, group in groups.items():
        yield source.at_s((samples[0].second + step * step_s) * 1_000_000), group


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


Draw = Callable[[Source], Any | None]

CHARTS: dict[str, Draw] = {
    "percentiles": percentiles,
    "rates": rates,
    "lag": lag,
    "quantiles": quantiles,
    "shares": shares,
    "cpu": cpu,
    "memory": memory,
    "recovery": recovery,
}
