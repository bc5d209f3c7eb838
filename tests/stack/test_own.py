"""A job of the user's own: the documented example as it stands, and the files that are refused."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from confluent_kafka import Producer
from pymongo import MongoClient

from measure.errors import UsageError
from measure.stamp import Stamp
from measure.store import Document, sequences, slices
from stack import lifecycle
from stack.access import Access, Role
from stack.services.own import check_job
from stack.settings import Settings
from tests.stack.waiting import wait_for

PAGE = Path(__file__).parents[2] / "docs" / "your-own-job.md"
EVENTS = 200


def example() -> str:
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found, "the page has an example"
    return found[1]


@pytest.fixture
def own_stack(tmp_path: Path, stack_settings: Settings) -> Iterator[Access]:
    """A second stack, with the example in it."""
    job = tmp_path / "my_job.py"
    job.write_text(example(), encoding="utf-8")
    settings = Settings.load("own", profile="own", job={"path": job})

    def narrate(text: str) -> None:
        click.echo(text, err=True)

    try:
        lifecycle.up(settings, None, None, narrate)
        yield Access.load(settings.folder.root)
    finally:
        lifecycle.down(settings, purge=True, narrate=narrate)


@pytest.mark.stack
def test_the_documented_example_runs_and_is_measured(own_stack: Access) -> None:
    producer = Producer(own_stack.kafka(Role.PRODUCER) | {"acks": "all"})
    for seq in range(EVENTS):
        now_us = time.time_ns() // 1000
        value = b'{"event_id":"own.%d","event_type":"purchase","price":1.5,"quantity":2}' % seq
        headers = list[tuple[str, str | bytes | None]](Stamp("own.run", 0, seq, now_us, now_us).headers())
        producer.produce(own_stack.names.events, value, b"u%d" % seq, headers=headers)
    assert producer.flush(30) == 0
    with MongoClient[Document](own_stack.mongo_uri(Role.RUN)) as client:
        database = client[own_stack.names.database]
        wait_for(lambda: len(sequences(database, "own.run").of(0).stored) == EVENTS, "all events seen", 120)
        e2e = [stages["e2e"] for _, stages in slices(database, "own.run", 0, 2**40)]
        assert sum(histogram.n for histogram in e2e) == EVENTS
        assert database["results"].count_documents({"event_id": {"$regex": "^own"}}) == EVENTS


@pytest.mark.parametrize(
    ("source", "complaint"),
    [(None, "cannot be read"), ("def broken(:\n", r"does not compile: .* \(line 1\)"), ("\0", "does not compile")],
)
def test_a_file_that_cannot_run_is_refused(tmp_path: Path, source: str | None, complaint: str) -> None:
    path = tmp_path / "job.py"
    if source is not None:
        path.write_text(source, encoding="utf-8")
    with pytest.raises(UsageError, match=complaint):
        check_job(path)


def test_a_profile_without_a_job_says_what_to_write() -> None:
    with pytest.raises(UsageError, match=r'\[job\] path = "my_job.py"'):
        check_job(None)
