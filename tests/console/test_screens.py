"""How screens are made, and what the first minute's does beyond being looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Button, DataTable

from console.app import ConsoleApp
from console.operations import Launch
from console.screens.confirm import ConfirmScreen
from tests.console import frozen
from tests.console.conftest import MakeConsole
from tests.console.recording import Recording
from tests.console.test_snapshots import settled, until


async def test_screens_are_made_ahead_and_read_when_they_come_on_show(make_console: MakeConsole, runs: Path) -> None:
    app = make_console()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: is_made(app, "help"))
        ahead = app.get_screen_stack("runs")[0]
        assert ahead.query_one(DataTable).row_count == 0
        await pilot.press("5")
        await until(pilot, lambda: ahead.query_one(DataTable).row_count == 2)
        assert app.screen is ahead
        assert ahead.has_class("-narrow", "-low")
        assert ahead.focused is not None


@pytest.mark.parametrize("mode", ["logs", "scenarios", "runs", "stack"])
async def test_the_console_can_be_left_while_a_screen_is_being_made(make_console: MakeConsole, mode: str) -> None:
    app = make_console()
    async with app.run_test(size=(80, 24)):
        app.exit()
        app.make_ahead([mode])
    assert app.return_code == 0


async def test_the_dialog_that_is_kept_asks_each_time_its_own_question(
    make_console: MakeConsole, recording: Recording
) -> None:
    app = make_console(operations=recording)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.is_screen_installed("question") and app.get_screen("question").is_mounted)
        await settled(pilot)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: recording.asked == [("down", False)])
        await pilot.press("7")
        await until(pilot, lambda: app.current_mode == "help")
        await pilot.press("s")
        await until(pilot, lambda: app.screen is app.get_screen("question"))
        await until(pilot, lambda: "Words" in app.export_screenshot())
        assert app.screen.query_one("#box").border_title == "Stop the run?"
        assert str(app.screen.query_one("#do", Button).label) == "Stop"
        assert app.screen.focused is app.screen.query_one("#cancel")
        await pilot.press("enter")
        await until(pilot, lambda: not isinstance(app.screen, ConfirmScreen))
        assert recording.asked == [("down", False)]


def is_made(app: ConsoleApp, mode: str) -> bool:
    try:
        return bool(app.get_screen_stack(mode))
    except KeyError:
        return False


async def test_one_key_leads_to_the_first_scenario(make_console: MakeConsole, recording: Recording) -> None:
    app = make_console(frozen.empty(), operations=recording, first=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: bool(recording.asked))
        assert recording.asked == [Launch("smoke")]


async def test_it_gives_way_once_there_is_a_run(make_console: MakeConsole) -> None:
    app = make_console(frozen.empty(), first=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert app.current_mode == "first"
        feed = app.feed
        assert isinstance(feed, frozen.FrozenFeed)
        feed.publish(frozen.live())
        await until(pilot, lambda: app.current_mode == "live")
