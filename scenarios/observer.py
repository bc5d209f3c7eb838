"""What the run process reads about the pipeline once a second, in a thread of its own: a database or broker that does
not answer makes a figure missing, and never a second late."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaException
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from measure.errors import LatencyError
from measure.records import BatchSample, LagSample, SinkSample
from measure.store import Document
from scenarios.harvest import batch_samples, checkpoints, dead_letters, progress, sink_samples
from scenarios.lag import LagReader
from scenarios.slices import SliceCache, Stages
from stack.access import Access, Role

_TIMEOUT_MS = 3_000
_BACK_S = 15


@dataclass(frozen=True, slots=True)
class Observation:
    """The pipeline at one moment."""

    at_us: int = 0
    lag: LagSample | None = None
    stored: Mapping[str, int] = field(default_factory=dict)
    """Run id → events stored and measured so far."""
    slices: Mapping[str, Mapping[int, Stages]] = field(default_factory=dict)
    """Run id → due-second → stages, for the last minute or so."""
    sinks: tuple[SinkSample, ...] = ()
    batches: tuple[BatchSample, ...] = ()
    checkpoints: tuple[tuple[int, str], ...] = ()
    """(µs, text), those of the last seconds."""
    dead: Mapping[int, int] = field(default_factory=dict)
    """Second of the append → dead letters of the load."""
    trouble: str | None = None
    """Why something is missing."""


class Observer:
    """From `start` to `close`, `latest` is never older than a second or two, unless it says what is the trouble."""

    def __init__(self, access: Access, runs: tuple[str, str], kept_s: int) -> None:
        self._access, self._runs, self._kept_s = access, runs, kept_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="observer", daemon=True)
        self.latest = Observation()

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def close(self) -> None:
        """End; returns when the thread has."""
        self._ended.set()
        self._thread.join(15)

    def _work(self) -> None:
        uri = self._access.mongo_uri(Role.RUN)
        with MongoClient[Document](uri, timeoutMS=_TIMEOUT_MS, tz_aware=True) as client:
            database = client[self._access.names.database]
            cache = SliceCache(database, self._runs, self._kept_s)
            lag = LagReader(self._access, database, self._runs)
            while not self._ended.is_set():
                self.latest = self._look(database, cache, lag)
                # Half way between the seconds, so that what the next sample takes is fresh.
                self._ended.wait(1.0 - (time.time() + 0.4) % 1.0)
            lag.close()

    def _look(self, database: Any, cache: SliceCache, lag: LagReader) -> Observation:
        at_us = time.time_ns() // 1000
        second, before = at_us // 1_000_000, self.latest
        first = second - _BACK_S
        try:
            behind = lag.read()
        except (LatencyError, KafkaException, PyMongoError) as broken:
            return Observation(at_us, None, before.stored, before.slices, trouble=f"lag: {type(broken).__name__}")
        try:
            cache.refresh()
            return Observation(
                at_us,
                behind,
                {run: cache.stored(run) for run in self._runs},
                {run: cache.seconds(run) for run in self._runs},
                tuple(sink_samples(database, first, second)),
                tuple(batch_samples(database, first, second)),
                tuple(checkpoints(progress(database, first, second))),
                dead_letters(database, self._runs[0], first, second),
            )
        except PyMongoError as broken:
            return Observation(at_us, behind, before.stored, before.slices, trouble=f"MongoDB: {type(broken).__name__}")
