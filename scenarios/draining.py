"""The end of a run: whether every acknowledged event has been found, asked in a thread beside the run's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from pymongo import MongoClient
from pymongo.errors import PyMongoError
from pyroaring import BitMap

from measure.store import Document, Store, sequences
from stack.access import Access, Role

Acked = Mapping[str, Mapping[int, BitMap]]
"""Run id → producer → numbers of its acknowledged events."""
_TIMEOUT_MS = 5_000


@dataclass(slots=True)
class Search:
    """Asks again and again; `missing` is what the last answer said."""

    access: Access
    acked: Callable[[], Acked]
    missing: int | None = None
    """Acknowledged events that were not found; None while MongoDB has not answered."""
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "drain"))
    _asked: Future[int] | None = None

    def step(self) -> None:
        """Take in an answer and ask anew; returns at once."""
        if self._asked is not None:
            if not self._asked.done():
                return
            try:
                self.missing = self._asked.result()
            except PyMongoError:
                self.missing = None
        copied = {run: {number: BitMap(held) for number, held in by.items()} for run, by in self.acked().items()}
        self._asked = self._pool.submit(_missing, self.access, copied)

    def close(self) -> None:
        """Ask no more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _missing(access: Access, acked: Acked) -> int:
    with MongoClient[Document](access.mongo_uri(Role.RUN), timeoutMS=_TIMEOUT_MS) as client:
        database = client[access.names.database]
        return sum(missing(database, run, by_producer) for run, by_producer in acked.items())


def missing(database: Store, run: str, acked: Mapping[int, BitMap]) -> int:
    """How many events of a run that were acknowledged, by producer, are not found in MongoDB."""
    sets = sequences(database, run)
    return sum(len(numbers - sets.of(producer).found) for producer, numbers in acked.items())
