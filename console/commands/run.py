"""`latency run | burst | pause | resume | stop`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import msgspec

from console.commands.stack import json_option, narrate, print_json, settings_of, stack_option
from console.failure import reason
from measure.document import to_json
from measure.errors import FailedError, InvalidError, LatencyError, NotReadyError, UsageError
from measure.figures import RunDocument, Status, Verdict
from scenarios import control, occupancy
from scenarios.drawing import draw, in_words
from scenarios.duration import duration_text, duration_us
from scenarios.errors import RunRefusedError
from scenarios.request import Prepared, RunRequest, new_run_id, prepare
from scenarios.schedule import Change, count_of
from stack.process import open_log
from stack.settings import Settings

_EXIT = {Verdict.PASS: 0, Verdict.FAIL: 3, Verdict.INVALID: 4}
_INTERRUPTED = 130
_DETACHED_S = 240.0
_PROGRAM = "from console.main import main; main()"
_LIKE = {error.exit_code: error for error in (UsageError, FailedError, InvalidError, NotReadyError)}


class DurationType(click.ParamType[int]):
    """`30s`, `15m`, `1h30m`, as µs."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return duration_us(value)
        except ValueError as wrong:
            self.fail(f"expected {wrong}, found {value!r}", param, ctx)


DURATION = DurationType()


@click.command()
@click.argument("scenario")
@click.option("--duration", type=DURATION, metavar="TIME", help="Cut or repeat the scenario to this length: 30s, 15m.")
@click.option("--rate", type=click.FloatRange(0, 1e6, min_open=True), metavar="N", help="Events/s instead of its own.")
@click.option("--scale", type=click.FloatRange(0, 1e4, min_open=True), metavar="X", help="All its rates times X.")
@click.option("--profile", metavar="P", help="The Spark job that the stack must run.")
@click.option("--sla", metavar="TIER", help="Judge by this tier (a name or a .toml file) instead of the scenario's.")
@click.option("--seed", type=click.IntRange(0), metavar="N", help="Of the generated events.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Copy the run there too.")
@click.option("--dry-run", is_flag=True, help="Draw the schedule and say how many events it holds; start nothing.")
@click.option("--keep", is_flag=True, help="Leave a stack up that this run had to bring up.")
@click.option("--detach", is_flag=True, help="Print the run's id and return; `latency stop` ends it.")
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    envvar="LATENCY_METRICS_PORT",
    metavar="PORT",
    help="Serve /metrics for Prometheus on loopback while the run lasts; 0 takes a free port.",
)
@click.option("--run-id", hidden=True)
@stack_option
@json_option
@click.pass_context
def run(
    ctx: click.Context,
    scenario: str,
    duration: int | None,
    rate: float | None,
    scale: float | None,
    profile: str | None,
    sla: str | None,
    seed: int | None,
    out: Path | None,
    dry_run: bool,
    keep: bool,
    detach: bool,
    metrics_port: int | None,
    run_id: str | None,
    stack: str | None,
    as_json: bool,
) -> None:
    """Drive SCENARIO (a shipped one's name, or a .toml file) through the stack and judge the run.

    Exit code: 0 pass, 3 an SLA, loss or duplicates, 4 the run cannot be judged, 2 and 5 it could not begin, 130 ended
    by Ctrl-C.
    """
    settings = settings_of(ctx, stack=stack)
    if rate is not None and scale is not None:
        raise UsageError("expected --rate or --scale, found both")
    change = Change(duration, rate, scale)
    request = RunRequest(scenario, change, profile, sla, seed, out, keep, metrics_port, run_id)
    if dry_run:
        _show_plan(prepare(request, settings.home), as_json)
        return
    if detach:
        _detach(request, settings, as_json)
        return
    from scenarios.run import execute  # brings in what only a run needs

    document = execute(request, settings, narrate)
    click.echo(to_json(document) if as_json else summary(document), nl=not as_json)
    ctx.exit(exit_code(document))


def exit_code(document: RunDocument) -> int:
    """The exit code that a run ends with."""
    if document.status is Status.INTERRUPTED or document.verdict is None:
        return _INTERRUPTED
    return _EXIT[document.verdict]


def summary(document: RunDocument) -> str:
    """The run on one screen, in colour where stdout is a terminal."""
    from measure.report.text import WIDTH, to_text

    terminal = sys.stdout.isatty()
    width = max(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns) if terminal else WIDTH
    return to_text(document, width, terminal and not os.environ.get("NO_COLOR"))


