"""Which log lines are shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from console.feed.logs import LogLine

SINCE_S = (None, 60.0, 300.0, 900.0, 3600.0)
"""The spans that a key goes through; None: all that is held."""


@dataclass(frozen=True)
class LogFilter:
    """All conditions must hold. `pattern` is a text, or between slashes a regular expression; case is ignored."""

    service: str | None = None
    pattern: str = ""
    inverse: bool = False
    since_s: float | None = None

    @cached_property
    def regex(self) -> re.Pattern[str] | None:
        """What is looked for; None for nothing. re.error for a broken expression."""
        if not self.pattern:
            return None
        if len(self.pattern) > 2 and self.pattern.startswith("/") and self.pattern.endswith("/"):
            return re.compile(self.pattern[1:-1], re.IGNORECASE)
        return re.compile(re.escape(self.pattern), re.IGNORECASE)

    def shows(self, line: LogLine, now_s: float) -> bool:
        """Whether `line` is shown."""
        if self.service is not None and line.service != self.service:
            return False
        if self.since_s is not None and line.at_s is not None and line.at_s < now_s - self.since_s:
            return False
        return self.regex is None or bool(self.regex.search(line.text)) != self.inverse

    def in_words(self) -> str:
        """What stands in the title."""
        parts = [self.service or "all services"]
        if self.since_s:
            parts.append(f"since {self.since_s / 60:.0f} min")
        if self.pattern:
            parts.append(f"{'without' if self.inverse else 'with'} {self.pattern}")
        return " · ".join(parts)
