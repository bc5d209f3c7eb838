"""Dead letters reach people: copied once into their collection, quickly, with where they are from and why."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from jobs.dead import KEPT_BYTES, DeadLetters
from measure.stamp import FOREIGN_RUN, Stamp
from measure.store import Store, dead_id
from stack.access import Access, Role
from tests.jobs.conftest import sink_process
from tests.stack.waiting import wait_for

pytestmark = pytest.mark.stack

SENT_US = 1_700_000_000_000_000
QUICK_S = 15.0
"""Much less than the 45 s for which a consumer group misses a member by default."""

Copy = Callable[[], DeadLetters]


@pytest.fixture
def copy(own_access: Access, database: Store) -> Iterator[Copy]:
    """Starts one that copies, as a sink has one; ends them all."""
    told, started = threading.Event(), list[DeadLetters]()

    def start() -> DeadLetters:
        copying = DeadLetters(own_access.kafka(Role.SINK), own_access.names.dead, database, told.is_set)
        copying.start()
        started.append(copying)
        return copying

    yield start
    told.set()
    for copying in started:
        copying.join(30)
        copying.check()


@pytest.fixture
def producer(own_access: Access) -> Producer:
    return Producer(own_access.kafka(Role.JOB))


def send(
    producer: Producer, access: Access, offset: int, value: bytes | None = b"bad", *, stamp: Stamp | None = None
) -> None:
    said = {
        "reason": "price: negative",
        "source_topic_id": "id",
        "source_partition": "1",
        "source_offset": str(offset),
        "source_time_ms": str(SENT_US // 1000),
    }
    headers: list[tuple[str, str | bytes | None]] = [(name, text.encode()) for name, text in said.items()]
    producer.produce(access.names.dead, value, b"\xffk", 1, headers=[*(stamp.headers() if stamp else ()), *headers])


def copied(database: Store) -> int:
    return database.dead.count_documents({})


def test_a_letter_is_copied_with_its_reason_and_its_place(
    own_access: Access, database: Store, producer: Producer, copy: Copy
) -> None:
    copy()
    send(producer, own_access, 7, b"\x00bytes", stamp=Stamp("r", 3, 9, SENT_US, SENT_US, True))
    producer.flush(20)
    wait_for(lambda: copied(database), "the letter", QUICK_S)
    (letter,) = database.dead.find()
    assert letter["_id"] == dead_id("id", 1, 7)
    assert (letter["run"], letter["producer"], letter["seq"], letter["expected"]) == ("r", 3, 9, True)
    assert (letter["partition"], letter["offset"], letter["reason"]) == (1, 7, "price: negative")
    assert (bytes(letter["payload"]), letter["size"], letter["key"]) == (b"\x00bytes", 6, "\N{REPLACEMENT CHARACTER}k")
    assert letter["source_time"].timestamp() == SENT_US / 1e6


def test_a_large_payload_is_cut_and_its_size_told(
    own_access: Access, database: Store, producer: Producer, copy: Copy
) -> None:
    copy()
    send(producer, own_access, 0, b"x" * 100_000)
    send(producer, own_access, 1, None)
    producer.flush(20)
    wait_for(lambda: copied(database) == 2, "both letters", QUICK_S)
    large, empty = database.dead.find().sort("offset")
    assert (len(large["payload"]), large["size"], large["run"]) == (KEPT_BYTES, 100_000, FOREIGN_RUN)
    assert (empty["payload"], empty["size"]) == (None, 0)


def test_a_letter_that_comes_again_is_copied_once(
    own_access: Access, database: Store, producer: Producer, copy: Copy
) -> None:
    copy()
    for offset in (0, 1, 0, 1, 2):
        send(producer, own_access, offset)
    producer.flush(20)
    wait_for(lambda: database.dead.find_one({"offset": 2}), "the last letter", QUICK_S)
    assert copied(database) == 3


@pytest.mark.parametrize("time_ms", ["", "x", "-1", "²", "9" * 30])
def test_what_is_no_letter_ends_nothing(
    own_access: Access, database: Store, producer: Producer, copy: Copy, time_ms: str
) -> None:
    copying = copy()
    places = {"source_partition": b"0", "source_offset": b"0", "source_topic_id": b"id"}
    producer.produce(own_access.names.dead, b"", partition=1, headers=places | {"source_time_ms": time_ms.encode()})
    send(producer, own_access, 1)
    producer.flush(20)
    wait_for(lambda: copying.check() or copied(database) == 1, "the letter behind it", QUICK_S)


def test_copiers_that_come_and_go_leave_no_letter_behind(
    own_access: Access, database: Store, producer: Producer, copy: Copy
) -> None:
    """A rebalance in mid-work refuses their commits: no reason to die."""
    running = [copy()]
    for offset in range(3_000):
        send(producer, own_access, offset)
        producer.poll(0)
        if offset % 1_000 == 500:
            producer.flush(20)
            wait_for(lambda: copied(database) > 0, "the first letters", QUICK_S)
            running.append(copy())
    producer.flush(20)
    wait_for(lambda: [each.check() for each in running] and copied(database) == 3_000, "all letters", 30)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_letters_do_not_wait_for_a_sink_that_has_ended(
    own_access: Access, own_folder: Path, database: Store, producer: Producer, ending: signal.Signals
) -> None:
    for offset in range(2):
        with sink_process(own_folder) as sink:
            send(producer, own_access, offset)
            producer.flush(20)
            wait_for(lambda: copied(database) > offset, "the letter", QUICK_S)  # noqa: B023 (called here)
            sink.send_signal(ending)
            sink.wait(20)
