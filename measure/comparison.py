"""Runs beside each other. Two single runs show their differences and prove nothing; in two groups the run is the unit,
and a difference is only called one where the groups show it (see `measure.inference`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from measure.errors import UsageError
from measure.figures import RunDocument, Status, Verdict
from measure.inference import MINIMUM_EFFECT, Difference, Finding, difference
from measure.percentiles import PERCENTS, percent_name

SCHEMA = "latency-compare/1"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a run that runs are compared by."""

    name: str
    unit: str
    read: Callable[[RunDocument], float | None]
    more_is_better: bool = False


def _stage(stage: str, percentile: str) -> Figure:
    def read(document: RunDocument) -> float | None:
        held = document.latency_ms.get(stage)
        value: float | None = getattr(held, percentile, None)
        return value

    title = percent_name(PERCENTS[percentile]) if percentile in PERCENTS else percentile
    return Figure(f"{stage} {title}", "ms", read)


def _cpu(document: RunDocument) -> float | None:
    used = [usage.cpu_mean for usage in document.resources.values() if usage.cpu_mean is not None]
    return sum(used) if used else None


def _memory(document: RunDocument) -> float | None:
    used = [usage.memory_max_bytes for usage in document.resources.values() if usage.memory_max_bytes is not None]
    return sum(used) / 2**20 if used else None


FIGURES: tuple[Figure, ...] = (
    *(_stage("e2e", percentile) for percentile in ("p50", "p95", "p99", "p999", "max")),
    *(_stage(stage, "p95") for stage in ("e2e_sent", "produce", "queue", "compute", "process", "store")),
    *(_stage(stage, "p95") for stage in ("visible", "query", "shown")),
    Figure("rate stored", "/s", lambda document: document.rate.achieved, more_is_better=True),
    Figure("availability", "", lambda document: document.availability, more_is_better=True),
    Figure("error rate", "", lambda document: document.error_rate),
    Figure("lag, most", "events", lambda document: document.lag.events_max),
    Figure("bulk write P95", "ms", lambda document: document.commit_ms.p95 if document.commit_ms else None),
    Figure("batch P95", "ms", lambda document: document.batch_ms.p95 if document.batch_ms else None),
    Figure("recovery, median", "s", lambda document: document.recovery_summary.median_s),
    Figure("CPU of all services", "cores", _cpu),
    Figure("memory of all services", "MiB", _memory),
    Figure("generator late", "", lambda document: document.generator.late_share),
)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of every run, in the order of the groups' runs; null where a run has none."""

    figure: str
    unit: str
    values: list[list[float | None]]
    more_is_better: bool
    change: list[float | None] = []
    """Of single runs: each one's share above (or below) the first one's."""
    difference: Difference | None = None
    """Of two groups: what they show. Null where a run has no value; `why` then says so."""
    why: str | None = None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """`latency-compare/1`."""

    schema: Literal["latency-compare/1"] = "latency-compare/1"
    groups: list[list[str]]
    """Run ids: two groups, or one of single runs."""
    minimum_effect: float
    rows: list[Row]
    notes: list[str]
    """What makes the runs unlike each other beside what is compared, or unfit."""


def compare(groups: Sequence[Sequence[RunDocument]], minimum: float = MINIMUM_EFFECT, seed: int = 1) -> Comparison:
    """One group of two or more single runs, or two groups of runs. UsageError for anything else."""
    if len(groups) > 2 or not all(groups) or sum(map(len, groups)) < 2:
        raise UsageError("expected two or more runs, or two groups of runs with `vs` between them.")
    ids = [document.run for group in groups for document in group]
    if len(set(ids)) < len(ids):
        raise UsageError("a run was named twice: a run beside itself shows nothing.")
    rows = [_row(figure, groups, minimum, seed) for figure in FIGURES]
    return Comparison(
        groups=[[document.run for document in group] for group in groups],
        minimum_effect=minimum,
        rows=[row for row in rows if any(value is not None for group in row.values for value in group)],
        notes=list(_notes([document for group in groups for document in group])),
    )


def _row(figure: Figure, groups: Sequence[Sequence[RunDocument]], minimum: float, seed: int) -> Row:
    values = [[figure.read(document) for document in group] for group in groups]
    change: list[float | None] = []
    found: Difference | None = None
    why: str | None = None
    if len(values) == 1:
        change = _changes(values[0])
    else:
        known = [[value for value in group if value is not None] for group in values]
        absent = sum(map(len, values)) - sum(map(len, known))
        if absent:
            why = f"{absent} of {sum(map(len, values))} runs have no such figure; without them the rest would mislead"
        else:
            found = difference(known[0], known[1], more_is_better=figure.more_is_better, minimum=minimum, seed=seed)
    return Row(
        figure=figure.name,
        unit=figure.unit,
        values=values,
        more_is_better=figure.more_is_better,
        change=change,
        difference=found,
        why=why,
    )


def _changes(values: Sequence[float | None]) -> list[float | None]:
    first = values[0]
    return [None if value is None or not first else value / first - 1 for value in values]


def _notes(documents: Sequence[RunDocument]) -> Iterator[str]:
    for document in documents:
        if document.status is not Status.FINISHED:
            yield f"{document.run} is {document.status}: its figures are over what there is."
        elif document.verdict is Verdict.INVALID:
            yield f"{document.run} is invalid: {document.reasons[0]}."
    for title, read in _CIRCUMSTANCES:
        found = list(dict.fromkeys(read(document) for document in documents))
        if len(found) > 1:
            yield f"The runs differ in {title}: {', '.join(found)}."


_CIRCUMSTANCES: tuple[tuple[str, Callable[[RunDocument], str]], ...] = (
    ("scenario", lambda document: document.scenario),
    ("rate", lambda document: "–" if document.rate.target is None else f"{document.rate.target:,.0f}/s"),
    ("duration", lambda document: f"{document.duration_s:,.0f} s"),
    ("profile", lambda document: document.profile),
    ("runtime", lambda document: document.runtime),
    ("cores", lambda document: str(document.environment.cores) if document.environment else "–"),
    ("CPU", lambda document: (document.environment.cpu if document.environment else None) or "–"),
    ("versions", lambda document: _versions(document)),
)


def _versions(document: RunDocument) -> str:
    held = document.environment.versions if document.environment else {}
    return " ".join(f"{name} {version}" for name, version in sorted(held.items())) or "–"


def findings(comparison: Comparison) -> list[Row]:
    """The rows in which the groups differ."""
    shown = (Finding.BETTER, Finding.WORSE)
    return [row for row in comparison.rows if row.difference is not None and row.difference.finding in shown]
