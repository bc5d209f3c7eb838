"""What the dashboard itself measures, written into `slices`: stages `query` and `shown`.

Its user may only insert there, so each flush writes documents of its own, with partition -2; a reader merges all
documents of one run and second. Times are µs.
"""

from __future__ import annotations

import itertools
import secrets
import threading
from collections.abc import Callable
from typing import Any

import pymongo
from pymongo import errors
from pymongo.collection import Collection

from dashboard.ranges import moment
from measure.histogram import Histogram

PARTITION = -2
QUERY = "query"
SHOWN = "shown"

_MOST_PENDING = 2_000
"""Documents, and (run, second) pairs, kept while MongoDB does not take them; beyond that they are dropped."""
_DEADLINE_S = 3.0
_ALREADY_THERE = 11_000
"""Code of a duplicate key: an earlier try whose answer was lost had written the document."""

Key = tuple[str, int]


class Recorder:
    """Collects values from any thread and inserts them once a second from a thread of its own."""

    def __init__(self, slices: Collection[dict[str, Any]], clock: Callable[[], float], every_s: float = 1.0) -> None:
        self._slices = slices
        self._clock = clock
        self._every_s = every_s
        self._lock = threading.Lock()
        self._pending: dict[Key, dict[str, Histogram]] = {}
        self._outbox: list[dict[str, Any]] = []
        self._numbers = itertools.count()
        self._token = secrets.token_hex(4)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._write_until_stopped, name="dashboard-recorder", daemon=True)
        self.dropped = 0
        """Values or documents that could not be written."""
        self.run = "-"
        """The run in progress, to which queries are booked."""

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def close(self) -> None:
        """Write what is left and stop."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def query(self, took_us: int) -> None:
        """A query of the dashboard took this long and ended now."""
        self.record(self.run, int(self._clock()), QUERY, [took_us])

    def record(self, run: str, second: int, stage: str, values_us: list[int]) -> None:
        """Count values of `stage` for events of `run` that were due in `second`."""
        with self._lock:
            stages = self._pending.get((run, second))
            if stages is None:
                if len(self._pending) >= _MOST_PENDING:
                    self.dropped += len(values_us)
                    return
                stages = self._pending[run, second] = {}
            histogram = stages.setdefault(stage, Histogram())
            for value in values_us:
                histogram.record(value)

    def flush(self) -> None:
        """Insert what was collected; what MongoDB does not take is kept, under the same ids, for the next time."""
        with self._lock:
            taken, self._pending = self._pending, {}
        self._outbox += [self._document(key, held) for key, held in taken.items()]
        if len(self._outbox) > _MOST_PENDING:
            self.dropped += len(self._outbox) - _MOST_PENDING
            self._outbox = self._outbox[-_MOST_PENDING:]
        if not self._outbox:
            return
        try:
            with pymongo.timeout(_DEADLINE_S):
                self._slices.insert_many(self._outbox, ordered=False)
        except errors.BulkWriteError as error:
            refused = [one for one in error.details.get("writeErrors", ()) if one.get("code") != _ALREADY_THERE]
            self.dropped += len(refused)
        except errors.PyMongoError:
            return
        self._outbox = []

    def _document(self, key: Key, stages: dict[str, Histogram]) -> dict[str, Any]:
        run, second = key
        return {
            "_id": f"{run}|{second}|{PARTITION}|{self._token}-{next(self._numbers)}",
            "run": run,
            "second": second,
            "partition": PARTITION,
            "stages": {stage: {str(at): n for at, n in held.counts.items()} for stage, held in stages.items()},
            "negatives": {stage: held.negatives for stage, held in stages.items() if held.negatives},
            "max_us": {stage: held.max_us for stage, held in stages.items()},
            "updated": moment(self._clock()),
        }

    def _write_until_stopped(self) -> None:
        while not self._stopped.wait(self._every_s):
            self.flush()
        self.flush()
