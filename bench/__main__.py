"""`python -m bench`: what the project promises, measured here. Wants a quiet machine; says how quiet it was."""

from __future__ import annotations

import json
import os
from pathlib import Path
from statistics import median

import click

from bench import pipeline, profiles, runs
from stack import lifecycle
from stack.access import Access
from stack.settings import Settings


@click.group(invoke_without_command=True)
@click.option("--raw", type=click.Path(path_type=Path), help="Append each result to this file, one JSON line each.")
@click.pass_context
def bench(ctx: click.Context, raw: Path | None) -> None:
    """Figures against floors and peers, as ratios within one run. Without a command: peak, burst and start."""
    ctx.obj = raw
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.2f} before")
    if ctx.invoked_subcommand is None:
        for command in (peak, burst, start):
            ctx.invoke(command)


@bench.command()
@click.option("--pairs", default=5, show_default=True, help="Floors and runs.")
@click.option("--duration", default="60s", show_default=True, help="Of a run.")
@click.option("--floor-s", default=30.0, show_default=True, help="Of a floor.")
@click.pass_obj
def peak(raw: Path | None, pairs: int, duration: str, floor_s: float) -> None:
    """`latency run peak` at 2,000 events/s: e2e P95 ≤ 5 × the floor's."""
    access = _up("realtime")
    found = [pipeline.pair(access, 2_000, floor_s, "peak", "--duration", duration, "--keep") for _ in range(pairs)]
    _tell(raw, "peak", pipeline.table(f"peak, {duration}, realtime", found, 5), pipeline.raw(found))


@bench.command()
@click.option("--pairs", default=3, show_default=True, help="Floors and runs.")
@click.option("--floor-s", default=30.0, show_default=True, help="Of a floor, at 2,000 events/s.")
@click.pass_obj
def burst(raw: Path | None, pairs: int, floor_s: float) -> None:
    """5,000 and 100 events/s in turn, 30 s each, for 2 minutes: P95 ≤ 8 × the floor's."""
    access = _up("realtime")
    path = runs.scenario("short burst", [(5_000, "30s"), (100, "30s")], repeat=2)
    found = [pipeline.pair(access, 2_000, floor_s, path, "--keep") for _ in range(pairs)]
    _tell(raw, "burst", pipeline.table("burst, 2 min, realtime", found, 8), pipeline.raw(found))


@bench.command(name="profiles")
@click.option("--rounds", default=5, show_default=True, help="Interleaved rounds of the profiles.")
@click.option("--duration", default="60s", show_default=True, help="Of a run.")
@click.pass_obj
def compare_profiles(raw: Path | None, rounds: int, duration: str) -> None:
    """realtime and microbatch in turn at 2,000 events/s."""
    access = _up("realtime")
    found = profiles.interleaved(access, _up, rounds, duration)
    _tell(raw, "profiles", profiles.table(found), profiles.raw(found))


@bench.command()
@click.pass_obj
def rates(raw: Path | None) -> None:
    """Whether microbatch holds 5,000 events/s, and the highest rate that reference holds."""
    high = profiles.microbatch_holds(_up)
    _tell(raw, "high rate", f"microbatch at {profiles.HIGH_RATE} events/s: {'held' if high else 'NOT HELD'}", high)
    held = profiles.highest_rate(_up)
    _tell(raw, "reference", f"reference holds {held} events/s; above, it is unstable", {"holds": held})


@bench.command()
@click.option("--times", default=5, show_default=True)
@click.pass_obj
def start(raw: Path | None, times: int) -> None:
    """`latency --help` ≤ 0.4 s; a warm `latency up` until a probe event came through ≤ 30 s."""
    helps = [runs.seconds_of("--help") for _ in range(times)]
    ups = []
    for _ in range(times):
        runs.seconds_of("down")
        ups.append(runs.seconds_of("up"))
    text = f"latency --help {median(helps):.2f} s; latency up {median(ups):.1f} s, at worst {max(ups):.1f} s"
    _tell(raw, "start", f"{text}; {times} times each", {"help_s": helps, "up_s": ups})


def _up(profile: str) -> Access:
    settings = Settings.load()
    lifecycle.up(settings, profile, None, lambda text: click.echo(text, err=True))
    return Access.load(settings.folder.root)


def _tell(raw: Path | None, name: str, text: str, result: object) -> None:
    print(text)
    if raw is not None:
        with raw.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"bench": name, "result": result}) + "\n")


if __name__ == "__main__":
    bench()
