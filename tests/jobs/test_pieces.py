"""The jobs' arithmetic, without any service."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymongo import MongoClient

from jobs import checkpoint, microbatch, reference
from jobs.chunks import Chunk
from jobs.clean import CleanRecord, read_clean
from jobs.contiguity import Hole, Place, Sequence
from jobs.control import Generation
from jobs.expected import GIVEN_UP_S, Expected, PartitionProgress, keys_of
from jobs.ground import Ground
from jobs.partition import Partition
from jobs.position import Position
from jobs.records import Arrival, Fate, Outcome, append_us
from jobs.stages import slices_of
from jobs.topics import Topic, Topics
from jobs.watch import last_cause
from measure.buckets import buckets_of
from measure.histogram import Histogram, bucket_of
from measure.stamp import FOREIGN_RUN, Stamp
from measure.store import Document
from stack.access import Access, Credentials, Endpoints

TOPIC = Topic("events", "abc_-1", 3)


@given(st.lists(st.integers(0, 2**52), min_size=1))
def test_many_buckets_at_once_are_those_of_the_histogram(values: list[int]) -> None:
    assert buckets_of(np.array(values, dtype=np.int64)).tolist() == [bucket_of(value) for value in values]


@given(st.lists(st.integers(0, 12), max_size=60), st.sets(st.integers(0, 12)))
def test_a_sequence_applies_each_offset_once_and_in_order(offsets: list[int], missing: set[int]) -> None:
    """Whatever comes, with holes at `missing` that the source says are empty."""

    def look(first: int, behind: int) -> Hole:
        return Hole(first, missed=not set(range(first, behind)) <= missing)

    sequence = Sequence(0, look)
    applied = [offset for offset in offsets if sequence.place(offset) is Place.NEXT]
    assert applied == sorted(set(applied))
    assert set(range(applied[-1] if applied else 0)) <= set(applied) | missing


def test_a_source_is_asked_once_about_a_gap() -> None:
    asked = []

    def look(first: int, behind: int) -> Hole:
        asked.append((first, behind))
        return Hole(first, missed=True)

    sequence = Sequence(5, look)
    assert [sequence.place(offset) for offset in (8, 9, 5, 6, 7, 8)] == [
        Place.BEHIND_GAP,
        Place.BEHIND_GAP,
        Place.NEXT,
        Place.NEXT,
        Place.NEXT,
        Place.NEXT,
    ]
    assert asked == [(5, 8)]


@given(st.lists(st.integers(0, 12), max_size=60), st.integers(0, 13), st.sets(st.integers(0, 12)))
def test_a_sequence_waits_for_what_the_source_holds_and_for_nothing_that_is_gone(
    offsets: list[int], held_from: int, missing: set[int]
) -> None:
    """Whatever comes, with holes at `missing`, and all before `held_from` gone."""

    def look(first: int, behind: int) -> Hole:
        held = max(first, min(behind, held_from))
        return Hole(held, missed=not set(range(held, behind)) <= missing)

    sequence = Sequence(0, look)
    applied = [offset for offset in offsets if sequence.place(offset) is Place.NEXT]
    assert applied == sorted(set(applied))
    assert set(range(held_from, applied[-1] if applied else 0)) <= set(applied) | missing
    if offsets and held_from == 13:
        assert offsets[0] in applied, "nothing is waited for where all is gone"


def test_a_partition_tells_once_what_is_gone_and_goes_on_behind_it() -> None:
    def look(_partition: int, first: int, behind: int) -> Hole:
        return Hole(min(behind, 8), missed=behind > 8)

    start = Position("t", 0, "clean", 0, 4)
    owned = Partition(0, 0, lambda _topic, _offset: start, look)
    owned.adopt([start])
    assert owned.place(outcome(10).arrival) is Place.BEHIND_GAP
    (told,) = owned.take_gone()
    assert "source offsets 5 to 7 never came" in told
    assert "source offsets 8 to 9 never came" in owned.missing(outcome(10).arrival)
    assert [owned.place(outcome(offset).arrival) for offset in (8, 9, 10)] == [Place.NEXT] * 3
    assert not owned.take_gone()
    part = owned.take()
    assert part is not None
    ((_, after),) = part.moves
    assert after.measured == 10


def outcome(
    seq: int, fate: Fate = Fate.STORED, *, run: str = "r", read_us: int | None = None, expect_dead: bool = False
) -> Outcome:
    record = CleanRecord("t", 0, seq, 2_000, "price: negative" if fate is Fate.DEAD else None)
    stamp = None if run == FOREIGN_RUN else Stamp(run, 0, seq, 1_900_000 + seq, 1_900_500 + seq, expect_dead)
    return Outcome(Arrival(record, stamp, 2_005_000, read_us), fate, 2_040_000)


def test_stages_of_a_stream_of_a_batch_and_of_foreign_records() -> None:
    found = slices_of([outcome(0), outcome(1, run="b", read_us=2_002_000), outcome(2, run=FOREIGN_RUN)])
    assert set(found) == {("r", 1), ("b", 1), (FOREIGN_RUN, 2)}
    assert {stage: histogram.max_us for stage, histogram in found["r", 1].items()} == {
        "produce": append_us(2_000) - 1_900_000,
        "e2e_sent": 2_040_000 - 1_900_500,
        "e2e": 140_000,
        "store": 35_000,
        "process": 2_005_000 - append_us(2_000),
    }
    assert set(found["b", 1]) == {"produce", "e2e_sent", "e2e", "store", "queue", "compute"}
    assert set(found[FOREIGN_RUN, 2]) == {"e2e", "store", "process"}


def test_only_stored_records_have_a_latency() -> None:
    assert not slices_of([outcome(0, Fate.DEAD), outcome(1, Fate.LATE), outcome(2, Fate.AGAIN)])


def test_a_value_below_nothing_is_counted_apart() -> None:
    early = Outcome(outcome(0).arrival, Fate.STORED, 1_000_000)
    (found,) = slices_of([early]).values()
    assert (found["e2e"].negatives, found["e2e"].counts) == (1, {})


@given(st.lists(st.integers(1_900_000, 9_000_000), min_size=1, max_size=50))
def test_a_slice_is_what_the_histogram_would_have_counted(acknowledged: list[int]) -> None:
    plain = Histogram()
    for at_us in acknowledged:
        plain.record(at_us - 1_900_000)
    (found,) = slices_of([Outcome(outcome(0).arrival, Fate.STORED, at_us) for at_us in acknowledged]).values()
    assert found["e2e"] == plain


def test_a_chunk_counts_each_fate() -> None:
    chunk = Chunk()
    for place, fate in enumerate((Fate.STORED, Fate.DEAD, Fate.LATE, Fate.AGAIN)):
        chunk.add(place, outcome(place, fate))
    chunk.add(0, outcome(0))
    chunk.add(5, outcome(5, Fate.DEAD, expect_dead=True))
    assert (list(chunk.stored), list(chunk.dead), list(chunk.late)) == ([0], [1, 5], [2])
    assert (chunk.repeats, chunk.redelivered, chunk.dead_unexpected) == (1, 1, 1)


@given(st.lists(st.integers(0, 30)), st.lists(st.integers(0, 30)), st.sets(st.integers(0, 30)))
def test_records_taken_together_count_as_one_by_one(first: list[int], second: list[int], dead: set[int]) -> None:
    together, single = Chunk(), Chunk()
    for places, fates in ((first, dead), (second, set())):
        found = [(place, outcome(place, Fate.DEAD if place in fates else Fate.STORED)) for place in places]
        together.take(found)
        for place, each in found:
            single.add(place, each)
    assert together == single


def test_each_ground_has_a_checkpoint_of_its_own(tmp_path: Path) -> None:
    parent = tmp_path / "spark" / "checkpoints"
    (parent / "microbatch-v1-abc_-1-g3").mkdir(parents=True)
    first = checkpoint.prepare(tmp_path, Generation(3, "realtime"), TOPIC)
    first.mkdir()
    assert checkpoint.prepare(tmp_path, Generation(3, "realtime"), TOPIC) == first
    assert first.exists()
    names = {
        checkpoint.folder(parent, Generation(number, profile), topic).name
        for number in (3, 4)
        for profile in ("realtime", "microbatch")
        for topic in (TOPIC, Topic("events", "other", 3))
    }
    assert len(names) == 8
    checkpoint.prepare(tmp_path, Generation(4, "realtime"), TOPIC)
    assert [left.name for left in parent.iterdir()] == ["microbatch-v1-abc_-1-g3"]


def test_a_new_checkpoint_begins_behind_what_is_measured() -> None:
    text = checkpoint.starting_offsets(TOPIC, {0: 41, 1: 4}, {0: 0, 1: 9, 2: 0})
    assert msgspec.json.decode(text) == {"events": {"0": 42, "1": -2, "2": -2}}


def test_a_profile_that_holds_whole_batches_takes_a_backlog_in_parts() -> None:
    assert all(
        0 < int(each.source["maxOffsetsPerTrigger"]) <= 200_000 for each in (microbatch.PROFILE, reference.PROFILE)
    )


def test_a_database_that_does_not_answer_is_asked_for_no_new_generation(tmp_path: Path) -> None:
    access = Access(Endpoints({}, "127.0.0.1:1"), Credentials({}, {}))
    with MongoClient[Document]("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=20") as away:
        topics: Topics = None  # type: ignore[assignment]  # not asked
        found = Ground("microbatch", access, topics, TOPIC, away, Generation(0, "microbatch"), tmp_path, True, "{}")
        assert not found.ask_anew("a gap")
        assert not found.give_up_checkpoint()


def test_the_last_cause_of_a_java_trace_is_told() -> None:
    trace = "Query died\n at x\nCaused by: a.B: first\n at y\nCaused by: c.D: no space left\n at z"
    assert last_cause(trace) == "c.D: no space left"
    assert last_cause("only this\n at x") == "only this"


@pytest.mark.parametrize("value", [b"", b"null", b"{}", b'{"source_offset":1}', b"\xff", b'{"source_topic_id":1}'])
def test_what_is_no_clean_record_is_refused(value: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        read_clean(value)


def test_what_a_foreign_job_never_shows_holds_its_position_for_a_while_only() -> None:
    expected = Expected({0: PartitionProgress(0)})
    for seq in range(3):
        expected.sent(f"e{seq}", outcome(seq).arrival, now_s=100.0)
    found = expected.found("e1")
    assert found is not None
    assert (found[0].record.source_offset, found[1]) == (1, False)
    assert expected.found("e1") == (found[0], True)
    assert expected.found("unknown") is None
    assert expected.partitions[0].measured(100.0 + GIVEN_UP_S) == -1
    assert expected.partitions[0].measured(101.0 + GIVEN_UP_S) == 2


def test_a_result_may_name_one_event_or_many() -> None:
    assert list(keys_of(["a", 5, ["b"], None, True, 1.5])) == ["a", 5, "b"]
    assert list(keys_of(None)) == []
