"""A comparison as a report's blocks."""

from __future__ import annotations

from measure.comparison import Comparison, Row, findings
from measure.inference import Difference, Finding
from measure.report.blocks import Block, Column, Facts, Items, Page, Paragraph, Section, Table, numbers
from measure.report.wording import UNKNOWN, share, significant


def comparison_page(comparison: Comparison) -> Page:
    """The whole of it."""
    grouped = len(comparison.groups) == 2
    names = ("First group", "Second group") if grouped else ("Runs",)
    heading = Facts([(name, ", ".join(runs)) for name, runs in zip(names, comparison.groups, strict=True)])
    blocks: list[Block] = [
        Paragraph(conclusion(comparison)),
        groups_table(comparison) if grouped else runs_table(comparison),
    ]
    if comparison.notes:
        blocks.append(Items(comparison.notes))
    return Page("Comparison of Runs", heading, [Section("Figures", blocks)])


def conclusion(comparison: Comparison) -> str:
    """What may be said of the runs."""
    if len(comparison.groups) == 1:
        return (
            "Single runs side by side, each against the first. One run has no spread, so a difference here may be "
            "chance: compare groups of at least four runs each (RUN RUN RUN RUN vs RUN RUN RUN RUN) to find out."
        )
    sizes = f"{len(comparison.groups[0])} and {len(comparison.groups[1])} runs"
    shown = findings(comparison)
    if not shown:
        return f"No difference shown between {sizes}."
    words = [f"{row.figure} {row.difference.finding}" for row in shown if row.difference]
    return (
        f"Of {sizes}, the second group is: {', '.join(words)}. Each figure is judged by itself, and of many figures "
        "some differ by chance: choose the one that matters before the runs."
    )


def runs_table(comparison: Comparison) -> Table:
    """Each run's figures, with their difference from the first run's."""
    (runs,) = comparison.groups
    return Table(
        columns=(Column("Figure"), *numbers(*runs)),
        rows=[[row.figure, *_beside_the_first(row)] for row in comparison.rows],
        name="comparison",
    )


def _beside_the_first(row: Row) -> list[str]:
    (values,) = row.values
    cells = [_value(row, value) for value in values]
    for at, change in enumerate(row.change):
        if at and change is not None:
            cells[at] += f" ({signed_share(change)})"
    return cells


def groups_table(comparison: Comparison) -> Table:
    """Each figure's medians, the ratio with its interval, the test, and what they show."""
    return Table(
        columns=(
            Column("Figure"),
            *numbers("Median, first", "Median, second", "Ratio", "95 % interval", "p"),
            Column("Finding"),
            Column("Why"),
        ),
        rows=[[row.figure, *_found(row, row.difference)] for row in comparison.rows],
        strong=frozenset(at for at, row in enumerate(comparison.rows) if row in findings(comparison)),
        name="comparison",
    )


def _found(row: Row, held: Difference | None) -> list[str]:
    if held is None:
        return [UNKNOWN] * 5 + [Finding.UNJUDGED.value, row.why or ""]
    interval = UNKNOWN if held.low is None or held.high is None else f"{held.low:.3f} to {held.high:.3f}"
    return [
        *(_value(row, median) for median in held.medians),
        UNKNOWN if held.ratio is None else f"{held.ratio:.3f}",
        interval,
        UNKNOWN if held.p is None else f"{held.p:.2g}",
        held.finding.value,
        held.reason,
    ]


def _value(row: Row, value: float | None) -> str:
    if value is None:
        return UNKNOWN
    return f"{significant(value)} {row.unit}" if row.unit else share(value, 3)


def signed_share(value: float) -> str:
    """`+12.3 %`."""
    return f"{value * 100:+.1f} %".replace("-", "−")
