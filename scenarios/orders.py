"""What the run process tells a producer and what it hears back: one JSON line each, over the producer's pipes."""

from __future__ import annotations

import os
import select

import msgspec
from pydantic import TypeAdapter

from measure.decoding import decode
from measure.schedule import Span
from scenarios.model import ReplaySource, ShopSource, Source

_CHUNK = 65_536


class Load(msgspec.Struct, frozen=True, tag="load", tag_field="do"):
    """Send these spans' events under this run id. One that comes while another is under way begins after it."""

    run: str
    spans: list[Span]
    spool: str
    """Path of the file to which the fate of the events is appended."""
    source: dict[str, object]
    """The scenario's source, as `source_table` gives it."""
    seed: int
    producer: int
    producers: int
    file: str | None = None
    """The file to replay."""
    first_us: int | None = None
    """Own timing: the time of the file's first event, which is due at the start of the first span; None: by rate."""
    speed: float = 1.0


class Amend(msgspec.Struct, frozen=True, tag="amend", tag_field="do"):
    """From `at_us` on, `spans` are in force for the load of this run id."""

    run: str
    at_us: int
    spans: list[Span]


class Finish(msgspec.Struct, frozen=True, tag="finish", tag_field="do"):
    """Give up what is not acknowledged by now, and end."""


Order = Load | Amend | Finish


class Ready(msgspec.Struct, frozen=True, tag="ready", tag_field="event"):
    """The producer has its id and the topic's leaders."""


class Done(msgspec.Struct, frozen=True, tag="done", tag_field="event"):
    """Every event of the load has its fate in the spool."""

    run: str


class Broken(msgspec.Struct, frozen=True, tag="broken", tag_field="event"):
    """The producer cannot go on: its source or the broker refused."""

    error: str


Notice = Ready | Done | Broken


_SOURCE: TypeAdapter[ShopSource | ReplaySource] = TypeAdapter(Source)


def source_table(source: ShopSource | ReplaySource) -> dict[str, object]:
    """A source as JSON can carry it."""
    return source.model_dump(mode="json")


def read_source(table: dict[str, object]) -> ShopSource | ReplaySource:
    """The source that `source_table` gave."""
    return _SOURCE.validate_python(table)


class Inbox:
    """Orders that arrive on a pipe; waiting for one is how the producer sleeps."""

    def __init__(self, fd: int) -> None:
        os.set_blocking(fd, False)
        self._fd = fd
        self._rest = b""
        self.closed = False

    def wait(self, seconds: float) -> list[Order]:
        """Orders that came within `seconds`; returns with the first of them. `closed` tells of the pipe's end."""
        if self.closed or not select.select([self._fd], [], [], seconds)[0]:
            return []
        chunk = os.read(self._fd, _CHUNK)
        if not chunk:
            self.closed = True
            return []
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return [decode(line, Order) for line in lines]
