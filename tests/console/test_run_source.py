"""The run as it lies in a real MongoDB: read whole, followed, and read again after an outage."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from pymongo.database import Database

from console.feed.collector import Collector
from console.feed.facts import facts_of
from console.feed.follower import RunFollower
from console.feed.record import RunRecord
from console.feed.run_source import RunSource
from console.feed.snapshot import Snapshot
from console.feed.views import RunView, Window
from measure.figures import Status
from measure.folder import RunFolder
from measure.histogram import Histogram
from measure.percentiles import stage_latency
from measure.records import MarkLine, Process, RunSample, SinkSample, SliceLine
from measure.store import mark_id, run_sample_id, sink_sample_id, slice_id
from stack.settings import Settings
from tests.console.conftest import BURST
from tests.dashboard.database_fixture import RealMongod, real_mongod
from tests.measure.slices_of import latencies
from tests.measure.synthetic import T0_US, Shape, make_run

Store = Database[dict[str, Any]]
RUN = "peak-20261124T100000Z-0001"
SECONDS = 30
FIRST = T0_US // 1_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealMongod]:
    with real_mongod(tmp_path_factory.mktemp("home")) as started:
        yield started


@dataclass
class Filled:
    """A run half of whose events lie in each of two partitions."""

    store: Store
    folder: RunFolder
    settings: Settings

    def put(self, second: int, partition: int, histograms: dict[str, Histogram], run: str = RUN) -> None:
        line = msgspec.to_builtins(SliceLine.of(run, second, histograms), str_keys=True)
        document = {**line, "_id": slice_id(run, second, partition), "partition": partition, "updated": now()}
        self.store["slices"].replace_one({"_id": document["_id"]}, document, upsert=True)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def filled(server: RealMongod, monkeypatch: pytest.MonkeyPatch) -> Iterator[Filled]:
    monkeypatch.setenv("LATENCY_HOME", str(server.home))
    server.clear()
    for old in RunFolder.all(server.home / "runs"):
        for file in sorted(old.path.rglob("*"), reverse=True):
            file.rmdir() if file.is_dir() else file.unlink()
        old.path.rmdir()
    folder = make_run(server.home / "runs", RUN, Shape(per_slice=400))
    with server.writer() as client:
        made = Filled(client[server.access.names.database], folder, Settings.load())
        for second, stages in folder.slices().items():
            made.put(second, 0, stages)
            made.put(second, 1, {"e2e": Histogram({2048: 10}, 0, 2100)})
        for number, mark in enumerate(folder.marks()):
            made.store["marks"].insert_one({"_id": mark_id(RUN, number), "run": RUN, **document(mark)})
        for sample in folder.samples():
            if isinstance(sample, RunSample):
                made.store["samples"].insert_one({"_id": run_sample_id(RUN, sample.second), **document(sample)})
            if isinstance(sample, SinkSample):
                made.store["samples"].insert_one({"_id": sink_sample_id("sink", sample.second), **document(sample)})
        made.store["runs"].insert_one({"_id": RUN, "status": "running", "phase": "load", "updated": now()})
        yield made


def document(record: MarkLine | RunSample | SinkSample) -> dict[str, Any]:
    return {**msgspec.to_builtins(record, str_keys=True), "updated": now()}


@pytest.fixture
def source(filled: Filled) -> Iterator[RunSource]:
    made = RunSource(filled.settings)
    yield made
    made.close()


def read(source: RunSource, second: float, window: Window = Window.RUN) -> RunView:
    assert source.find() == RUN
    view = source.read(T0_US + round(second * 1e6), window, None)
    assert view is not None
    return view


def test_the_figures_are_those_of_the_merged_slices(filled: Filled, source: RunSource) -> None:
    view = read(source, SECONDS + 6)
    whole = latencies(filled.store, RUN)
    expected = stage_latency(whole["e2e"], 0)
    assert view.e2e.n == expected.n
    for name in ("p50", "p75", "p90", "p95", "p99", "p999", "max"):
        assert getattr(view.e2e, name) == pytest.approx(getattr(expected, name), abs=0.001), name  # to the µs
    assert {each.stage: each.n for each in view.stages} == {stage: held.n for stage, held in whole.items()}


def test_samples_commits_and_marks_are_there(filled: Filled, source: RunSource) -> None:
    view = read(source, SECONDS - 1)
    assert view.rate.target == 2000.0
    assert view.lag.events is not None
    assert view.writes.commit is not None
    assert view.writes.commit.n > 0
    assert [mark.kind for mark in view.marks] == ["phase"]


def test_only_what_changed_is_taken_in_again(filled: Filled, source: RunSource) -> None:
    before = read(source, SECONDS + 6).e2e.n
    filled.put(FIRST + 3, 1, {"e2e": Histogram({2048: 25}, 0, 2100)})
    filled.put(FIRST + 3, 2, {"e2e": Histogram({2048: 5}, 0, 2100)})
    assert read(source, SECONDS + 6).e2e.n == before + 20
    assert read(source, SECONDS + 6).e2e.n == before + 20


def test_a_run_whose_process_died_is_not_running(filled: Filled, source: RunSource) -> None:
    outcome = filled.folder.outcome()
    filled.folder.write_outcome(msgspec.structs.replace(outcome, status=Status.RUNNING))
    filled.folder.write_process(Process(2**22 - 7, "/nowhere", "none"))
    assert read(source, SECONDS + 6).progress.status == "interrupted"
    assert read(source, SECONDS + 8).progress.status == "interrupted"
    progress = source.progress(T0_US + SECONDS * 1_000_000)
    assert progress is not None
    assert progress.status == "interrupted"


def test_of_a_stack_that_is_down_the_last_run_is_read_from_its_folder(filled: Filled, source: RunSource) -> None:
    live = read(source, SECONDS + 6)
    away = RunSource(filled.settings.model_copy(update={"stack": "other"}))
    filled.folder.write_plan(msgspec.structs.replace(filled.folder.plan(), stack="other"))
    view = read(away, SECONDS + 6)
    assert view.progress.status == "finished"
    assert 0 < view.e2e.n <= live.e2e.n
    assert view.rate.target == 2000.0


@pytest.mark.parametrize("gone", [["slices"], ["slices", "runs"]])
def test_what_the_database_no_longer_has_is_read_from_the_folder(
    filled: Filled, source: RunSource, gone: list[str]
) -> None:
    """After a purge, or once it is older than the database keeps it."""
    filled.store["runs"].update_one({"_id": RUN}, {"$set": {"status": "finished"}})
    for name in gone:
        filled.store[name].delete_many({})
    for second in (SECONDS + 6, SECONDS + 8):
        view = read(source, second)
        assert view.progress.status == "finished"
        assert (view.e2e.n, view.e2e.missing) == (2000 * SECONDS, 0)


def test_dead_letters_of_the_whole_run_are_known_to_a_console_that_is_opened_late(filled: Filled) -> None:
    appended = datetime.fromtimestamp(FIRST + 3, UTC)
    filled.store["dead"].insert_many({"run": RUN, "source_time": appended} for _ in range(20))
    follower = RunFollower(filled.store, RunRecord(facts_of(filled.folder)), RUN, RUN)
    follower.read_past(T0_US + 3600 * 1_000_000)
    assert follower.record.dead == {FIRST + 3: 20}


def test_a_newer_run_takes_its_place(filled: Filled, source: RunSource) -> None:
    read(source, SECONDS + 6)
    make_run(filled.settings.home.runs, "burst-20261124T110000Z-0002", BURST)
    other = RunSource(filled.settings)
    assert other.find() == "burst-20261124T110000Z-0002"


def test_an_outage_is_told_and_passes(filled: Filled, server: RealMongod) -> None:
    """While MongoDB is stopped each figure is away, with the reason; the run is known; then all comes back."""
    seen: list[Snapshot] = []
    fresh = threading.Condition()

    def publish(snapshot: Snapshot) -> None:
        with fresh:
            seen.append(snapshot)
            fresh.notify_all()

    def await_snapshot(wanted: Callable[[Snapshot], bool]) -> Snapshot:
        with fresh:
            assert fresh.wait_for(lambda: bool(seen) and wanted(seen[-1]), 30)
            return seen[-1]

    collector = Collector(filled.settings, clock=lambda: T0_US / 1e6 + SECONDS + 6)
    collector.start(publish)
    try:
        whole = await_snapshot(lambda snapshot: snapshot.run.value is not None)
        server.pause()
        away = await_snapshot(lambda snapshot: snapshot.run.value is None)
        assert away.run.reason
        assert "password" not in away.run.reason
        assert away.progress.value is not None
        assert away.progress.value.run == RUN
        server.resume()
        back = await_snapshot(lambda snapshot: snapshot.run.value is not None)
        assert back.run.value is not None
        assert whole.run.value is not None
        assert back.run.value.e2e == whole.run.value.e2e
    finally:
        server.resume()
        collector.close()


def test_paused_it_reads_nothing(filled: Filled) -> None:
    seen: list[Snapshot] = []
    collector = Collector(filled.settings, clock=lambda: T0_US / 1e6 + SECONDS + 6)
    collector.pause(True)
    collector.start(seen.append)
    time.sleep(1.2)
    assert seen == []
    collector.pause(False)
    ends = time.monotonic() + 20
    while not any(snapshot.run.value for snapshot in seen):
        assert time.monotonic() < ends
        time.sleep(0.05)
    collector.close()
