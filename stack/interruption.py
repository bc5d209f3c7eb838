"""Being told to stop: a hangup or SIGTERM ends a command as Ctrl-C does, and clearing up is not cut short."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

_NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_Handler = Callable[[int, FrameType | None], object] | int


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Within, the three signals raise KeyboardInterrupt."""
    with _handled(_interrupt):
        yield


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Within, they are noted; KeyboardInterrupt is raised at the end if one came."""
    came: list[int] = []
    with _handled(lambda number, _: came.append(number)):
        yield
    if came:
        raise KeyboardInterrupt


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def _handled(handler: _Handler) -> Iterator[None]:
    """Only the main thread may set handlers; in another one there is nothing to do."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in _NUMBERS}
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)
