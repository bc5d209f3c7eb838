"""A service of ours that runs in a thread of the tests' process."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Running:
    """`make` is given what says whether to stop, and returns what is to be run."""

    def __init__(self, make: Callable[[Callable[[], bool]], Callable[[], int]]) -> None:
        self._told = threading.Event()
        self._service = make(self._told.is_set)
        self.code: int | None = None
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.code = self._service()
        except BaseException as failed:  # raised by `stop`
            self._failed = failed

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        """End it as SIGTERM does; raises what it died of."""
        self._told.set()
        self._thread.join(30)
        assert not self._thread.is_alive()
        if self._failed:
            raise self._failed
