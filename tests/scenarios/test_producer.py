"""A producer's loop: what an overload, a refusing client and a full queue make of the events that are due."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import KafkaError, KafkaException

from measure.folder import read_lines
from measure.records import SpoolLine
from measure.schedule import Span
from scenarios.model import ShopSource
from scenarios.orders import Amend, Done, Finish, Inbox, Load, Notice, Order, source_table
from scenarios.producer import Delivery, ProducerProcess, now_us

T0_US = 1_800_000_000_000_000
SHOP = source_table(ShopSource(products=10))
Deliver = Callable[[object, object], None]


class Client:
    """Takes events as Kafka's client does. `each_s` is what an event costs."""

    def __init__(self, each_s: float = 0.0) -> None:
        self.full = False
        self.refusals = 0
        self.polled: list[int] = []
        """Answers given at each poll."""
        self._each_s = each_s
        self._taken: list[Deliver] = []

    def produce(self, topic: str, value: bytes, key: bytes, headers: Any, on_delivery: Deliver) -> None:
        if self.full:
            raise BufferError("Local: Queue full")
        if self.refusals:
            self.refusals -= 1
            raise KafkaException(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))
        until = time.perf_counter() + self._each_s
        while time.perf_counter() < until:
            pass
        self._taken.append(on_delivery)

    def poll(self, timeout: float) -> int:
        taken, self._taken = self._taken, []
        self.polled.append(len(taken))
        for deliver in taken:
            deliver(None, None)
        return len(taken)

    def flush(self, timeout: float) -> int:
        return self.poll(timeout)

    def purge(self) -> None:
        pass


def load(path: Path, rate: float, seconds: float, start_us: int) -> Load:
    spans = [Span(start_us, start_us + round(seconds * 1e6), rate, "load")]
    return Load(run="r-1", spans=spans, spool=str(path), source=SHOP, seed=1, producer=0, producers=1)


def fates(path: Path) -> tuple[int, int, int, int]:
    """(next_seq, acked, failed, unsent)"""
    lines = list(read_lines(path, SpoolLine))
    counts = (sum(b - a + 1 for line in lines for a, b in getattr(line, k)) for k in ("acked", "failed", "unsent"))
    return (lines[-1].next_seq, *counts)  # type: ignore[return-value]


@pytest.fixture
def delivery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Delivery, Client]]:
    """100 events due within a second, of which 90 are due by now, a now that stays."""
    client = Client()
    monkeypatch.setattr("scenarios.producer.now_us", lambda: T0_US + 895_000)
    made = Delivery(load(tmp_path / "0.spool", 100, 1, T0_US), client, "events")  # type: ignore[arg-type]
    yield made, client
    made.close()


def test_what_the_client_refuses_has_failed_and_the_next_event_is_sent(
    delivery: tuple[Delivery, Client], tmp_path: Path
) -> None:
    made, client = delivery
    client.refusals = 3
    assert not made.send_due()
    client.poll(0)
    assert made.ledger.outstanding == 0
    made.ledger.spool(T0_US, 0.0)
    assert fates(tmp_path / "0.spool") == (90, 87, 3, 0)


def test_an_event_that_the_full_client_does_not_take_is_asked_for_again_but_not_at_once(
    delivery: tuple[Delivery, Client],
) -> None:
    made, client = delivery
    client.full = True
    assert not made.send_due()
    assert made.agenda.next_seq == 0
    client.full = False
    assert not made.send_due()
    assert made.agenda.next_seq == 90


class Told(Inbox):
    """Orders from the test itself: the load, then a stop that is in force while the load lasts, then the end."""

    def __init__(self, orders: list[Order], told: list[Notice]) -> None:
        self._read, self._write = os.pipe()
        super().__init__(self._read)
        self._orders, self._told = orders, told
        self._until = time.monotonic() + 60

    def wait(self, seconds: float) -> list[Order]:
        if self._orders:
            os.write(self._write, msgspec.json.encode(self._orders.pop(0)) + b"\n")
        elif self._told or time.monotonic() > self._until:
            os.write(self._write, msgspec.json.encode(Finish()) + b"\n")
        return super().wait(seconds)

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)


def test_an_overloaded_producer_hears_a_stop_polls_and_spools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Notice] = []
    monkeypatch.setattr("scenarios.producer.tell", told.append)
    path, client, start_us = tmp_path / "0.spool", Client(each_s=0.0002), now_us()
    stop = Amend("r-1", start_us + 300_000, [])
    inbox = Told([load(path, 20_000, 60, start_us), stop], told)
    ProducerProcess(client, "events", inbox).work()  # type: ignore[arg-type]
    inbox.close()
    assert told == [Done("r-1")]
    next_seq, acked, failed, unsent = fates(path)
    assert next_seq == acked + unsent == 6_000
    assert failed == 0
    assert max(client.polled) <= 500
    assert len(list(read_lines(path, SpoolLine))) >= 3
