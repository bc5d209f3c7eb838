"""The runs that are kept, and what can be done with them. Every function reads files, and may take a while."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from measure.errors import LatencyError, NotReadyError
from measure.folder import RunFolder
from measure.history import Entry, delete, history
from measure.report.formats import FORMATS, render
from measure.report.source import Source, document_of
from stack.places import Home

SUFFIXES = {"text": "txt"}
"""Format → suffix of its file, where it is another one."""
WIDTH = 118


@dataclass(frozen=True, slots=True)
class Archive:
    """The runs, newest first, and what could not be read."""

    entries: tuple[Entry, ...] = ()
    damaged: tuple[str, ...] = ()


def read_archive(home: Home) -> Archive:
    """All runs of this machine."""
    damaged: list[str] = []
    return Archive(tuple(history(home.runs, narrate=damaged.append).runs), tuple(damaged))


def report_of(home: Home, run: str) -> str:
    """A run's summary as text."""
    return rendered(home, run, "text")


def rendered(home: Home, run: str, form: str) -> str:
    """A run's report in one of FORMATS."""
    return render(Source.read(RunFolder.find(home.runs, run), home.root / "cache"), form)


def comparison_of(home: Home, runs: Sequence[str]) -> str:
    """Runs side by side, as text."""
    from measure.comparison import compare
    from measure.report.comparing import comparison_page
    from measure.report.text import page_to_text

    documents = [document_of(RunFolder.find(home.runs, run)) for run in runs]
    return page_to_text(comparison_page(compare([documents])), WIDTH)


def file_name(run: str, form: str) -> str:
    """What a report's file is called."""
    return f"{run}.{SUFFIXES.get(form, form)}"


def export(home: Home, run: str, form: str, folder: Path) -> Path:
    """Write a run's report into `folder`; NotReadyError where that cannot be written to."""
    if form not in FORMATS:
        raise LatencyError(f"format {form!r}: expected one of {', '.join(FORMATS)}")
    path = folder / file_name(run, form)
    content = rendered(home, run, form)
    try:
        path.write_text(content, "utf-8")
    except OSError as refused:
        raise NotReadyError(f"cannot write {path}: {refused.strerror}. Start the console in another folder.") from None
    return path


def remove(home: Home, run: str) -> None:
    """Delete a run for good; UsageError for one that is kept or running."""
    delete([RunFolder.find(home.runs, run)])


def keep(home: Home, run: str) -> bool:
    """Keep a run, or no longer; whether it is kept now."""
    folder = RunFolder.find(home.runs, run)
    folder.keep(not folder.kept)
    return folder.kept
