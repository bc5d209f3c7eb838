from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.app import ConsoleApp
from console.feed.snapshot import Snapshot
from console.operations import Operations
from measure.report.source import settle
from stack.settings import Settings
from tests.console import frozen
from tests.console.recording import Recording
from tests.measure.synthetic import T0_US, Shape, make_run

BURST = Shape(rates=((5000, 10), (100, 10)), scenario="burst", seed=2, created_us=T0_US)
MakeConsole = Callable[..., ConsoleApp]


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home, a current folder and a time zone of the test's own, and a terminal of which nothing is known."""
    for name in ("NO_COLOR", "TEXTUAL_THEME", "TEXTUAL_COLOR_SYSTEM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LATENCY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.chdir(tmp_path)
    time.tzset()
    yield tmp_path
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def make_console(own_place: Path) -> MakeConsole:
    """Makes a console on frozen data."""

    def make(
        snapshot: Snapshot | None = None,
        read_only: bool = False,
        operations: Operations | None = None,
        first: bool = False,
    ) -> ConsoleApp:
        settings = Settings.load("shop")
        return ConsoleApp(
            settings,
            frozen.FrozenFeed(frozen.live() if snapshot is None else snapshot),
            frozen.FrozenLogs(),
            operations or Operations(settings, read_only),
            read_only,
            first,
            clock=lambda: frozen.NOW_S,
            examine=frozen.examination,
        )

    return make


@pytest.fixture
def runs(own_place: Path) -> Path:
    """The folder of two finished runs."""
    folder = own_place / "home" / "runs"
    settle(make_run(folder, "peak-20261124T100000Z-0001"))
    settle(make_run(folder, "burst-20261124T110000Z-0002", BURST))
    return folder


@pytest.fixture
def recording() -> Recording:
    """Operations that note what they are asked for."""
    return Recording(Settings.load("shop"))
