"""Waiting for a condition with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(what: Callable[[], T], described: str, deadline_s: float = 20.0) -> T:
    """The first true answer of `what`; AssertionError at the deadline."""
    ends = time.monotonic() + deadline_s
    while not (answer := what()):
        assert time.monotonic() < ends, f"not within {deadline_s:g} s: {described}"
        time.sleep(0.02)
    return answer
