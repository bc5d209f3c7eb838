"""What the screens Scenarios, Runs, Replay and First do beyond being looked at."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Button, DataTable, Input, Label, OptionList, Select, Static, TextArea

from console.app import ConsoleApp
from console.feed.reading import Reading
from console.feed.replay import Replay
from console.feed.scenario_shelf import preview, read_shelf, save
from console.feed.views import Window
from console.operations import Launch
from console.screens.choose import ChooseScreen
from console.screens.confirm import ConfirmScreen
from console.screens.reading import ReadingScreen
from console.screens.replay import ReplayScreen
from console.screens.scenarios import ScenariosScreen
from console.widgets.sla import SlaPanel
from console.widgets.tiles import Tiles
from measure.document import build
from measure.errors import InvalidError, UsageError
from measure.folder import RunFolder
from stack.places import Home
from stack.settings import Settings
from tests.console import frozen
from tests.console.conftest import MakeConsole
from tests.console.test_actions import Recording
from tests.console.test_snapshots import settled, until
from tests.measure.synthetic import T0_US, Shape, make_run


@pytest.fixture
def recording() -> Recording:
    return Recording(Settings.load("shop"))


def said(app: ConsoleApp, name: str) -> str:
    return str(app.screen.query_one(name, Static).render())


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


def title(widget: Widget) -> str:
    """The text in the frame; `border_title` would give it as markup."""
    return widget._border_title.plain if widget._border_title else ""  # noqa: SLF001 (no other way)


def is_made(app: ConsoleApp, mode: str) -> bool:
    try:
        return bool(app.get_screen_stack(mode))
    except KeyError:
        return False


# --- scenarios ---


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


def notes(app: ConsoleApp) -> str:
    return "\n".join(note.message for note in app._notifications)  # noqa: SLF001 (no other way)


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


# --- runs ---


async def on_runs(pilot: Pilot[Any]) -> None:
    await pilot.press("5")
    await settled(pilot)
    await until(pilot, lambda: pilot.app.screen.query_one(DataTable).row_count > 0)


async def test_a_summary_is_opened(make_console: MakeConsole, runs: Path) -> None:
    app = make_console()
    async with app.run_test(size=(120, 40)) as pilot:
        await on_runs(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ReadingScreen))
        assert "burst-20261124T110000Z-0002" in str(app.screen.query_one(Static).render())
        await pilot.press("escape")
        assert not isinstance(app.screen, ReadingScreen)


async def test_two_runs_are_compared(make_console: MakeConsole, runs: Path) -> None:
    app = make_console()
    async with app.run_test(size=(120, 40)) as pilot:
        await on_runs(pilot)
        await pilot.press("c")
        await pilot.pause()
        assert not isinstance(app.screen, ReadingScreen)
        await pilot.press("space", "down", "space", "c")
        await until(pilot, lambda: isinstance(app.screen, ReadingScreen))
        text = str(app.screen.query_one(Static).render())
        assert "peak-20261124T100000Z-0001" in text
        assert "burst-20261124T110000Z-0002" in text


async def test_a_run_is_kept_refused_released_and_deleted(make_console: MakeConsole, runs: Path) -> None:
    app = make_console()
    async with app.run_test(size=(120, 40)) as pilot:
        await on_runs(pilot)
        doomed = RunFolder(runs / "burst-20261124T110000Z-0002")
        await pilot.press("k")
        await until(pilot, lambda: doomed.kept)
        await pilot.press("delete", "tab", "enter")
        await settled(pilot)
        assert exists(doomed)
        await pilot.press("k")
        await until(pilot, lambda: not doomed.kept)
        await pilot.press("delete", "enter")
        await settled(pilot)
        assert exists(doomed), "Cancel deleted it"
        await pilot.press("delete", "tab", "enter")
        await until(pilot, lambda: not exists(doomed))
        await until(pilot, lambda: app.screen.query_one(DataTable).row_count == 1)


@pytest.mark.parametrize("keys", [["k"], ["delete", "tab", "enter"]], ids=["keep", "delete"])
async def test_a_run_that_others_removed_is_told_of(make_console: MakeConsole, runs: Path, keys: list[str]) -> None:
    app = make_console()
    async with app.run_test(size=(120, 40)) as pilot:
        await on_runs(pilot)
        table = app.screen.query_one(DataTable)
        shutil.rmtree(runs / "burst-20261124T110000Z-0002")
        await pilot.press(*keys)
        await until(pilot, lambda: "there is no run 'burst-20261124T110000Z-0002'" in notes(app))
        await until(pilot, lambda: table.row_count == 1)


async def test_a_run_that_cannot_be_removed_is_told_of(make_console: MakeConsole, runs: Path, own_place: Path) -> None:
    """The folder lies elsewhere, so that nothing can be removed through the link to it."""
    linked = runs / "burst-20261124T110000Z-0002"
    linked.rename(own_place / "elsewhere")
    linked.symlink_to(own_place / "elsewhere")
    app = make_console()
    async with app.run_test(size=(120, 40)) as pilot:
        await on_runs(pilot)
        await pilot.press("delete", "tab", "enter")
        await until(pilot, lambda: "symbolic link" in notes(app))


async def test_keys_act_on_the_run_that_was_chosen_though_a_new_one_came(make_console: MakeConsole, runs: Path) -> None:
    app = make_console()
    async with app.run_test(size=(120, 40)) as pilot:
        await on_runs(pilot)
        table = app.screen.query_one(DataTable)
        await pilot.press("down")
        make_run(runs, "smoke-20261124T120000Z-0003", Shape(created_us=T0_US + 1))
        await pilot.press("f5")
        await until(pilot, lambda: table.row_count == 3)
        await pilot.press("k")
        await until(pilot, lambda: kept(runs) == ["peak-20261124T100000Z-0001"])


async def test_the_list_is_read_again_when_the_run_is_another_or_has_ended(
    make_console: MakeConsole, runs: Path
) -> None:
    snapshot = frozen.live()
    progress = snapshot.progress.value
    assert progress is not None
    app = make_console(snapshot)
    async with app.run_test(size=(120, 40)) as pilot:
        await on_runs(pilot)
        table = app.screen.query_one(DataTable)
        stages = [replace(progress, status="finished"), replace(progress, status="finished", verdict="pass")]
        for rows, told in enumerate(stages, 3):
            make_run(runs, f"smoke-{rows}")
            assert isinstance(app.feed, frozen.FrozenFeed)
            app.feed.publish(replace(snapshot, progress=Reading(told, frozen.NOW_S)))
            await until(pilot, lambda rows=rows: table.row_count == rows)  # type: ignore[misc]


def kept(runs: Path) -> list[str]:
    return [folder.run for folder in RunFolder.all(runs) if folder.kept]


def exists(folder: RunFolder) -> bool:
    return folder.path.exists()


async def test_a_report_is_exported_into_the_current_folder(
    make_console: MakeConsole, runs: Path, own_place: Path
) -> None:
    app = make_console()
    async with app.run_test(size=(120, 40)) as pilot:
        await on_runs(pilot)
        await pilot.press("e", "1")
        file = own_place / "burst-20261124T110000Z-0002.json"
        await until(pilot, lambda: is_whole(file))


def is_whole(file: Path) -> bool:
    return file.exists() and '"schema": "latency-run/1"' in file.read_text()


async def test_replaying(make_console: MakeConsole, runs: Path) -> None:
    app = make_console()
    async with app.run_test(size=(120, 40)) as pilot:
        await on_runs(pilot)
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, ReplayScreen))
        replay = app.screen
        assert isinstance(replay, ReplayScreen)
        await pilot.press("home", "shift+right", "right", "left", "left")
        assert replay.at_s == 9
        await pilot.press("end")
        assert replay.at_s == 26
        await pilot.press("minus", "minus", "home", "space")  # slow: its end is far
        await until(pilot, lambda: replay.at_s > 0)
        await pilot.press("space")
        held = replay.at_s
        await pilot.pause(0.7)
        assert replay.at_s == held
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, ReplayScreen))


async def test_in_a_replay_keys_are_for_the_run_on_show(make_console: MakeConsole, runs: Path, own_place: Path) -> None:
    app = make_console()
    async with app.run_test(size=(120, 40)) as pilot:
        await on_runs(pilot)
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, ReplayScreen))
        tiles = app.screen.query_one(Tiles)
        await until(pilot, lambda: "last 10 s" in title(tiles))
        await pilot.press("w")
        await until(pilot, lambda: "last 1 min" in title(tiles))
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, ChooseScreen))
        await pilot.press("1")
        await until(pilot, lambda: is_whole(own_place / "burst-20261124T110000Z-0002.json"))


def test_at_its_end_a_replay_shows_what_the_document_says(runs: Path) -> None:
    folder = RunFolder(runs / "peak-20261124T100000Z-0001")
    replay, document = Replay(folder), build(folder)
    view = replay.at(replay.length_s, Window.RUN).run.value
    assert view is not None
    expected = document.latency_ms["e2e"]
    assert view.e2e.n == expected.n
    for name in ("p50", "p95", "p99", "max"):
        assert getattr(view.e2e, name) == pytest.approx(getattr(expected, name), abs=0.001)


def test_a_replay_knows_nothing_of_what_came_later(runs: Path) -> None:
    replay = Replay(RunFolder(runs / "peak-20261124T100000Z-0001"))
    view = replay.at(10.0, Window.RUN).run.value
    assert view is not None
    assert view.e2e.n == 20_000
    assert view.chart is not None
    assert view.chart.last_s == 10


def test_a_run_without_a_load_cannot_be_replayed(own_place: Path) -> None:
    folder = make_run(own_place / "home" / "runs", "empty-1", Shape(rates=()))
    with pytest.raises(InvalidError, match="no load to replay"):
        Replay(folder)


# --- the first minute ---


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
