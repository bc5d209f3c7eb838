from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database as Store

from dashboard.board import Board
from dashboard.configuration import Configuration
from stack.places import Home
from tests.dashboard.database_fixture import RealMongod, real_mongod


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealMongod]:
    with real_mongod(tmp_path_factory.mktemp("home")) as started:
        yield started


@pytest.fixture
def writer(server: RealMongod) -> Iterator[MongoClient[dict[str, Any]]]:
    server.clear()
    with server.writer() as client:
        yield client


@pytest.fixture
def store(server: RealMongod, writer: MongoClient[dict[str, Any]]) -> Store[dict[str, Any]]:
    return writer[server.access.names.database]


@pytest.fixture
def board(server: RealMongod, store: Store[dict[str, Any]]) -> Iterator[Board]:
    made = Board(server.access, Configuration(cache_s=0, deadline_s=2), Home(server.home), time.time)
    yield made
    made.close()
