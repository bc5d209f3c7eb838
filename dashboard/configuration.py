"""What can be configured about the dashboard, as the stack was brought up with it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from stack.access import STACK_DIR_VARIABLE
from stack.blueprint import Plan
from stack.places import StackFolder


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

    @classmethod
    def from_environment(cls) -> Self:
        """What `latency up` wrote down for the stack that this process belongs to; else the defaults."""
        folder = os.environ.get(STACK_DIR_VARIABLE)
        plan = Plan.read(StackFolder(Path(folder))) if folder else None
        given = plan.settings.get("dashboard", {}) if plan else {}
        return cls(**{name: given[name] for name in cls.__dataclass_fields__ if name in given})
