"""`latency up | down | restart | status | logs | doctor | env`."""

from __future__ import annotations

import click

from stack import lifecycle
from stack.settings import Settings


def settings_of(ctx: click.Context, **flags: object) -> Settings:
    """The settings of the stack that `--stack` names, here or before the command."""
    name = flags.pop("stack", None) or ctx.find_root().params.get("stack_name")
    return Settings.load(str(name) if name else None, **flags)


def narrate(text: str) -> None:
    """One line of narration on stderr."""
    click.echo(text, err=True)


stack_option = click.option("--stack", metavar="NAME", help="The stack to work with.")


@click.command()
@click.option("--profile", metavar="P", help="The Spark job: realtime.")
@click.option("--sinks", type=click.IntRange(1, 16), metavar="N", help="Sink processes.")
@stack_option
@click.pass_context
def up(ctx: click.Context, profile: str | None, sinks: int | None, stack: str | None) -> None:
    """Start the stack and wait until a probe event came through to MongoDB."""
    lifecycle.up(settings_of(ctx, stack=stack), profile, sinks, narrate)


@click.command()
@click.option("--purge", is_flag=True, help="Remove the stack's data and credentials too; runs stay.")
@stack_option
@click.pass_context
def down(ctx: click.Context, purge: bool, stack: str | None) -> None:
    """Stop the stack."""
    lifecycle.down(settings_of(ctx, stack=stack), purge, narrate)
