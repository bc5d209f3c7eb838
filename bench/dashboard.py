"""What the dashboard costs and how quick it is, over a database with a day of windows and an hour of slices.

    python -m bench.dashboard [--minutes 2] [--viewers 3]

Needs no stack: a mongod of its own is filled as the sink fills it at 2,000 events/s, and is written to all the while.
Prints the P95 of the queries (the dashboard's own stage `query`), the first page in a new tab, CPU and memory of the
server with viewers who stay. Chromium is on the same machine: its own CPU is not counted, but takes its share.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from pymongo.database import Database

from bench.first_page import SIZE, first_page
from bench.staying import stay
from measure.histogram import Histogram
from measure.percentiles import stage_latency
from measure.store import histograms
from tests.dashboard import seeding
from tests.dashboard.database_fixture import real_mongod
from tests.dashboard.serving import Visitor, browser, served

RUN = "peak-20261124T100000Z-0a1b"
MINUTES_A_DAY = 1440
SECONDS_AN_HOUR = 3600
A_MINUTE = 120_000
"""Events a minute: 2,000/s."""
PRODUCTS = 200
FILL_S = 360.0
"""Of a long visit, after which the server's caches are full; of a shorter one a half."""

Store = Database[dict[str, Any]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0, help="how long the viewers stay")
    parser.add_argument("--viewers", type=int, default=3)
    asked = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.2f} before")
    with tempfile.TemporaryDirectory() as home, real_mongod(Path(home)) as server, server.writer() as client:
        store = client[server.access.names.database]
        seed(store)
        with written(store), served(server) as address, browser() as chrome:
            measure(store, address, chrome, asked.viewers, asked.minutes * 60)


def seed(store: Store) -> None:
    """A day of windows and an hour of slices and samples, up to now."""
    now = int(time.time())
    began = time.monotonic()
    first = now // 60 * 60 - (MINUTES_A_DAY - 1) * 60
    for documents in batches(seeding.shop_minutes(RUN, first, MINUTES_A_DAY, A_MINUTE, products=PRODUCTS)):
        store.windows.insert_many(documents)
    for documents in batches(seeding.slice_seconds(RUN, now - SECONDS_AN_HOUR, SECONDS_AN_HOUR, per_second=600)):
        store.slices.insert_many(documents)
    for second in range(now - SECONDS_AN_HOUR, now):
        store.samples.insert_many([seeding.run_sample(RUN, second, 2000), seeding.sink_sample(second)])
    store.runs.insert_one(seeding.run_entry(RUN, now - SECONDS_AN_HOUR, updated=seeding.moment(now)))
    counts = ", ".join(
        f"{store[name].estimated_document_count():,} {name}" for name in ("windows", "slices", "samples")
    )
    print(f"filled in {time.monotonic() - began:.0f} s: {counts}")


def batches(documents: Iterator[dict[str, Any]], size: int = 300) -> Iterator[list[dict[str, Any]]]:
    held: list[dict[str, Any]] = []
    for document in documents:
        held.append(document)
        if len(held) == size:
            yield held
            held = []
    if held:
        yield held


@contextmanager
def written(store: Store) -> Iterator[None]:
    """Four times a second what the sinks of a running load write: the minute's windows and new slices."""
    ended = threading.Event()

    def work() -> None:
        number = 0
        while not ended.wait(0.25):
            number += 1
            now = time.time()
            touch(store, now)
            if number % 4 == 0:
                second = int(now) - 1
                fresh = list(seeding.slice_seconds(RUN, second, 1, per_second=600, seed=number))
                for document in fresh:
                    store.slices.replace_one({"_id": document["_id"]}, document, upsert=True)
                store.samples.replace_one({"_id": f"run|{RUN}|{second}"}, seeding.run_sample(RUN, second), upsert=True)
                store.runs.update_one({"_id": RUN}, {"$set": {"updated": seeding.moment(now)}})

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def touch(store: Store, now: float) -> None:
    minute = int(now) // 60 * 60
    for event_type, share in seeding.TYPES:
        for partition in range(3):
            window = seeding.window(RUN, minute, event_type, 0, partition=partition)
            n = round(2000 / 4 / 3 * share)
            fixed = {
                name: window[name] for name in ("run", "topic_id", "minute", "event_type", "partition", "sessions")
            }
            counted = {"n": n, "orders": n if event_type == "purchase" else 0, "revenue_micros": n * 9_990_000}
            pulse = [int(now * 1e6) - 20_000]
            store.windows.update_one(
                {"_id": window["_id"]},
                {"$inc": counted, "$set": {**fixed, "updated": seeding.moment(now), "pulse": pulse}},
                upsert=True,
            )


def measure(store: Store, address: str, chrome: Any, viewers: int, seconds: float) -> None:
    process = dashboard_process()
    first = first_page(address)
    print(
        f"first page, s: {first.figures:.2f} until the last figure (to reach: ≤ 2), {first.charts:.2f} the last chart"
    )
    tabs = []
    for number in range(viewers):
        tab = Visitor(chrome.new_page(viewport=SIZE))
        tab.go(address)
        if number % 3 == 1:
            tab.turn_to("Operations")
            tab.await_text("Where the time goes")
        tabs.append(tab)
    took = stay(process, seconds, FILL_S)
    print(f"{viewers} viewers for {seconds:.0f} s: {took.cores:.0%} of a core (to reach: ≤ 30 %)")
    print(
        f"memory {took.memory / 2**20:,.0f} MiB, {took.grown / 2**20:+.0f} MiB after the first {took.filling_s:.0f} s"
    )
    stages = recorded(store)
    for stage, more in (("query", "to reach: P95 ≤ 100 ms"), ("shown", "refresh and cache 2 s each")):
        found = stage_latency(stages.get(stage, Histogram()))
        print(f"{stage}: n {found.n:,}, P50 {found.p50} ms, P95 {found.p95} ms, max {found.max} ms ({more})")
    errors = [error for tab in tabs for error in tab.errors]
    print(f"errors in the browsers' consoles: {len(errors)}", *errors[:3])


def dashboard_process() -> psutil.Process:
    """The server that `served` has started."""
    (found,) = [one for one in psutil.Process().children() if "dashboard" in one.cmdline()]
    return found


def recorded(store: Store) -> dict[str, Histogram]:
    merged: dict[str, Histogram] = {}
    for document in store.slices.find({"partition": -2}):
        for stage, held in histograms(document).items():
            merged.setdefault(stage, Histogram()).merge(held)
    return merged


if __name__ == "__main__":
    main()
