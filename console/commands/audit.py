"""`latency audit RUN`: closes a run that was cut, and counts it again, event by event."""

from __future__ import annotations

from collections.abc import Iterator

import click
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from console.commands.runs import emit, found, json_option, narrate
from measure.errors import InvalidError, LatencyError, NotReadyError, UsageError
from measure.figures import Audit, RunDocument, Status
from measure.folder import RunFolder
from measure.load import Load
from measure.report.foreign import plain
from measure.report.judgement import AUDIT_WORDS
from measure.report.source import document_of
from measure.report.wording import count
from measure.store import Document
from measure.tracing import AuditReport, Recount, recount
from scenarios.closing import close
from scenarios.recount import trace
from stack.access import Access, Role
from stack.settings import Settings

_MICRO_BATCHES = {"microbatch", "reference"}
"""Profiles without a clean topic."""


@click.command()
@click.argument("name", metavar="RUN|last")
@json_option
@click.pass_context
def audit(ctx: click.Context, name: str, as_json: bool) -> None:
    """What became of every event of a run: counted again from the topics and the windows, while its stack is up.

    A run whose process died is closed by this. Exit codes: 3 lost, duplicated or unexpected events, 4 the audit does
    not close or the recount disagrees, 5 there is nothing to recount from.
    """
    (folder,) = found(name)
    if folder.status() is Status.RUNNING:
        raise UsageError(f"{folder.run} is running. Audit it when it has ended (`latency stop` ends it).")
    report = _audited(folder)
    if as_json:
        emit(report)
    else:
        click.echo("\n".join(_lines(report)))
    ctx.exit(_exit_code(report))


def _audited(folder: RunFolder) -> AuditReport:
    document: RunDocument | None = None
    recounts: list[Recount] = []
    note = None
    try:
        document, recounts = _recounted(folder)
    except InvalidError:
        raise
    except LatencyError as why:
        note = str(why)
    document = document or document_of(folder)
    return AuditReport(
        run=folder.run,
        audit=document.audit,
        warmup=document.warmup.audit if document.warmup else None,
        recounts=recounts,
        agrees=None if note else not any(each.differences for each in recounts),
        note=note,
    )


def _recounted(folder: RunFolder) -> tuple[RunDocument, list[Recount]]:
    """The document, closed if it was open, and the recounts. NotReadyError where the stack is not up."""
    plan = folder.plan()
    access = Access.load(Settings.load(plan.stack).folder.root)
    try:
        with MongoClient[Document](access.mongo_uri(Role.RUN), timeoutMS=30_000, tz_aware=True) as client:
            database = client[access.names.database]
            document = document_of(folder)
            if document.audit.lost is None:
                narrate(f"closing {folder.run}")
                document = close(folder, database)
            runs = [folder.run, *([folder.warmup_run] if plan.warmup else [])]
            since_us = plan.created_us or plan.t0_us or 0
            tracks = trace(access, database, runs, since_us, plan.profile not in _MICRO_BATCHES, narrate)
    except PyMongoError as away:
        raise NotReadyError(f"MongoDB of stack {plan.stack} does not answer: {type(away).__name__}.") from away
    loads = {run: Load.read(folder, warmup=run == folder.warmup_run) for run in runs}
    return document, [
        recount(run, load.accounts, load.sets, tracks[run]) for run, load in loads.items() if load.sets is not None
    ]


def _exit_code(report: AuditReport) -> int:
    audits = [each for each in (report.audit, report.warmup) if each is not None]
    if any(each.lost or each.duplicates or each.unexpected for each in audits):
        return 3
    if report.note:
        return NotReadyError.exit_code
    return 0 if report.agrees and all(each.closed for each in audits) else InvalidError.exit_code


def _lines(report: AuditReport) -> Iterator[str]:
    yield report.run
    for class_, _ in AUDIT_WORDS:
        beside = "" if report.warmup is None else f"{count(getattr(report.warmup, class_)):>14} in the warm-up"
        yield f"  {class_:<16}{count(getattr(report.audit, class_)):>14}{beside}"
    for title, held in (("", report.audit), ("warm-up: ", report.warmup)):
        yield from _problems(title, held)
    for each in report.recounts:
        yield from _recount_lines(each)
    if report.note:
        yield f"not recounted: {report.note}"
    else:
        yield "the recount bears the audit out" if report.agrees else "the recount disagrees with the audit"


def _problems(title: str, held: Audit | None) -> Iterator[str]:
    for problem in held.problems if held else ():
        yield f"{title}not closed: {problem}"


def _recount_lines(held: Recount) -> Iterator[str]:
    clean = "" if held.in_clean is None else f", {count(held.in_clean)} in clean"
    dead = "" if held.dead_letters is None else f", {count(held.dead_letters)} dead letters"
    replayed = f" ({count(held.replayed)} replayed)" if held.replayed else ""
    counted = f"{count(held.in_events)} in Kafka{clean}{replayed}{dead}, {count(held.in_windows)} in windows"
    yield f"recount of {held.run}: {counted}"
    for each in held.named:
        place = "" if each.partition is None else f", partition {each.partition} offset {each.offset}"
        yield f"  {each.kind} {each.producer}:{each.seq}{place}: {each.stopped}"
    for difference in held.differences:
        yield f"  differs: {plain(difference)}"
