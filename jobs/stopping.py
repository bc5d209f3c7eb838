"""How a service's process is told to stop, and how it tells what it does."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from measure.errors import LatencyError


class StopFlag:
    """Becomes true at SIGTERM or SIGINT; asked by calling it."""

    def __init__(self) -> None:
        self._set = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)

    def __call__(self) -> bool:
        return self._set

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._set = True


def narrate(line: str) -> None:
    """One line into the service's log."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def serve(main: Callable[[], int]) -> NoReturn:
    """Run a service's main function and end the process with its exit code. What is wrong with its ground or its
    configuration is the last line of the log."""
    try:
        code = main()
    except LatencyError as wrong:
        narrate(str(wrong))
        code = wrong.exit_code
    sys.exit(code)
