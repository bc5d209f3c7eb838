"""What a source last gave, when that was, and why there is nothing newer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """A value with its age. `reason` says why the source gives none now; `value` is then None."""

    value: T | None
    at_s: float
    """When the source was read, in seconds of the epoch, by the console's clock."""
    reason: str | None = None

    def age_s(self, now_s: float) -> float:
        """How old it is."""
        return max(0.0, now_s - self.at_s)


WAITING: Reading[Any] = Reading(None, 0.0, "not read yet")
