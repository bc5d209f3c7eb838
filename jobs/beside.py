"""A thread beside a job's main loop, which is told of its end."""

from __future__ import annotations

import threading


class Beside(threading.Thread):
    """Does `work`; an error ends it and is raised by `check`, in the main loop, which ends the process."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._failed: BaseException | None = None

    def check(self) -> None:
        """Raise what ended the thread, if something did."""
        if self._failed:
            raise self._failed

    def run(self) -> None:
        """Work, and keep what went wrong."""
        try:
            self.work()
        except BaseException as failed:
            self._failed = failed

    def work(self) -> None:
        """What this thread is for."""
        raise NotImplementedError
