"""The `latency` command. Each family of commands is loaded only when called, so `--help` stays quick."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from console.failure import OWN_WORD
from measure.errors import LatencyError

_COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("stack", "Start the stack and wait until a probe event came through to MongoDB."),
    "down": ("stack", "Stop the stack; --purge removes its data too."),
    "restart": ("stack", "Restart one service."),
    "status": ("stack", "What runs, where it listens, and the run in progress."),
    "logs": ("stack", "A service's log; -f follows it."),
    "doctor": ("stack", "What this machine has, what it lacks, and each setting with its origin."),
    "env": ("stack", "Shell exports with which your own programs reach the stack."),
    "compose": ("stack", "The stack in containers as a compose.yaml, for who prefers that."),
    "run": ("run", "Drive a scenario through the stack and judge it."),
    "burst": ("run", "Raise the rate of the run in progress for a while."),
    "pause": ("run", "Pause the load of the run in progress."),
    "resume": ("run", "Resume the load of the run in progress."),
    "stop": ("run", "End the run in progress properly."),
    "fault": ("fault", "Break a part on purpose; undone by itself."),
    "runs": ("runs", "The history of runs: list, delete, keep, export, import."),
    "report": ("runs", "A run's report as text, Markdown, HTML, JSON or JUnit."),
    "audit": ("audit", "Recount a run event by event."),
    "compare": ("runs", "Runs side by side, or two groups of runs with their difference."),
}

_ESCAPE_MS = "25"
"""How long an escape may be the beginning of another key; Textual waits 100 ms."""
_PAINTS_PER_S = "240"
"""How soon a second paint may follow a first: what a key brings is often two, and Textual's 60 make it wait 17 ms."""


class LazyGroup(click.Group):
    """Knows its commands by name and one line each; imports a command's module when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"console.commands.{_COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="latency-console")
@click.option("--stack", "stack_name", metavar="NAME", help="The stack to work with (default: `default`).")
@click.option("--read-only", is_flag=True, help="A console that can change nothing.")
@click.pass_context
def latency(ctx: click.Context, stack_name: str | None, read_only: bool) -> None:
    """Run a real streaming stack, load it, break it, and take away figures that can be trusted.

    Without a command: the console.
    """
    if ctx.invoked_subcommand is None:
        from console import garbage

        garbage.hold()
        os.environ.setdefault("ESCDELAY", _ESCAPE_MS)
        os.environ.setdefault("TEXTUAL_FPS", _PAINTS_PER_S)
        from console.app import open_console

        ctx.exit(open_console(stack_name, read_only))
    if read_only:
        raise click.UsageError("--read-only is for the console, which is `latency` without a command.")


def main(arguments: list[str] | None = None) -> Any:
    """Entry point: errors of the one exception tree become one line on stderr and their exit code."""
    try:
        sys.exit(latency.main(arguments, standalone_mode=False))
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(2)
    except LatencyError as error:
        click.echo(f"{OWN_WORD}{error}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
