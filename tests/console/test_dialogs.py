"""Dialogs take foreign keys and foreign text: neither ends the console."""

from __future__ import annotations

import pytest
from textual import events

from console.screens.choose import ChooseScreen
from console.screens.confirm import ConfirmScreen
from console.screens.reading import ReadingScreen
from stack.settings import Settings
from tests.console.conftest import MakeConsole
from tests.console.recording import Recording
from tests.console.shown import title
from tests.console.test_snapshots import settled, until

HOSTILE = "[/x] is no tag, nor is [bold]this[/bold]"


@pytest.mark.parametrize("key", ["1", "enter"])
async def test_a_key_that_comes_twice_leaves_one_screen(make_console: MakeConsole, key: str) -> None:
    app = make_console(operations=Recording(Settings.load("shop")))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.snapshot.stack.value is not None)
        below = app.screen
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, ChooseScreen) and app.screen.focused is not None)
        for _ in range(2):  # the second waits behind the first
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: app.screen is below)
        await settled(pilot)
        assert app.is_running
        assert app.screen_stack == [below]


async def test_a_digit_that_is_no_number_takes_no_line(make_console: MakeConsole) -> None:
    app = make_console()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, ChooseScreen))
        await pilot.press("²")
        await pilot.pause()
        assert isinstance(app.screen, ChooseScreen)


@pytest.mark.parametrize(
    ("screen", "box"),
    [
        (ConfirmScreen(HOSTILE, HOSTILE, "Do"), "#box"),
        (ChooseScreen(HOSTILE, HOSTILE, ()), "#box"),
        (ReadingScreen(HOSTILE, HOSTILE), "#page"),
    ],
)
async def test_a_title_is_no_markup(
    make_console: MakeConsole, screen: ConfirmScreen | ChooseScreen | ReadingScreen, box: str
) -> None:
    app = make_console()
    async with app.run_test(size=(120, 40)) as pilot:
        await app.push_screen(screen)
        await pilot.pause()
        assert title(screen.query_one(box)) == HOSTILE


async def test_the_dialog_that_is_kept_takes_titles_as_they_are(make_console: MakeConsole) -> None:
    app = make_console()
    async with app.run_test(size=(120, 40)):
        asked = ConfirmScreen("?", "?", "?")
        await app.push_screen(asked)
        asked.put(HOSTILE, HOSTILE, "Do")
        assert title(asked.query_one("#box")) == HOSTILE
