"""Windows and measurements against zombies, lost acknowledgements, unknown commits, and a database that lost work."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from pymongo import MongoClient

from jobs import position
from jobs.applying import LostWorkError, Windows
from jobs.clean import CleanRecord
from jobs.measuring import Measurer, Part
from jobs.position import Position
from jobs.records import Arrival, Outcome
from measure.stamp import Stamp
from measure.store import Document, Store, sequences
from stack.access import Access, Role
from tests.jobs.cutting import CuttingProxy
from tests.measure.slices_of import latencies

pytestmark = pytest.mark.stack

RUN = "written"
TOPIC = "topic-id"
MINUTE_US = 1_700_000_040_000_000
APPEND_MS = 1_700_000_041_000


def arrival(offset: int) -> Arrival:
    kind = ("page_view", "purchase")[offset % 2]
    record = CleanRecord(
        TOPIC, 0, offset, APPEND_MS, None, kind, f"s{offset}", f"p{offset % 3}", "c", 1, 2_000_000, MINUTE_US
    )
    due_us = APPEND_MS * 1000 - 5_000
    return Arrival(record, Stamp(RUN, 0, offset, due_us, due_us), APPEND_MS * 1000 + 8_000)


def arrivals(first: int, behind: int) -> list[Arrival]:
    return [arrival(offset) for offset in range(first, behind)]


def applied(database: Store) -> int:
    windows = list(database.windows.find({"run": RUN}))
    assert sum(window["revenue_micros"] for window in windows) == 2_000_000 * sum(window["n"] for window in windows)
    return sum(window["n"] for window in windows)


def part(database: Store, first: int, behind: int) -> Part:
    before = position.find_or_make(database, TOPIC, 0, "clean-id", 0, 0)
    after = before.moved(behind, behind - 1)
    outcomes = tuple(Outcome.of(each, APPEND_MS * 1000 + 20_000) for each in arrivals(first, behind))
    return Part(0, ((before, after),), outcomes)


def never() -> bool:
    return False


@pytest.fixture
def proxy(own_access: Access) -> Iterator[CuttingProxy]:
    cutting = CuttingProxy(own_access.endpoints.mongo)
    yield cutting
    cutting.close()


@pytest.fixture
def cut_client(own_access: Access, proxy: CuttingProxy) -> Iterator[MongoClient[Document]]:
    endpoints = msgspec.structs.replace(own_access.endpoints, mongo=proxy.address)
    with MongoClient[Document](msgspec.structs.replace(own_access, endpoints=endpoints).mongo_uri(Role.SINK)) as client:
        yield client


def test_a_zombie_counts_nothing_twice(database: Store) -> None:
    ours, zombie = Windows(database, never), Windows(database, never)
    ours.apply(arrivals(0, 10))
    zombie.apply(arrivals(0, 12))
    ours.apply(arrivals(10, 20))
    zombie.apply(arrivals(12, 30))
    ours.apply(arrivals(20, 30))
    assert applied(database) == 30


def test_a_zombie_measures_nothing(database: Store) -> None:
    client = database.client
    both = part(database, 0, 10)
    assert Measurer(client, database, never).measure([both]) == frozenset()
    further = part(database, 10, 20)
    assert Measurer(client, database, never).measure([further]) == frozenset()
    stale = Part(0, ((both.moves[0][0], both.moves[0][0].moved(15, 14)),), both.outcomes)
    assert Measurer(client, database, never).measure([stale]) == {0}
    assert latencies(database, RUN)["e2e"].n == 20
    assert sequences(database, RUN).repeats == 0


def test_one_refused_part_does_not_hold_up_the_others(database: Store) -> None:
    measurer = Measurer(database.client, database, never)
    good = part(database, 0, 10)
    nowhere = Position(TOPIC, 1, "clean-id", 7, 6)
    refused = Part(1, ((nowhere, nowhere.moved(9, 8)),), ())
    assert measurer.measure([refused, good]) == {1}
    assert latencies(database, RUN)["e2e"].n == 10


def test_who_gets_a_partition_back_keeps_what_another_measured_since(database: Store) -> None:
    ours, other = (Measurer(database.client, database, never) for _ in range(2))
    for first, measurer in ((0, ours), (10, other), (20, ours), (30, ours)):
        assert measurer.measure([part(database, first, first + 10)]) == frozenset()
    sets = sequences(database, RUN)
    assert (len(sets.of(0).stored), sets.repeats) == (40, 0)


def test_what_mongod_lost_of_a_measurement_is_measured_anew(database: Store) -> None:
    measurer = Measurer(database.client, database, never)
    measurer.measure([part(database, 0, 10)])
    before = {name: list(database[name].find()) for name in ("positions", "slices", "sequences")}
    measurer.measure([part(database, 10, 20)])
    for name, documents in before.items():
        database[name].delete_many({})
        database[name].insert_many(documents)
    measurer.measure([part(database, 10, 20)])
    sets = sequences(database, RUN)
    assert (len(sets.of(0).stored), sets.repeats) == (20, 0)
    assert latencies(database, RUN)["e2e"].n == 20


@pytest.mark.parametrize("times", [1, 2, 5])
def test_a_lost_acknowledgement_counts_nothing_twice(
    database: Store, proxy: CuttingProxy, cut_client: MongoClient[Document], times: int
) -> None:
    """More often than the driver's own single retry."""
    windows = Windows(cut_client[database.name], never)
    windows.apply(arrivals(0, 10))
    proxy.cut(b"windows", times)
    windows.apply(arrivals(10, 20))
    assert proxy.left == 0
    windows.apply(arrivals(20, 30))
    assert applied(database) == 30


