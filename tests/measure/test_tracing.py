"""The recount against the audit: it agrees where all is well, and finds each way in which it is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from measure.audit import Account
from measure.sequences import ProducerSequences, SequenceSets
from measure.tracing import Recount, Sightings, Tracks, recount

N = 12


def sightings(*seqs: int) -> Sightings:
    """Event k at partition k % 3, offset 100 + k; a repeat at offset 200 + k."""
    made = Sightings()
    seen: set[int] = set()
    for seq in seqs:
        made.add(seq, seq % 3, (200 if seq in seen else 100) + seq)
        seen.add(seq)
    return made


class World:
    """One producer's events, all well: 11 stored and one dead letter."""

    def __init__(self) -> None:
        every = BitMap(range(N))
        self.accounts = {0: Account(every, every, BitMap(), BitMap(), BitMap())}
        self.sets = SequenceSets({0: ProducerSequences(stored=BitMap(range(N - 1)), dead=BitMap([N - 1]))})
        self.tracks = Tracks(events={0: sightings(*range(N))}, clean={0: sightings(*range(N - 1))})
        self.tracks.markers = {0: sightings(N - 1)}
        for seq in range(N - 1):
            for windows in (self.tracks.expected, self.tracks.windows):
                windows[0, "purchase", seq % 3] += 1

    @property
    def found(self) -> Recount:
        return recount("r-1", self.accounts, self.sets, self.tracks)


def test_where_all_is_well_the_two_agree() -> None:
    found = World().found
    assert (found.differences, found.named) == ([], [])
    assert (found.in_events, found.in_clean, found.dead_letters, found.in_windows) == (12, 11, 1, 11)


def lose_in_kafka(world: World) -> None:
    world.tracks.events = {0: sightings(*range(1, N))}
    world.tracks.clean = {0: sightings(*range(1, N - 1))}
    world.sets.of(0).stored.discard(0)
    world.tracks.expected[0, "purchase", 0] -= 1
    world.tracks.windows[0, "purchase", 0] -= 1


def lose_before_clean(world: World) -> None:
    lose_in_kafka(world)
    world.tracks.events = {0: sightings(*range(N))}


def lose_in_the_sink(world: World) -> None:
    world.sets.of(0).stored.discard(0)
    world.tracks.windows[0, "purchase", 0] -= 1


@pytest.mark.parametrize(
    ("lose", "stopped", "place"),
    [
        (lose_in_kafka, "not in Kafka", (None, None)),
        (lose_before_clean, "in Kafka, not in clean", (0, 100)),
        (lose_in_the_sink, "in clean, not stored", (0, 100)),
    ],
)
def test_a_lost_event_is_named_with_where_it_stopped(
    lose: Callable[[World], None], stopped: str, place: tuple[int | None, int | None]
) -> None:
    world = World()
    lose(world)
    (named,) = world.found.named
    assert (named.kind, named.producer, named.seq, named.stopped) == ("lost", 0, 0, stopped)
    assert (named.partition, named.offset) == place
    assert world.found.differences


def test_without_a_clean_topic_a_lost_event_stopped_behind_kafka() -> None:
    world = World()
    lose_in_the_sink(world)
    world.tracks.clean = None
    assert world.found.named[0].stopped == "in Kafka, not stored"


def test_an_event_twice_in_kafka_is_named_with_its_second_position_and_is_no_disagreement() -> None:
    world = World()
    world.tracks.events = {0: sightings(*range(N), 4)}
    world.tracks.clean = {0: sightings(*range(N - 1), 4)}
    world.tracks.expected[0, "purchase", 1] += 1
    world.tracks.windows[0, "purchase", 1] += 1
    world.sets.repeats = 1
    (named,) = world.found.named
    assert (named.kind, named.seq, named.partition, named.offset) == ("duplicate", 4, 1, 204)
    assert world.found.differences == []
    world.sets.repeats = 0
    assert world.found.differences == ["1 repeats by the clean topic, 0 by the sink's sets"]


def test_a_window_that_counted_twice_is_found() -> None:
    world = World()
    world.tracks.windows[0, "purchase", 2] += 1
    (difference,) = world.found.differences
    assert difference.startswith("window 1970-01-01 00:00 purchase of partition 2: ")


def test_a_sink_that_claims_what_the_clean_topic_does_not_have_is_found() -> None:
    world = World()
    world.tracks.clean = {0: sightings(*range(1, N - 1))}
    differences = world.found.differences
    assert any("1 event (first 0) stored by the sink's sets, not by the clean topic" in each for each in differences)


def test_an_unsent_event_that_is_in_kafka_is_found() -> None:
    world = World()
    held = world.accounts[0]
    world.accounts = {0: Account(held.scheduled, held.acked - BitMap([5]), BitMap(), BitMap([5]), BitMap())}
    assert "producer 0: 1 event (first 5) noted as unsent, and in Kafka" in world.found.differences


def test_replays_in_the_clean_topic_are_told_and_change_nothing() -> None:
    world = World()
    world.tracks.replayed = 5
    assert (world.found.replayed, world.found.differences) == (5, [])


@given(st.lists(st.integers(0, 30), max_size=80))
def test_repeats_are_the_records_beyond_the_first(seqs: list[int]) -> None:
    made = Sightings()
    for offset, seq in enumerate(seqs):
        made.add(seq, 0, offset)
    firsts = {seq: seqs.index(seq) for seq in set(seqs)}
    expected = [(seq, 0, offset) for offset, seq in enumerate(seqs) if firsts[seq] != offset]
    assert list(made.repeats()) == expected
    assert made.numbers == BitMap(seqs)
    assert all(made.place(seq) == (0, offset) for seq, offset in firsts.items())
