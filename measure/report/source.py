"""What a report is made of: a run's document, its plan, and the digest of its slices, read from its folder alone."""

from __future__ import annotations

from dataclasses import dataclass

from measure.document import build, describe
from measure.evidence import Evidence
from measure.figures import RunDocument, Status
from measure.folder import RunFolder
from measure.records import Plan
from measure.report.digest import Digest, read_digest, write_digest


@dataclass(frozen=True, slots=True)
class Source:
    """A run, as far as a report shows it."""

    folder: RunFolder
    document: RunDocument
    plan: Plan
    digest: Digest

    @classmethod
    def read(cls, folder: RunFolder) -> Source:
        """Read `folder`; it needs no stack."""
        return cls(folder, document_of(folder), folder.plan(), read_digest(folder))


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
