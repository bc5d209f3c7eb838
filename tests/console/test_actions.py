"""The table of actions: what it promises, the program has; and what may not be done is refused."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from textual.widgets import Label

from console.actions import ACTIONS, Action
from console.app import ConsoleApp
from console.keys import bindings, keymap
from console.operations import Burst, Launch, Operations, ReadOnlyError
from console.screens.first import FirstScreen
from console.screens.latency import LatencyScreen
from console.screens.logs import LogsScreen
from console.screens.replay import ReplayScreen
from console.screens.runs import RunsScreen
from console.screens.scenarios import ScenariosScreen
from console.screens.stack import StackScreen
from console.widgets.activity import Activity
from measure.errors import UsageError
from stack.settings import Settings
from tests.console import frozen
from tests.console.conftest import MakeConsole
from tests.console.recording import Recording
from tests.console.test_snapshots import settled, until

SCREENS = (FirstScreen, LatencyScreen, LogsScreen, ReplayScreen, RunsScreen, ScenariosScreen, StackScreen)
OWNERS = {"": ConsoleApp} | {screen.SCOPE: screen for screen in SCREENS}


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: f"{action.scope}:{action.id}")
def test_every_action_is_there(action: Action) -> None:
    name = action.call.partition("(")[0]
    assert hasattr(OWNERS[action.scope], f"action_{name}")
    assert action.help
    assert action.title


def test_ids_are_unique_and_so_are_the_keys_of_each_screen() -> None:
    assert [name for name, n in Counter(action.id for action in ACTIONS).items() if n > 1] == []
    for scope in OWNERS:
        keys = [key for action in ACTIONS if action.scope == scope for key in action.keys.split(",")]
        assert [key for key, n in Counter(keys).items() if n > 1] == []


def test_bindings_come_from_the_table() -> None:
    made = {binding.id for binding in bindings()}  # type: ignore[union-attr]
    assert made == {action.id for action in ACTIONS if not action.scope}


def test_a_key_map_for_an_action_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"console\.keys\.brust: there is no such action"):
        keymap({"brust": "z"})


async def test_the_users_own_keys_work(make_console: MakeConsole, own_place: Path) -> None:
    (own_place / "latency.toml").write_text('[console]\ntheme = "nord"\n[console.keys]\nfreeze = "z"\n')
    app = make_console()
    async with app.run_test() as pilot:
        assert app.theme == "nord"
        await pilot.press("f")
        assert app.frozen_s is None
        await pilot.press("z")
        assert app.frozen_s == frozen.NOW_S


TO_LENGTH = ["shift+tab", *["backspace"] * 3]
"""From Cancel to the field for a fault's length, and what stands in it away."""
KEYS: dict[str, tuple[list[str], object]] = {
    "up": (["u"], ("up", None, None)),
    "up with the job that runs": (["U", "1", "1"], ("up", "local", "realtime")),
    "up with another job": (["U", "1", "2", "tab", "enter"], ("up", "local", "microbatch")),
    "burst now": (["b"], Burst(5000.0, "30s")),
    "burst of one's own": (["B", *"700", "tab", *"5s", "enter"], Burst(700.0, "5s")),
    "pause": (["space"], "pause"),
    "scenario 1": (["f1"], Launch("steady")),
    "scenario 2": (["f2"], Launch("peak")),
    "scenario 3": (["f3"], Launch("burst")),
    "chosen scenario": (["r", "2"], Launch("peak")),
    "stop": (["s", "tab", "enter"], "stop"),
    "down": (["d", "tab", "enter"], ("down", False)),
    "purge": (["D", *"shop", "enter"], ("down", True)),
    "restart": (["R", "4", "tab", "enter"], ("restart", "sink")),
    "start a service": (["C", "4", "1", "tab", "enter"], ("restart", "sink")),
    "stop a service": (["C", "4", "2", "tab", "enter"], ("halt", "sink")),
    "recreate a service": (["C", "4", "3", "tab", "enter"], ("recreate", "sink")),
    "scale the sinks": (["M", "1", "3"], ("scale", "sinks", 3)),
    "kill": (["x", "1", "1", "tab", "enter"], ("kill", "kafka", None)),
    "pause a service": (["x", "2", "2", "tab", "enter"], ("pause", "mongod", 10.0)),
    "pause it for longer": (["x", "2", "2", *TO_LENGTH, *"1m30s", "enter", "enter"], ("pause", "mongod", 90.0)),
    "keep it killed": (["x", "4", "1", "shift+tab", *"5s", "enter", "enter"], ("kill", "sink", 5.0)),
}


@pytest.mark.parametrize("name", KEYS)
async def test_keys_do_what_they_say(make_console: MakeConsole, name: str) -> None:
    keys, expected = KEYS[name]
    operations = Recording(Settings.load("shop"))
    app = make_console(operations=operations)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.snapshot.stack.value is not None)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await until(pilot, lambda: bool(operations.asked))
        assert operations.asked == [expected]


