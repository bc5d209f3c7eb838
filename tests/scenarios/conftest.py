from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stack.settings import Settings
from tests.scenarios import driving
from tests.scenarios.driving import Live

Begin = Callable[..., Live]


@pytest.fixture
def begin(stack_settings: Settings) -> Iterator[Begin]:
    """Starts runs; one that is still there at the end of the test is ended."""
    started: list[Live] = []

    def start(*arguments: str) -> Live:
        started.append(driving.begin(stack_settings, *arguments))
        return started[-1]

    yield start
    for live in started:
        if live.child.poll() is None:
            live.child.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                live.child.wait(60)
            live.child.kill()
        live.child.communicate()


@pytest.fixture
def lenient(tmp_path: Path) -> str:
    """A tier that a busy machine does not break."""
    path = tmp_path / "lenient.toml"
    path.write_text(driving.LENIENT, encoding="utf-8")
    return str(path)
