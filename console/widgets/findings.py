"""What the doctor found."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from console.feed.examination import Examination, FindingRow
from console.widgets.lines import MUTED, line, lines

_SIGNS = {"ok": ("✓", "$text-success"), "note": ("!", "$text-warning"), "lacks": ("✗", "$text-error")}


class Findings(Static):
    """One line a finding, and what to do below those that want something."""

    DEFAULT_CSS = """
    Findings { width: 100%; height: auto; }
    """

    def show(self, examination: Examination | None) -> None:
        """None: not looked yet."""
        if examination is None:
            self.update(Content("looking at this machine …"))
        elif examination.problem:
            self.update(Content.assemble(("n/a: ", "bold"), examination.problem))
        else:
            self.update(lines(each for row in examination.findings for each in _rows(row)))


def _rows(row: FindingRow) -> list[Content]:
    sign, colour = _SIGNS.get(row.verdict, ("?", MUTED))
    told = [line((f"{sign} ", f"bold {colour}"), f"{row.name:<14} ", (row.found, MUTED if row.verdict == "ok" else ""))]
    if row.advice:
        told.append(line((f"{'':<17}→ {row.advice}", colour)))
    return told
