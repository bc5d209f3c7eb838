"""How stored chunks become the sets of a run, and the ids under which documents are kept."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from measure import store

RECORDS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from(["stored", "dead"]), st.integers(0, 200_000)),
    max_size=200,
)


def as_chunks(records: list[tuple[int, int, str, int]]) -> list[dict[str, Any]]:
    """What a sink makes of `records` (producer, partition, kind, seq): a repeat is one within its set."""
    chunks: dict[tuple[int, int, int], dict[str, Any]] = {}
    for producer, partition, kind, seq in records:
        number, place = store.split_seq(seq)
        chunk = chunks.setdefault(
            (producer, partition, number),
            {"producer": producer, "chunk": number, "stored": BitMap(), "dead": BitMap(), "repeats": 0},
        )
        chunk["repeats"] += place in chunk[kind]
        chunk[kind].add(place)
    for chunk in chunks.values():
        chunk["stored"], chunk["dead"] = chunk["stored"].serialize(), chunk["dead"].serialize()
    return list(chunks.values())


@given(RECORDS)
def test_chunks_give_the_sets_back_and_each_record_beyond_the_first_is_a_repeat(
    records: list[tuple[int, int, str, int]],
) -> None:
    sets = store.merged_chunks(as_chunks(records))
    for producer, found in sets.producers.items():
        for kind in ("stored", "dead"):
            assert set(getattr(found, kind)) == {r[3] for r in records if r[0] == producer and r[2] == kind}
    assert sets.repeats == sum(n - 1 for n in Counter((r[0], r[3]) for r in records).values())


def test_the_largest_sequence_number_comes_back() -> None:
    sets = store.merged_chunks(as_chunks([(0, 0, "stored", store.LARGEST_SEQ)]))
    assert list(sets.producers[0].stored) == [store.LARGEST_SEQ]


def test_a_chunk_without_sets_counts_only() -> None:
    sets = store.merged_chunks([{"producer": 4, "chunk": 0, "redelivered": 3, "dead_unexpected": 2}])
    assert (sets.redelivered, sets.dead_unexpected) == (3, 2)
    assert not sets.producers[4].found


def test_a_stage_that_has_negatives_only_is_there() -> None:
    found = store.histograms({"stages": {"e2e": {"5": 2}}, "negatives": {"produce": 3}, "max_us": {"e2e": 5}})
    assert (found["e2e"].n, found["e2e"].max_us, found["produce"].negatives) == (2, 5, 3)
