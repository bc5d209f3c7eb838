"""Bounded, timed reads from MongoDB with the read-only user, and what a visitor is told when one fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pymongo
from pymongo import MongoClient, errors

from dashboard.answers import UnavailableError

Document = dict[str, Any]
Sort = Sequence[tuple[str, int]]
QueryTimer = Callable[[int], None]
"""Told each query's duration in µs."""


class DatabaseError(UnavailableError):
    """MongoDB did not answer, was too slow, or refused. The message is fit for a visitor."""


class Database:
    """One database, read with a deadline for each query. Thread-safe.

    Every query, its decoding included, is timed and told to `on_query`; a failed one is not.
    """

    def __init__(self, client: MongoClient[Document], name: str, deadline_s: float, on_query: QueryTimer) -> None:
        self._database = client[name]
        self._deadline_s = deadline_s
        self._on_query = on_query

    def find(
        self,
        collection: str,
        where: Mapping[str, Any],
        fields: Mapping[str, Any],
        *,
        limit: int,
        sort: Sort | None = None,
        skip: int = 0,
    ) -> list[Document]:
        """At most `limit` documents, with only `fields`."""
        with self._timed():
            cursor = self._database[collection].find(where, fields, sort=sort, limit=limit, skip=skip)
            return list(cursor)

    def newest_write(self, collection: str) -> datetime | None:
        """The latest `updated` in a collection; None where no document has one (those that are kept have none)."""
        found = self.find(collection, {}, {"_id": 0, "updated": 1}, sort=[("updated", -1)], limit=1)
        return found[0].get("updated") if found else None

    def aggregate(self, collection: str, pipeline: Sequence[Mapping[str, Any]]) -> list[Document]:
        """The result of a pipeline that bounds its own result."""
        with self._timed():
            return list(self._database[collection].aggregate(pipeline))

    @contextmanager
    def _timed(self) -> Iterator[None]:
        began = time.perf_counter_ns()
        try:
            with pymongo.timeout(self._deadline_s):
                yield
        except errors.PyMongoError as error:
            raise DatabaseError(_plain_reason(error, self._deadline_s)) from error
        self._on_query((time.perf_counter_ns() - began) // 1000)


def _plain_reason(error: errors.PyMongoError, deadline_s: float) -> str:
    if isinstance(error, errors.OperationFailure) and error.code in {13, 18, 8000}:
        return "The database refuses this page's user. Run `latency doctor` to see which rights are missing."
    if isinstance(error, errors.ServerSelectionTimeoutError):
        return "The database does not answer. `latency status` shows whether it is running."
    if isinstance(error, errors.AutoReconnect) and not error.timeout:
        return "The connection to the database broke off."
    if error.timeout:
        return f"The database is slow: a query was given up after {deadline_s:g} s."
    return f"The database could not answer ({type(error).__name__})."
