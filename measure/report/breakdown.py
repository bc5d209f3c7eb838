"""Where the time goes: each stage's percentiles beside the reference report's, the distribution, the shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from measure.figures import RunDocument, StageLatency
from measure.percentiles import PERCENTS, events_needed, percent_name
from measure.report.blocks import Bar, Bars, Block, ChartPlace, Column, Paragraph, Section, Table, numbers
from measure.report.percentile import INFINITE, percentile
from measure.report.reference import Reference, reference
from measure.report.stages import component, parts, way
from measure.report.wording import UNKNOWN, count, ms, share

LATENCY_TABLE = "latency"


def breakdown(document: RunDocument) -> list[Section]:
    """The sections on latency."""
    return [
        Section("Latency Breakdown", []),
        Section("Component-Level Timings", [latency_table(document), *_notes(document)], level=2),
        Section("Latency Distribution", list(_distribution(document)), level=2),
        Section("Latency over Time", [ChartPlace("percentiles", "e2e percentiles over the run")], level=2),
    ]


def latency_table(document: RunDocument) -> Table:
    """One row for each stage; `shown` has one even where it was not measured, since the reference's total does."""
    stages = dict(document.latency_ms)
    known = reference()
    wanted = [*stages, *(["shown"] if "shown" not in stages else [])]
    return Table(
        columns=(
            Column("Component"),
            Column("Stage"),
            *numbers("P50 (ms)", "P95 (ms)", "P99 (ms)", "P99.9 (ms)", "Max (ms)", "n"),
            Column("Reference P50 / P95 / P99"),
            Column("From → to"),
        ),
        rows=[_row(stage, stages.get(stage), known) for stage in wanted],
        strong=frozenset(at for at, stage in enumerate(wanted) if stage == "e2e"),
        name=LATENCY_TABLE,
    )


def _row(stage: str, held: StageLatency | None, known: Reference) -> list[str]:
    figures = [percentile(held, name) for name in ("p50", "p95", "p99", "p999", "max")]
    return [
        component(stage),
        stage,
        *figures,
        count(held.n) if held else UNKNOWN,
        beside(stage, known),
        way(stage) + ("" if held else " (not measured)"),
    ]


def beside(stage: str, known: Reference) -> str:
    """The reference's figures for what `stage` spans."""
    rows = [f"{row.p50:,g} / {row.p95:,g} / {row.p99:,g}" for row in known.beside(stage)]
    return ", then ".join(rows) or UNKNOWN


def _notes(document: RunDocument) -> Iterator[Paragraph]:
    known = reference()
    yield Paragraph(
        f"The reference report's {known.latency['p50']:,g} / {known.latency['p95']:,g} / {known.latency['p99']:,g} "
        "ms ends at the dashboard, so it stands beside the stage shown; e2e ends at the acknowledged write and has no "
        "counterpart there. Its totals for P50 and P99 are sums of its stages' percentiles. Here each percentile is "
        "that of the merged histogram of all events, and stages are never added."
    )
    for reason in gaps(document):
        yield Paragraph(reason)


def gaps(document: RunDocument) -> Iterator[str]:
    """Why some figures are missing, one sentence for each reason."""
    stages = document.latency_ms
    endless = {stage: held.infinite for stage, held in stages.items() if held.infinite}
    if endless:
        yield (
            f"{INFINITE}: the percentile falls among the {max(endless.values()):,} events that are not known to have "
            f"arrived; they rank last in {' and '.join(endless)}."
        )
    for name in ("p99", "p999"):
        needed = events_needed(PERCENTS[name])
        few = [stage for stage, held in stages.items() if held.n < needed]
        if few:
            yield f"{percent_name(PERCENTS[name])} is not shown of fewer than {needed:,} events: {', '.join(few)}."
    negatives = sum(held.negatives for held in stages.values())
    if negatives:
        yield (
            f"{negatives:,} values were below zero and are counted apart: an append time is a whole millisecond, and a "
            "clock may step."
        )


def _distribution(document: RunDocument) -> Iterator[Block]:
    bars = distribution(document)
    yield bars if bars.bars else Paragraph("No e2e latency was measured.")
    yield ChartPlace("quantiles", "Quantiles by stage, log-percentile axis")


def distribution(document: RunDocument) -> Bars:
    """e2e percentiles as bars."""
    e2e = document.latency_ms.get("e2e")
    names = {"p50": "P50", "p75": "P75", "p90": "P90", "p95": "P95", "p99": "P99", "p999": "P99.9"}
    known = {name: getattr(e2e, name) for name in names if e2e and getattr(e2e, name) is not None}
    longest = max(known.values(), default=0.0) or 1.0
    return Bars([Bar(names[name], f"{ms(value)} ms", value / longest) for name, value in known.items()])


def shares(document: RunDocument) -> list[tuple[str, float, StageLatency]]:
    """(stage, share of the mean time to the acknowledged write, figures) of the stages on the way, largest first.

    Means may be added where percentiles may not, since every event passes each of these stages.
    """
    stages = document.latency_ms
    means = _means(stages, parts(stages))
    total = sum(means.values())
    if not total:
        return []
    ranked = sorted(means, key=lambda stage: -means[stage])
    return [(stage, means[stage] / total, stages[stage]) for stage in ranked]


def _means(stages: Mapping[str, StageLatency], wanted: Sequence[str]) -> dict[str, float]:
    means = {stage: stages[stage].mean for stage in wanted}
    return {stage: mean for stage, mean in means.items() if mean is not None}


def bottlenecks(document: RunDocument) -> list[Section]:
    """The stages by their share of the time."""
    found = shares(document)
    if not found:
        return [Section("Bottleneck Analysis", [Paragraph("No stage was measured.")])]
    table = Table(
        columns=(Column("Component"), Column("Stage"), *numbers("Share of mean", "Mean (ms)", "P95 (ms)", "P99 (ms)")),
        rows=[
            [component(stage), stage, share(part, 1), ms(held.mean), percentile(held, "p95"), percentile(held, "p99")]
            for stage, part, held in found
        ],
        strong=frozenset({0}),
        name="bottlenecks",
    )
    how = Paragraph(
        "Shares are of the mean, because the means of consecutive stages add up to the mean of the whole and "
        "percentiles do not."
    )
    over_time = ChartPlace("shares", "Share of the mean time by stage, over the run")
    return [Section("Bottleneck Analysis", [table, how, over_time])]
