"""The doctor's findings and the settings with their origins, as plain rows."""

from __future__ import annotations

from dataclasses import dataclass

from measure.errors import LatencyError
from stack.logs import clean
from stack.settings import Settings


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One thing that was looked at; `verdict` is ok, note or lacks."""

    name: str
    verdict: str
    found: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Examination:
    """What the machine has and how the stack is configured. `problem` says why there is nothing."""

    findings: tuple[FindingRow, ...] = ()
    settings: tuple[tuple[str, str, str], ...] = ()
    """(key, value, where it came from)"""
    problem: str | None = None

    @property
    def ready(self) -> bool:
        """Whether `up` can work."""
        return bool(self.findings) and all(row.verdict != "lacks" for row in self.findings)


def read_examination(settings: Settings) -> Examination:
    """Looks at the machine; takes a second or so."""
    from stack.doctor import examine  # slow to import, and not needed for the first paint

    rows = tuple(
        (key, "–" if value is None else clean(str(value)), clean(origin)) for key, value, origin in settings.entries()
    )
    try:
        found = examine(settings)
    except (LatencyError, OSError) as broken:
        return Examination(settings=rows, problem=str(broken))
    return Examination(
        tuple(FindingRow(each.name, str(each.verdict), clean(each.found), clean(each.advice)) for each in found), rows
    )
