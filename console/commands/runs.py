"""`latency runs | report | compare`: all from the runs' folders, with no stack running."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from measure.errors import NotReadyError
from measure.figures import Status, Verdict
from measure.folder import RunFolder
from measure.history import Entry, Filter, Runs, delete, history
from measure.report.foreign import plain
from measure.report.formats import FORMATS
from measure.report.percentile import percentile
from measure.report.wording import count, moment
from stack.places import Home

json_option = click.option("--json", "as_json", is_flag=True, help="As JSON on stdout.")


def narrate(text: str) -> None:
    """One line of narration on stderr."""
    click.echo(text, err=True)


def write_out(content: str, out: Path | None) -> None:
    """To stdout, or to the file `out`; NotReadyError where it cannot be written."""
    if out is None:
        click.echo(content, nl=False)
        return
    try:
        out.write_text(content, "utf-8")
    except OSError as refused:
        raise NotReadyError(f"cannot write {out}: {refused.strerror}. Name another file with --out.") from refused
    narrate(f"wrote {out}")


def emit(document: msgspec.Struct) -> None:
    """A document as JSON on stdout."""
    click.echo(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())


def found(*names: str) -> list[RunFolder]:
    """The folders of these runs, `last` among them."""
    runs = Home.find().runs
    return [RunFolder.find(runs, name) for name in names]


@click.group(invoke_without_command=True)
@click.option("--scenario", metavar="NAME", help="Only runs of this scenario.")
@click.option("--profile", metavar="P", help="Only runs of this profile.")
@click.option("--stack", metavar="NAME", help="Only runs on this stack.")
@click.option("--status", type=click.Choice([each.value for each in Status]), help="Only runs in this state.")
@click.option("--verdict", type=click.Choice([each.value for each in Verdict]), help="Only runs judged so.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the newest N.")
@json_option
@click.pass_context
def runs(
    ctx: click.Context,
    scenario: str | None,
    profile: str | None,
    stack: str | None,
    status: str | None,
    verdict: str | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """The history of runs, newest first; or delete, keep, export or import some."""
    if ctx.invoked_subcommand is not None:
        return
    wanted = Filter(scenario=scenario, profile=profile, stack=stack, status=status, verdict=verdict)
    listed = Runs(history(Home.find().runs, wanted, narrate).runs[:limit])
    if as_json:
        emit(listed)
    elif listed.runs:
        _draw(listed.runs)
    else:
        narrate("no run is like that. `latency run smoke` makes one.")


def _draw(entries: list[Entry]) -> None:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in ("Run", "Started", "Profile", "Status", "Verdict"):
        table.add_column(title, no_wrap=title == "Run")
    for title in ("e2e P50", "P95", "P99 (ms)", "n"):
        table.add_column(title, justify="right")
    for each in entries:
        e2e = each.latency_ms.get("e2e")
        cells = (
            each.id + (" (kept)" if each.kept else ""),
            moment(each.started),
            each.profile,
            each.status.value,
            each.verdict.value if each.verdict else "–",
            *(percentile(e2e, name) for name in ("p50", "p95", "p99")),
            count(e2e.n if e2e else None),
        )
        table.add_row(*(Text(plain(cell)) for cell in cells))
    width = None if sys.stdout.isatty() else 140
    Console(width=width, highlight=False).print(table)


@runs.command("delete")
@click.argument("names", metavar="RUN...", nargs=-1, required=True)
def delete_runs(names: tuple[str, ...]) -> None:
    """Remove runs for good. A kept one is refused."""
    folders = found(*names)
    delete(folders)
    narrate(f"deleted {', '.join(folder.run for folder in folders)}")


@runs.command("keep")
@click.argument("names", metavar="RUN...", nargs=-1, required=True)
@click.option("--release", is_flag=True, help="No longer keep them.")
def keep_runs(names: tuple[str, ...], release: bool) -> None:
    """Keep runs: `delete` refuses them, and nothing clears them up."""
    for folder in found(*names):
        folder.keep(not release)
        narrate(f"{folder.run} is {'no longer kept' if release else 'kept'}")


@runs.command("export")
@click.argument("name", metavar="RUN|last")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path(), metavar="PATH", help="A file, or a folder for it (here)."
)
def export_run(name: str, out: Path) -> None:
    """Write a run to one file that `latency runs import` takes in on another machine."""
    from measure.archive import export

    (folder,) = found(name)
    click.echo(export(folder, out))


@runs.command("import")
@click.argument("archive", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE")
def import_run(archive: Path) -> None:
    """Take in a run that was exported; prints its id."""
    from measure.archive import take_in

    click.echo(take_in(archive, Home.find().runs).run)


@click.command()
@click.argument("name", metavar="RUN|last")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="text", help="Default: text.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write to FILE.")
def report(name: str, form: str, as_json: bool, out: Path | None) -> None:
    """A run's report, from its folder alone."""
    from measure.report.formats import render
    from measure.report.source import Source

    (folder,) = found(name)
    write_out(render(Source.read(folder, Home.find().root / "cache"), "json" if as_json else form), out)


@click.command()
@click.argument("names", metavar="RUN... [vs RUN...]", nargs=-1, required=True)
@click.option(
    "--minimum",
    type=click.FloatRange(0, 100),
    default=5.0,
    metavar="%",
    help="A difference of medians below this is none (default: 5).",
)
@click.option("--format", "form", type=click.Choice(["text", "md", "json"]), default="text", help="Default: text.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write to FILE.")
def compare(names: tuple[str, ...], minimum: float, form: str, as_json: bool, out: Path | None) -> None:
    """Runs side by side; or two groups of runs, with `vs` between them, and whether they differ.

    Of groups the run is the unit: four and four are the least that can show anything.
    """
    from measure.comparison import compare as compared
    from measure.report.comparing import comparison_page
    from measure.report.markdown import to_markdown
    from measure.report.source import document_of
    from measure.report.text import page_to_text

    comparison = compared(
        [[document_of(folder) for folder in found(*group)] for group in _groups(names)], minimum / 100
    )
    if as_json or form == "json":
        write_out(msgspec.json.format(msgspec.json.encode(comparison), indent=2).decode() + "\n", out)
    elif form == "md":
        write_out(to_markdown(comparison_page(comparison)), out)
    else:
        write_out(page_to_text(comparison_page(comparison), 140), out)


def _groups(names: tuple[str, ...]) -> list[list[str]]:
    """The names, split at each `vs`."""
    groups: list[list[str]] = [[]]
    for name in names:
        if name == "vs":
            groups.append([])
        else:
            groups[-1].append(name)
    return groups
