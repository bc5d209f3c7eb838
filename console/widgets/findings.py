"""What the doctor found."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from console.feed.examination import Examination, FindingRow
from console.widgets.lines import MUTED, hanging, line, lines

_SIGNS = {"ok": ("✓", "$text-success"), "note": ("!", "$text-warning"), "lacks": ("✗", "$text-error")}


class Findings(Static):
    """One line a finding, and what to do below those that want something."""

    DEFAULT_CSS = """
    Findings { width: 100%; height: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.examination: Examination | None = None

    def on_resize(self) -> None:
        self.show(self.examination)

    def show(self, examination: Examination | None) -> None:
        """None: not looked yet."""
        self.examination = examination
        if examination is None:
            self.update(Content("looking at this machine …"))
        elif examination.problem:
            self.update(Content.assemble(("n/a: ", "bold"), examination.problem))
        else:
            width = self.size.width or 80
            self.update(lines(each for row in examination.findings for each in _rows(row, width)))


def _rows(row: FindingRow, width: int) -> list[Content]:
    sign, colour = _SIGNS.get(row.verdict, ("?", MUTED))
    head = line((f"{sign} ", f"bold {colour}"), f"{row.name:<14} ")
    told = [hanging(head, row.found, width, MUTED if row.verdict == "ok" else "")]
    if row.advice:
        told.append(hanging(line((f"{'':<17}→ ", colour)), row.advice, width, colour))
    return told
