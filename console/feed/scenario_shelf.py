"""The scenarios that can be launched: the shipped ones and the user's own, and what a launch of one would do."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from console.operations import Launch
from measure.errors import LatencyError, UsageError
from measure.schedule import Span
from measure.sla import tiers
from scenarios import catalog
from scenarios.drawing import draw, in_words
from scenarios.duration import duration_text, duration_us
from scenarios.request import RunRequest, prepare, sla_folder
from scenarios.schedule import Change
from stack.files import write_whole
from stack.places import Home
from stack.profiles import PROFILES

FIRST = ("smoke", "steady", "peak", "burst")
"""Those that stand first, the quickest before all."""


@dataclass(frozen=True, slots=True)
class Shelved:
    """A scenario by the name or path with which it is launched; `problem` where its file is wrong."""

    reference: str
    name: str
    title: str = ""
    about: str = ""
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a launch would do."""

    words: str = ""
    spans: tuple[Span, ...] = ()
    tier: str = ""
    warm_up: str = ""
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Shelf:
    """What there is to choose from."""

    scenarios: tuple[Shelved, ...] = ()
    tiers: tuple[str, ...] = ()
    profiles: tuple[str, ...] = field(default_factory=lambda: tuple(PROFILES))


def own_folder(home: Home) -> Path:
    """Where the user's own scenarios lie."""
    return home.root / "scenarios"


def own_path(home: Home, name: str) -> Path:
    """The file of the user's own scenario of that name."""
    return own_folder(home) / f"{name}.toml"


def read_shelf(home: Home) -> Shelf:
    """Everything that can be launched. Reads files."""
    shipped = catalog.names()
    first = [name for name in FIRST if name in shipped]
    found = [_shelved(name) for name in [*first, *(name for name in shipped if name not in first)]]
    found += [_shelved(str(path)) for path in sorted(own_folder(home).glob("*.toml"))]
    try:
        known = tuple(sorted(tiers(sla_folder(home))))
    except UsageError:
        known = tuple(sorted(tiers()))
    return Shelf(tuple(found), known)


def _shelved(reference: str) -> Shelved:
    name = Path(reference).stem
    try:
        scenario = catalog.load(reference)
    except LatencyError as wrong:
        return Shelved(reference, name, problem=str(wrong))
    return Shelved(reference, scenario.name, scenario.title, scenario.about.strip())


def change_of(launch: Launch) -> Change:
    """What `launch` changes of the load; UsageError for a duration that is none."""
    try:
        length = None if launch.duration is None else duration_us(launch.duration)
    except ValueError as wrong:
        raise UsageError(f"duration: expected {wrong}, found {launch.duration!r}") from None
    return Change(length, launch.rate, launch.scale)


def preview(launch: Launch, home: Home) -> Preview:
    """What `launch` would do, or what is wrong with it. Reads files, a replayed one to its end."""
    try:
        request = RunRequest(launch.scenario, change_of(launch), profile=launch.profile, sla=launch.sla)
        prepared = prepare(request, home)
    except (LatencyError, OSError) as wrong:
        return Preview(problem=str(wrong))
    warm_up, rate = prepared.scenario.warm_up, prepared.warm_up_rate
    before = "" if warm_up is None or rate is None else f"{duration_text(warm_up.for_us)} at {rate:,.6g} events/s"
    return Preview(
        in_words(prepared.spans), tuple(prepared.spans), prepared.tier.title if prepared.tier else "none", before
    )


def drawing(found: Preview, width: int) -> list[str]:
    """The schedule as lines of at most `width` columns."""
    return draw(found.spans, width) if found.spans else []


def text_of(shelved: Shelved) -> str:
    """The scenario's file; UsageError where it is no text."""
    if shelved.reference in catalog.names():
        return (files("scenarios") / f"{shelved.reference}.toml").read_text("utf-8")
    try:
        return Path(shelved.reference).read_text("utf-8")
    except UnicodeDecodeError as broken:
        raise UsageError(f"{shelved.reference}: expected text in UTF-8: {broken}") from None


def problem_of(text: str, name: str) -> str | None:
    """What is wrong with a scenario's text, if something is."""
    try:
        catalog.parse(text, f"{name}.toml", name)
    except LatencyError as wrong:
        return str(wrong)
    return None


def save(text: str, name: str, home: Home) -> Path:
    """Keep a scenario of the user's own; UsageError for one that is wrong or whose name is a shipped one's."""
    problem = problem_of(text, name)
    if problem is not None:
        raise UsageError(problem)
    if name in catalog.names():
        raise UsageError(f"{name} is a shipped scenario: choose another name")
    path = own_path(home, name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, text.encode())
    return path
