"""`latency up | down | restart | status | logs | doctor | env | compose`."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from collections.abc import Iterator

import click

from console.commands.stack_text import doctor_document, doctor_text, status_document, status_text
from measure.errors import NotReadyError, UsageError
from stack import lifecycle
from stack.logs import follow, tail
from stack.observe import run_in_progress
from stack.profiles import PROFILES
from stack.settings import RUNTIMES, Settings
from stack.state import StackState


def settings_of(ctx: click.Context, **flags: object) -> Settings:
    """The settings of the stack that `--stack` names, here or before the command."""
    name = flags.pop("stack", None) or ctx.find_root().params.get("stack_name")
    return Settings.load(str(name) if name else None, **flags)


def narrate(text: str) -> None:
    """One line of narration on stderr; what is told of goes on where nobody listens any more."""
    with contextlib.suppress(BrokenPipeError):
        click.echo(text, err=True)


def print_json(document: object) -> None:
    """A document on stdout, indented."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(document), indent=2))


stack_option = click.option("--stack", metavar="NAME", help="The stack to work with.")
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")


@click.command()
@click.option("--runtime", type=click.Choice(RUNTIMES), help="What the services run in.")
@click.option("--profile", metavar="P", help=f"The Spark job: {', '.join(PROFILES)}.")
@click.option("--sinks", type=click.IntRange(1, 16), metavar="N", help="Sink processes.")
@click.option("--workers", type=click.IntRange(1, 16), metavar="N", help="Spark's workers, in containers.")
@stack_option
@json_option
@click.pass_context
def up(
    ctx: click.Context,
    runtime: str | None,
    profile: str | None,
    sinks: int | None,
    workers: int | None,
    stack: str | None,
    as_json: bool,
) -> None:
    """Start the stack and wait until a probe event came through to MongoDB."""
    docker = None if workers is None else {"workers": workers}
    _show(lifecycle.up(settings_of(ctx, stack=stack, runtime=runtime, docker=docker), profile, sinks, narrate), as_json)


@click.command()
@click.option("--purge", is_flag=True, help="Remove the stack's data and credentials too; runs stay.")
@stack_option
@json_option
@click.pass_context
def down(ctx: click.Context, purge: bool, stack: str | None, as_json: bool) -> None:
    """Stop the stack. One that is not running is fine."""
    settings = settings_of(ctx, stack=stack)
    run = run_in_progress(settings.home, settings.stack)
    if run is not None:
        narrate(f"the run {run} is in progress on this stack, and will miss it")
    lifecycle.down(settings, purge, narrate)
    if as_json:
        print_json(status_document(lifecycle.status(settings)))


@click.command()
@click.argument("service")
@click.option("--anew", is_flag=True, help="Make its container anew too; its data stay.")
@stack_option
@json_option
@click.pass_context
def restart(ctx: click.Context, service: str, anew: bool, stack: str | None, as_json: bool) -> None:
    """Restart one service and wait until it is ready."""
    _show(lifecycle.restart(settings_of(ctx, stack=stack), service, narrate, anew), as_json)


@click.command()
@stack_option
@json_option
@click.pass_context
def status(ctx: click.Context, stack: str | None, as_json: bool) -> None:
    """What runs, where it listens, and the run in progress."""
    _show(lifecycle.status(settings_of(ctx, stack=stack)), as_json)


def _show(state: StackState, as_json: bool) -> None:
    if as_json:
        print_json(status_document(state))
    else:
        click.echo(status_text(state))


@click.command()
@click.argument("service")
@click.option("-f", "--follow", "following", is_flag=True, help="Go on with each new line until Ctrl-C.")
@click.option("-n", "--lines", type=click.IntRange(0, 100_000), default=100, show_default=True, metavar="N")
@stack_option
@json_option
@click.pass_context
def logs(ctx: click.Context, service: str, following: bool, lines: int, stack: str | None, as_json: bool) -> None:
    """A service's log (or `supervisor`'s), without control sequences and secrets."""
    folder = settings_of(ctx, stack=stack).folder
    known = sorted(file.stem for file in folder.logs.glob("*.log"))
    if not known:
        raise NotReadyError(f"stack {folder.name} has no logs: it never was up. Start it with `latency up`.")
    if service not in known:
        raise UsageError(f"there is no log of {service!r}; there are: {', '.join(known)}.")
    log = folder.log(service)
    found = follow(log, folder, lines, lambda: True) if following else iter(tail(log, folder, lines))
    with _until_the_reader_leaves():
        for line in found:
            print_line(service, line, as_json)


def print_line(service: str, line: str, as_json: bool) -> None:
    """One line of a log; as JSON, an object on a line of its own."""
    import msgspec

    click.echo(msgspec.json.encode({"service": service, "line": line}) if as_json else line)


@contextlib.contextmanager
def _until_the_reader_leaves() -> Iterator[None]:
    """`latency logs … | head` ends well."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains at its end


@click.command()
@stack_option
@json_option
@click.pass_context
def doctor(ctx: click.Context, stack: str | None, as_json: bool) -> None:
    """What this machine has, what it lacks, and each setting with its origin."""
    from stack.doctor import examine
    from stack.finding import Verdict

    settings = settings_of(ctx, stack=stack)
    findings = examine(settings)
    if as_json:
        print_json(doctor_document(findings, settings))
    else:
        click.echo(doctor_text(findings, settings))
    if any(finding.verdict is Verdict.LACKS for finding in findings):
        ctx.exit(NotReadyError.exit_code)


@click.command()
@click.option("--no-secrets", is_flag=True, help="Leave user and password out.")
@stack_option
@json_option
@click.pass_context
def env(ctx: click.Context, no_secrets: bool, stack: str | None, as_json: bool) -> None:
    """Shell exports with which your own programs reach the stack: eval "$(latency env)"."""
    from stack.exports import exports

    found = exports(settings_of(ctx, stack=stack).folder, secrets=not no_secrets)
    if as_json:
        print_json(found)
    else:
        for name, value in found.items():
            click.echo(f"export {name}={shlex.quote(value)}")


@click.command()
@stack_option
@json_option
@click.pass_context
def compose(ctx: click.Context, stack: str | None, as_json: bool) -> None:
    """The stack in containers as a compose file, on stdout: latency compose > compose.yaml."""
    from stack.docker.compose import compose as composed_from

    composed = composed_from(settings_of(ctx, stack=stack), narrate)
    if as_json:
        print_json(composed.document)
    else:
        click.echo(composed.text, nl=False)
