"""The store of the micro-batch profiles, batch by batch, without Spark: what it does about crashes and about gaps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from jobs.batches import BatchStore, GapError
from jobs.deadtopic import DeadTopic
from jobs.source import SourceTopic
from jobs.topics import Topics
from measure.store import MARKS, POSITIONS, SAMPLES, Store, sequences
from stack.access import Access, Role
from tests.jobs.feed import RUN, Feed, applied, assert_exact, stored
from tests.stack.waiting import wait_for

pytestmark = pytest.mark.stack

_HEADERS = pa.list_(pa.struct([("key", pa.string()), ("value", pa.binary())]))


@dataclass(frozen=True)
class Batch:
    """The rows of a batch, as `foreachBatch` gives them."""

    rows: pa.Table

    def toArrow(self) -> pa.Table:
        return self.rows


def batch(feed: Feed, offsets: Iterable[int]) -> Any:
    """These events of partition 0, as Spark computes them."""
    rows = [_row(feed, offset) for offset in offsets]
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in rows[0] if name != "headers"}
    return Batch(pa.table(columns | {"headers": pa.array([row["headers"] for row in rows], _HEADERS)}))


def _row(feed: Feed, offset: int) -> dict[str, Any]:
    headers, append_ms = feed.sent[offset]
    record = feed.record(offset, 0, append_ms, None)
    row = {name: value for name, value in record.items() if not name.startswith("source_")}
    place = {"partition": 0, "offset": offset, "source_time_ms": append_ms, "reason": None}
    pairs = [{"key": key, "value": value} for key, value in headers]
    return row | place | {"dead_key": None, "dead_value": None, "headers": pairs}


Make = Callable[..., BatchStore]


@pytest.fixture
def make(own_access: Access, database: Store) -> Make:
    """A store as a driver begins with."""

    def made(**further: Any) -> BatchStore:
        connection = own_access.kafka(Role.JOB)
        topic = Topics(connection).find(own_access.names.events)
        return BatchStore(
            database.client,
            database,
            topic,
            SourceTopic(connection, topic.name),
            DeadTopic(connection, own_access.names.dead, topic.id),
            "spark",
            lambda: False,
            **further,
        )

    return made


def delete_before(access: Access, offset: int) -> None:
    """As retention does."""
    admin = AdminClient(access.kafka(Role.HOST))
    for gone in admin.delete_records([TopicPartition(access.names.events, 0, offset)]).values():
        gone.result()


def late(database: Store) -> int:
    return len(sequences(database, RUN).of(0).late)


def marks(database: Store) -> list[str]:
    return [mark["text"] for mark in database[MARKS].find({"kind": "gap"})]


def test_a_batch_that_comes_again_changes_nothing(feed: Feed, database: Store, make: Make) -> None:
    offsets = feed.events(30)
    first = make()
    first(batch(feed, offsets[:20]), 0)
    first.end()
    second = make()
    second(batch(feed, offsets[:20]), 0)
    second(batch(feed, offsets[20:]), 1)
    second.end()
    assert_exact(database, 30)


@pytest.mark.parametrize("drops_late", [False, True])
def test_a_backlog_that_retention_overtook_is_lost_and_told_and_the_rest_goes_on(
    feed: Feed, own_access: Access, database: Store, make: Make, drops_late: bool
) -> None:
    offsets = feed.events(30)
    first = make(drops_late=drops_late)
    first(batch(feed, offsets[:10]), 0)
    first.end()
    delete_before(own_access, offsets[20])
    second = make(drops_late=drops_late)
    second(batch(feed, offsets[20:]), 0)
    second.end()
    assert_exact(database, 20)
    assert late(database) == 0
    (text,) = marks(database)
    assert f"source offsets {offsets[10]} to {offsets[19]} never came" in text
    position = database[POSITIONS].find_one({"partition": 0})
    assert position is not None
    assert position["measured"] == offsets[-1]


def test_what_can_come_again_behind_what_is_gone_is_still_a_gap(
    feed: Feed, own_access: Access, database: Store, make: Make
) -> None:
    offsets = feed.events(30)
    delete_before(own_access, offsets[10])
    store = make()
    with pytest.raises(GapError, match=f"source offsets {offsets[10]} to {offsets[19]} never came"):
        store(batch(feed, offsets[20:]), 0)
    assert applied(database) == 0


def test_late_records_are_counted_and_those_that_are_gone_told(
    feed: Feed, own_access: Access, database: Store, make: Make
) -> None:
    offsets = feed.events(30)
    store = make(drops_late=True)
    store(batch(feed, [*offsets[:5], *offsets[10:15]]), 0)
    assert (stored(database), late(database)) == (10, 5)
    delete_before(own_access, offsets[20])
    store.close_behind({0: offsets[-1] + 1})
    store.end()
    assert (stored(database), late(database)) == (10, 15)
    assert len(marks(database)) == 1


def test_where_records_are_dropped_a_batch_is_measured_before_it_is_committed(
    feed: Feed, database: Store, make: Make
) -> None:
    """Else what is stored and not measured at a crash would be taken for dropped. Measuring is held up here."""
    offsets = feed.events(10)
    store = make(drops_late=True)
    committed: list[int] = []

    def run() -> None:
        store(batch(feed, offsets), 0)
        committed.append(stored(database))

    with database.client.start_session() as session:
        session.start_transaction()
        database[POSITIONS].update_one({"partition": 0}, {"$set": {"held": True}}, session=session)
        driver = threading.Thread(target=run, daemon=True)
        driver.start()
        wait_for(lambda: applied(database) == 10, "10 applied")
        driver.join(1)  # where it does not wait, it is done by now
        session.abort_transaction()
    driver.join(30)
    assert committed == [10]
    store.end()


def test_bulks_are_noted_once_a_second_beside_the_work(feed: Feed, database: Store, make: Make) -> None:
    offsets = feed.events(200)
    store = make(one_by_one=True)
    store(batch(feed, offsets), 0)

    def all_noted() -> bool:
        store.check()
        return sum(note["applied"] for note in database[SAMPLES].find({"sink": "spark"})) == 200

    wait_for(all_noted, "notes of all events")
    notes = list(database[SAMPLES].find({"sink": "spark"}))
    assert sum(n for note in notes for n in note["commit"].values()) == 200
    assert all(note["commit_max_us"] > 0 for note in notes)
    store.end()


def test_notes_that_cannot_be_written_hold_nothing_up(feed: Feed, database: Store, make: Make) -> None:
    database.drop_collection(SAMPLES)
    database.create_collection(SAMPLES, validator={"never": {"$exists": True}})
    offsets = feed.events(20)
    store = make()
    for part in (offsets[:10], offsets[10:]):
        store(batch(feed, part), 0)
        store.check()
    store.end()
    assert_exact(database, 20)
    assert database[SAMPLES].count_documents({}) == 0


def test_letters_beyond_the_clients_queue_are_all_sent(own_access: Access) -> None:
    dead, count = own_access.names.dead, 500
    connection = own_access.kafka(Role.JOB) | {"queue.buffering.max.messages": 10}
    row = {"partition": 0, "source_time_ms": 1, "reason": "x", "headers": None, "dead_key": None, "dead_value": b"v"}
    DeadTopic(connection, dead, "id").send(row | {"offset": offset} for offset in range(count))
    consumer = Consumer(own_access.kafka(Role.JOB) | {"group.id": "tests"})
    assert consumer.get_watermark_offsets(TopicPartition(dead, 0), timeout=20) == (0, count)
    consumer.close()
