"""A report as the document `latency-run/1`."""

from __future__ import annotations

from measure.document import to_json
from measure.report.source import Source


def render(source: Source) -> str:
    """The document."""
    return to_json(source.document).decode()
