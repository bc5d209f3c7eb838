"""`latency fault`."""

from __future__ import annotations

import click

from console.commands.stack import json_option, narrate, print_json, settings_of, stack_option
from scenarios.duration import duration_us
from stack.faults import Fault, Kind, inject
from stack.interruption import interruptible


def _seconds(_ctx: click.Context, _param: click.Parameter, text: str | None) -> float | None:
    """A length of time such as `10s`."""
    try:
        return None if text is None else duration_us(text) / 1e6
    except ValueError as wrong:
        raise click.BadParameter(f"{text!r}: expected {wrong}.") from None


@click.command()
@click.argument("kind", type=click.Choice([str(kind) for kind in Kind]))
@click.argument("service")
@click.option(
    "--for", "for_s", callback=_seconds, metavar="10s", help="How long (a pause 10s; a killed service is kept down)."
)
@stack_option
@json_option
@click.pass_context
def fault(ctx: click.Context, kind: str, service: str, for_s: float | None, stack: str | None, as_json: bool) -> None:
    """Break a service on purpose; it is undone by itself, and marked on the time line of the run in progress."""
    with interruptible():
        done = inject(settings_of(ctx, stack=stack), kind, service, for_s, narrate)
    if as_json:
        print_json(done)
    else:
        click.echo(_text(done))


def _text(done: Fault) -> str:
    lasted = (
        "still in force" if done.ended_us is None else f"undone after {(done.ended_us - done.began_us) / 1e6:.1f} s"
    )
    return f"{done.kind} {done.service}: {lasted} (fault {done.id})"
