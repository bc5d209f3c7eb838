"""A run counted again on the real stack, and one whose process was killed closed later."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Producer
from pymongo import MongoClient

from measure.errors import NotReadyError
from measure.figures import Status
from measure.folder import RunFolder
from measure.stamp import Stamp
from measure.store import RUNS, Document, Store
from measure.tracing import AuditReport
from scenarios.closing import close
from stack.access import Access, Role
from stack.settings import Settings
from tests.measure.synthetic import Shape, make_run
from tests.scenarios.driving import Live, answer, latency, scenario
from tests.stack.waiting import wait_for

pytestmark = pytest.mark.stack
Begin = Callable[..., Live]


def audited(run: str) -> tuple[int, AuditReport]:
    ended = latency("audit", run, "--json")
    assert ended.stdout, ended.stderr
    return ended.returncode, msgspec.json.decode(ended.stdout, type=AuditReport)


@pytest.fixture
def database(stack_access: Access) -> Iterator[Store]:
    with MongoClient[Document](stack_access.mongo_uri(Role.RUN), tz_aware=True) as client:
        yield client[stack_access.names.database]


def test_topics_and_windows_bear_out_a_run(tmp_path: Path, stack_settings: Settings, lenient: str) -> None:
    document = answer("run", scenario(tmp_path), "--sla", lenient)
    code, report = audited(document["run"])
    assert (code, report.agrees, report.note) == (0, True, None)
    (recount,) = report.recounts
    assert (recount.in_events, recount.in_clean, recount.in_windows) == (1000, 1000, 1000)
    assert (recount.dead_letters, recount.differences, recount.named) == (0, [], [])


def test_a_window_that_was_changed_is_found_and_an_event_sent_twice_is_named(
    tmp_path: Path, stack_settings: Settings, stack_access: Access, database: Store, lenient: str
) -> None:
    run = answer("run", scenario(tmp_path, seconds=2), "--sla", lenient)["run"]
    database["windows"].find_one_and_update({"run": run}, {"$inc": {"n": 1}})
    code, report = audited(run)
    assert (code, report.agrees) == (4, False)
    assert any(difference.startswith("window ") for difference in report.recounts[0].differences)
    database["windows"].find_one_and_update({"run": run}, {"$inc": {"n": -1}})
    _send_again(stack_access, run, seq=7)
    _, report = audited(run)
    named = [each for each in report.recounts[0].named if each.kind == "duplicate"]
    assert [(each.producer, each.seq, each.stopped) for each in named] == [(0, 7, "twice in Kafka")]
    assert named[0].offset is not None


def _send_again(access: Access, run: str, seq: int) -> None:
    """A record that carries the stamp of an event that the run sent already."""
    event = {
        "event_id": "again",
        "event_type": "page_view",
        "user_id": "u",
        "session_id": "s",
        "product_id": "p",
        "price": 1,
        "quantity": 1,
        "event_time": "2026-11-24T10:00:00Z",
    }
    producer = Producer(access.kafka(Role.PRODUCER) | {"acks": "all"})
    headers = list[tuple[str, str | bytes | None]](Stamp(run, 0, seq, 1_000_000, 1_000_000).headers())
    producer.produce(access.names.events, key=b"u", value=json.dumps(event).encode(), headers=headers)
    assert producer.flush(30) == 0


def test_a_run_that_was_killed_is_closed_later_and_counted(tmp_path: Path, begin: Begin, database: Store) -> None:
    live = begin("run", scenario(tmp_path, seconds=60))
    folder = live.in_phase("load")
    live.sent(folder, 300)
    children = live.producers()
    live.child.kill()
    live.end()
    wait_for(lambda: not any(child.is_running() for child in children), "the end of the producers", 30)
    code, report = audited(folder.run)
    assert (code, report.agrees) == (0, True)
    audit = report.audit
    assert audit.closed
    assert audit.acked == audit.stored == report.recounts[0].in_events >= 300
    assert audit.scheduled == audit.sent + audit.unsent == 12_000
    document = folder.document()
    assert document is not None
    assert (document.status, document.audit) == (Status.INTERRUPTED, audit)
    assert document.latency_ms["store"].n == audit.stored
    known = database[RUNS].find_one({"_id": folder.run})
    assert known is not None
    assert (known["status"], known["verdict"]) == ("interrupted", "invalid")


def test_a_database_that_does_not_know_the_run_is_not_asked_what_was_lost(tmp_path: Path, database: Store) -> None:
    folder: RunFolder = make_run(tmp_path, "elsewhere-1", Shape(rates=((100.0, 2.0),), status=Status.RUNNING))
    with pytest.raises(NotReadyError, match="does not know run elsewhere-1"):
        close(folder, database)
    assert folder.document() is None
