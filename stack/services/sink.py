"""The sink: a consumer of the clean topic that writes windows and figures to MongoDB. There may be several."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping

from pymongo.errors import PyMongoError

from stack.blueprint import Blueprint
from stack.inquiry import stored
from stack.service import NotYetError, Service

NAME = "sink"
_FRESH_S = 10


class Heartbeat:
    """A sink notes its own figures once a second; it is ready when it did so since its start."""

    def __init__(self, blueprint: Blueprint, name: str) -> None:
        self._blueprint = blueprint
        self._name = name
        self._since = 0

    def begin(self) -> None:
        """The step after each start."""
        self._since = int(time.time())

    def check(self) -> None:
        """Whether there is a note of the last seconds, and since the start."""
        oldest = max(self._since, int(time.time()) - _FRESH_S)
        span = {"$gte": f"sink|{self._name}|{oldest}", "$lt": f"sink|{self._name}|:"}
        try:
            found = stored(self._blueprint.access)["samples"].find_one({"_id": span}, {"_id": 1})
        except PyMongoError as broken:
            raise NotYetError(f"MongoDB cannot be asked for the sink's notes: {type(broken).__name__}") from None
        if found is None:
            raise NotYetError(f"no note of {self._name} in `samples` for {int(time.time()) - oldest} s")


def sink_name(number: int) -> str:
    """Name of sink `number`, counted from 1: `sink`, `sink-2`, …"""
    return NAME if number == 1 else f"{NAME}-{number}"


def sink(blueprint: Blueprint, number: int) -> Service:
    """The definition of sink `number`."""
    return follower(blueprint, sink_name(number), "jobs.sink", {})


def follower(blueprint: Blueprint, name: str, module: str, environment: Mapping[str, str]) -> Service:
    """A process that follows the job's output and notes its own figures each second: a sink, or the reader."""
    heartbeat = Heartbeat(blueprint, name)
    return Service(
        name=name,
        command=(sys.executable, "-m", module),
        environment=environment,
        ports={},
        log=blueprint.folder.log(name),
        provision=heartbeat.begin,
        probe=heartbeat.check,
        needs=("kafka", "mongod"),
        start_timeout_s=60,
        stop_timeout_s=15,
    )
