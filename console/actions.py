"""The one table of what can be done: it feeds bindings, footer, help and the command palette. Imports no Textual.

A user's key map (`[console.keys]` in latency.toml) names actions by `id`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Group(StrEnum):
    """Headings of the help."""

    GO = "Go to"
    RUN = "Load"
    STACK = "Stack"
    VIEW = "View"
    FIRST = "First minute"
    LATENCY = "Latency"
    LOGS = "Logs"
    SCENARIOS = "Scenarios"
    RUNS = "Runs"
    REPLAY = "Replay"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done."""

    id: str
    """Its name in the key map, and, after `scope`, in the code."""
    keys: str
    """Default keys, as Textual writes them."""
    title: str
    """A word or two, for the footer."""
    help: str
    group: Group
    call: str
    """The action of the app, or of the screen that `scope` names."""
    scope: str = ""
    """The screen on which alone it is there; empty: everywhere."""
    changes: bool = False
    """Whether it changes the stack, a run or a file: refused with `--read-only`."""
    footer: bool = False


ACTIONS: tuple[Action, ...] = (
    Action("help", "question_mark,7", "help", "Keys, and what the words mean", Group.GO, "go('help')", footer=True),
    Action("quit", "q", "quit", "Leave the console; stack and run go on", Group.VIEW, "quit", footer=True),
    Action("live", "1", "live", "Figures of the run as they come", Group.GO, "go('live')"),
    Action("latency", "2", "latency", "Heat map, distribution and quantiles", Group.GO, "go('latency')"),
    Action("logs", "3,l", "logs", "What the services log", Group.GO, "go('logs')", footer=True),
    Action("scenarios", "4", "scenarios", "Loads to choose from, change and write", Group.GO, "go('scenarios')"),
    Action("runs", "5", "runs", "History: open, replay, compare, export, delete", Group.GO, "go('runs')"),
    Action("stack", "6", "stack", "Services, addresses, configuration, doctor", Group.GO, "go('stack')"),
    Action(
        "run", "r", "run…", "Choose a scenario and launch it", Group.RUN, "choose_scenario", changes=True, footer=True
    ),
    Action("scenario1", "f1", "steady", "Launch scenario 1, steady", Group.RUN, "launch('steady')", changes=True),
    Action("scenario2", "f2", "peak", "Launch scenario 2, peak", Group.RUN, "launch('peak')", changes=True),
    Action("scenario3", "f3", "burst", "Launch scenario 3, burst", Group.RUN, "launch('burst')", changes=True),
    Action(
        "burst_now", "b", "burst", "5,000 events/s for 30 s, now", Group.RUN, "burst_now", changes=True, footer=True
    ),
    Action("burst", "B", "burst…", "A burst of your own rate and length", Group.RUN, "burst", changes=True),
    Action(
        "pause", "space", "pause", "Pause the load, or go on with it", Group.RUN, "pause", changes=True, footer=True
    ),
    Action(
        "stop", "s", "stop", "End the load; the run is closed and judged", Group.RUN, "stop", changes=True, footer=True
    ),
    Action("export", "e", "export", "Write the run's report to a file", Group.RUN, "export", footer=True),
    Action("up", "u", "up", "Start the stack", Group.STACK, "up", changes=True, footer=True),
    Action("up_as", "U", "up…", "Start it in another runtime or profile", Group.STACK, "up_as", changes=True),
    Action("down", "d", "down", "Stop the stack; its data stay", Group.STACK, "down", changes=True, footer=True),
    Action("purge", "D", "purge", "Stop the stack and remove its data", Group.STACK, "purge", changes=True),
    Action("restart", "R", "restart…", "Restart one service", Group.STACK, "restart", changes=True),
    Action(
        "one_service", "C", "service…", "Start, stop or recreate one service", Group.STACK, "one_service", changes=True
    ),
    Action("scale", "M", "scale…", "How many sinks and Spark workers", Group.STACK, "scale", changes=True),
    Action(
        "fault",
        "x",
        "fault…",
        "Kill or pause a service; undone by itself",
        Group.STACK,
        "fault",
        changes=True,
        footer=True,
    ),
    Action("dashboard", "o", "dashboard", "Open the dashboard in a browser", Group.STACK, "open('dashboard')"),
    Action("spark_ui", "O", "Spark UI", "Open Spark's own pages in a browser", Group.STACK, "open('spark_ui')"),
    Action("window", "w", "window", "Figures over 10 s, 1 min, 5 min, the run", Group.VIEW, "window(1)", footer=True),
    Action("window_back", "W", "window back", "The same, the other way round", Group.VIEW, "window(-1)"),
    Action("maximise", "m", "maximise", "The panel in focus fills the screen, or no longer", Group.VIEW, "maximise"),
    Action("freeze", "f", "freeze", "Hold the view still, and read nothing", Group.VIEW, "freeze", footer=True),
    Action("refresh", "f5", "refresh", "Read everything again now", Group.VIEW, "refresh_now"),
    Action(
        "next_stage",
        "right_square_bracket",
        "next stage",
        "Heat map and distribution of the next stage",
        Group.LATENCY,
        "stage(1)",
        scope="latency",
        footer=True,
    ),
    Action(
        "previous_stage",
        "left_square_bracket",
        "stage before",
        "The same, the other way round",
        Group.LATENCY,
        "stage(-1)",
        scope="latency",
    ),
    Action(
        "filter",
        "slash",
        "filter",
        "Lines with a text or /regex/",
        Group.LOGS,
        "filter",
        "logs",
        footer=True,
    ),
    Action("inverse", "i", "inverse", "Lines without it instead", Group.LOGS, "inverse", "logs", footer=True),
    Action("service", "n", "service", "The next service, then all", Group.LOGS, "service(1)", "logs", footer=True),
    Action("service_back", "N", "service before", "The same, the other way round", Group.LOGS, "service(-1)", "logs"),
    Action("since", "t", "since", "All, or the last 1, 5, 15, 60 minutes", Group.LOGS, "since", "logs", footer=True),
    Action("wrap", "w", "wrap", "Wrap long lines, or scroll sideways", Group.LOGS, "wrap", "logs", footer=True),
    Action("follow", "F", "follow", "Keep to the end, or stay", Group.LOGS, "follow", "logs", footer=True),
    Action(
        "launch_chosen",
        "ctrl+r",
        "launch",
        "Launch it as it stands (enter in the list)",
        Group.SCENARIOS,
        "launch_chosen",
        "scenarios",
        changes=True,
        footer=True,
    ),
    Action("copy", "c", "copy & edit", "Edit a copy", Group.SCENARIOS, "copy", "scenarios", changes=True, footer=True),
    Action("open_run", "enter", "open", "Read the run's summary", Group.RUNS, "open_run", "runs", footer=True),
    Action("replay", "p", "replay", "See it again, moment by moment", Group.RUNS, "replay", "runs", footer=True),
    Action("mark", "space", "mark", "Mark it to be compared", Group.RUNS, "mark", "runs", footer=True),
    Action("compare", "c", "compare", "The marked runs side by side", Group.RUNS, "compare", "runs", footer=True),
    Action("export_run", "e", "export", "Its report as a file", Group.RUNS, "export_run", "runs", footer=True),
    Action("keep", "k", "keep", "Kept runs are not cleared up", Group.RUNS, "keep", "runs", changes=True),
    Action(
        "delete",
        "delete,backspace",
        "delete",
        "Delete it for good",
        Group.RUNS,
        "delete",
        "runs",
        changes=True,
        footer=True,
    ),
    Action("play", "space", "play", "Let it run, or hold it", Group.REPLAY, "play", "replay", footer=True),
    Action("forward", "right", "+1 s", "A second further", Group.REPLAY, "seek(1)", "replay", footer=True),
    Action("back", "left", "-1 s", "A second back", Group.REPLAY, "seek(-1)", "replay", footer=True),
    Action("far_forward", "shift+right", "+10 s", "Ten seconds further", Group.REPLAY, "seek(10)", "replay"),
    Action("far_back", "shift+left", "-10 s", "Ten seconds back", Group.REPLAY, "seek(-10)", "replay"),
    Action("to_start", "home", "start", "To the start of the load", Group.REPLAY, "to(0)", "replay", footer=True),
    Action("to_end", "end", "end", "To its end", Group.REPLAY, "to(1)", "replay", footer=True),
    Action("faster", "plus,equals_sign", "faster", "Play faster", Group.REPLAY, "speed(1)", "replay", footer=True),
    Action("slower", "minus", "slower", "Play slower", Group.REPLAY, "speed(-1)", "replay"),
    Action("leave_replay", "escape", "back", "Back to the runs", Group.REPLAY, "leave", "replay", footer=True),
    Action("export_replay", "e", "export", "Its report as a file", Group.REPLAY, "export_run", "replay", footer=True),
    Action(
        "begin",
        "enter",
        "begin",
        "Stack and first scenario",
        Group.FIRST,
        "begin",
        "first",
        changes=True,
        footer=True,
    ),
    Action("examine", "i", "examine", "Look at the machine again", Group.STACK, "examine", "stack", footer=True),
)
"""In the order of footer and help."""


def find(call: str) -> Action | None:
    """The action that a call, such as `go` or `launch('peak')`, belongs to."""
    return next((action for action in ACTIONS if action.call.partition("(")[0] == call.partition("(")[0]), None)
