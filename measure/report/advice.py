"""Recommendations that follow from the numbers: each rule looks at the document and states the figure it rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from measure.figures import RowVerdict, RunDocument
from measure.limits import METRICS
from measure.report.blocks import Items, Section
from measure.report.breakdown import shares
from measure.report.judgement import limit, measured
from measure.report.results import signed
from measure.report.stages import component
from measure.report.wording import bytes_, count, ms, share, significant

BUSY = 0.8
"""Share of the cores from which on the machine itself may be what is measured."""
FULL = 0.85
"""Share of the memory from which on a machine swaps or kills sooner or later."""
TIGHT = 0.1
"""An SLA margin below this share is one bad day."""
LATE = 0.01
"""Share of events sent late from which on the generator shows in the figures."""
MAIN_SHARE = 0.5
"""A stage with so much of the mean is where to begin."""
TAIL = 4.0
"""P99 so many times P50 is a tail of its own, not the usual spread."""

Rule = Callable[[RunDocument], Iterator[str]]


def advice(document: RunDocument) -> Section:
    """What to do next."""
    found = [text for rule in RULES for text in rule(document)]
    return Section("Recommendations", [Items(found or [_nothing(document)], ordered=True)])


def _nothing(document: RunDocument) -> str:
    if not document.audit.scheduled:
        return "Run the scenario again: there were no events to conclude from."
    return (
        "No figure of this run calls for a change. It does not show the limit: raise the rate with --scale to find it."
    )


def _audit(document: RunDocument) -> Iterator[str]:
    audit = document.audit
    if audit.lost is None:
        yield "Close the audit: `latency audit RUN` while this run's stack is up."
    for name in ("lost", "duplicates", "unexpected"):
        if n := getattr(audit, name):
            yield f"Find out where {count(n)} {name} events went with `latency audit RUN`; nothing else matters before."
    if audit.dead_unexpected:
        yield f"Look at the {count(audit.dead_unexpected)} dead letters that nobody expected; each has its reason."


def _generator(document: RunDocument) -> Iterator[str]:
    held = document.generator
    if document.audit.unsent:
        part = share(document.audit.unsent / document.audit.scheduled)
        yield f"Give the generator more room (more producer processes, or cores): {part} of the events were not sent."
    elif (held.late_share or 0) > LATE:
        yield (
            f"Give the generator more room (more producer processes, or cores): {share(held.late_share)} of the events "
            f"were sent late, at worst by {ms(held.late_max_ms)} ms, and that is in the figures from due."
        )


def _main_share(document: RunDocument) -> Iterator[str]:
    ranked = shares(document)
    if ranked and ranked[0][1] >= MAIN_SHARE:
        stage, part, held = ranked[0]
        yield (
            f"Begin with {component(stage)} ({stage}): it takes {share(part, 0)} of the mean time "
            f"({ms(held.mean)} ms of {ms(sum(each[2].mean or 0 for each in ranked))} ms)."
        )


def _tail(document: RunDocument) -> Iterator[str]:
    e2e = document.latency_ms.get("e2e")
    if e2e is None or e2e.p99 is None or not e2e.p50 or e2e.p99 < TAIL * e2e.p50:
        return
    boundaries = sum(mark.kind == "checkpoint" for mark in document.marks)
    cause = "look for stalls in the chart over time"
    if boundaries:
        cause = (
            f"the {boundaries} checkpoint boundaries on the time line are the first suspects; a longer interval has "
            "fewer, and replays more after a crash"
        )
    yield f"Look at the tail: P99 is {ms(e2e.p99)} ms, {e2e.p99 / e2e.p50:.1f} times P50; {cause}."


def _commit(document: RunDocument) -> Iterator[str]:
    store = document.latency_ms.get("store")
    commit = document.commit_ms.p95 if document.commit_ms else None
    if store and store.p95 and commit and commit > store.p95 / 2:
        yield f"Speed up the bulk write: its P95 of {ms(commit)} ms is most of the store stage's {ms(store.p95)} ms."


def _trend(document: RunDocument) -> Iterator[str]:
    held = document.stability
    if held.low is not None and held.high is not None and held.low > 0:
        yield (
            f"Run longer and look for what grows: P95 rose by {significant(held.slope_ms_per_min or 0)} ms a minute "
            f"(95 % interval {signed(held.low)} to {signed(held.high)})."
        )


def _machine(document: RunDocument) -> Iterator[str]:
    machine = document.environment
    if machine is None or not document.resources:
        return
    cpu = sum(usage.cpu_mean or 0 for usage in document.resources.values())
    memory = sum(usage.memory_max_bytes or 0 for usage in document.resources.values())
    if cpu > BUSY * machine.cores:
        yield f"Use more cores: the services used {cpu:.2f} of {machine.cores}, so the machine is part of the result."
    if memory > FULL * machine.memory:
        yield f"Use more memory: the services took up to {bytes_(memory)} of {bytes_(machine.memory)}."


def _recovery(document: RunDocument) -> Iterator[str]:
    held = document.recovery_summary
    if held.cycles and held.recovered < held.cycles:
        yield (
            f"Lower the burst or add capacity: {held.cycles - held.recovered} of {held.cycles} disturbances were not "
            "recovered from in the time there was."
        )


def _limits(document: RunDocument) -> Iterator[str]:
    for row in document.sla:
        if row.verdict is RowVerdict.FAIL:
            yield f"Bring {row.name} within its limit: {measured(row)} against {limit(row)}."
        elif row.margin is not None and 0 < row.margin < TIGHT and not METRICS[row.metric].at_least:
            yield f"Watch {row.name}: {measured(row)} leaves {share(row.margin, 1)} of its limit {limit(row)}."


def _steadiness(document: RunDocument) -> Iterator[str]:
    if document.warmup is not None and not document.warmup.steady:
        yield "Repeat on a quiet machine or with a longer warm-up: no steady state was reached before the load."


RULES: tuple[Rule, ...] = (
    _audit,
    _generator,
    _limits,
    _main_share,
    _tail,
    _commit,
    _trend,
    _recovery,
    _machine,
    _steadiness,
)
