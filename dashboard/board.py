"""All that the pages of one process share: the client, the answers, the timelines, and what is measured.

Made once for a process and used by every viewer's thread. Knows nothing of Streamlit.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

from pymongo import MongoClient

from dashboard import business, operations, runs
from dashboard.answers import Answer, Answers
from dashboard.business import Business
from dashboard.configuration import Configuration
from dashboard.database import Database
from dashboard.dead import DeadLetters, Page, Place, Reason
from dashboard.operations import Operations
from dashboard.pulses import PulseWatch
from dashboard.ranges import TimeRange
from dashboard.recorder import SHOWN, Recorder
from dashboard.reports import Reports, Standing
from dashboard.runs import RunEntry
from dashboard.samples import SampleSource
from dashboard.slices import SliceSource
from dashboard.timeline import C, Source, Timeline, View
from dashboard.windows import Names, WindowSource, is_business
from measure.history import Entry
from measure.report.source import Source as ReportSource
from measure.stamp import FOREIGN_RUN
from measure.store import SLICES, WINDOWS, Pulse
from stack.access import Access, Role
from stack.places import Home

T = TypeVar("T")

_FIRST_BUDGET_S = 0.8
_BUDGET_S = 0.25
"""Seconds of reading older history in one refresh: the first, so that the page is soon full, and every further one."""
_HISTORY_S = 5.0
_STANDING_S = 10.0
"""Seconds for which at least is kept what is read from folders."""
_MOST_TIMELINES = 16
_MOST_UNDRAWN = 16
MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Choice:
    """What a live or fixed business page shows: the last `length_s`, or `fixed`; one run, or all that are business."""

    length_s: int | None = None
    fixed: TimeRange | None = None
    run: str | None = None

    def span(self, now: float) -> TimeRange:
        """The range at this time."""
        if self.fixed is not None:
            return self.fixed
        return TimeRange.last(self.length_s or 3600, now)


@dataclass(frozen=True, slots=True)
class Look:
    """What the operations page shows: the last `length_s` of a run in steps of at least `finest_s`, and the stage
    whose percentiles are drawn over time."""

    run: str
    length_s: int
    finest_s: int
    stage: str


class Board:
    """The one object behind the pages. `close` it when done."""

    def __init__(
        self,
        access: Access,
        configuration: Configuration,
        home: Home,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.configuration = configuration
        self.reports = Reports(home.runs, home.root / "cache")
        self.clock = clock
        deadline_s = configuration.deadline_s
        self._client: MongoClient[dict[str, Any]] = MongoClient(
            access.mongo_uri(Role.DASHBOARD),
            tz_aware=True,
            serverSelectionTimeoutMS=int(deadline_s * 1000),
            connectTimeoutMS=int(deadline_s * 1000),
            maxPoolSize=8,
        )
        store = self._client[access.names.database]
        self.recorder = Recorder(store[SLICES], clock)
        self.recorder.start()
        self.database = Database(self._client, access.names.database, deadline_s, self.recorder.query)
        self._pulses = PulseWatch(store[WINDOWS], clock)
        self._names = Names()
        self._answers = Answers(configuration.cache_s, clock)
        self._lock = threading.Lock()
        self._timelines: OrderedDict[Hashable, Timeline[Any]] = OrderedDict()
        self._undrawn: deque[tuple[Business, list[Pulse]]] = deque(maxlen=_MOST_UNDRAWN)

    def close(self) -> None:
        """Stop the threads and the client."""
        self._pulses.close()
        self.recorder.close()
        self._client.close()

    def ask(self, key: Hashable, compute: Callable[[], T], at_least_s: float = 0.0) -> Answer[T]:
        """An answer shared by all viewers, no older than the configured time to live (or than `at_least_s`)."""
        return self._answers.get(key, compute, at_least_s)

    def _timeline(self, key: Hashable, source: Source[C]) -> tuple[Timeline[C], float]:
        """The timeline kept under `key`, and how many seconds its next refresh may read history."""
        with self._lock:
            known = self._timelines.get(key)
            if known is None:
                known = self._timelines[key] = Timeline(source)
                if len(self._timelines) > _MOST_TIMELINES:
                    self._timelines.popitem(last=False)
                return known, _FIRST_BUDGET_S
            self._timelines.move_to_end(key)
            return known, _BUDGET_S

    # --- business ---

    def business(self, choice: Choice) -> Answer[Business]:
        """The figures of the business page."""
        every_s = choice.span(self.clock()).step_s / 60
        return self.ask(("business", choice), lambda: self._business(choice), every_s if every_s > 1 else 0.0)

    def _business(self, choice: Choice) -> Business:
        now = self.clock()
        span = choice.span(now)
        source = WindowSource(self.database, self._names, choice.run)
        timeline, budget_s = self._timeline(("windows", choice), source)
        if span.live:
            self._pulses.attend()
        view = timeline.refresh(span, now, budget_s)
        made = business.figures(view, self._names, now)
        if span.live and view.current:
            pulses = self._pulses.take(view.read_at, lambda pulse: _shows(choice, view, pulse))
            if pulses:
                with self._lock:
                    self._undrawn.append((made, pulses))
        return made

    def drawn(self, shown: Business) -> None:
        """A live page with these figures has just been drawn: the events new in it are now before somebody's eyes."""
        with self._lock:
            pulses = next((held for made, held in self._undrawn if made is shown), [])
            self._undrawn = deque((one for one in self._undrawn if one[0] is not shown), _MOST_UNDRAWN)
        now_us = int(self.clock() * MICRO)
        for pulse in pulses:
            by_second: dict[int, list[int]] = {}
            for due_us in pulse.due_us:
                by_second.setdefault(due_us // MICRO, []).append(now_us - due_us)
            for second, values in by_second.items():
                self.recorder.record(pulse.run, second, SHOWN, values)

    def newest_minute(self, run: str | None) -> float | None:
        """The latest minute of event time that has events, seconds of the epoch; None where there is none."""
        source = WindowSource(self.database, self._names, run)
        answer = self.ask(("newest", run), source.newest_minute)
        return answer.value.timestamp() if answer.value is not None else None

    # --- operations ---

    def operations(self, look: Look) -> Answer[Operations]:
        """The live figures of the operations page."""
        every_s = 10.0 if look.finest_s > 1 else 0.0
        return self.ask(("operations", look), lambda: self._operations(look), every_s)

    def _operations(self, look: Look) -> Operations:
        now = self.clock()
        span = TimeRange.last(look.length_s, self._end_of(look.run, now), look.finest_s)
        step = span.step_s
        slices, slices_s = self._timeline(("slices", look.run, step), SliceSource(self.database, look.run))
        samples, samples_s = self._timeline(("samples", look.run, step), SampleSource.of_run(self.database, look.run))
        sinks, sinks_s = self._timeline(("sinks", step), SampleSource.of_sinks(self.database))
        batches = runs.batches(self.database, span)
        marks = runs.marks(self.database, look.run, span)
        return operations.figures(
            slices.refresh(span, now, slices_s),
            samples.refresh(span, now, samples_s),
            sinks.refresh(span, now, sinks_s),
            batches,
            marks,
            look.stage,
        )

    def _end_of(self, run: str, now: float) -> float:
        """Until when there is something to see of a run: now for the one in progress, else its last due-second."""
        if run in {self.run_in_progress(), FOREIGN_RUN}:
            return now
        newest = runs.newest_second(self.database, run)
        return now if newest is None else min(now, newest)

    def dead_reasons(self, run: str | None) -> Answer[list[Reason]]:
        """Why letters are dead, the most frequent reason first."""
        return self.ask(("reasons", run), lambda: DeadLetters(self.database).reasons(run), 5.0)

    def dead_page(self, run: str | None, search: str, after: Place | None) -> Answer[Page]:
        """One page of dead letters."""
        return self.ask(("dead", run, search, after), lambda: DeadLetters(self.database).page(run, search, after))

    # --- runs ---

    def runs(self) -> Answer[list[RunEntry]]:
        """The newest 50 runs that the database knows, newest first."""
        return self.ask("runs", self._runs)

    def _runs(self) -> list[RunEntry]:
        found = runs.newest_runs(self.database, self.clock())
        self.recorder.run = next((one.run for one in found if one.in_progress), FOREIGN_RUN)
        return found

    def run_in_progress(self) -> str | None:
        """The run that is going on now, if any."""
        return next((one.run for one in self.runs().value or () if one.in_progress), None)

    def history(self) -> Answer[list[Entry]]:
        """All runs that have a folder on this machine, newest first."""
        return self.ask("history", self.reports.entries, _HISTORY_S)

    def standing(self, run: str) -> Answer[Standing]:
        """How a run stands against its limits. The longer it lasts, the more there is to read, and the rarer it is."""
        started = next((one.started_s for one in self.runs().value or () if one.run == run), 0.0)
        lasts_s = self.clock() - started if started else 0.0
        every_s = max(_STANDING_S, min(lasts_s, 7200) / 20)
        return self.ask(("standing", run), lambda: self.reports.standing(run), every_s)

    def report(self, run: str) -> Answer[ReportSource]:
        """What a run's report is made of."""
        return self.ask(("report", run), lambda: self.reports.source(run), _STANDING_S)

    def comparison(self, groups: tuple[tuple[str, ...], ...]) -> Answer[str]:
        """Runs beside each other, as Markdown."""
        return self.ask(("comparison", groups), lambda: self.reports.comparison(groups), _STANDING_S)


def _shows(choice: Choice, view: View[Any], pulse: Pulse) -> bool:
    wanted = is_business(pulse.run) if choice.run is None else pulse.run == choice.run
    return wanted and view.read_from_s <= pulse.minute_s < view.span.end_s
