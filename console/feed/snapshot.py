"""All that the collector knows at one moment: one frozen value, handed to the screens."""

from __future__ import annotations

from dataclasses import dataclass

from console.feed.reading import WAITING, Reading
from console.feed.views import Progress, RunView, StackView


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Each part with its age, and the reason where it is not there."""

    at_s: float = 0.0
    """When it was put together, in seconds of the epoch."""
    stack: Reading[StackView] = WAITING
    progress: Reading[Progress] = WAITING
    run: Reading[RunView] = WAITING