REFUSALS: dict[str, list[str]] = {
    "stop, cancelled by default": ["s", "enter"],
    "down, cancelled by default": ["d", "enter"],
    "down, left": ["d", "escape"],
    "purge, another name typed": ["D", *"shoq", "enter"],
    "purge, nothing typed": ["D", "tab", "enter"],
    "kill, cancelled by default": ["x", "1", "1", "enter"],
    "pause of no length": ["x", "2", "2", *TO_LENGTH, *"soon", "enter", "enter"],
    "pause of too long": ["x", "2", "2", *TO_LENGTH, *"2h", "enter", "enter"],
    "pause, left in the field": ["x", "2", "2", *TO_LENGTH, *"5s", "escape"],
    "another job, cancelled by default": ["U", "1", "2", "enter"],
    "another job, left": ["U", "1", "2", "escape"],
    "restart, cancelled by default": ["R", "1", "enter"],
    "recreate, cancelled by default": ["C", "1", "3", "enter"],
    "burst of no number": ["B", *"many", "enter", "enter"],
    "burst of nothing": ["B", "0", "enter"],
    "no scenario chosen": ["r", "escape"],
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_what_is_not_confirmed_is_not_done(make_console: MakeConsole, name: str) -> None:
    operations = Recording(Settings.load("shop"))
    app = make_console(operations=operations)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.snapshot.stack.value is not None)
        for key in REFUSALS[name]:
            await pilot.press(key)
            await pilot.pause()
        await settled_workers(pilot)
        assert operations.asked == []


async def settled_workers(pilot: object) -> None:
    """Dialogs wait in workers of their own, so only what is painted is waited for."""
    for _ in range(3):
        await pilot.pause()  # type: ignore[attr-defined]


def untouched(runs: Path) -> None:
    """No run was deleted, and none kept."""
    assert len(list(runs.glob("*/plan.json"))) == 2
    assert not list(runs.glob("*/keep"))


CHANGING = [action for action in ACTIONS if action.changes]


@pytest.mark.parametrize("action", CHANGING, ids=lambda action: action.id)
async def test_read_only_refuses_twice(make_console: MakeConsole, runs: Path, action: Action) -> None:
    """By the key, which is greyed out, and by the action itself."""
    operations = Recording(Settings.load("shop"))
    first = action.scope == "first"
    app = make_console(frozen.empty() if first else frozen.live(), True, operations, first)
    async with app.run_test(size=(120, 40)) as pilot:
        if action.scope in {"scenarios", "runs"}:
            await pilot.press({"scenarios": "4", "runs": "5"}[action.scope])
            await settled(pilot)
        name, _, parameters = action.call.partition("(")
        target = app.screen if action.scope else app
        assert app.check_action(name, ()) is None
        for key in action.keys.split(","):
            await pilot.press(key)
        call = getattr(target, f"action_{name}")
        call(*([parameters.strip("')")] if parameters else []))
        await settled_workers(pilot)
        assert len(app.screen_stack) == 1, "a dialog was opened"
        assert operations.asked == []
    untouched(runs)


async def test_a_stop_without_a_run_says_so(make_console: MakeConsole) -> None:
    app = make_console(frozen.empty())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("s")
        await pilot.pause()
        assert len(app.screen_stack) == 1
        assert [note.message for note in app._notifications] == ["no run is in progress"]  # noqa: SLF001 (no other way)


async def test_a_fault_without_services_says_so(make_console: MakeConsole) -> None:
    app = make_console(frozen.empty())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("x")
        await pilot.pause()
        assert len(app.screen_stack) == 1


async def test_a_failure_stays_to_be_read_until_something_else_is_begun(make_console: MakeConsole) -> None:
    def fail(narrate: object) -> str:
        raise UsageError("[/x] no such thing\nand more")

    app = make_console()
    async with app.run_test(size=(120, 40)) as pilot:
        app.operate("run smoke", fail)
        activity = app.screen.query_one(Activity)
        await until(pilot, lambda: "✗ run smoke [/x] no such thing and more" in str(activity.render()))
        await pilot.press("2")
        await pilot.pause()
        assert app.screen.query_one(Activity).display
        app.operate("up", lambda narrate: "done")
        await until(pilot, lambda: not app.screen.query_one(Activity).display)


async def test_a_bug_of_an_operation_is_told_as_one(make_console: MakeConsole) -> None:
    def fail(narrate: object) -> str:
        raise KeyError("[/x]")

    app = make_console()
    async with app.run_test(size=(120, 40)) as pilot:
        app.operate("up", fail)
        activity = app.screen.query_one(Activity)
        await until(pilot, lambda: "✗ up a bug of the console's: KeyError: '[/x]'" in str(activity.render()))


