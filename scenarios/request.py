"""From what somebody asks for to a run that is ready to begin: everything that can be wrong is found here, first."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from measure.limits import AlertRule, Tier
from measure.schedule import Span
from measure.sla import load_alerts, load_tier
from scenarios import catalog
from scenarios.errors import ScenarioError
from scenarios.model import ReplaySource, Scenario, ShopSource
from scenarios.orders import Load, source_table
from scenarios.replay import Replay, input_path
from scenarios.schedule import Change, Spans, Timeline, count_of, own_timed, planned, shifted
from stack.places import Home

_OWN_WARM_UP_RATE = (1.0, 2_000.0)


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What `latency run` was asked for. None: as the scenario, or the configuration, has it."""

    scenario: str
    """A shipped scenario's name, or the path of a file."""
    change: Change = field(default_factory=Change)
    profile: str | None = None
    sla: str | None = None
    seed: int | None = None
    out: Path | None = None
    """A folder into which the finished run's folder is copied."""
    keep: bool = False
    """Whether a stack that was brought up for the run stays up."""
    metrics_port: int | None = None
    run: str | None = None
    """The run's id; None makes one."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that could begin now. Spans count from 0 µs."""

    request: RunRequest
    scenario: Scenario
    spans: Spans
    tier: Tier | None
    alerts: tuple[AlertRule, ...]
    file: Path | None = None
    """The file to replay."""
    rows: int | None = None
    """Events that the source has; None for endless."""
    first_us: int | None = None
    """Own time of the file's first event, where the file's timing is replayed."""

    @property
    def seed(self) -> int:
        """Of the events and of whom they come from."""
        return self.scenario.seed if self.request.seed is None else self.request.seed

    @property
    def own_timing(self) -> bool:
        """Whether the file, not a rate, says when events are due."""
        return isinstance(self.scenario.source, ReplaySource) and self.scenario.source.timing == "own"

    @property
    def warm_up_rate(self) -> float | None:
        """Events/s of the warm-up, scaled as the load is; None without a warm-up."""
        if self.scenario.warm_up is None:
            return None
        rate = self.scenario.warm_up_rate
        if rate is None:
            low, high = _OWN_WARM_UP_RATE
            return min(high, max(low, count_of(self.spans) / max(1.0, self.spans[-1].end_us / 1e6)))
        change = self.request.change
        if change.rate is not None and self.scenario.warm_up.rate is None:
            rate = change.rate
        return rate * (change.scale or 1)

    def warm_up_spans(self, start_us: int) -> Spans:
        """The warm-up at its longest."""
        rate, warm_up = self.warm_up_rate, self.scenario.warm_up
        if rate is None or warm_up is None:
            return ()
        return (Span(start_us, start_us + warm_up.at_most_us, rate, "warm-up"),)

    def timeline(self, start_us: int) -> Timeline:
        """The load, begun at `start_us`."""
        return Timeline.of(shifted(self.spans, start_us), self.rows)

    def load(self, run: str, spans: Iterable[Span], spool: Path, producer: int) -> Load:
        """The order for one producer to send its share of the load."""
        source = self.scenario.source
        speed = source.speed * (self.request.change.scale or 1) if isinstance(source, ReplaySource) else 1.0
        return Load(
            run=run,
            spans=list(spans),
            spool=str(spool),
            source=source_table(source),
            seed=self.seed,
            producer=producer,
            producers=self.scenario.producers,
            file=str(self.file) if self.file else None,
            first_us=self.first_us,
            speed=speed,
        )

    def warm_up_load(self, run: str, spans: Iterable[Span], spool: Path, producer: int) -> Load:
        """The order for one producer to warm the pipeline up: other events of the same kind where there are any."""
        load = self.load(run, spans, spool, producer)
        shop = self.scenario.source if isinstance(self.scenario.source, ShopSource) else ShopSource()
        return Load(
            run=load.run,
            spans=load.spans,
            spool=load.spool,
            source=source_table(shop),
            seed=self.seed + 1,
            producer=producer,
            producers=load.producers,
        )


def prepare(request: RunRequest, home: Home) -> Prepared:
    """Read and check all that the request names. UsageError (exit code 2) for whatever is wrong with it."""
    scenario = catalog.load(request.scenario)
    source = scenario.source
    tier_name = request.sla or scenario.sla
    prepared = Prepared(
        request,
        scenario,
        (),
        load_tier(tier_name, sla_folder(home)) if tier_name else None,
        tuple(load_alerts(_own_alerts(home))),
    )
    if isinstance(source, ReplaySource):
        prepared = _with_file(prepared, source)
    else:
        prepared = replace(prepared, spans=planned(scenario, request.change))
    if not count_of(prepared.spans):
        raise ScenarioError(f"{scenario.name}: expected at least one event, the load has none")
    return prepared


def sla_folder(home: Home) -> Path:
    """Where the user's own tiers and `alerts.toml` lie."""
    return home.root / "sla"


def _own_alerts(home: Home) -> Path | None:
    own = sla_folder(home) / "alerts.toml"
    return own if own.is_file() else None


def _with_file(prepared: Prepared, source: ReplaySource) -> Prepared:
    request, scenario = prepared.request, prepared.scenario
    file = input_path(source.file, catalog.folder_of(request.scenario))
    replay = Replay(file, source)
    if source.timing == "own":
        first_us = next(iter(replay.own_times_us()), None)
        spans = own_timed(replay.own_times_us(), source, request.change)
        return replace(prepared, spans=spans, file=file, rows=count_of(spans), first_us=first_us)
    next(iter(islice(replay, 1)), None)  # a column that the map names and the file lacks is found before the run
    count = replay.count()  # of a loop too: whatever is wrong with a row is found before the run
    rows = None if source.loop else count
    return replace(prepared, spans=planned(scenario, request.change, rows), file=file, rows=rows)


def new_run_id(scenario: str, now: datetime | None = None) -> str:
    """`SCENARIO-UTCSTAMP-4hex`."""
    moment = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    return f"{scenario}-{moment}-{secrets.token_hex(2)}"
