"""What can be configured about the dashboard, as the stack was brought up with it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Configuration:
    """Times in seconds."""

    refresh_s: float = 2.0
    """How often a live page is drawn anew."""
    cache_s: float = 2.0
    """How long an answer is kept and shared; 0 asks the database at every refresh."""
    deadline_s: float = 2.0
    """After which a query is given up."""
    currency: str = "GBP"
    """What the prices are in; the windows do not say."""