@pytest.mark.parametrize("times", [1, 3])
def test_an_unknown_commit_measures_nothing_twice(
    database: Store, proxy: CuttingProxy, cut_client: MongoClient[Document], times: int
) -> None:
    measurer = Measurer(cut_client, cut_client[database.name], never)
    proxy.cut(b"commitTransaction", times)
    assert measurer.measure([part(database, 0, 10)]) == frozenset()
    assert proxy.left == 0
    assert measurer.measure([part(database, 10, 20)]) == frozenset()
    assert latencies(database, RUN)["e2e"].n == 20
    sets = sequences(database, RUN)
    assert (len(sets.of(0).stored), sets.repeats) == (20, 0)


def test_acknowledged_work_that_mongod_lost_is_noticed_and_done_again(database: Store) -> None:
    windows = Windows(database, never)
    windows.apply(arrivals(0, 10))
    before = list(database.windows.find({"run": RUN}))
    windows.apply(arrivals(10, 20))
    for window in before:  # what a mongod without its last journal would hold
        database.windows.replace_one({"_id": window["_id"]}, window)
    with pytest.raises(LostWorkError, match="lost acknowledged work"):
        windows.apply(arrivals(20, 30))
    windows.forget(0)
    windows.apply(arrivals(10, 20))
    windows.apply(arrivals(20, 30))
    assert applied(database) == 30


def test_a_window_that_mongod_lost_is_noticed(database: Store) -> None:
    windows = Windows(database, never)
    windows.apply(arrivals(0, 10))
    database.windows.delete_many({"run": RUN})
    with pytest.raises(LostWorkError):
        windows.apply(arrivals(10, 20))


def test_what_was_applied_but_not_measured_is_measured_and_not_applied(database: Store) -> None:
    Windows(database, never).apply(arrivals(0, 10))
    after_the_crash = Windows(database, never)
    after_the_crash.apply(arrivals(0, 14))
    assert applied(database) == 14


def test_a_full_list_counts_the_rest(database: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    windows = Windows(database, never)
    many = [msgspec.structs.replace(arrival(1).record, source_offset=n, product_id=f"p{n}") for n in range(1, 1203, 2)]
    for start in range(0, len(many), 100):
        windows.apply([Arrival(record, arrival(1).stamp, 0) for record in many[start : start + 100]])
    (window,) = database.windows.find({"run": RUN})
    assert (len(window["products"]), window["other_n"], window["n"]) == (500, 101, 601)
