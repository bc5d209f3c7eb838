"""The reader of another's results: it goes on whatever became of its place in the change stream or in the topic."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from bson import ObjectId
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from jobs import reader
from jobs.reader import Reader
from jobs.topics import TopicGoneError, Topics
from measure.stamp import Stamp
from measure.store import POSITIONS, Store
from stack.access import Access, Role
from tests.jobs.feed import Feed, await_stored, stored
from tests.jobs.running import Running
from tests.stack.waiting import wait_for

pytestmark = pytest.mark.stack

COLLECTION = "results"
TOKEN_ID = f"reader|{COLLECTION}"


class RunningReader(Running):
    """A reader in a thread of this process."""

    def __init__(self, access: Access) -> None:
        super().__init__(lambda stop: Reader(access, stop, COLLECTION, "due", "due").run)  # type: ignore[arg-type]


Start = Callable[[], RunningReader]


@pytest.fixture
def start(own_access: Access) -> Iterator[Start]:
    started: list[RunningReader] = []
    wait_for(lambda: _has_leaders(own_access), "a topic that can be read")

    def start_one() -> RunningReader:
        started.append(RunningReader(own_access))
        return started[-1]

    yield start_one
    for each in started:
        each.stop()


def _has_leaders(access: Access) -> bool:
    """A topic is there a moment before its partitions are."""
    topics = Topics(access.kafka(Role.SINK))
    try:
        return bool(topics.earliest(topics.find(access.names.events)))
    except TopicGoneError:
        return False


def results(database: Store, feed: Feed, offsets: Iterable[int]) -> None:
    """What a job writes of these events: a document for each."""
    database[COLLECTION].insert_many([{"due": due_us(feed, offset)} for offset in offsets])


def due_us(feed: Feed, offset: int) -> int:
    stamp = Stamp.read(feed.sent[offset][0])
    assert stamp is not None
    return stamp.due_us


def token(database: Store) -> dict[str, Any] | None:
    found: dict[str, Any] | None = (database[POSITIONS].find_one({"_id": TOKEN_ID}) or {}).get("token")
    return found


def test_results_are_measured_and_a_restart_goes_on_where_it_was(feed: Feed, database: Store, start: Start) -> None:
    first = start()
    offsets = feed.events(20)
    results(database, feed, offsets[:10])
    await_stored(database, 10)
    first.stop()
    results(database, feed, offsets[10:])
    start()
    await_stored(database, 20)


def test_a_collection_that_is_dropped_and_made_again_is_read_on(feed: Feed, database: Store, start: Start) -> None:
    first = start()
    offsets = feed.events(30)
    results(database, feed, offsets[:10])
    await_stored(database, 10)
    database[COLLECTION].drop()
    results(database, feed, offsets[10:20])
    await_stored(database, 20)
    first.stop()
    database[COLLECTION].drop()
    results(database, feed, offsets[20:])
    start()
    await_stored(database, 30)


def test_a_token_that_mongodb_refuses_is_forgotten(feed: Feed, database: Store, start: Start) -> None:
    """As one of a change that the oplog does not hold; its time stands behind its first byte."""
    first = start()
    offsets = feed.events(20)
    with database[COLLECTION].watch() as changes:
        results(database, feed, offsets[:10])
        known = changes.next()["_id"]
    await_stored(database, 10)
    first.stop()
    spoiled = {"_data": known["_data"][:2] + "5F000000" + known["_data"][10:]}
    database[POSITIONS].update_one({"_id": TOKEN_ID}, {"$set": {"token": spoiled}})
    start()
    wait_for(lambda: token(database) != spoiled, "another token")
    results(database, feed, offsets[10:])
    await_stored(database, 20)


def test_the_token_moves_on_where_there_is_no_result(
    database: Store, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_REMEMBER_EVERY_S", 0.1)
    start()
    before = wait_for(lambda: token(database), "a first token")
    database.elsewhere.insert_one({})
    wait_for(lambda: token(database) != before, "a further token")


def test_a_reader_that_retention_overtook_goes_on_with_what_there_is(
    feed: Feed, own_access: Access, database: Store, start: Start
) -> None:
    first = start()
    offsets = feed.events(30)
    results(database, feed, offsets[:10])
    await_stored(database, 10)
    first.stop()
    database[POSITIONS].update_many({"partition": 0}, {"$set": {"measured": offsets[9]}})
    admin = AdminClient(own_access.kafka(Role.HOST))
    for gone in admin.delete_records([TopicPartition(own_access.names.events, 0, offsets[20])]).values():
        gone.result()
    start()
    results(database, feed, offsets[20:])
    await_stored(database, 20)
    wait_for(lambda: position_of(database) == offsets[-1], "a position behind what is gone")


def position_of(database: Store) -> int:
    found = database[POSITIONS].find_one({"partition": 0})
    return -1 if found is None else int(found["measured"])


def test_results_that_never_end_hold_nothing_up(feed: Feed, database: Store, start: Start) -> None:
    ended = threading.Event()

    def write() -> None:
        while not ended.is_set():
            database[COLLECTION].insert_many([{"_id": ObjectId()} for _ in range(100)])

    start()
    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    try:
        results(database, feed, feed.events(20))
        await_stored(database, 20)
    finally:
        ended.set()
        writer.join(20)


def test_a_result_waits_for_its_event_as_long_as_there_are_some_to_read(
    feed: Feed, database: Store, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The result names all events at once; they are read in several turns."""
    first = start()
    results(database, feed, feed.events(1))
    await_stored(database, 1)
    first.stop()
    count = 3 * reader._BATCH  # noqa: SLF001 (what one turn reads)
    offsets = feed.events(count)
    database[COLLECTION].insert_one({"due": [due_us(feed, offset) for offset in offsets]})
    monkeypatch.setattr(reader, "_PATIENCE_S", 0.0)
    start()
    await_stored(database, 1 + count)
    assert stored(database) == 1 + count
