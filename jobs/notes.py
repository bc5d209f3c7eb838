"""What a sink notes of itself once a second: the time of its commits, what it applied, how busy its loop was."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from measure.histogram import Histogram
from measure.store import Document, sink_sample_id


@dataclass(slots=True)
class Notes:
    """The figures of the second that is going on."""

    sink: str
    second: int
    commits: Histogram = field(default_factory=Histogram)
    applied: int = 0
    redelivered: int = 0
    busy_us: int = 0

    def committed(self, applied: int, took_us: int) -> None:
        """One bulk was acknowledged."""
        self.commits.record(took_us)
        self.applied += applied

    def document(self) -> Document:
        """For collection `samples`."""
        says: dict[str, Any] = {
            "_id": sink_sample_id(self.sink, self.second),
            "kind": "sink",
            "sink": self.sink,
            "second": self.second,
            "commit": {str(bucket): n for bucket, n in self.commits.counts.items()},
            "commit_max_us": self.commits.max_us,
            "applied": self.applied,
            "redelivered": self.redelivered,
            "loop_busy": round(min(1.0, self.busy_us / 1e6), 3),
            "updated": datetime.now(UTC),
        }
        return says
