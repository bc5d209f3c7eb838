"""The database as probes ask it: one client for the process, since a login costs as much as many questions."""

from __future__ import annotations

import atexit
import functools

from pymongo import MongoClient
from pymongo.database import Database

from stack.access import Access, Role

_TIMEOUT_MS = 2000

Document = dict[str, object]


def stored(access: Access) -> Database[Document]:
    """The stack's database. Each question ends after 2 s at the latest, answered or not."""
    return _client(access.mongo_uri(Role.RUN))[access.names.database]


@functools.cache
def _client(uri: str) -> MongoClient[Document]:
    client = MongoClient[Document](uri, timeoutMS=_TIMEOUT_MS)
    atexit.register(client.close)
    return client
