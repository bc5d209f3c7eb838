"""The run that a stack has, or had last, from its folder and from MongoDB."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from console.feed.compute import progress_of, run_view
from console.feed.facts import ended_standing, facts_of
from console.feed.follower import RunFollower
from console.feed.record import RunRecord
from console.feed.replay import Replay
from console.feed.views import Progress, RunView, Window
from measure.errors import LatencyError, NotReadyError
from measure.figures import Status
from measure.folder import RunFolder
from scenarios import occupancy
from stack.access import Access, Role
from stack.settings import Settings

if TYPE_CHECKING:
    from pymongo import MongoClient

    from measure.store import Document, Store

_TIMEOUT_MS = 2_500
_OTHERS_EVERY_US = 900_000


class RunSource:
    """Reads for the live screens. Belongs to one thread; every method may block for some seconds."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder: RunFolder | None = None
        self._stamp: tuple[object, ...] = ()
        self._record: RunRecord | None = None
        self._follower: RunFollower | None = None
        self._client: MongoClient[Document] | None = None
        self._client_stamp = 0
        self._others_us = 0
        self._whole: Replay | None = None

    def find(self) -> str | None:
        """Which run is shown: the one in progress on the stack, else the newest one of it."""
        taken = occupancy.occupant(self._settings.folder)
        if taken is not None and (Path(taken.folder) / "plan.json").exists():
            self._folder = RunFolder(Path(taken.folder))
        elif self._folder is None or not self._folder.path.exists():
            self._folder = newest_run(self._settings)
        return self._folder.run if self._folder else None

    def progress(self, now_us: int) -> Progress | None:
        """How far the run is, from its folder alone: known while MongoDB is down too."""
        record = self._current()
        return None if record is None else progress_of(record, now_us)

    def read(self, now_us: int, window: Window, heat_stage: str | None) -> RunView | None:
        """The run as it stands now; None where there never was one. One that has ended is read from its folder where
        the stack is down, or its database has nothing of it. LatencyError or PyMongoError where MongoDB cannot be
        read."""
        record = self._current()
        if record is None:
            return None
        if not self._settings.folder.endpoints.exists() and record.standing.status != Status.RUNNING:
            return run_view(self._from_folder(), now_us, window, heat_stage)
        follower = self._following(record, now_us)
        if not follower.record.arrived and follower.record.standing.status != Status.RUNNING:
            return run_view(self._from_folder(), now_us, window, heat_stage)
        follower.read_slices()
        if now_us - self._others_us >= _OTHERS_EVERY_US:
            follower.read_others(now_us)
            self._note_death(follower.record)
            self._others_us = now_us
        return run_view(follower.record, now_us, window, heat_stage)

    def close(self) -> None:
        """Let go of the database."""
        if self._client is not None:
            self._client.close()
            self._client = None
        self._follower = None

    def _current(self) -> RunRecord | None:
        """The record of the run, with the schedule that is now in force."""
        if self._folder is None:
            return None
        stamp = _stamp(self._folder)
        if self._record is None or stamp != self._stamp:
            facts = facts_of(self._folder)
            if self._record is not None and self._record.facts.run == facts.run:
                self._record.facts = facts
            else:
                self._record, self._follower = RunRecord(facts), None
            self._stamp = stamp
        self._note_death(self._record)
        return self._record

    def _note_death(self, record: RunRecord) -> None:
        """MongoDB and the folder call a run running whose process was killed."""
        if self._folder is not None and record.standing.status == Status.RUNNING and not self._folder.alive():
            record.standing = ended_standing(self._folder)

    def _from_folder(self) -> RunRecord:
        """All of the run, out of its folder; InvalidError where it had no load."""
        assert self._folder is not None  # noqa: S101 (there is a record of it)
        if self._whole is None or self._whole.run != self._folder.run:
            self._whole = Replay(self._folder)
        return self._whole.record

    def _following(self, record: RunRecord, now_us: int) -> RunFollower:
        database = self._database()
        if self._follower is None or self._follower.record is not record:
            assert self._folder is not None  # noqa: S101 (there is a record of it)
            record = self._record = RunRecord(record.facts, standing=record.standing)
            follower = RunFollower(database, record, self._folder.run, record.facts.run)
            follower.read_past(min(now_us, record.facts.end_us + 60_000_000))
            self._note_death(record)
            self._follower = follower
        return self._follower

    def _database(self) -> Store:
        """The database of the stack that is up now; a stack that came up anew has another address."""
        from pymongo import MongoClient

        folder = self._settings.folder
        try:
            stamp = folder.endpoints.stat().st_mtime_ns
        except FileNotFoundError:
            self.close()
            raise NotReadyError(f"stack {folder.name} is down") from None
        if self._client is None or stamp != self._client_stamp:
            self.close()
            access = Access.load(folder.root)
            self._client = MongoClient(
                access.mongo_uri(Role.DASHBOARD),
                timeoutMS=_TIMEOUT_MS,
                serverSelectionTimeoutMS=_TIMEOUT_MS,
                tz_aware=True,
            )
            self._client_stamp, self._name = stamp, access.names.database
        return self._client[self._name]


def newest_run(settings: Settings) -> RunFolder | None:
    """The newest run of this stack that can be read."""
    found: list[tuple[int, RunFolder]] = []
    for folder in RunFolder.all(settings.home.runs):
        try:
            if folder.plan().stack == settings.stack:
                found.append((folder.created_us, folder))
        except LatencyError:
            continue  # damaged: the list of runs tells
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _stamp(folder: RunFolder) -> tuple[object, ...]:
    """Changes when a file changes that says what the run is to do."""
    stamp: list[object] = [folder.path]
    for name in ("plan.json", "amendments.jsonl", "outcome.json"):
        try:
            stamp.append((folder.path / name).stat().st_mtime_ns)
        except FileNotFoundError:
            stamp.append(None)
    return tuple(stamp)
