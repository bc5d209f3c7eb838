"""A real mongod with the product's own users, keys and indexes, on a free port and in a folder of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from pymongo import MongoClient

from measure.store import ensure_indexes
from stack.access import Access, Endpoints, Role
from stack.blueprint import Blueprint, Plan
from stack.credentials import ensure_credentials
from stack.files import write_whole
from stack.places import Home, StackFolder
from stack.service import NotYetError
from stack.services.mongod import mongod
from stack.settings import Settings


class RealMongod:
    """One mongod, which can be paused, ended and started again."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.named_home = Home(home)
        self.folder = StackFolder(self.named_home.stack("default"))
        self.folder.make()
        (home / "runs").mkdir(exist_ok=True)
        settings = Settings()
        self.port = free_port()
        ports = {"mongo": self.port}
        write_whole(self.folder.endpoints, msgspec.json.encode(Endpoints(kafka={}, mongo=f"127.0.0.1:{self.port}")))
        credentials = ensure_credentials(self.folder)
        Plan(settings.model_dump(mode="json"), ports).write(self.folder)
        self.access = Access(Endpoints(kafka={}, mongo=f"127.0.0.1:{self.port}"), credentials)
        self._service = mongod(Blueprint(self.named_home, self.folder, settings, ports, self.access))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it is provisioned."""
        self._service.prepare()
        with (self.home / "mongod.log").open("ab") as log:
            self._process = subprocess.Popen(self._service.command, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while True:
            try:
                self._service.provision()
                return
            except NotYetError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.1)

    def stop(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Make it answer nothing."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it answer again."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def writer(self) -> MongoClient[dict[str, Any]]:
        """A client that may write, for seeding."""
        return MongoClient(self.access.mongo_uri(Role.SINK), tz_aware=True)

    def clear(self) -> None:
        """Take all documents away."""
        with self.writer() as client:
            database = client[self.access.names.database]
            for name in database.list_collection_names():
                database[name].delete_many({})
            ensure_indexes(database)


@contextmanager
def real_mongod(home: Path) -> Iterator[RealMongod]:
    """A started mongod, ended at the end."""
    server = RealMongod(home)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
