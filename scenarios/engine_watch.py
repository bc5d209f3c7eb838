"""Whether the engine under a stack in containers is still there: without it, a run cannot be judged."""

from __future__ import annotations

import threading
from collections.abc import Callable

_EVERY_S = 1.0
_PATIENCE = 4
"""So many looks in a row without an answer: an engine that restarts and keeps its containers may be missed shorter."""


class EngineWatch:
    """Looks once a second, in a thread of its own, for an engine may take long to answer. `look` returns what is the
    matter, None while nothing is."""

    def __init__(self, look: Callable[[], str | None]) -> None:
        self._look = look
        self._ending = threading.Event()
        self.lost: str | None = None
        """Why, once it is: an engine that came back has not the same containers' lives."""
        self._thread = threading.Thread(target=self._watch, name="engine watch", daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        missed = 0
        while self.lost is None and not self._ending.wait(_EVERY_S):
            why = self._look()
            missed = missed + 1 if why else 0
            if missed >= _PATIENCE:
                self.lost = why

    def close(self) -> None:
        """Look no more."""
        self._ending.set()
