"""The runs that are kept on this machine, from their folders alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from measure.document import iso
from measure.errors import InvalidError, UsageError
from measure.figures import StageLatency, Status, Verdict
from measure.folder import RunFolder


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One run in `latency runs --json`."""

    id: str
    scenario: str
    profile: str
    runtime: str
    stack: str
    started: str | None
    status: Status
    verdict: Verdict | None
    """Null while it runs, and of an interrupted run until `latency audit` closes it."""
    latency_ms: dict[str, StageLatency]
    kept: bool


class Runs(msgspec.Struct, frozen=True):
    """The document of `latency runs --json`, newest first."""

    runs: list[Entry]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which runs are wanted; None asks for nothing."""

    scenario: str | None = None
    profile: str | None = None
    stack: str | None = None
    status: str | None = None
    verdict: str | None = None

    def wants(self, entry: Entry) -> bool:
        """Whether `entry` has all that is asked for."""
        asked = {name: getattr(self, name) for name in ("scenario", "profile", "stack", "status", "verdict")}
        return all(value is None or getattr(entry, name) == value for name, value in asked.items())


def history(runs: Path, wanted: Filter | None = None, narrate: Callable[[str], None] | None = None) -> Runs:
    """The runs below `runs` that are `wanted`. A folder that cannot be read is left out, and `narrate`d."""
    entries: list[tuple[int, Entry]] = []
    for folder in RunFolder.all(runs):
        try:
            entries.append((folder.created_us, entry(folder)))
        except InvalidError as damaged:
            if narrate:
                narrate(f"left out: {damaged}")
    newest_first = sorted(entries, key=lambda pair: (-pair[0], pair[1].id))
    return Runs([each for _, each in newest_first if wanted is None or wanted.wants(each)])


def entry(folder: RunFolder) -> Entry:
    """One run. Only a stored document gives figures: a list must not read every slice of every run."""
    plan, status, document = folder.plan(), folder.status(), folder.document()
    ended = document is not None and document.status is status and status is not Status.RUNNING
    return Entry(
        id=folder.run,
        scenario=plan.scenario,
        profile=plan.profile,
        runtime=plan.runtime,
        stack=plan.stack,
        started=iso(plan.t0_us) if plan.t0_us is not None else None,
        status=status,
        verdict=document.verdict if document and ended else None,
        latency_ms=document.latency_ms if document and ended else {},
        kept=folder.kept,
    )


def delete(folders: Iterable[RunFolder]) -> None:
    """Remove these runs for good; UsageError, with nothing removed, where one is kept or still running."""
    doomed = list(folders)
    for folder in doomed:
        if folder.kept:
            raise UsageError(f"{folder.run} is kept. Release it first: `latency runs keep --release {folder.run}`.")
        if folder.status() is Status.RUNNING:
            raise UsageError(f"{folder.run} is running. End it first: `latency stop`.")
    for folder in doomed:
        shutil.rmtree(folder.path)
