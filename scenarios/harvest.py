"""What a run left in MongoDB, brought into its folder, which then needs no database any more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from measure.decoding import convert
from measure.folder import RunFolder, Slices
from measure.histogram import Histogram
from measure.percentiles import merged_stages
from measure.records import BatchSample, MarkLine, SinkSample
from measure.stamp import FOREIGN_RUN
from measure.store import DEAD, MARKS, PROGRESS, SAMPLES, SLICES, Store, histograms, sequences, slices

_REALTIME = "realtime"
_FAR = 2**62


def bring_sequences(database: Store, folder: RunFolder, warmed_up: bool) -> None:
    """The sets of what was found, of the load and of its warm-up. PyMongoError where MongoDB does not answer."""
    folder.write_sequences(sequences(database, folder.run))
    if warmed_up:
        folder.write_sequences(sequences(database, folder.warmup_run), warmup=True)


def bring_slices(database: Store, folder: RunFolder, visible: Mapping[str, Slices]) -> None:
    """The slices of the load and its warm-up, with `visible` as the run process itself holds it."""
    found: dict[str, Slices] = {}
    for run in (folder.run, folder.warmup_run):
        held = found.setdefault(run, {})
        for second, stages in slices(database, run, 0, _FAR):
            held[second] = merged_stages((held.get(second, {}), stages))
        for second, stages in visible.get(run, {}).items():
            held.setdefault(second, {}).update(stages)
    folder.write_slices(found)


def bring_samples(database: Store, folder: RunFolder, first_second: int, last_second: int) -> None:
    """The sinks' samples and Spark's batches of these seconds, as far as the folder does not have them yet."""
    there = folder.samples()
    sinks = {(sample.sink, sample.second) for sample in there if isinstance(sample, SinkSample)}
    batches = {sample.batch_id for sample in there if isinstance(sample, BatchSample)}
    for sink in sink_samples(database, first_second, last_second):
        if (sink.sink, sink.second) not in sinks:
            folder.append(sink)
    for batch in batch_samples(database, first_second, last_second):
        if batch.batch_id not in batches:
            folder.append(batch)


def bring_marks(database: Store, folder: RunFolder) -> None:
    """The marks that others made of this run."""
    known = {(mark.at_us, mark.kind, mark.text) for mark in folder.marks()}
    for found in database[MARKS].find({"run": folder.run}):
        mark = convert(found, MarkLine, strict=False)
        if (mark.at_us, mark.kind, mark.text) not in known:
            folder.append(mark)


def sink_samples(database: Store, first_second: int, last_second: int) -> list[SinkSample]:
    """What the sinks noted of these seconds, both inclusive."""
    wanted = {"kind": "sink", "second": {"$gte": first_second, "$lte": last_second}}
    return [
        convert(found, SinkSample, str_keys=True) for found in database[SAMPLES].find(wanted, {"_id": 0, "updated": 0})
    ]


def batch_samples(database: Store, first_second: int, last_second: int) -> list[BatchSample]:
    """Spark's micro-batches that ended in these seconds. Real-Time Mode has none: its batch is a checkpoint."""
    reports = progress(database, first_second, last_second)
    return [sample for report in reports if report.get("profile") != _REALTIME for sample in _batch(report)]


def checkpoints(reports: Iterable[Mapping[str, Any]]) -> list[tuple[int, str]]:
    """(µs of the epoch, text) of each checkpoint boundary of Real-Time Mode."""
    return [
        (_us(report["t"]), f"checkpoint {report.get('batch_id')}")
        for report in reports
        if report.get("profile") == _REALTIME
    ]


def progress(database: Store, first_second: int, last_second: int) -> list[dict[str, Any]]:
    """Spark's own reports that came in these seconds, in order of time."""
    span = {"$gte": datetime.fromtimestamp(first_second, UTC), "$lt": datetime.fromtimestamp(last_second + 1, UTC)}
    return list(database[PROGRESS].find({"t": span}).sort("t", 1))


def dead_letters(database: Store, run: str, first_second: int, last_second: int) -> dict[int, int]:
    """Second of the append → dead letters of the run."""
    span = {"$gte": datetime.fromtimestamp(first_second, UTC), "$lt": datetime.fromtimestamp(last_second + 1, UTC)}
    counted: list[dict[str, Any]] = [
        {"$match": {"run": run, "source_time": span}},
        {"$group": {"_id": {"$floor": {"$divide": [{"$toLong": "$source_time"}, 1000]}}, "n": {"$sum": 1}}},
    ]
    return {int(found["_id"]): found["n"] for found in database[DEAD].aggregate(counted)}


def unattributed(database: Store, first_second: int, last_second: int) -> int:
    """How many events without a stamp, appended in these seconds, were stored."""
    held = Histogram()
    span = {"run": FOREIGN_RUN, "second": {"$gte": first_second, "$lte": last_second}}
    for found in database[SLICES].find(span):
        held.merge(histograms(found).get("e2e", Histogram()))
    return held.n + held.negatives


def _batch(report: Mapping[str, Any]) -> list[BatchSample]:
    told = report.get("progress") or {}
    duration = (told.get("durationMs") or {}).get("triggerExecution", told.get("batchDuration"))
    if duration is None:
        return []
    rows = int(told.get("numInputRows") or 0)
    return [BatchSample(_us(report["t"]) // 1_000_000, int(report["batch_id"]), float(duration), rows)]


def _us(moment: datetime) -> int:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1e6)
