"""A run's summary for a terminal or a log: the figures that matter, on one screen."""

from __future__ import annotations

import io
from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from measure.figures import RunDocument, Status, Verdict
from measure.report.blocks import Block, Items, Page, Paragraph, Table
from measure.report.breakdown import gaps, latency_table
from measure.report.foreign import plain
from measure.report.judgement import closes, sla_table
from measure.report.opening import VERDICTS, load_in_words
from measure.report.results import facts
from measure.report.source import Source
from measure.report.wording import UNKNOWN, count

WIDTH = 110
"""Columns where the output is no terminal; fits every row of a usual run."""

_LATENCY_COLUMNS = (
    "Stage",
    "Component",
    "P50 (ms)",
    "P95 (ms)",
    "P99 (ms)",
    "Max (ms)",
    "n",
    "Reference P50 / P95 / P99",
)
_SLA_COLUMNS = ("SLA", "Limit", "Measured", "Margin", "n", "Verdict", "Note")
_FACTS = (
    "Rate",
    "Error rate",
    "Availability",
    "Lag",
    "Bulk write",
    "Batch",
    "Recovery",
    "Resource usage",
    "Generator",
    "Warm-up",
)
_COLOURS = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.INVALID: "yellow", None: "cyan"}


def render(source: Source) -> str:
    """The summary of a run."""
    return to_text(source.document)


def to_text(document: RunDocument, width: int = WIDTH, colour: bool = False) -> str:
    """The summary as lines of at most `width` columns; ANSI colours only with `colour`."""
    out = io.StringIO()
    console = Console(
        file=out, width=width, force_terminal=colour, color_system="standard" if colour else None, highlight=False
    )
    console.print(Group(*_parts(document)))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _parts(document: RunDocument) -> Iterator[RenderableType]:
    yield _verdict(document)
    for line in document.reasons:
        yield Padding(Text(plain(line)), (0, 0, 0, 2))
    if not document.audit.scheduled:
        yield Padding(Text("This run has no events: nothing of its load was due."), (1, 0, 0, 2))
    else:
        yield Text("")
        yield _table(latency_table(document).only(_LATENCY_COLUMNS))
        yield _below_latency(document)
    if document.sla:
        yield _table(sla_table(document).only(_SLA_COLUMNS))
    yield _audit(document)
    if document.audit.scheduled:
        yield _facts(document)
    for remark in document.remarks:
        yield Padding(Text(f"Note: {plain(remark)}"), (0, 0, 0, 2))


def page_to_text(shown: Page, width: int = WIDTH) -> str:
    """Any report's blocks for a terminal; charts and bars are left out."""
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False)
    for section in shown.sections:
        for block in section.blocks:
            console.print(_drawn(block))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _drawn(block: Block) -> RenderableType:
    match block:
        case Table():
            return Padding(_table(block), (1, 0))
        case Paragraph(text):
            return Text(plain(text, None))
        case Items(texts):
            return Text("\n".join(f"Note: {plain(text, None)}" for text in texts))
        case _:
            return Text("")


def _verdict(document: RunDocument) -> Text:
    cut = "" if document.status is Status.FINISHED else f" ({document.status})"
    head = Text(f"{VERDICTS[document.verdict]}{cut}", style=f"bold {_COLOURS[document.verdict]}")
    rest = (document.run, document.profile, document.runtime, load_in_words(document))
    return head + Text("  " + plain(" · ".join(rest)))


def _table(table: Table) -> RichTable:
    """Reference figures of two components stand one below the other, so that the table keeps its width."""
    made = RichTable(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)
    for column in table.columns:
        title = column.title.replace(" (ms)", "")
        made.add_column(title, justify="right" if column.number else "left", overflow="fold")
    for at, row in enumerate(table.rows):
        cells = [Text("\n".join(plain(line) for line in cell.split(", then "))) for cell in row]
        made.add_row(*cells, style="bold" if at in table.strong else "")
    return made


def _below_latency(document: RunDocument) -> Padding:
    lines = [
        "In ms. e2e: due → acknowledged write, of every event due. The reference's total ends at its dashboard: shown.",
        *(text for text in gaps(document) if not text.startswith("P99.9")),
    ]
    return Padding(Text("\n".join(lines), style="dim"), (0, 0, 1, 0))


def _audit(document: RunDocument) -> Padding:
    audit = document.audit
    sent = f"{count(audit.sent)} sent + {count(audit.unsent)} unsent"
    acked = f"{count(audit.acked)} acknowledged + {count(audit.failed)} failed + {count(audit.unknown)} unknown"
    found = " + ".join(f"{count(getattr(audit, name))} {name}" for name in ("stored", "dead", "late", "lost"))
    others = ", ".join(
        f"{count(getattr(audit, name))} {name}" for name in ("duplicates", "unexpected", "redelivered", "unmeasured")
    )
    closing = closes(audit) if audit.lost is not None else "It is open: what was stored was never read out."
    lines = [
        f"Audit   {count(audit.scheduled)} scheduled = {sent}",
        f"        sent = {acked}",
        f"        acknowledged = {found}",
        f"        {others}",
        f"        {closing}",
    ]
    return Padding(Text("\n".join(lines)), (1, 0, 1, 0))


def _facts(document: RunDocument) -> RichTable:
    made = RichTable.grid(padding=(0, 2))
    for label, value in facts(document):
        if label in _FACTS and not value.startswith(UNKNOWN):
            made.add_row(Text(label), Text(plain(value)))
    return made
