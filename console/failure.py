"""Why another process of this very program failed, out of what it said."""

from __future__ import annotations

from collections.abc import Sequence

OWN_WORD = "latency: "
"""How the program's own errors begin on its stderr."""


def reason(said: Sequence[str]) -> str:
    """From the program's own last word on, which may quote lines of a log; else its last line, if there is one."""
    begins = [place for place, text in enumerate(said) if text.startswith(OWN_WORD)]
    return "\n".join(said[begins[-1] if begins else -1 :]).removeprefix(OWN_WORD)