async def test_cancel_has_the_focus(make_console: MakeConsole) -> None:
    app = make_console()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.snapshot.progress.value is not None)
        for keys in (["s"], ["d"], ["x", "1", "2"], ["U", "1", "2"]):
            for key in keys:
                await pilot.press(key)
                await pilot.pause()
            assert app.focused is not None
            assert app.focused.id == "cancel"
            await pilot.press("escape")


async def test_jumps_and_views(make_console: MakeConsole) -> None:
    app = make_console()
    async with app.run_test(size=(120, 40)) as pilot:
        for key, mode in zip("234567", ("latency", "logs", "scenarios", "runs", "stack", "help"), strict=True):
            await pilot.press(key)
            await settled(pilot)
            assert app.current_mode == mode
        await pilot.press("1", "w")
        await pilot.pause()
        assert app.window.value == 60
        await pilot.press("W", "W")
        assert app.window.value is None
        await pilot.press("m")
        assert app.screen.maximized is not None
        await pilot.press("m")
        assert app.screen.maximized is None


async def test_frozen_it_reads_nothing_and_draws_nothing_new(make_console: MakeConsole) -> None:
    app = make_console()
    async with app.run_test(size=(120, 40)) as pilot:
        feed = app.feed
        assert isinstance(feed, frozen.FrozenFeed)
        await pilot.press("f")
        assert feed.paused
        before = app.snapshot
        feed.publish(frozen.empty())
        await pilot.pause()
        assert app.snapshot is before
        await pilot.press("f")
        assert not feed.paused


async def test_the_palette_offers_what_can_be_done(make_console: MakeConsole) -> None:
    app = make_console(operations=Recording(Settings.load("shop")))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("ctrl+p", *"freeze")
        await until(pilot, lambda: bool(app.screen.query("CommandList OptionList, CommandList")))
        await pilot.pause(0.3)
        await pilot.press("enter")
        await until(pilot, lambda: app.frozen_s is not None)


async def test_the_keys_at_the_foot_can_be_clicked(make_console: MakeConsole) -> None:
    app = make_console()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.click("KeysLine", offset=(2, 0))
        await until(pilot, lambda: app.current_mode == "help")


@pytest.mark.parametrize(("key", "address"), [("o", "http://127.0.0.1:8501"), ("O", "http://127.0.0.1:4040")])
async def test_an_address_is_opened_shown_and_copied(
    make_console: MakeConsole, monkeypatch: pytest.MonkeyPatch, key: str, address: str
) -> None:
    """The dashboard, and Spark's own pages."""
    app = make_console()
    opened: list[str] = []
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.snapshot.stack.value is not None)
        monkeypatch.setattr(app, "open_url", lambda url, new_tab=True: opened.append(url))
        await pilot.press(key)
        await until(pilot, lambda: bool(opened))
        assert opened == [address]
        assert app.clipboard == address
        assert [note.message for note in app._notifications] == [f"{address} (copied)"]  # noqa: SLF001 (no other way)


async def test_without_a_stack_there_is_no_address(make_console: MakeConsole, monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_console(frozen.empty())
    opened: list[str] = []
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.snapshot.stack.value is not None)
        monkeypatch.setattr(app, "open_url", lambda url, new_tab=True: opened.append(url))
        await pilot.press("o")
        await until(pilot, lambda: bool(app._notifications))  # noqa: SLF001 (no other way)
        assert opened == []


async def test_switching_the_profile_says_what_it_does(make_console: MakeConsole) -> None:
    app = make_console(operations=Recording(Settings.load("shop")))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.snapshot.progress.value is not None)
        for key in ("U", "1", "3"):
            await pilot.press(key)
            await pilot.pause()
        await until(pilot, lambda: bool(app.screen.query("#about")))
        about = str(app.screen.query_one("#about", Label).render())
        assert "Job realtime ends cleanly, then reference starts" in about
        assert "stay" in about
        assert f"{frozen.RUN} is in progress" in about


@pytest.mark.parametrize(
    "call",
    [
        lambda operations: operations.up(print),
        lambda operations: operations.down(print),
        lambda operations: operations.launch(Launch("smoke"), print),
        lambda operations: operations.burst(Burst(5000.0, "30s")),
        lambda operations: operations.pause_or_resume(),
        lambda operations: operations.stop(),
        lambda operations: operations.restart("sink", print),
        lambda operations: operations.fault("kill", "sink", None),
    ],
)
def test_every_operation_refuses_by_itself(call: object) -> None:
    with pytest.raises(ReadOnlyError, match="read-only: this console may not"):
        call(Operations(Settings.load("shop"), read_only=True))  # type: ignore[operator]
