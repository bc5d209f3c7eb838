"""All profiles store the same input alike, and a micro-batch that comes again changes nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from confluent_kafka import Producer
from pymongo import MongoClient

from jobs.window import Window, WindowKey
from measure.stamp import Stamp
from measure.store import Document, Store, sequences
from stack import lifecycle
from stack.access import Access, Role
from stack.settings import Settings
from tests.stack.waiting import wait_for

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1500)]

PATIENCE_S = 480
MIXED = 160


@dataclass(frozen=True)
class Sent:
    """What was sent under one run id: numbers of good and of bad events."""

    run: str
    good: int
    bad: int


@pytest.fixture(scope="module")
def store(stack_access: Access) -> Iterator[Store]:
    with MongoClient[Document](stack_access.mongo_uri(Role.RUN), tz_aware=True) as client:
        yield client[stack_access.names.database]


@pytest.fixture
def profile_of(stack_settings: Settings) -> Iterator[Any]:
    """Switches the stack to another profile; back to the first one in the end."""

    def switch(profile: str, stateful: bool = False) -> None:
        job = stack_settings.job.model_copy(update={"stateful": stateful})
        settings = stack_settings.model_copy(update={"job": job})
        lifecycle.up(settings, profile, None, lambda text: click.echo(text, err=True))

    yield switch
    switch("realtime")


def event(number: int, at: datetime, **other: object) -> dict[str, object]:
    kind = ("page_view", "page_view", "add_to_cart", "purchase")[number % 4]
    return {
        "event_id": f"e{number}",
        "event_type": kind,
        "user_id": f"u{number % 17}",
        "session_id": f"s{number % 23}",
        "product_id": f"p{number % 11}",
        "category": f"c{number % 3}",
        "price": round(0.01 + number * 1.37, 2),
        "quantity": 1 + number % 4,
        "currency": "GBP",
        "event_time": at.isoformat(),
    } | other


def mixed(base: datetime) -> list[dict[str, object]]:
    """Out of order within nine minutes, each tenth record repeated, each twentieth bad."""
    events = []
    for number in range(MIXED):
        at = base - timedelta(seconds=(number * 131) % 540, microseconds=number)
        if number % 20 == 7:
            events.append(event(number, at, price=-1))
        else:
            events.append(event(number, at))
        if number % 10 == 3:
            events.append(events[-1])
    return events


def send(access: Access, run: str, events: Sequence[dict[str, object]], first: int = 0, pace_s: float = 0) -> Sent:
    producer = Producer(access.kafka(Role.PRODUCER) | {"acks": "all", "enable.idempotence": True})
    for seq, value in enumerate(events, first):
        now_us = time.time_ns() // 1000
        headers = list[tuple[str, str | bytes | None]](Stamp(run, 0, seq, now_us, now_us).headers())
        producer.produce(access.names.events, json.dumps(value), str(value["user_id"]), headers=headers)
        producer.poll(pace_s)
    assert producer.flush(30) == 0
    bad = sum(value["price"] == -1 for value in events)
    return Sent(run, len(events) - bad, bad)


def await_all(store: Store, sent: Sent) -> None:
    def all_found() -> bool:
        found = sequences(store, sent.run).of(0)
        return (len(found.stored), len(found.dead)) == (sent.good, sent.bad)

    wait_for(all_found, f"{sent.good} stored and {sent.bad} dead of {sent.run}", PATIENCE_S)


def await_letters(store: Store, sent: Sent) -> None:
    """They are copied beside the main way."""
    chosen = {"run": sent.run, "reason": "price: negative"}
    wait_for(lambda: store.dead.count_documents(chosen) == sent.bad, f"{sent.bad} dead letters", PATIENCE_S)


def windows(store: Store, run: str) -> dict[tuple[datetime, str, int], dict[str, object]]:
    """(minute, event type, partition) → everything that was added up."""
    found = {}
    for window in store.windows.find({"run": run}):
        key = WindowKey(run, window["topic_id"], 0, window["event_type"], window["partition"])
        sums = {name: window.get(name) for name in ("n", "quantity", "revenue_micros", "orders", "other_n")}
        lists = {name: sorted(map(tuple, _items(window.get(name)))) for name in ("products", "categories")}
        sessions = Window.read(key, window).sessions.get_estimate()
        found[window["minute"], window["event_type"], window["partition"]] = sums | lists | {"sessions": sessions}
    return found


def _items(listed: list[dict[str, Any]] | None) -> Iterator[tuple[str, int, int]]:
    for item in listed or ():
        yield item["id"], item["n"], item["revenue_micros"]


def test_the_same_input_gives_the_same_windows(stack_access: Access, store: Store, profile_of: Any) -> None:
    # First the profile with a watermark: the probe of its start moves that, so `base` is taken behind it.
    profile_of("reference")
    base = datetime.now(UTC)
    events = mixed(base)
    results = {"reference": windows_of(stack_access, store, "reference", events)}
    await_late(stack_access, store, "late.reference", base)

    for profile in ("realtime", "microbatch"):
        profile_of(profile)
        results[profile] = windows_of(stack_access, store, profile, events)
    total = sum(window["n"] for window in results["realtime"].values())  # type: ignore[misc]
    assert total == sum(value["price"] != -1 for value in events)
    assert results["microbatch"] == results["realtime"]
    assert results["reference"] == results["realtime"]


def windows_of(
    access: Access, store: Store, name: str, events: Sequence[dict[str, object]]
) -> dict[tuple[datetime, str, int], dict[str, object]]:
    """What the running profile makes of `events`, all of them stored or dead and none late."""
    sent = send(access, f"same.{name}", events)
    await_all(store, sent)
    sets = sequences(store, sent.run)
    assert (sets.repeats, len(sets.of(0).late)) == (0, 0)
    await_letters(store, sent)
    return windows(store, sent.run)


def await_late(access: Access, store: Store, run: str, base: datetime) -> None:
    """An event that is too old is counted late and is in no window."""
    send(access, run, [event(1, base - timedelta(hours=2))])
    wait_for(lambda: len(sequences(store, run).of(0).late) == 1, "the late event, as late", PATIENCE_S)
    assert not windows(store, run)


def test_the_plan_with_state_and_the_one_without_take_turns(
    stack_access: Access, store: Store, profile_of: Any
) -> None:
    """Neither can go on from the other's checkpoint."""
    for turn, stateful in enumerate((False, True, False)):
        profile_of("microbatch", stateful)
        base = datetime.now(UTC)
        found = windows_of(stack_access, store, f"turn{turn}", events := [event(n, base) for n in range(MIXED)])
        assert sum(window["n"] for window in found.values()) == len(events)  # type: ignore[misc]
        if stateful:
            await_late(stack_access, store, f"late.turn{turn}", base)


