"""Lengths of time as people write them: `30s`, `15m`, `1h30m`, `500ms`."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator

_UNITS_US = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_WHOLE = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h))+\Z")


def duration_us(text: object) -> int:
    """µs of a text such as `1m30s`; ValueError says what a duration looks like."""
    found = str(text).strip().replace(" ", "")
    if not isinstance(text, str) or not _WHOLE.match(found):
        raise ValueError("a duration such as 30s, 15m, 1h30m or 500ms")
    total = round(sum(float(number) * _UNITS_US[unit] for number, unit in _PART.findall(found)))
    if total <= 0:
        raise ValueError("a duration longer than 0")
    return total


def duration_text(us: int) -> str:
    """The shortest such text for `us` µs: `1m30s`."""
    parts = []
    for unit in ("h", "m", "s", "ms"):
        n, us = divmod(us, _UNITS_US[unit])
        if n:
            parts.append(f"{n}{unit}")
    return "".join(parts) or "0s"


Duration = Annotated[int, BeforeValidator(duration_us)]
"""A pydantic field that is written as such a text and held in µs."""
