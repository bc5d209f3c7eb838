"""Exactly once, whatever happens between Kafka and MongoDB."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from jobs import control
from jobs.control import RESTART_ME
from measure.store import Store, sequences
from stack.access import Access, Role
from tests.jobs.conftest import RunningSink, beginnings, make_topics, sink_process
from tests.jobs.feed import RUN, Feed, applied, assert_exact, await_stored, stored
from tests.stack.waiting import wait_for

pytestmark = pytest.mark.stack


def redelivered(database: Store) -> int:
    return sequences(database, RUN).redelivered


def test_records_that_come_again_are_counted_and_not_applied(feed: Feed, database: Store, sink: RunningSink) -> None:
    offsets = feed.events(60)
    feed.clean(offsets)
    await_stored(database, 60)
    feed.clean(offsets[20:])
    wait_for(lambda: redelivered(database) == 40, "40 redelivered")
    assert_exact(database, 60)


def test_a_dead_letter_leaves_a_marker_that_closes_the_sequence(feed: Feed, database: Store, sink: RunningSink) -> None:
    offsets = feed.events(30)
    feed.clean(offsets, dead=offsets[5:8])
    await_stored(database, 27)
    sets = sequences(database, RUN)
    assert (len(sets.of(0).dead), sets.dead_unexpected) == (3, 3)
    assert_exact(database, 27)


def test_two_records_with_one_number_are_both_applied_and_one_is_a_repeat(
    feed: Feed, database: Store, sink: RunningSink
) -> None:
    feed.clean(feed.events(10))
    feed.next_seq = 4
    feed.clean(feed.events(1))
    wait_for(lambda: sequences(database, RUN).repeats == 1, "one repeat")
    assert stored(database) == 10
    assert applied(database) == 11


def test_a_gap_asks_for_a_new_generation_and_nothing_behind_it_is_applied(
    feed: Feed, database: Store, sink: RunningSink
) -> None:
    control.join(database, "realtime")
    offsets = feed.events(20)
    feed.clean(offsets[:10] + offsets[12:])
    await_stored(database, 10)
    wait_for(lambda: _generation(database) == 1, "a new generation")
    wait_for(lambda: database.marks.count_documents({"kind": "gap"}) == 1, "a mark")
    assert stored(database) == 10
    feed.clean(offsets[5:])  # what the new generation of the job sends
    await_stored(database, 20)
    assert_exact(database, 20)
    assert _generation(database) == 1


def _generation(database: Store) -> int:
    found = control.current(database)
    assert found is not None
    return found.number


def test_marks_of_transactions_are_no_gap(feed: Feed, own_access: Access, database: Store, sink: RunningSink) -> None:
    control.join(database, "realtime")
    producer = Producer(own_access.kafka(Role.PRODUCER) | {"transactional.id": own_access.names.database})
    producer.init_transactions(30)
    for _ in range(3):
        producer.begin_transaction()
        for _ in range(4):
            feed.send(producer)
        producer.commit_transaction(30)
    offsets = list(feed.sent)
    assert offsets != list(range(len(offsets))), "each transaction leaves a mark"
    feed.clean(offsets)
    await_stored(database, 12)
    assert_exact(database, 12)
    assert _generation(database) == 0


def test_what_is_gone_from_the_source_is_told_and_not_waited_for(
    feed: Feed, own_access: Access, database: Store, sink: RunningSink
) -> None:
    control.join(database, "realtime")
    offsets = feed.events(20)
    feed.clean(offsets[:10])
    await_stored(database, 10)
    _delete_before(own_access, offsets[15])
    feed.clean(offsets[15:])
    await_stored(database, 15)
    assert_exact(database, 15)
    (mark,) = database.marks.find({"kind": "gap"})
    assert f"source offsets {offsets[10]} to {offsets[14]} never came" in mark["text"]
    wait_for(lambda: _measured(database) == offsets[-1], "a position behind what is gone")
    assert _generation(database) == 0


def test_a_gap_is_closed_by_what_comes_once_its_records_are_gone(
    feed: Feed, own_access: Access, database: Store, sink: RunningSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.sink._LOOK_AGAIN_S", 0.0)
    control.join(database, "realtime")
    offsets = feed.events(40)
    feed.clean(offsets[:10] + offsets[20:22])
    wait_for(lambda: _generation(database) > 0, "a new generation")
    _delete_before(own_access, offsets[30])
    feed.clean(offsets[30:])  # all that a job can send now
    feed.clean(offsets[30:])
    await_stored(database, 20)
    assert_exact(database, 20)


def _delete_before(access: Access, offset: int) -> None:
    """As retention does."""
    admin = AdminClient(access.kafka(Role.HOST))
    for gone in admin.delete_records([TopicPartition(access.names.events, 0, offset)]).values():
        gone.result()


def _measured(database: Store) -> int:
    found = database.positions.find_one({"partition": 0})
    return -1 if found is None else int(found["measured"])


def test_a_clean_topic_that_lost_its_end_is_read_on(feed: Feed, own_access: Access, database: Store) -> None:
    """As after a loss of power: the position stands behind the topic's end."""
    first = RunningSink(own_access)
    feed.clean(feed.events(10))
    await_stored(database, 10)
    first.stop()
    database.positions.update_many({"partition": 0}, {"$inc": {"clean_offset": 5}})
    second = RunningSink(own_access)
    wait_for(lambda: database.positions.find_one({"partition": 0, "clean_offset": 10}), "a position at the end")
    feed.clean(feed.events(10))
    await_stored(database, 20)
    second.stop()
    assert_exact(database, 20)