def _show_plan(prepared: Prepared, as_json: bool) -> None:
    scenario, spans = prepared.scenario, prepared.spans
    if as_json:
        print_json(
            {
                "scenario": scenario.name,
                "events": count_of(spans),
                "duration_s": spans[-1].end_us / 1e6,
                "spans": [msgspec.to_builtins(span) for span in spans],
                "producers": scenario.producers,
                "warm_up_rate": prepared.warm_up_rate,
                "seed": prepared.seed,
                "sla": prepared.tier.name if prepared.tier else None,
            }
        )
        return
    lines = [f"{scenario.name}: {scenario.title}", "", *draw(spans, shutil.get_terminal_size((100, 24)).columns), ""]
    lines.append(in_words(spans))
    if scenario.warm_up and prepared.warm_up_rate:
        least, most = duration_text(scenario.warm_up.for_us), duration_text(scenario.warm_up.at_most_us)
        lines.append(f"before it a warm-up of {least} to {most} at {prepared.warm_up_rate:,.6g} events/s")
    click.echo("\n".join(lines))


def _detach(request: RunRequest, settings: Settings, as_json: bool) -> None:
    """Start the same command in a session of its own and return when its run is there."""
    prepared = prepare(request, settings.home)
    taken = occupancy.occupant(settings.folder)
    if taken is not None:
        raise RunRefusedError(f"stack {settings.stack} has a run in progress: {taken.run}. End it with `latency stop`.")
    run_id = request.run or new_run_id(prepared.scenario.name)
    folder = settings.home.runs / run_id
    settings.folder.make()
    log = settings.folder.log("run")
    with open_log(log) as output:
        began = log.stat().st_size
        child = subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, "-c", _PROGRAM, *_again(sys.argv[1:]), "--run-id", run_id],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    until = time.monotonic() + _DETACHED_S
    while not (folder / "plan.json").exists():
        if child.poll() is not None:
            said = log.read_bytes()[began:].decode("utf-8", "replace").splitlines()
            raise _LIKE.get(child.returncode, LatencyError)(reason(said) or f"the run ended at once: see {log}")
        if time.monotonic() > until:
            raise NotReadyError(f"the run has not begun after {_DETACHED_S:.0f} s: see {log}")
        time.sleep(0.05)
    click.echo(msgspec.json.encode({"run": run_id, "folder": str(folder)}).decode() if as_json else run_id)


def _again(arguments: list[str]) -> list[str]:
    return [argument for argument in arguments if argument != "--detach"]


def _command(ctx: click.Context, stack: str | None, command: control.Command, as_json: bool) -> None:
    """Tell the run in progress, and say what it answers."""
    holder = occupancy.current(settings_of(ctx, stack=stack).folder)
    reply = control.send(Path(holder.folder), command)
    if as_json:
        print_json({name: value for name, value in reply.items() if name != "ok"})
    else:
        click.echo(f"{reply['run']}: {_in_words(reply)}")


def _in_words(reply: control.Reply) -> str:
    state = "paused" if reply["paused"] else f"{reply['rate']:,.6g} events/s"
    return f"{reply['phase']}, {reply['progress']:.0%}, {state}"


@click.command()
@click.option("--rate", type=float, default=5000.0, show_default=True, metavar="N", help="Events/s.")
@click.option("--for", "for_us", type=DURATION, default="30s", show_default=True, metavar="TIME", help="For how long.")
@stack_option
@json_option
@click.pass_context
def burst(ctx: click.Context, rate: float, for_us: int, stack: str | None, as_json: bool) -> None:
    """Raise (or lower) the rate of the run in progress for a while; a mark in its schedule."""
    _command(ctx, stack, control.Burst(rate, for_us / 1e6), as_json)


@click.command()
@stack_option
@json_option
@click.pass_context
def pause(ctx: click.Context, stack: str | None, as_json: bool) -> None:
    """Pause the load of the run in progress; what would have been due meanwhile is not made up for."""
    _command(ctx, stack, control.Pause(), as_json)


@click.command()
@stack_option
@json_option
@click.pass_context
def resume(ctx: click.Context, stack: str | None, as_json: bool) -> None:
    """Resume the load of the run in progress where its schedule stands now."""
    _command(ctx, stack, control.Resume(), as_json)


@click.command()
@stack_option
@json_option
@click.pass_context
def stop(ctx: click.Context, stack: str | None, as_json: bool) -> None:
    """End the load of the run in progress; it waits for what is under way and is judged."""
    _command(ctx, stack, control.Stop(), as_json)
