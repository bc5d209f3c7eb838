"""What the pages take from the runs' folders, by the code that `latency runs`, `report` and `compare` use."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from dashboard.answers import UnavailableError
from measure.comparison import compare
from measure.document import build
from measure.errors import LatencyError
from measure.figures import Alert, SlaRow, Status
from measure.folder import RunFolder
from measure.history import Entry, history
from measure.limits import AlertRule
from measure.report.comparing import comparison_page
from measure.report.formats import render
from measure.report.markdown import to_markdown
from measure.report.source import Source, document_of

T = TypeVar("T")

DOWNLOADS = {
    "JSON": ("json", "json", "application/json"),
    "Markdown": ("md", "md", "text/markdown"),
    "HTML": ("html", "html", "text/html"),
    "JUnit": ("junit", "xml", "application/xml"),
}
"""What a button says → format, the file's ending, and its media type."""


class RunUnreadableError(UnavailableError):
    """A run's folder is not there, or says nothing that can be read. The message is fit for a visitor."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a run stands against its limits: as its document has it, or for the one in progress as it is so far."""

    final: bool
    tier: str | None
    rows: tuple[SlaRow, ...]
    rules: tuple[AlertRule, ...]
    alerts: tuple[Alert, ...]
    reasons: tuple[str, ...]


class Reports:
    """Reads below the folder of all runs. `cache` keeps what is slow to make for the HTML report."""

    def __init__(self, runs: Path, cache: Path) -> None:
        self._runs = runs
        self._cache = cache

    def entries(self) -> list[Entry]:
        """All runs that have a folder here, newest first."""
        return _read(lambda: history(self._runs).runs)

    def source(self, run: str) -> Source:
        """All that a report of `run` is made of."""
        return _read(lambda: Source.read(self._folder(run), self._cache))

    def written(self, source: Source, form: str) -> str:
        """The report in one of the formats: what `latency report --format` writes."""
        return _read(lambda: render(source, form))

    def comparison(self, groups: Sequence[Sequence[str]]) -> str:
        """Runs side by side, or two groups of runs against each other, as Markdown."""

        def made() -> str:
            documents = [[document_of(self._folder(run)) for run in group] for group in groups]
            return to_markdown(comparison_page(compare(documents)))

        return _read(made)

    def standing(self, run: str) -> Standing:
        """The limits of `run` and how it keeps them."""
        return _read(lambda: _standing(self._folder(run)))

    def _folder(self, run: str) -> RunFolder:
        return RunFolder.find(self._runs, run)


def _standing(folder: RunFolder) -> Standing:
    running = folder.status() is Status.RUNNING
    document = build(folder, time.time_ns() // 1000) if running else document_of(folder)
    return Standing(
        final=not running,
        tier=document.sla_name,
        rows=tuple(document.sla),
        rules=tuple(folder.plan().alerts),
        alerts=tuple(document.alerts),
        reasons=tuple(document.reasons),
    )


def _read(make: Callable[[], T]) -> T:
    """RunUnreadableError for what the command would say and end."""
    try:
        return make()
    except (LatencyError, OSError) as wrong:
        raise RunUnreadableError(str(wrong)) from wrong
