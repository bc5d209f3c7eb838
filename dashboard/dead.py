"""Dead letters: how many for which reason, and page by page as text.

A page is found by where the one before it ended, so that letters arriving meanwhile move nothing. A search looks
through reason, key, payload and run of the newest letters, a bounded number of them, and says how far it looked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboard.database import Database, Document
from dashboard.plain import SHORT, block, plain
from measure.store import DEAD

PAGE = 20
_MOST_SEARCHED = 2_000
_MOST_BYTES = 16 * 1024 * 1024
_BATCH = 200
_MOST_REASONS = 50
MOST_COUNTED = 20_000
_FIELDS = {"run": 1, "reason": 1, "key": 1, "payload": 1, "size": 1, "source_time": 1, "expected": 1}

Place = tuple[datetime, int]
"""Time (of the append in `events`) of the last letter of a page, and how many of just that time were passed."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter, its foreign parts already plain. `size` in bytes, of the whole payload."""

    at: datetime | None
    run: str
    reason: str
    key: str
    size: int
    payload: str
    position: str
    """Partition and offset in `events`."""
    expected: bool
    """Whether the generator made it bad on purpose."""


@dataclass(frozen=True, slots=True)
class Page:
    """Letters, newest first; `next` is where the following page begins, None at the end."""

    letters: tuple[Letter, ...]
    next: Place | None
    searched: int
    """How many letters were looked through."""
    gave_up: bool
    """Whether the search ended at its bound, with older letters not looked at."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason with its number of letters."""

    text: str
    n: int
    expected: int


class DeadLetters:
    """Reads of collection `dead`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def reasons(self, run: str | None) -> list[Reason]:
        """The most frequent reasons among the newest 20,000 letters of a run, or of all runs."""
        found = self._database.aggregate(
            DEAD,
            [
                {"$match": _of(run)},
                {"$sort": {"source_time": -1}},
                {"$limit": MOST_COUNTED},
                {"$group": {"_id": "$reason", "n": {"$sum": 1}, "expected": {"$sum": {"$cond": ["$expected", 1, 0]}}}},
                {"$sort": {"n": -1, "_id": 1}},
                {"$limit": _MOST_REASONS},
            ],
        )
        return [Reason(plain(one["_id"]), int(one["n"]), int(one["expected"])) for one in found]

    def page(self, run: str | None, search: str = "", after: Place | None = None) -> Page:
        """The next 20 letters whose text contains `search` (case does not matter)."""
        wanted = re.compile(re.escape(search.strip()), re.IGNORECASE)
        letters: list[Letter] = []
        searched = 0
        place = after
        for document in self._newest(run, after):
            if len(letters) == PAGE:
                return Page(tuple(letters), place, searched, gave_up=False)
            if searched >= _MOST_SEARCHED:
                return Page(tuple(letters), place, searched, gave_up=True)
            searched += 1
            time = document["source_time"]
            place = (time, place[1] + 1 if place is not None and place[0] == time else 1)
            letter = _letter(document)
            if any(wanted.search(text) for text in (letter.reason, letter.key, letter.payload, letter.run)):
                letters.append(letter)
        return Page(tuple(letters), None, searched, gave_up=False)

    def _newest(self, run: str | None, after: Place | None) -> Iterator[Document]:
        read = 0
        while read < _MOST_BYTES:
            where, skip = _of(run), 0
            if after is not None:
                time, skip = after
                where["source_time"] = {"$lte": time}
            found = self._database.find(DEAD, where, _FIELDS, sort=[("source_time", -1)], skip=skip, limit=_BATCH)
            yield from found
            if len(found) < _BATCH:
                return
            time = found[-1]["source_time"]
            same = sum(document["source_time"] == time for document in found)
            after = (time, same + (skip if after is not None and after[0] == time else 0))
            read += sum(len(document.get("payload") or b"") for document in found)


def _of(run: str | None) -> dict[str, Any]:
    return {} if run is None else {"run": run}


def _letter(document: Document) -> Letter:
    _topic, _, position = str(document["_id"]).partition("|")
    partition, _, offset = position.partition("|")
    key = document.get("key")
    return Letter(
        at=document.get("source_time"),
        run=plain(document.get("run", "")),
        reason=plain(document.get("reason", "")),
        key="" if key is None else plain(block(key, SHORT)),
        size=int(document.get("size") or 0),
        payload=block(document.get("payload") or b""),
        position=f"partition {partition}, offset {offset}" if offset else position,
        expected=bool(document.get("expected")),
    )
