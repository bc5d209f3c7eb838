"""All that the pages of one process share: the client, the answers, the timelines, and what is measured.

Made once for a process and used by every viewer's thread. Knows nothing of Streamlit.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from pymongo import MongoClient

from dashboard import business
from dashboard.answers import Answer, Answers
from dashboard.business import Business
from dashboard.configuration import Configuration
from dashboard.database import Database
from dashboard.pulses import Pulse, PulseWatch
from dashboard.ranges import TimeRange
from dashboard.recorder import SHOWN, Recorder
from dashboard.timeline import Timeline
from dashboard.windows import Names, SalesCell, WindowSource, is_business
from measure.stamp import FOREIGN_RUN
from measure.store import RUNS, SLICES, WINDOWS
from stack.access import Access, Role

T = TypeVar("T")

_FIRST_BUDGET_S = 0.8
_BUDGET_S = 0.25
"""Seconds of reading older history in one refresh: the first, so that the page is soon full, and every further one."""
_MOST_TIMELINES = 16
_RUN_SILENT_S = 120.0
"""A run that is marked as running and has not been heard of for this long is over: its process died."""
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


class Board:
    """The one object behind the pages. `close` it when done."""

    def __init__(
        self,
        access: Access,
        configuration: Configuration,
        runs: Path,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.configuration = configuration
        self.runs_folder = runs
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
        self._undrawn: dict[int, list[Pulse]] = {}

    def close(self) -> None:
        """Stop the threads and the client."""
        self._pulses.close()
        self.recorder.close()
        self._client.close()

    def ask(self, key: Hashable, compute: Callable[[], T], at_least_s: float = 0.0) -> Answer[T]:
        """An answer shared by all viewers, no older than the configured time to live (or than `at_least_s`)."""
        return self._answers.get(key, compute, at_least_s)

    def timeline(self, key: Hashable, make: Callable[[], Timeline[Any]]) -> tuple[Timeline[Any], float]:
        """The timeline kept under `key`, and how many seconds its next refresh may read history."""
        with self._lock:
            known = self._timelines.get(key)
            if known is None:
                known = self._timelines[key] = make()
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
        timeline, budget_s = self.timeline(("windows", choice), lambda: Timeline(source))
        pulses = self._pulses.take(lambda pulse: _shows(choice, span, pulse)) if span.live else []
        view = cast("Timeline[SalesCell]", timeline).refresh(span, now, budget_s)
        made = business.figures(view, self._names, now)
        if pulses and view.current:
            self._undrawn[id(made)] = pulses
        return made

    def drawn(self, shown: Business) -> None:
        """A live page with these figures has just been drawn: the events new in it are now before somebody's eyes."""
        pulses = self._undrawn.pop(id(shown), None)
        if not pulses:
            return
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

    # --- runs ---

    def runs(self) -> Answer[list[dict[str, Any]]]:
        """The newest 50 runs that the database knows, newest first, and which of them is in progress."""
        return self.ask("runs", self._runs)

    def _runs(self) -> list[dict[str, Any]]:
        fields = {"status": 1, "scenario": 1, "profile": 1, "started_us": 1, "ends_us": 1, "phase": 1, "progress": 1}
        found = self.database.find(
            RUNS, {}, {**fields, "verdict": 1, "updated": 1}, sort=[("started_us", -1)], limit=50
        )
        running = [one["_id"] for one in found if self._in_progress(one)]
        self.recorder.run = running[0] if running else FOREIGN_RUN
        return found

    def _in_progress(self, run: dict[str, Any]) -> bool:
        heard = run.get("updated")
        return (
            run.get("status") == "running" and heard is not None and (self.clock() - heard.timestamp() < _RUN_SILENT_S)
        )

    def run_in_progress(self) -> str | None:
        """The run that is going on now, if any."""
        self.runs()
        return None if self.recorder.run == FOREIGN_RUN else self.recorder.run


def _shows(choice: Choice, span: TimeRange, pulse: Pulse) -> bool:
    wanted = is_business(pulse.run) if choice.run is None else pulse.run == choice.run
    return wanted and span.start_s <= pulse.minute_s < span.end_s
