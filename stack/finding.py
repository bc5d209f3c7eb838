"""One thing that the doctor looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a finding stands."""

    OK = "ok"
    NOTE = "note"
    """Works, and is good to know."""
    LACKS = "lacks"
    """`latency up` cannot work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `advice` says what to do where it is not `ok`."""

    name: str
    verdict: Verdict
    found: str
    advice: str = ""
