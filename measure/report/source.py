"""What a report is made of: a run's document, its schedule, and the digest of its slices, from its folder alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from measure.document import build, describe
from measure.evidence import Evidence
from measure.figures import RunDocument, Status
from measure.folder import RunFolder
from measure.load import schedule_of
from measure.records import RunSample
from measure.report.digest import Digest, read_digest, write_digest
from measure.schedule import Schedule


@dataclass(frozen=True)
class Source:
    """A run, as far as a report shows it."""

    folder: RunFolder
    document: RunDocument
    schedule: Schedule
    """As it was in force."""
    digest: Digest
    cache: Path | None = None
    """Folder where what is slow to make may stay for the next report; None: nothing stays."""

    @classmethod
    def read(cls, folder: RunFolder, cache: Path | None = None) -> Source:
        """Read `folder`; it needs no stack."""
        return cls(folder, document_of(folder), schedule_of(folder), read_digest(folder), cache)

    @cached_property
    def samples(self) -> list[RunSample]:
        """What the run process saw in each second of the load, in order of time."""
        first, last = (self.schedule.start_us or 0) // 1_000_000, -(-(self.schedule.end_us or 0) // 1_000_000)
        read = (sample for sample in self.folder.samples() if isinstance(sample, RunSample))
        return sorted((sample for sample in read if first <= sample.second < last), key=lambda sample: sample.second)

    def at_s(self, at_us: int) -> float:
        """Seconds since the start of the load."""
        return round((at_us - (self.schedule.start_us or at_us)) / 1e6, 3)


def document_of(folder: RunFolder) -> RunDocument:
    """The document that was stored when the run ended; of a run that has none, one made of what there is."""
    stored = folder.document()
    if stored is not None and stored.status is not Status.RUNNING and stored.status is folder.status():
        return stored
    return build(folder)


def settle(folder: RunFolder) -> RunDocument:
    """Build and store the document and the digest of a run that has ended: what is read from then on."""
    evidence = Evidence.read(folder)
    document = describe(evidence)
    folder.write_document(document)
    write_digest(folder, evidence.load)
    return document
