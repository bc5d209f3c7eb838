"""Topics and a database of a test's own, on the real stack of all tests, so that the stack's own sink has no part."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from hypothesis import settings
from pymongo import MongoClient

from jobs.sink import Sink
from measure.store import Document, Store, ensure_indexes
from stack.access import STACK_DIR_VARIABLE, Access, Names, Role
from tests.jobs.feed import Feed
from tests.jobs.running import Running

settings.register_profile("latency", deadline=None)
settings.load_profile("latency")

PARTITIONS = 3


@pytest.fixture
def own_access(stack_access: Access) -> Iterator[Access]:
    """As the product's own, with other names."""
    mark = secrets.token_hex(4)
    names = Names(f"{mark}.events", f"{mark}.clean", f"{mark}.dead", f"test_{mark}")
    access = msgspec.structs.replace(
        stack_access, endpoints=msgspec.structs.replace(stack_access.endpoints, names=names)
    )
    admin = AdminClient(access.kafka(Role.HOST))
    with _root(access) as root:
        database = root[names.database]
        for role in (Role.SINK, Role.RUN, Role.JOB):
            database.command("createUser", role, pwd=access.credentials.mongo[role], roles=["readWrite"])
        ensure_indexes(database)
        make_topics(admin, names.events, names.clean, names.dead)
        yield access
        database.command("dropAllUsersFromDatabase")
        root.drop_database(names.database)
    for gone in admin.delete_topics([names.events, names.clean, names.dead]).values():
        gone.result()


def make_topics(admin: AdminClient, *names: str) -> None:
    topics = [NewTopic(name, PARTITIONS, 1, config={"message.timestamp.type": "LogAppendTime"}) for name in names]
    for made in admin.create_topics(topics).values():
        made.result()


def _root(access: Access) -> MongoClient[Document]:
    password = access.credentials.mongo["root"]
    return MongoClient(f"mongodb://root:{password}@{access.endpoints.mongo}/?authSource=admin&directConnection=true")


@pytest.fixture
def database(own_access: Access) -> Iterator[Store]:
    with MongoClient[Document](own_access.mongo_uri(Role.SINK), tz_aware=True) as client:
        yield client[own_access.names.database]


@pytest.fixture
def feed(own_access: Access) -> Feed:
    return Feed(own_access)


@pytest.fixture
def own_folder(own_access: Access, tmp_path: Path) -> Path:
    """A stack's folder for a service in a process of its own."""
    (tmp_path / "endpoints.json").write_bytes(msgspec.json.encode(own_access.endpoints))
    (tmp_path / "credentials.json").write_bytes(msgspec.json.encode(own_access.credentials))
    return tmp_path


@contextmanager
def sink_process(folder: Path, name: str = "sink") -> Iterator[subprocess.Popen[bytes]]:
    """A sink as it is in production; what it tells goes into `NAME.log` of the folder."""
    environment = os.environ | {STACK_DIR_VARIABLE: str(folder), "LATENCY_SERVICE": name}
    with (folder / f"{name}.log").open("ab") as log:
        child = subprocess.Popen([sys.executable, "-m", "jobs.sink"], env=environment, stderr=log)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def beginnings(folder: Path, name: str = "sink") -> int:
    """How often a sink of this name began with a partition."""
    return (folder / f"{name}.log").read_text().count(": from offset ")


class RunningSink(Running):
    """A sink in a thread of this process."""

    def __init__(self, access: Access) -> None:
        super().__init__(lambda stop: Sink(access, "sink", stop).run)


@pytest.fixture
def sink(own_access: Access) -> Iterator[RunningSink]:
    running = RunningSink(own_access)
    yield running
    running.stop()
