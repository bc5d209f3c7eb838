"""Every screen as a picture, at three sizes, in the states that an operator meets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.console import frozen
from tests.console.conftest import MakeConsole

Compare = Callable[..., bool]

SIZES = {"80x24": (80, 24), "120x40": (120, 40), "200x60": (200, 60)}
STATES = {
    "live": frozen.live,
    "empty": frozen.empty,
    "alerting": frozen.alerting,
    "failed": frozen.failed,
    "read-only": frozen.live,
}
CASES = [
    *(("live", "1", state) for state in STATES),
    *(("latency", "2", state) for state in STATES),
    *(("logs", "3", state) for state in ("live", "read-only")),
    *(("scenarios", "4", state) for state in ("live", "empty", "read-only")),
    *(("stack", "6", state) for state in ("live", "empty", "failed", "read-only")),
    *(("help", "7", state) for state in ("live", "read-only")),
]


async def settled(pilot: Pilot[Any]) -> None:
    """Until no work is under way and everything is painted."""
    workers = [worker for worker in pilot.app.workers if worker.group != "logs"]
    if workers:
        await pilot.app.workers.wait_for_complete(workers)
    await pilot.pause()
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("screen", "key", "state"), CASES, ids=[f"{screen}-{state}" for screen, _, state in CASES])
def test_screen(snap_compare: Compare, make_console: MakeConsole, screen: str, key: str, state: str, size: str) -> None:
    app = make_console(STATES[state](), read_only=state == "read-only")

    async def jump(pilot: Pilot[Any]) -> None:
        await pilot.press(key)
        await settled(pilot)
        if screen == "logs":
            await until(pilot, lambda: pilot.app.screen.query_one("#lines").shown > 0)  # type: ignore[attr-defined]
        await settled(pilot)

    assert snap_compare(app, run_before=jump, terminal_size=SIZES[size])


async def until(pilot: Pilot[Any], seen: Callable[[], bool], deadline_s: float = 10.0) -> None:
    """Until `seen`; AssertionError at the deadline."""
    ends = asyncio.get_running_loop().time() + deadline_s
    while not seen():
        assert asyncio.get_running_loop().time() < ends, "the console did not come to show what was awaited"
        await pilot.pause(0.02)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", ["empty", "read-only"])
def test_first_minute(snap_compare: Compare, make_console: MakeConsole, state: str, size: str) -> None:
    app = make_console(frozen.empty(), read_only=state == "read-only", first=True)
    assert snap_compare(app, run_before=settled, terminal_size=SIZES[size])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", ["live", "empty", "read-only"])
def test_runs(
    snap_compare: Compare, make_console: MakeConsole, request: pytest.FixtureRequest, state: str, size: str
) -> None:
    if state != "empty":
        request.getfixturevalue("runs")
    app = make_console(read_only=state == "read-only")

    async def jump(pilot: Pilot[Any]) -> None:
        await pilot.press("5")
        await settled(pilot)

    assert snap_compare(app, run_before=jump, terminal_size=SIZES[size])


@pytest.mark.parametrize("size", SIZES)
def test_replay(snap_compare: Compare, make_console: MakeConsole, runs: Path, size: str) -> None:
    async def replay(pilot: Pilot[Any]) -> None:
        await pilot.press("5")
        await settled(pilot)
        await pilot.press("p")
        await settled(pilot)
        await until(pilot, lambda: bool(pilot.app.screen.query("Scrubber")))
        await pilot.press("home", "shift+right", "shift+right")
        await settled(pilot)

    assert snap_compare(make_console(), run_before=replay, terminal_size=SIZES[size])


DIALOGS = {
    "confirm": ["s"],
    "purge": ["D"],
    "choose": ["r"],
    "burst": ["B"],
    "export": ["e"],
    "fault": ["x", "4", "2"],
    "switch": ["U", "1", "2"],
}


@pytest.mark.parametrize("dialog", DIALOGS)
def test_dialog(snap_compare: Compare, make_console: MakeConsole, dialog: str) -> None:
    async def ask(pilot: Pilot[Any]) -> None:
        await settled(pilot)
        for key in DIALOGS[dialog]:
            await pilot.press(key)
            await pilot.pause()
            await until(pilot, lambda: len(pilot.app.screen_stack) > 1)
        for field in pilot.app.screen.query("Input"):
            field.cursor_blink = False  # type: ignore[attr-defined]
        await pilot.pause()

    assert snap_compare(make_console(), run_before=ask, terminal_size=(80, 24))


@pytest.mark.parametrize("theme", ["textual-light", "ansi-dark"])
def test_theme(snap_compare: Compare, make_console: MakeConsole, theme: str) -> None:
    app = make_console()
    app.theme = theme
    assert snap_compare(app, run_before=settled, terminal_size=(120, 40))


@pytest.mark.parametrize("key", ["1", "2"])
def test_without_colours(
    snap_compare: Compare, make_console: MakeConsole, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def jump(pilot: Pilot[Any]) -> None:
        await pilot.press(key)
        await settled(pilot)

    assert snap_compare(make_console(), run_before=jump, terminal_size=(120, 40))
