"""What the screen Scenarios does beyond being looked at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Label, OptionList, Select, TextArea

from console.feed.reading import Reading
from console.feed.scenario_shelf import preview, read_shelf, save
from console.operations import Launch
from console.screens.confirm import ConfirmScreen
from console.screens.scenarios import ScenariosScreen
from console.widgets.sla import SlaPanel
from measure.errors import UsageError
from stack.places import Home
from tests.console import frozen
from tests.console.conftest import MakeConsole
from tests.console.recording import Recording
from tests.console.shown import notes, said, title
from tests.console.test_snapshots import settled, until


async def on_scenarios(pilot: Pilot[Any]) -> None:
    await pilot.press("4")
    await settled(pilot)
    await until(pilot, lambda: "events in" in said(pilot.app, "#schedule"))


async def test_a_changed_launch_is_previewed_and_launched(make_console: MakeConsole, recording: Recording) -> None:
    app = make_console(operations=recording)
    async with app.run_test(size=(120, 40)) as pilot:
        await on_scenarios(pilot)
        app.screen.query_one("#rate", Input).value = "250"
        app.screen.query_one("#duration", Input).value = "2m"
        await until(pilot, lambda: "30,000 events in 2m" in said(app, "#schedule"))
        await pilot.press("ctrl+r")
        await until(pilot, lambda: bool(recording.asked))
        assert recording.asked == [Launch("smoke", rate=250.0, duration="2m")]
        assert app.current_mode == "live"


@pytest.mark.parametrize("agreed", [True, False])
async def test_a_launch_with_another_job_asks_whether_to_change_over(
    make_console: MakeConsole, recording: Recording, agreed: bool
) -> None:
    app = make_console(operations=recording)
    async with app.run_test(size=(120, 40)) as pilot:
        await on_scenarios(pilot)
        app.screen.query_one("#profile", Select).value = "microbatch"
        await settled(pilot)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press(*(["tab"] if agreed else []), "enter")
        await until(pilot, lambda: not isinstance(app.screen, ConfirmScreen))
        await settled(pilot)
        wanted = [Launch("smoke", profile="microbatch")] if agreed else []
        await until(pilot, lambda: recording.asked == wanted)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("rate", "many", "rate: expected a number"),
        ("rate", "0", "rate: expected more than 0"),
        ("duration", "soon", "duration: expected a duration"),
        ("scale", "2e9", "scale: expected more than 0 and up to"),
    ],
)
async def test_what_is_wrong_is_said_while_it_is_typed_and_not_launched(
    make_console: MakeConsole, recording: Recording, field: str, value: str, problem: str
) -> None:
    app = make_console(operations=recording)
    async with app.run_test(size=(120, 40)) as pilot:
        await on_scenarios(pilot)
        app.screen.query_one(f"#{field}", Input).value = value
        await until(pilot, lambda: problem in said(app, "#problem"))
        await pilot.press("ctrl+r")
        await pilot.pause()
        assert recording.asked == []


async def test_a_rate_for_a_scenario_of_two_is_refused(make_console: MakeConsole) -> None:
    found = preview(Launch("burst", rate=100.0), Home.find())
    assert "use --scale" in (found.problem or "")


async def test_a_copy_is_edited_checked_and_kept(make_console: MakeConsole) -> None:
    app = make_console()
    async with app.run_test(size=(120, 40)) as pilot:
        await on_scenarios(pilot)
        await pilot.press("c")
        await until(pilot, lambda: bool(app.screen.query(TextArea)))
        area = app.screen.query_one(TextArea)
        good = area.text
        area.text = good.replace("rate = 500", "rate = -1")
        await until(pilot, lambda: "rate" in str(app.screen.query_one(".problem", Label).render()))
        await pilot.press("ctrl+s")
        assert app.screen.query(TextArea), "a wrong scenario was taken"
        area.text = good.replace("rate = 500", "rate = 750")
        await until(pilot, lambda: "nothing is wrong" in str(app.screen.query_one(".problem", Label).render()))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ScenariosScreen))
        await settled(pilot)
        names = [shelved.name for shelved in read_shelf(Home.find()).scenarios]
        assert "my-smoke" in names
        listed = app.screen.query_one("#list", OptionList)
        await until(pilot, lambda: listed.option_count == len(names))


MINE = 'title = "mine"\n[[stages]]\nrate = 1\nfor = "1s"\n'


@pytest.mark.parametrize("agreed", [True, False])
async def test_an_earlier_copy_is_replaced_only_if_that_is_wanted(make_console: MakeConsole, agreed: bool) -> None:
    earlier = save(MINE, "my-smoke", Home.find())
    app = make_console()
    async with app.run_test(size=(120, 40)) as pilot:
        await on_scenarios(pilot)
        await pilot.press("c")
        await until(pilot, lambda: bool(app.screen.query(TextArea)))
        app.screen.query_one(TextArea).text += "\n# edited"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert earlier.read_text() == MINE
        await pilot.press(*(["tab"] if agreed else []), "enter")
        if not agreed:  # it can be given another name
            await until(pilot, lambda: bool(app.screen.query(TextArea)))
            assert app.screen.query_one(TextArea).text.endswith("# edited")
            await pilot.press("escape", "escape")  # out of the text, out of the dialog
        await until(pilot, lambda: isinstance(app.screen, ScenariosScreen))
        await until(pilot, lambda: earlier.read_text().endswith("# edited") is agreed)


async def test_a_scenario_of_ones_own_is_edited_in_its_place(make_console: MakeConsole) -> None:
    mine = save(MINE, "mine", Home.find())
    app = make_console()
    async with app.run_test(size=(120, 40)) as pilot:
        await on_scenarios(pilot)
        await pilot.press("end", "c")
        await until(pilot, lambda: bool(app.screen.query(TextArea)))
        app.screen.query_one(TextArea).text += "# edited"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: mine.read_text() == f"{MINE}# edited")
        await until(pilot, lambda: isinstance(app.screen, ScenariosScreen))


async def test_a_file_that_is_no_text_is_told_of(make_console: MakeConsole, own_place: Path) -> None:
    folder = own_place / "home" / "scenarios"
    folder.mkdir(parents=True)
    (folder / "odd.toml").write_bytes(b'title = "\xff"')
    app = make_console()
    async with app.run_test(size=(120, 40)) as pilot:
        await on_scenarios(pilot)
        await pilot.press("end", "c")
        await until(pilot, lambda: "odd.toml: expected text in UTF-8" in notes(app))


async def test_a_tiers_name_and_title_are_no_markup(make_console: MakeConsole, own_place: Path) -> None:
    folder = own_place / "home" / "sla"
    folder.mkdir(parents=True)
    hostile = '[[sla]]\nmetric = "availability"\nlimit = ">= 99 %"\n'
    (folder / "own.toml").write_text(f'name = "[b"\ntitle = "[/y] [b]"\n{hostile}')
    view = frozen.live().run.value
    assert view is not None
    shown = replace(frozen.live(), run=Reading(replace(view, sla_title="[/y] [b]"), frozen.NOW_S))
    app = make_console(shown)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: title(app.screen.query_one(SlaPanel)) == "SLA · [/y] [b]")
        await on_scenarios(pilot)
        tiers = app.screen.query_one("#sla", Select)
        tiers.focus()
        await pilot.press("enter")
        await until(pilot, lambda: tiers.expanded)
        tiers.value = "[b"
        await until(pilot, lambda: "judged by [/y] [b]" in said(app, "#schedule"))


def test_a_shipped_name_is_not_taken() -> None:
    text = 'title = "x"\n[[stages]]\nrate = 1\nfor = "1s"\n'
    with pytest.raises(UsageError, match="shipped"):
        save(text, "peak", Home.find())


def test_a_file_that_is_wrong_is_listed_with_its_problem(own_place: Path) -> None:
    folder = own_place / "home" / "scenarios"
    folder.mkdir(parents=True)
    (folder / "broken.toml").write_text("[/x] = 1")
    found = read_shelf(Home.find()).scenarios[-1]
    assert found.name == "broken"
    assert "expected TOML" in (found.problem or "")
