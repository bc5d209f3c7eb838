"""What the run was judged by: its SLA rows, its audit, its alerts."""

from __future__ import annotations

from collections.abc import Iterator

from measure.figures import Audit, RowVerdict, RunDocument, SlaRow
from measure.limits import Limit
from measure.report.blocks import Block, Column, Facts, Items, Paragraph, Section, Table, numbers
from measure.report.wording import UNKNOWN, at, count, share, significant

SLA_TABLE = "sla"
AUDIT_TABLE = "audit"
WORDS = {RowVerdict.PASS: "pass", RowVerdict.FAIL: "FAIL", RowVerdict.NOT_APPLICABLE: "n/a"}


def judgement(document: RunDocument) -> list[Section]:
    """The sections on SLA, audit and alerts."""
    return [
        Section("SLA", [sla_table(document)] if document.sla else [Paragraph("No SLA was asked for.")]),
        Section("Audit", list(_audit(document))),
        Section("Alerts", [_alerts(document)]),
    ]


def sla_table(document: RunDocument) -> Table:
    """One row for each limit: what was measured, what is left of it, over how many."""
    return Table(
        columns=(Column("SLA"), *numbers("Limit", "Measured", "Margin", "n"), Column("Verdict"), Column("Note")),
        rows=[_sla_row(row) for row in document.sla],
        strong=frozenset(at for at, row in enumerate(document.sla) if row.verdict is RowVerdict.FAIL),
        name=SLA_TABLE,
    )


def _sla_row(row: SlaRow) -> list[str]:
    return [
        row.name,
        limit(row),
        measured(row),
        share(row.margin, 1),
        count(row.n),
        WORDS[row.verdict],
        row.reason or "",
    ]


def limit(row: SlaRow) -> str:
    """`< 1,000 ms`."""
    return str(Limit(row.operator, row.limit, row.unit))


def measured(row: SlaRow) -> str:
    """What was measured, in the unit of the limit. A share keeps the digits that tell it from its limit."""
    if row.measured is None:
        return UNKNOWN
    value = f"{row.measured:,.3f}".rstrip("0").rstrip(".") if row.unit == "%" else significant(row.measured)
    return f"{value} {row.unit}"


AUDIT_WORDS = (
    ("scheduled", "due by the schedule, as amended"),
    ("sent", "handed to the client: acked + failed + unknown"),
    ("unsent", "more than 1 s late or after the producer's death, and given up"),
    ("acked", "acknowledged by Kafka: stored + dead + late + lost"),
    ("failed", "refused or timed out"),
    ("unknown", "handed over, and neither acknowledged nor refused"),
    ("stored", "found in the database"),
    ("dead", "found among the dead letters"),
    ("late", "dropped behind a watermark"),
    ("lost", "acknowledged and found nowhere"),
    ("recovered", "failed or unknown, and found all the same"),
    ("unexpected", "found, and never scheduled"),
    ("duplicates", "records stored beyond the first of one event"),
    ("redelivered", "came again to the sink, and were not applied again"),
    ("unmeasured", "stored without a latency"),
    ("dead_unexpected", "dead letters that were not made bad on purpose"),
    ("unattributed", "events of nobody, stored meanwhile"),
)
"""Class of the audit → what it means."""


def _audit(document: RunDocument) -> Iterator[Block]:
    warmup = document.warmup.audit if document.warmup else None
    yield Paragraph(closes(document.audit))
    yield Table(
        columns=(Column("Class"), *numbers("Events"), *(numbers("Warm-up") if warmup else ()), Column("Meaning")),
        rows=[_audit_row(name, meaning, document.audit, warmup) for name, meaning in AUDIT_WORDS],
        name=AUDIT_TABLE,
    )
    if document.audit.problems:
        yield Items(document.audit.problems)
    for name, labels in document.audit.first.items():
        yield Paragraph(f"First {name} (producer:number): {', '.join(labels)}.")


def _audit_row(name: str, meaning: str, audit: Audit, warmup: Audit | None) -> list[str]:
    beside = [count(getattr(warmup, name))] if warmup else []
    return [name, count(getattr(audit, name)), *beside, meaning]


def closes(audit: Audit) -> str:
    """Whether the audit closes, in words."""
    if audit.closed:
        return "The audit closes: every event is in exactly one class, each counted from a set of event numbers."
    return "The audit does not close."


def _alerts(document: RunDocument) -> Block:
    if not document.alerts:
        return Paragraph("No alert was raised.")
    return Facts(
        [
            (
                alert.name,
                f"raised at {at(alert.at_s)}, {_until(alert.until_s)}; at its worst "
                f"{UNKNOWN if alert.worst is None else significant(alert.worst)} {alert.unit}, limit "
                f"{alert.limit:,g} {alert.unit}" + ("; it ended the run" if alert.aborted else ""),
            )
            for alert in document.alerts
        ]
    )


def _until(until_s: float | None) -> str:
    return "never resolved" if until_s is None else f"resolved at {at(until_s)}"