def test_a_topic_made_anew_is_not_swallowed_by_old_fences(
    feed: Feed, own_access: Access, database: Store, sink: RunningSink
) -> None:
    feed.clean(feed.events(40))
    await_stored(database, 40)
    admin, name = AdminClient(own_access.kafka(Role.HOST)), own_access.names.events
    admin.delete_topics([name])[name].result()
    _make_again(admin, name)
    again = Feed(own_access, next_seq=40)
    assert again.topic_id != feed.topic_id
    again.clean(again.events(15))
    await_stored(database, 55)
    assert_exact(database, 55)


def test_a_clean_topic_made_anew_ends_the_sink_with_the_wish_to_start_again(
    feed: Feed, own_access: Access, database: Store
) -> None:
    first = RunningSink(own_access)
    feed.clean(feed.events(10))
    await_stored(database, 10)
    admin, name = AdminClient(own_access.kafka(Role.HOST)), own_access.names.clean
    admin.delete_topics([name])[name].result()
    _make_again(admin, name)
    wait_for(lambda: not first.alive, "the sink's end", 60)
    first.stop()
    assert first.code == RESTART_ME
    second = RunningSink(own_access)
    feed.clean(feed.events(10))
    await_stored(database, 20)
    second.stop()
    assert_exact(database, 20)


def _make_again(admin: AdminClient, name: str) -> None:
    """The broker deletes behind its answer."""

    def made() -> bool:
        if name in admin.list_topics(timeout=5).topics:
            return False
        make_topics(admin, name)
        return True

    wait_for(made, f"{name} made anew")


def test_a_sink_killed_at_any_moment_loses_nothing_and_counts_nothing_twice(
    feed: Feed, own_folder: Path, database: Store
) -> None:
    """Most of these moments lie between a bulk and the transaction that measures it."""
    chance = random.Random(7)  # noqa: S311 (nobody's secret)
    for kills in range(4):
        with sink_process(own_folder) as child:
            wait_for(lambda: beginnings(own_folder) > 3 * kills, "a part of the topic", 40)  # noqa: B023 (called here)
            goal = applied(database) + chance.randrange(1, 150)
            while applied(database) < goal:
                feed.clean(feed.events(20))
            child.send_signal(signal.SIGKILL)
    with sink_process(own_folder):
        await_stored(database, feed.next_seq, deadline_s=40)
    assert_exact(database, feed.next_seq)


def test_sinks_that_share_the_partitions_and_lose_one_stay_exact(
    own_folder: Path, own_access: Access, database: Store
) -> None:
    feeds = [Feed(own_access, next_seq=10_000 * number) for number in range(3)]

    def send(count: int) -> None:
        for number, each in enumerate(feeds):
            each.clean(each.events(count, number), number)

    with sink_process(own_folder, "sink"):
        send(100)
        with sink_process(own_folder, "sink-2"):
            wait_for(lambda: beginnings(own_folder, "sink-2"), "a part for the second", 60)
            send(100)
        send(100)
        await_stored(database, 900, deadline_s=60)  # a killed member's session must end first
        assert_exact(database, 900)


def test_a_sink_without_its_database_says_that_it_ends_and_not_that_it_was_told_to(
    own_folder: Path, own_access: Access
) -> None:
    away = msgspec.structs.replace(own_access.endpoints, mongo="127.0.0.1:1")
    (own_folder / "endpoints.json").write_bytes(msgspec.json.encode(away))
    with sink_process(own_folder) as child:
        assert child.wait(60) == 1
    told = (own_folder / "sink.log").read_text()
    assert "MongoDB does not answer, and the sink ends" in told
    assert "told to stop" not in told


def test_the_logs_hold_no_secret(feed: Feed, own_folder: Path, own_access: Access, database: Store) -> None:
    with sink_process(own_folder):
        feed.clean(feed.events(5))
        await_stored(database, 5)
    log = (own_folder / "sink.log").read_text()
    assert not [word for word in own_access.credentials.mongo.values() if word in log]
    assert not [word for word in own_access.credentials.kafka.values() if word in log]
