"""A run as JUnit XML: one case for each SLA row, and one each for the audit and for whether the run can be judged.

What fails a build is a `failure`; a run that cannot be judged is an `error`; a row that does not apply is `skipped`.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree as Xml

from measure.figures import RowVerdict, RunDocument, SlaRow, Verdict
from measure.report.foreign import plain
from measure.report.judgement import closes, limit, measured
from measure.report.source import Source
from measure.report.wording import count


@dataclass(frozen=True, slots=True)
class Case:
    """One test case; `kind` is `failure`, `error`, `skipped`, or None where it passed."""

    name: str
    kind: str | None
    message: str
    said: str
    """What was measured, for the case's output."""


def render(source: Source) -> str:
    """The suite of a run."""
    return to_junit(source.document)


def to_junit(document: RunDocument) -> str:
    """The suite of a run's document."""
    cases = [*(_row(row) for row in document.sla), _accounted(document), _judged(document)]
    kinds = [case.kind for case in cases]
    attributes = {
        "name": plain(f"latency {document.scenario} {document.sla_name or ''}".strip()),
        "tests": str(len(cases)),
        "failures": str(kinds.count("failure")),
        "errors": str(kinds.count("error")),
        "skipped": str(kinds.count("skipped")),
        "time": f"{document.duration_s:.3f}",
        **({"timestamp": document.started.split(".")[0].rstrip("Z")} if document.started else {}),
    }
    suites = Xml.Element("testsuites")
    suite = Xml.SubElement(suites, "testsuite", attributes)
    properties = Xml.SubElement(suite, "properties")
    for name in ("run", "status", "profile", "runtime", "verdict"):
        Xml.SubElement(properties, "property", name=name, value=plain(str(getattr(document, name) or "none")))
    for case in cases:
        _add(suite, case, document)
    Xml.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(suites, encoding="unicode") + "\n"


def _row(row: SlaRow) -> Case:
    said = f"measured {measured(row)}, limit {limit(row)}, n {count(row.n)}" + (f", {row.reason}" if row.reason else "")
    kinds = {RowVerdict.PASS: None, RowVerdict.FAIL: "failure", RowVerdict.NOT_APPLICABLE: "skipped"}
    return Case(row.name, kinds[row.verdict], said, said)


def _accounted(document: RunDocument) -> Case:
    audit = document.audit
    said = f"scheduled {count(audit.scheduled)}, lost {count(audit.lost)}, duplicates {count(audit.duplicates)}"
    broken = any((audit.lost, audit.duplicates, audit.unexpected))
    kind = "failure" if broken else None if audit.closed else "error"
    return Case("every event accounted for", kind, f"{said}. {closes(audit)}", said)


def _judged(document: RunDocument) -> Case:
    """The verdict as a whole: what fails the run and is no SLA row, such as a loss in the warm-up, must show too."""
    said = "; ".join(document.reasons) or f"verdict {document.verdict or 'none yet'}"
    kinds = {Verdict.PASS: None, Verdict.FAIL: "failure", Verdict.INVALID: "error", None: "error"}
    return Case("verdict", kinds[document.verdict], said, said)


def _add(suite: Xml.Element, case: Case, document: RunDocument) -> None:
    element = Xml.SubElement(suite, "testcase", name=plain(case.name), classname=plain(f"latency.{document.scenario}"))
    if case.kind:
        Xml.SubElement(element, case.kind, message=plain(case.message))
    Xml.SubElement(element, "system-out").text = plain(case.said)
