"""What the actions do to the stack and to the run. Each blocks, and is called off the UI's thread.

`up`, `down` and `run` are the very commands of the shell, in a session of their own: closing the console ends none.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from console.failure import reason
from measure.errors import LatencyError, NotReadyError, UsageError
from stack.logs import clean
from stack.settings import Settings

if TYPE_CHECKING:
    from scenarios.control import Command

Narrate = Callable[[str], None]

_PROGRAM = "from console.main import main; main()"


class ReadOnlyError(UsageError):
    """The console was opened with --read-only."""


@dataclass(frozen=True, slots=True)
class Burst:
    """`rate` in events/s; `lasting` as people write it, `30s`."""

    rate: float
    lasting: str


@dataclass(frozen=True, slots=True)
class Launch:
    """What is to be run. None: as the scenario has it."""

    scenario: str
    rate: float | None = None
    scale: float | None = None
    duration: str | None = None
    profile: str | None = None
    sla: str | None = None

    def arguments(self) -> list[str]:
        """The command's arguments."""
        given = (
            ("--rate", None if self.rate is None else f"{self.rate:g}"),
            ("--scale", None if self.scale is None else f"{self.scale:g}"),
            ("--duration", self.duration),
            ("--profile", self.profile),
            ("--sla", self.sla),
        )
        return [self.scenario, *(part for name, value in given if value is not None for part in (name, value))]


class Operations:
    """On one stack. ReadOnlyError from every one that changes something, if so opened."""

    def __init__(self, settings: Settings, read_only: bool = False) -> None:
        self._settings, self._read_only = settings, read_only

    def scenario_titles(self) -> list[tuple[str, str]]:
        """Name and title of each shipped scenario, those of the reference report first."""
        from scenarios.catalog import scenarios

        known = scenarios()
        first = [name for name in ("steady", "peak", "burst") if name in known]
        return [(name, known[name].title) for name in [*first, *(n for n in known if n not in first)]]

    def scale(self, what: str, number: int, narrate: Narrate) -> str:
        """So many `sinks` or `workers`; what is there already goes on."""
        self._may_change(f"change the number of {what}")
        self._command(["up", f"--{what}", str(number)], narrate)
        return f"{number} {what} are ready"

    def up(self, narrate: Narrate, runtime: str | None = None, profile: str | None = None) -> str:
        """Start the stack; returns when a probe event came through. None: as it is configured, or runs."""
        self._may_change("start the stack")
        asked = (("--runtime", runtime), ("--profile", profile))
        self._command(["up", *(part for name, value in asked if value for part in (name, value))], narrate)
        return f"stack {self._settings.stack} is ready"

    def down(self, narrate: Narrate, purge: bool = False) -> str:
        """Stop the stack, with `purge` remove its data too."""
        self._may_change("stop the stack")
        self._command(["down", *(["--purge"] if purge else [])], narrate)
        return f"stack {self._settings.stack} is down{', its data removed' if purge else ''}"

    def launch(self, launch: Launch, narrate: Narrate) -> str:
        """Start a run that lives on by itself; a stack that is down is brought up, and stays. One with another job than
        `launch` names changes over."""
        from stack.observe import status

        self._may_change("launch a run")
        state = status(self._settings)
        if not state.ready or launch.profile not in (None, state.profile):
            self._command(["up", *(["--profile", launch.profile] if launch.profile else [])], narrate)
        run = self._command(["run", *launch.arguments(), "--detach", "--keep"], narrate)
        return f"run {run} has begun"

    def burst(self, burst: Burst) -> str:
        """Another rate for a while, from now on."""
        from scenarios import control
        from scenarios.duration import duration_us

        self._may_change("fire a burst")
        try:
            for_s = duration_us(burst.lasting) / 1e6
        except ValueError as wrong:
            raise UsageError(f"burst: expected {wrong}, found {burst.lasting!r}") from None
        self._tell(control.Burst(burst.rate, for_s))
        return f"{burst.rate:,.6g} events/s for {burst.lasting}"

    def pause_or_resume(self) -> str:
        """Pause the load, or go on with it where it is paused."""
        from scenarios.control import Pause, Resume, Status

        self._may_change("pause the load")
        paused = self._tell(Status()).get("paused")
        self._tell(Resume() if paused else Pause())
        return "the load goes on" if paused else "the load is paused"

    def stop(self) -> str:
        """End the load; the run waits for what is under way, and is judged."""
        from scenarios.control import Stop

        self._may_change("stop the run")
        reply = self._tell(Stop())
        return f"the load of {reply.get('run', 'the run')} has ended; the run drains and is judged"

    def restart(self, service: str, narrate: Narrate) -> str:
        """Restart one service; returns when it is ready."""
        from stack.lifecycle import restart

        self._may_change(f"restart {service}")
        restart(self._settings, service, narrate)
        return f"{service} is ready again"

    def recreate(self, service: str, narrate: Narrate) -> str:
        """Remove a service's container and make it anew; its data stay."""
        from stack.lifecycle import restart

        self._may_change(f"recreate {service}")
        restart(self._settings, service, narrate, anew=True)
        return f"{service} is made anew, and ready"

    def halt(self, service: str) -> str:
        """Stop one service; it stays down until it is restarted, or until the next `up`."""
        from stack.lifecycle import halt

        self._may_change(f"stop {service}")
        halt(self._settings, service)
        return f"{service} is stopped; a restart starts it again"

    def fault(self, kind: str, service: str, for_s: float | None) -> str:
        """Kill or pause a service; the supervisor undoes it in time."""
        from stack.faults import begin

        self._may_change(f"{kind} {service}")
        fault = begin(self._settings, kind, service, for_s)
        undone = f", for {fault.for_s:g} s" if fault.for_s else ", and restarted at once"
        return f"{fault.kind} of {service}: {fault.proof}{undone}"

    def _may_change(self, what: str) -> None:
        if self._read_only:
            raise ReadOnlyError(f"read-only: this console may not {what}. Open one without --read-only.")

    def _tell(self, command: Command) -> dict[str, object]:
        """A command to the run in progress, and its answer."""
        from scenarios import control, occupancy

        holder = occupancy.current(self._settings.folder)
        return control.send(Path(holder.folder), command)

    def _command(self, arguments: list[str], narrate: Narrate) -> str:
        """Run `latency ARGUMENTS`; its narration goes to `narrate`, its output is returned."""
        said = []
        with subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, "-c", _PROGRAM, "--stack", self._settings.stack, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as child:
            assert child.stderr is not None  # noqa: S101 (for mypy)
            assert child.stdout is not None  # noqa: S101 (for mypy)
            for raw in child.stderr:
                text = clean(raw).strip()
                if text:
                    said.append(text)
                    narrate(text)
            output = child.stdout.read().strip()
        if child.returncode:
            kind = NotReadyError if child.returncode == NotReadyError.exit_code else LatencyError
            raise kind(reason(said) or f"`latency {arguments[0]}` ended with exit code {child.returncode}")
        return output