@pytest.mark.parametrize("profile", ["realtime", "microbatch"])
def test_a_killed_driver_and_a_lost_checkpoint_change_nothing(
    stack_settings: Settings, stack_access: Access, store: Store, profile_of: Any, profile: str
) -> None:
    """Killed three times: with a checkpoint that is damaged then, with one of which next to nothing is left, and with a
    whole one."""
    profile_of(profile)
    base, run, part = datetime.now(UTC), f"killed.{profile}", 400
    events = [event(number, base) for number in range(3 * part)]
    checkpoints = stack_settings.folder.data("spark") / "checkpoints"
    for attempt in range(3):
        send(stack_access, run, events[attempt * part : (attempt + 1) * part], attempt * part, pace_s=0.005)
        wait_for(lambda: len(sequences(store, run).of(0).stored) > attempt * part, "a stored event", PATIENCE_S)  # noqa: B023
        kill_driver(stack_settings)
        if attempt < 2:
            (damage, leave_an_offset)[attempt](checkpoints)
    await_all(store, Sent(run, len(events), 0))
    sets = sequences(store, run)
    assert sets.repeats == 0
    assert profile == "microbatch" or sets.redelivered > 0, "a killed query sends again what is behind its checkpoint"
    assert sum(window["n"] for window in windows(store, run).values()) == len(events)  # type: ignore[misc]
    measured = sum(n for found in store.slices.find({"run": run}) for n in found["stages"].get("e2e", {}).values())
    assert measured == len(events)


def kill_driver(settings: Settings) -> None:
    """And wait until its JVM is gone too, which may go on writing for a moment."""
    pid = _pid(settings)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: _running(settings) != pid, "the end of the driver", PATIENCE_S)


def damage(checkpoints: Path) -> None:
    """As after a loss of power: names, and nothing behind them."""
    for file in logged_offsets(checkpoints) or list(checkpoints.glob("*/metadata")):
        file.write_bytes(b"")


def leave_an_offset(checkpoints: Path) -> None:
    """As where it is deleted under a driver that writes on."""
    left = {file: file.read_bytes() for file in logged_offsets(checkpoints)[-1:]}
    shutil.rmtree(checkpoints)
    for file, written in left.items():
        file.parent.mkdir(parents=True)
        file.write_bytes(written)


def logged_offsets(checkpoints: Path) -> list[Path]:
    """The newest last. Real-Time Mode has none before its first boundary."""
    return sorted(checkpoints.glob("*/offsets/[0-9]*"), key=lambda file: int(file.name))


def test_no_log_of_the_jobs_holds_a_secret(stack_settings: Settings, stack_access: Access) -> None:
    """After all that they went through here."""
    known = stack_access.credentials
    secrets = {*known.kafka.values(), *known.mongo.values()}
    for name in ("spark", "sink"):
        log = stack_settings.folder.log(name).read_text(encoding="utf-8", errors="replace")
        assert log
        assert not [secret for secret in secrets if secret in log]


def _running(settings: Settings) -> int | None:
    """The driver's pid, while there is one."""
    return next(service.pid for service in lifecycle.status(settings).services if service.name == "spark")


def _pid(settings: Settings) -> int:
    """Of the driver that runs now."""
    return wait_for(lambda: _running(settings) or 0, "a running driver", PATIENCE_S)
