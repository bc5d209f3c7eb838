"""Measures each event once (design: exactly once, point 3): one transaction for slices, sequences and the position.

It runs in a thread of its own beside the sink's main loop, which hands over what it applied and is told the result.
Neither touches what the other holds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pymongo import MongoClient, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from jobs.chunks import Chunks
from jobs.position import Position, read_position
from jobs.records import Outcome
from jobs.slices import Slices
from measure.errors import LatencyError
from measure.store import POSITIONS, SEQUENCES, SLICES, Document, Store

_PAUSE_S = 0.2


@dataclass(frozen=True, slots=True)
class Part:
    """What one partition hands over: its outcomes, and where its positions go from and to."""

    partition: int
    moves: tuple[tuple[Position, Position], ...]
    outcomes: tuple[Outcome, ...]


class LostCompareError(LatencyError):
    """A position stands elsewhere than this process left it: somebody else owns the partition."""


class Measurer:
    """Writes parts. `stopping` ends the tries while MongoDB does not answer."""

    def __init__(self, client: MongoClient[Document], database: Store, stopping: Callable[[], bool]) -> None:
        self._client = client
        self._database = database
        self._slices = Slices(database)
        self._chunks = Chunks(database)
        self._stopping = stopping
        self._left: dict[str, Position] = {}
        """Where this process left each position."""

    def measure(self, parts: Sequence[Part], beside: Sequence[UpdateOne] = ()) -> frozenset[int]:
        """Write all parts; the partitions whose part was refused because another process moved their position.

        `beside` goes into `positions` in the same transaction, if no part is refused.
        """
        if self._written(parts, beside):
            return frozenset()
        # One of them was refused: each by itself says which.
        return frozenset(part.partition for part in parts if len(parts) == 1 or not self._written([part]))

    def _written(self, parts: Sequence[Part], beside: Sequence[UpdateOne] = ()) -> bool:
        while True:
            try:
                self._forget_what_others_moved(parts)
                self._transaction(parts, beside)
                self._left.update({after.id: after for part in parts for _, after in part.moves})
                self._slices.trim()
                self._chunks.trim()
                return True
            except LostCompareError:
                self._forget()
                return self._stands_behind(parts)
            except (ConnectionFailure, OperationFailure) as broken:
                self._forget()
                if self._stopping() or not _passes(broken):
                    raise
                time.sleep(_PAUSE_S)

    def _forget_what_others_moved(self, parts: Sequence[Part]) -> None:
        """A position that is not where this process left it was moved together with slices and chunks: by who had the
        partition meanwhile, or by a database that lost work."""
        for part in parts:
            if any(self._left.get(before.id) != before for before, _ in part.moves):
                self._forget(part.partition)

    def _forget(self, partition: int | None = None) -> None:
        self._slices.forget(partition)
        self._chunks.forget(partition)

    def _transaction(self, parts: Sequence[Part], beside: Sequence[UpdateOne]) -> None:
        """In one transaction; the driver repeats what is transient, and a commit whose result is not known."""
        now = datetime.now(UTC)
        moves = [before.move_to(after, now) for part in parts for before, after in part.moves]
        slices = [each for part in parts for each in self._slices.updates(part.partition, part.outcomes, now)]
        chunks = [each for part in parts for each in self._chunks.updates(part.partition, part.outcomes, now)]

        def write(session: ClientSession) -> None:
            moved = self._database[POSITIONS].bulk_write(moves, ordered=False, session=session)
            if moved.matched_count != len(moves):
                raise LostCompareError("a position is not where this sink left it")
            if beside:
                self._database[POSITIONS].bulk_write(list(beside), session=session)
            if slices:
                self._database[SLICES].bulk_write(slices, ordered=False, session=session)
            if chunks:
                self._database[SEQUENCES].bulk_write(chunks, ordered=False, session=session)

        with self._client.start_session() as session:
            session.with_transaction(write)

    def _stands_behind(self, parts: Sequence[Part]) -> bool:
        """Whether the positions stand where these parts move them: then a commit that seemed lost was made."""
        wanted = {after.id: after for part in parts for _, after in part.moves}
        found = map(read_position, self._database[POSITIONS].find({"_id": {"$in": list(wanted)}}))
        stands = {position.id: (position.clean_offset, position.measured) for position in found}
        return all(stands.get(name) == (after.clean_offset, after.measured) for name, after in wanted.items())


def _passes(broken: PyMongoError) -> bool:
    """Whether trying again may help: the database is away, or the commit's result is not known."""
    known = broken.has_error_label("UnknownTransactionCommitResult") or broken.has_error_label(
        "TransientTransactionError"
    )
    return known or isinstance(broken, ConnectionFailure)
