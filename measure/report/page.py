"""The whole report in the order of the reference report, as blocks that any format can show."""

from __future__ import annotations

from measure.report.advice import advice
from measure.report.blocks import Page
from measure.report.breakdown import bottlenecks, breakdown
from measure.report.judgement import judgement
from measure.report.method import method
from measure.report.opening import heading, marks, summary
from measure.report.results import results
from measure.report.source import Source


def page(source: Source) -> Page:
    """The report of a run. One without events says so, and has only what can be said of it."""
    document = source.document
    sections = [summary(source), *method(source)]
    if document.audit.scheduled:
        sections += [*breakdown(document), *results(document), *bottlenecks(document)]
    sections += judgement(document)
    if (time_line := marks(document)) is not None:
        sections.append(time_line)
    return Page(f"End-to-End Latency Report: {document.scenario}", heading(source), [*sections, advice(document)])
