"""The run as others see it live, in MongoDB: written behind the run's folder, and after it where MongoDB is away."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from pymongo import MongoClient, ReplaceOne
from pymongo.errors import PyMongoError

from measure.histogram import Histogram
from measure.records import MarkLine, RunSample, SliceLine
from measure.store import MARKS, OUTSIDE, RUNS, SAMPLES, SLICES, Document, mark_id, run_sample_id, slice_id
from stack.access import Access, Role

_EVERY_S = 0.25
_AGAIN_S = 1.0
_MOST_WAITING = 50_000
_AT_ONCE = 1_000

Write = tuple[str, Document]
"""Collection, and the whole document that it is to hold under its `_id`."""


class Mirror:
    """Documents queue up while MongoDB is away, the oldest dropped beyond 50,000; the folder has them all."""

    def __init__(self, access: Access, run: str) -> None:
        self._access = access
        self._run = run
        self._lock = threading.Lock()
        self._waiting: deque[Write] = deque(maxlen=_MOST_WAITING)
        self._marks = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="mirror", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def close(self, deadline_s: float) -> bool:
        """Write what is waiting, for up to `deadline_s`, and end. Whether all is written."""
        self._ended.set()
        self._thread.join(deadline_s)
        return not self._thread.is_alive() and not self._waiting

    def run(self, fields: Mapping[str, Any]) -> None:
        """The run's own document."""
        self._put(RUNS, {"_id": self._run, **fields})

    def sample(self, sample: RunSample) -> None:
        """One second of the run."""
        self._put(SAMPLES, {"_id": run_sample_id(self._run, sample.second), **msgspec.to_builtins(sample)})

    def mark(self, mark: MarkLine) -> None:
        """Something that happened."""
        self._marks += 1
        self._put(MARKS, {"_id": mark_id(self._run, self._marks), "run": self._run, **msgspec.to_builtins(mark)})

    def visible(self, run: str, second: int, held: Histogram) -> None:
        """All that is known of a due-second's `visible`."""
        line = SliceLine.of(run, second, {"visible": held})
        document = {"partition": OUTSIDE, **msgspec.to_builtins(line, str_keys=True)}
        self._put(SLICES, {"_id": slice_id(run, second, OUTSIDE), **document})

    def _put(self, collection: str, document: Document) -> None:
        with self._lock:
            self._waiting.append((collection, document))

    def _work(self) -> None:
        with MongoClient[Document](self._access.mongo_uri(Role.RUN), timeoutMS=5_000) as client:
            database = client[self._access.names.database]
            while True:
                last = self._ended.is_set()
                batch = self._take()
                try:
                    for collection, writes in _by_collection(batch).items():
                        database[collection].bulk_write(writes)
                except PyMongoError:
                    with self._lock:
                        self._waiting.extendleft(reversed(batch))
                    if last:
                        return
                    self._ended.wait(_AGAIN_S)
                    continue
                if last and not self._waiting:
                    return
                if len(batch) < _AT_ONCE:
                    self._ended.wait(_EVERY_S)

    def _take(self) -> list[Write]:
        with self._lock:
            return [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]


def _by_collection(batch: list[Write]) -> dict[str, list[ReplaceOne[Document]]]:
    now = datetime.now(UTC)
    sorted_out: dict[str, list[ReplaceOne[Document]]] = {}
    for collection, document in batch:
        write = ReplaceOne({"_id": document["_id"]}, {**document, "updated": now}, upsert=True)
        sorted_out.setdefault(collection, []).append(write)
    return sorted_out
