"""The head of a report: which run it was, and what came of it in a few sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from measure.figures import Mark, RowVerdict, RunDocument, Status, Verdict
from measure.report.blocks import Facts, Items, Paragraph, Section
from measure.report.percentile import percentile
from measure.report.source import Source
from measure.report.wording import at, count, moment, rate, seconds

OFTEN = 4
"""What happened more often than this is told in one line."""

VERDICTS = {
    Verdict.PASS: "PASS",
    Verdict.FAIL: "FAIL",
    Verdict.INVALID: "INVALID",
    None: "NO VERDICT YET",
}


def heading(source: Source) -> Facts:
    """The lines below the title."""
    document = source.document
    return Facts(
        (
            ("Run", document.run),
            ("Started", moment(document.started)),
            ("Scenario", f"{document.scenario}, {load_in_words(document)}"),
            ("System", f"profile {document.profile}, runtime {document.runtime}"),
            ("Verdict", VERDICTS[document.verdict] + ("" if document.status is Status.FINISHED else " (cut short)")),
        )
    )


def load_in_words(document: RunDocument) -> str:
    """`2,000/s for 15 min`, with the peak where the rate changed."""
    target, peak = document.rate.target, document.rate.peak_target
    if target is None:
        return "no load"
    uneven = peak is not None and peak > 1.01 * target
    return f"{rate(target)}{f' (up to {rate(peak)})' if uneven else ''} for {seconds(document.duration_s)}"


def summary(source: Source) -> Section:
    """What a reader in a hurry needs."""
    document = source.document
    blocks: list[Paragraph | Items] = [Paragraph(" ".join(sentences(document)))]
    if document.reasons:
        blocks.append(Items([f"Why: {reason}" for reason in document.reasons]))
    if document.remarks:
        blocks.append(Items([f"Note: {remark}" for remark in document.remarks]))
    return Section("Executive Summary", blocks)


def sentences(document: RunDocument) -> Iterator[str]:
    """The run in words, from its figures alone."""
    if not document.audit.scheduled:
        yield "This run has no events: nothing of its load was due, so there is nothing to report on."
        return
    e2e = document.latency_ms.get("e2e")
    if e2e is None or not e2e.n:
        yield f"No latency was measured of {count(document.audit.scheduled)} events due."
    else:
        yield (
            f"P95 latency was {percentile(e2e, 'p95', unit=True)} from the moment an event was due to its acknowledged "
            f"write (P50 {percentile(e2e, 'p50', unit=True)}, P99 {percentile(e2e, 'p99', unit=True)}, over "
            f"{count(e2e.n)} events), at {rate(document.rate.achieved)} stored of {rate(document.rate.target)} due."
        )
    yield _audit_sentence(document)
    yield _sla_sentence(document)


def _audit_sentence(document: RunDocument) -> str:
    audit = document.audit
    if audit.lost is None:
        return "The audit is open: what was stored was never read out of the database."
    closed = "The audit closes" if audit.closed else "The audit does not close"
    return (
        f"{closed}: of {count(audit.scheduled)} events scheduled, {count(audit.lost)} were lost, "
        f"{count(audit.duplicates)} were duplicated and {count(audit.unsent)} were not sent."
    )


def _sla_sentence(document: RunDocument) -> str:
    judged = [row for row in document.sla if row.verdict is not RowVerdict.NOT_APPLICABLE]
    if not document.sla:
        return "No SLA was asked for."
    kept = sum(row.verdict is RowVerdict.PASS for row in judged)
    left_out = len(document.sla) - len(judged)
    rest = f" ({left_out} not applicable)" if left_out else ""
    return f"Of SLA {document.sla_name}, {kept} of {len(judged)} rows hold{rest}."


def marks(document: RunDocument) -> Section | None:
    """What happened, on the run's time line."""
    return Section("Time Line", [Items(_marks_in_words(document.marks))]) if document.marks else None


def _marks_in_words(found: Sequence[Mark]) -> list[str]:
    """One line for each mark; those that came often, such as checkpoints, share one."""
    times: dict[tuple[str, str], list[float]] = {}
    for mark in found:
        times.setdefault((mark.kind, mark.text), []).append(mark.at_s)
    lines: list[tuple[float, str]] = []
    for (kind, text), at_s in times.items():
        if len(at_s) <= OFTEN:
            lines += [(each, f"{at(each)} {kind}: {text}") for each in at_s]
        else:
            lines.append((at_s[0], f"{at(at_s[0])} {kind}: {text}; {len(at_s)} times until {at(at_s[-1])}"))
    return [line for _, line in sorted(lines)]
