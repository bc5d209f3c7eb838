"""What the screens Runs and Replay do beyond being looked at."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from console.feed.reading import Reading
from console.feed.replay import Replay
from console.feed.views import Window
from console.screens.choose import ChooseScreen
from console.screens.reading import ReadingScreen
from console.screens.replay import ReplayScreen
from console.widgets.tiles import Tiles
from measure.document import build
from measure.errors import InvalidError
from measure.folder import RunFolder
from tests.console import frozen
from tests.console.conftest import MakeConsole
from tests.console.shown import notes, title
from tests.console.test_snapshots import settled, until
from tests.measure.synthetic import T0_US, Shape, make_run


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
