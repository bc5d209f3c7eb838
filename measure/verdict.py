"""The verdict on a run, judged in a fixed order, so that the gravest finding is what is said.

1. An event lost, duplicated or never scheduled, in the load or in the warm-up → fail.
2. The run cannot be judged → invalid: less than 99.5 % sent, the audit not closed, the clock stepped, the drain timed
   out, latencies of more or fewer events than were stored, an injected fault not seen to act, the generator's
   lateness broke the SLA.
3. An SLA row fails → fail. Else → pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from measure.evidence import Evidence
from measure.figures import Audit, Clock, Generator, RowVerdict, SlaRow, StageLatency, Verdict
from measure.limits import METRICS, UNITS, Limit
from measure.percentiles import PERCENTS
from measure.records import MarkLine

SENT_SHARE = 0.995
LATE_SHARE = 0.01
"""From such a share of late events on, an SLA that only fails from due, not from sent, was broken by the generator."""


def judge_run(
    evidence: Evidence,
    clock: Clock,
    generator: Generator,
    stages: dict[str, StageLatency],
    rows: Sequence[SlaRow],
) -> tuple[Verdict, list[str]]:
    """The verdict and its reasons, the gravest first; a plain pass has none."""
    load, warmup = evidence.load.audit, evidence.warmup.audit if evidence.warmup else None
    broken = [*_broken(load, ""), *(_broken(warmup, "warm-up: ") if warmup else ())]
    doubtful = [*_doubtful(evidence, clock), *_spoiled(rows, stages, generator)]
    missed = [_missed(row) for row in rows if row.verdict is RowVerdict.FAIL]
    if broken:
        return Verdict.FAIL, [*broken, *doubtful, *missed]
    if doubtful:
        return Verdict.INVALID, [*doubtful, *missed]
    return (Verdict.FAIL, missed) if missed else (Verdict.PASS, [])


def _broken(audit: Audit, prefix: str) -> Iterator[str]:
    for name, count in (("lost", audit.lost), ("duplicates", audit.duplicates), ("unexpected", audit.unexpected)):
        if count:
            first = ", ".join(audit.first.get(name, [])[:3])
            yield f"{prefix}{name} {count:,}" + (f" (first {first})" if first else "")


def _doubtful(evidence: Evidence, clock: Clock) -> Iterator[str]:
    audit = evidence.load.audit
    yield from evidence.outcome.invalid  # why the others, if there are some
    if not audit.scheduled:
        yield "no event of the load was due"
    elif audit.sent < SENT_SHARE * audit.scheduled:
        yield f"only {audit.sent / audit.scheduled:.2%} of the events due were sent, 99.5 % are needed"
    yield from (f"audit not closed: {problem}" for problem in audit.problems)
    if evidence.warmup:
        yield from (f"warm-up: audit not closed: {problem}" for problem in evidence.warmup.audit.problems)
    if clock.stepped:
        yield f"the wall clock stepped by {clock.step_max_ms:g} ms"
    if audit.scheduled and evidence.outcome.drained is None:
        yield "the run ended before its drain did"
    elif evidence.outcome.drained is False:
        yield "the drain timed out before every acknowledged event was accounted for"
    if evidence.load.unlike:
        measured, expected = evidence.load.unlike
        yield f"{measured:,} events have a latency, {expected:,} should: buckets and sets disagree"
    yield from _faults_not_seen(evidence.marks)


def _faults_not_seen(marks: Iterable[MarkLine]) -> Iterator[str]:
    for mark in marks:
        if mark.kind == "fault" and mark.fault is not None and mark.edge != "end" and mark.acted is not True:
            yield f"fault {mark.fault} {mark.service or ''}".rstrip() + " was not seen to act"


def _spoiled(rows: Iterable[SlaRow], stages: dict[str, StageLatency], generator: Generator) -> Iterator[str]:
    """An e2e row that fails from due, yet holds from the actual send, while many events were sent late."""
    if generator.late_share is None or generator.late_share <= LATE_SHARE:
        return
    names = {percent: name for name, percent in PERCENTS.items()}
    for row in rows:
        if row.metric != "e2e" or row.verdict is not RowVerdict.FAIL or row.during != "load":
            continue
        from_sent_ms = getattr(stages.get("e2e_sent"), names.get(row.percentile or 0, ""), None)
        limit_ms = row.limit * UNITS[METRICS["e2e"].dimension][row.unit]
        if from_sent_ms is not None and from_sent_ms < limit_ms:
            yield (
                f"the generator sent {generator.late_share:.1%} of the events late: {row.name} breaks its limit from "
                f"due, and keeps it ({from_sent_ms:,.6g} ms) from the actual send"
            )


def _missed(row: SlaRow) -> str:
    measured = row.reason or "" if row.measured is None else f"{row.measured:,.6g} {row.unit}"
    return f"SLA {row.name}: {measured}, limit {Limit(row.operator, row.limit, row.unit)}"
