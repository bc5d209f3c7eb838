"""Foreign text is shown as text; what comes too fast is skipped and told; filters choose."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.widgets import Input

from console.feed.collector import why
from console.feed.log_filter import LogFilter
from console.feed.logs import MOST_LINES, LogBatch, LogFiles, LogLine, moment_of
from console.feed.reading import Reading
from console.feed.snapshot import Snapshot
from console.widgets.log_view import MOST_HELD, LogView
from measure.errors import NotReadyError
from stack.places import StackFolder
from tests.console import frozen
from tests.console.conftest import MakeConsole
from tests.console.shown import title
from tests.console.test_snapshots import until

HOSTILE = {
    "closing tag": "[/x] and [/bold] and [link=https://example.org]here[/link]",
    "clipboard": "\x1b]52;c;ZXZpbA==\x07copied",
    "colours": "\x1b[31mred\x1b[0m and \x1b[2Jcleared",
    "title": "\x1b]0;pwned\x1b\\after",
    "bells and returns": "ding\x07\rdong",
    "eight-bit control": "\x9b31mred",
    "right to left": "abc\u202edef",
}
BIG = "x" * 90_000


@pytest.fixture
def folder(own_place: Path) -> StackFolder:
    made = StackFolder(own_place / "stack")
    made.make()
    return made


def write(folder: StackFolder, service: str, *texts: str) -> None:
    with folder.log(service).open("a", encoding="utf-8") as file:
        file.writelines(f"{text}\n" for text in texts)


@pytest.mark.parametrize("name", HOSTILE)
def test_control_sequences_do_not_come_through(folder: StackFolder, name: str) -> None:
    write(folder, "kafka", HOSTILE[name])
    for line in LogFiles(folder).read().lines:
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", line.text)
        assert "ZXZpbA" not in line.text


def test_ninety_thousand_characters_are_cut_and_said_so(folder: StackFolder) -> None:
    write(folder, "spark", BIG, "after it")
    lines = LogFiles(folder).read().lines
    assert [len(line.text) < 2100 for line in lines] == [True, True]
    assert lines[0].text.endswith("…")
    assert lines[1].text == "after it"


def test_a_look_brings_what_came_since(folder: StackFolder) -> None:
    write(folder, "sink", "one")
    files = LogFiles(folder)
    assert [line.text for line in files.read().lines] == ["one"]
    assert files.read() == LogBatch(services=("sink",))
    write(folder, "sink", "two")
    write(folder, "kafka", "new service")
    assert {line.text for line in files.read().lines} == {"two", "new service"}


def test_half_a_line_waits_for_its_end(folder: StackFolder) -> None:
    files = LogFiles(folder)
    with folder.log("sink").open("a") as file:
        file.write("half")
    assert files.read().lines == ()
    with folder.log("sink").open("a") as file:
        file.write(" and half\n")
    assert [line.text for line in files.read().lines] == ["half and half"]


def test_a_log_that_was_cut_short_is_read_on(folder: StackFolder) -> None:
    write(folder, "sink", "a long first line that goes")
    files = LogFiles(folder)
    files.read()
    folder.log("sink").write_text("new\n")
    assert [line.text for line in files.read().lines] == ["new"]


def test_a_flood_is_skipped_up_to_the_newest_and_every_line_is_counted(folder: StackFolder) -> None:
    files = LogFiles(folder)
    write(folder, "kafka", "first")
    files.read()
    with folder.log("kafka").open("a") as file:
        file.writelines(f"line {number:06} of a flood that nobody can read\n" for number in range(100_000))
    batch = files.read()
    assert len(batch.lines) == MOST_LINES
    assert batch.lines[-1].text.startswith("line 099999")
    assert batch.skipped + len(batch.lines) == pytest.approx(100_000, abs=1)  # the line in which the jump ends


@pytest.mark.parametrize(
    ("text", "at_s"),
    [
        ("[2026-11-24 10:02:01,120] INFO x", 1_795_514_521),
        ("2026-11-24T10:02:01.500+00:00 I NETWORK", 1_795_514_521),
        ("26/11/24 10:02:01 WARN x", 1_795_514_521),
        ("    at java.lang.Thread.run", None),
    ],
)
def test_the_time_of_a_line(text: str, at_s: float | None) -> None:
    assert moment_of(text) == at_s


def line(text: str, service: str = "kafka", at_s: float | None = 1000.0) -> LogLine:
    return LogLine(service, text, at_s)


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        (LogFilter(), True),
        (LogFilter(pattern="error"), True),
        (LogFilter(pattern="error", inverse=True), False),
        (LogFilter(pattern="[/x]"), True),
        (LogFilter(pattern="/err.r \\[/"), True),
        (LogFilter(pattern="/^an error/"), False),
        (LogFilter(service="kafka"), True),
        (LogFilter(service="sink"), False),
        (LogFilter(since_s=60.0), True),
        (LogFilter(since_s=10.0), False),
    ],
)
def test_filters(wanted: LogFilter, shown: bool) -> None:
    assert wanted.shows(line("ERROR an error [/x]"), now_s=1030.0) is shown


def test_a_broken_expression_is_an_error_and_no_crash() -> None:
    with pytest.raises(re.error):
        _ = LogFilter(pattern="/(/").regex


def test_a_failure_is_said_in_one_safe_line() -> None:
    said = why(NotReadyError("\x1b]52;c;ZXZpbA==\x07[/x] no answer\nsecond line"))
    assert said == "[/x] no answer"


async def test_hostile_text_is_drawn_as_it_is(make_console: MakeConsole) -> None:
    app = make_console()
    app.logs = frozen.FrozenLogs((line("[/x] is no tag"), line("[bold]nor is this[/bold]"), line("x" * 2000)))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("3")
        view = app.screen.query_one(LogView)
        await until(pilot, lambda: view.shown == 3)
        await pilot.press("w")
        await pilot.pause()
        drawn = "".join(segment.text for y in range(4) for segment in view.render_line(y))
        assert "[/x] is no tag" in drawn
        assert "[bold]nor is this[/bold]" in drawn


async def test_hostile_reasons_names_and_errors_do_not_break_the_screen(make_console: MakeConsole) -> None:
    reason = "[/x] " + "y" * 90_000
    broken: Reading[None] = Reading(None, frozen.NOW_S, reason)
    app = make_console(Snapshot(frozen.NOW_S, broken, broken, broken))  # type: ignore[arg-type]
    async with app.run_test(size=(80, 24)) as pilot:
        for key in "1234567":
            await pilot.press(key)
            await pilot.pause()
        app.operate("[/x]", lambda narrate: (narrate("[/y]"), "[/z]")[1])
        await pilot.pause()
        assert app.is_running


async def test_scrolling_up_ends_the_following_and_the_end_begins_it(make_console: MakeConsole) -> None:
    app = make_console()
    app.logs = frozen.FrozenLogs(tuple(line(f"line {number}") for number in range(200)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        view = app.screen.query_one(LogView)
        await until(pilot, lambda: view.shown == 200 and view.scroll_y == view.max_scroll_y > 0)
        await pilot.press("pageup")
        await until(pilot, lambda: not view.following)
        at = view.scroll_y
        view.add([line("one more")])
        await pilot.pause()
        assert view.scroll_y == at
        await pilot.press("end")
        await until(pilot, lambda: view.following)
        view.add([line("and another")])
        await until(pilot, lambda: view.scroll_y == view.max_scroll_y)


async def test_the_view_holds_no_more_than_it_may(make_console: MakeConsole) -> None:
    app = make_console()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        view = app.screen.query_one(LogView)
        for _ in range(6):
            view.add([line("again")] * (MOST_HELD // 4))
        assert view.shown == MOST_HELD


@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("pattern", ["", "even"])
async def test_held_still_it_stays_while_the_oldest_lines_go(
    make_console: MakeConsole, pattern: str, wrap: bool
) -> None:
    app = make_console()
    app.logs = frozen.FrozenLogs(())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        view = app.screen.query_one(LogView)
        view.wrap, view.filter = wrap, LogFilter(pattern=pattern)
        view.add(numbered(0, MOST_HELD))
        await until(pilot, lambda: view.scroll_y == view.max_scroll_y > 0)
        await pilot.press("pageup")
        await until(pilot, lambda: not view.following)
        before = drawn(view)
        for first in range(MOST_HELD, MOST_HELD + 3000, 500):
            view.add(numbered(first, 500))
        await pilot.pause()
        assert not view.following
        assert drawn(view) == before
        assert view.shown == (MOST_HELD // 2 if pattern else MOST_HELD)


def numbered(first: int, count: int) -> list[LogLine]:
    """Lines that are wider than the view."""
    return [line(f"{number} {('even', 'odd')[number % 2]} {'x' * 100}") for number in range(first, first + count)]


def drawn(view: LogView) -> list[str]:
    return ["".join(segment.text for segment in view.render_line(y)) for y in range(view.size.height)]


@pytest.mark.parametrize("pattern", ["[/", "[a-z]", "/[/]x/"])
async def test_what_is_looked_for_stands_in_the_title_as_it_is(make_console: MakeConsole, pattern: str) -> None:
    app = make_console()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("3", "slash", *pattern)
        view = app.screen.query_one(LogView)
        await until(pilot, lambda: title(view) == f"Logs · all services · with {pattern}")


async def test_what_is_wrong_with_an_expression_is_said_as_it_is(make_console: MakeConsole) -> None:
    app = make_console()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("3", "slash")
        field = app.screen.query_one("#pattern", Input)
        field.value = "/(?P<[/>)/"
        await until(pilot, lambda: "bad character in group name" in (field.border_subtitle or ""))


async def test_filtering_by_keys(make_console: MakeConsole) -> None:
    app = make_console()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("3")
        view = app.screen.query_one(LogView)
        await until(pilot, lambda: view.shown == 5)
        await pilot.press("slash", *"error", "enter")
        assert view.shown == 1
        await pilot.press("i")
        assert view.shown == 4
        await pilot.press("slash", "escape", "i")
        assert view.shown == 5
        await pilot.press("n")
        assert view.filter.service == "kafka"
        assert view.shown == 1
        await pilot.press("N", "t")
        assert view.filter.since_s == 60.0
        await pilot.press("slash", "slash", "left_parenthesis", "slash")
        assert app.screen.query_one("#pattern").has_class("-broken")
