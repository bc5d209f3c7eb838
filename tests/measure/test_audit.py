"""The audit closes for whatever may happen to events, and does not where a set is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from measure.audit import Account, account, audit
from measure.figures import Audit
from measure.records import SpoolLine
from measure.schedule import Schedule, Span
from measure.sequences import ProducerSequences, SequenceSets

SENDING = st.sampled_from(["acked", "failed", "unsent", "unknown"])
FINDING = st.sampled_from(["stored", "dead", "late", "nowhere"])
Fates = list[tuple[str, str]]

FATES = st.lists(st.tuples(SENDING, FINDING), max_size=60)


def accounted(fates: list[tuple[str, str]]) -> tuple[Account, ProducerSequences]:
    """One producer whose event k has fate k; what was not sent is found nowhere."""
    sent = {name: BitMap() for name in ("acked", "failed", "unsent", "unknown")}
    found = {name: BitMap() for name in ("stored", "dead", "late", "nowhere")}
    for seq, (sending, finding) in enumerate(fates):
        sent[sending].add(seq)
        found["nowhere" if sending == "unsent" else finding].add(seq)
    scheduled = BitMap(range(len(fates)))
    return Account(scheduled, **sent), ProducerSequences(found["stored"], found["dead"], found["late"])


def audited(*producers: list[tuple[str, str]], **counts: int) -> Audit:
    pairs = [accounted(fates) for fates in producers]
    sets = SequenceSets({number: found for number, (_, found) in enumerate(pairs)}, **counts)
    return audit({number: held for number, (held, _) in enumerate(pairs)}, sets)


@given(FATES, FATES)
def test_every_event_is_in_one_class_and_the_audit_closes(one: Fates, two: Fates) -> None:
    found = audited(one, two)
    assert (found.closed, found.problems) == (True, [])
    assert found.scheduled == len(one) + len(two) == found.sent + found.unsent
    assert found.sent == found.acked + found.failed + found.unknown
    assert found.acked == (found.stored or 0) + (found.dead or 0) + (found.late or 0) + (found.lost or 0)
    both = [*one, *two]
    assert found.lost == both.count(("acked", "nowhere"))
    assert found.recovered == sum(s in ("failed", "unknown") and f != "nowhere" for s, f in both)


def test_the_first_lost_events_are_named() -> None:
    found = audited([("acked", "stored"), ("acked", "nowhere")], [("acked", "nowhere")])
    assert found.first["lost"] == ["0:1", "1:0"]


def test_repeats_are_duplicates_and_break_no_identity() -> None:
    found = audited([("acked", "stored")], repeats=2, redelivered=7)
    assert (found.duplicates, found.redelivered, found.closed) == (2, 7, True)


def test_what_was_never_scheduled_is_unexpected() -> None:
    held, found = accounted([("acked", "stored")])
    found.stored.add(5)
    result = audit({0: held}, SequenceSets({0: found, 3: ProducerSequences(BitMap([1]))}))
    assert result.unexpected == 2
    assert result.first["unexpected"] == ["0:5", "3:1"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"failed": BitMap([0])}, "both acknowledged and failed"),
        ({"acked": BitMap([0, 9])}, "acknowledged, though never scheduled"),
        ({"acked": BitMap()}, "is not sent 0"),
    ],
)
def test_an_account_that_is_wrong_does_not_close(change: dict[str, BitMap], problem: str) -> None:
    classes = {"acked": BitMap([0]), "failed": BitMap(), "unsent": BitMap(), "unknown": BitMap()} | change
    found = audit({0: Account(BitMap([0]), **classes)}, SequenceSets({0: ProducerSequences(BitMap([0]))}))
    assert not found.closed
    assert any(problem in each for each in found.problems)


def test_one_event_stored_and_dead_does_not_close() -> None:
    held, found = accounted([("acked", "stored")])
    found.dead.add(0)
    assert "both stored and dead" in audit({0: held}, SequenceSets({0: found})).problems[0]


def test_without_sets_the_audit_is_open_and_says_how_to_close_it() -> None:
    held, _ = accounted([("acked", "stored"), ("unknown", "nowhere")])
    found = audit({0: held}, None)
    assert (found.closed, found.stored, found.lost, found.acked) == (False, None, None, 1)
    assert "latency audit" in found.problems[0]


SCHEDULE = Schedule((Span(1_000_000, 11_000_000, 10.0),))
"""100 events, one each 100 ms."""


def test_a_dead_producer_leaves_unknown_until_its_death_and_unsent_after() -> None:
    spool = [SpoolLine(2_000_000, 10, acked=[(0, 8)])]
    held = account(SCHEDULE, 0, spool, BitMap())
    assert held.acked == BitMap(range(9))
    assert held.unknown == BitMap(range(9, 14))  # due up to 400 ms after the last line
    assert held.unsent == BitMap(range(14, 100))


def test_what_was_found_of_a_dead_producer_is_unknown_and_recovered_however_late_it_was_due() -> None:
    found = ProducerSequences(BitMap([50]))
    held = account(SCHEDULE, 0, [SpoolLine(2_000_000, 10, acked=[(0, 9)])], found.found)
    assert 50 in held.unknown
    result = audit({0: held}, SequenceSets({0: found}))
    assert (result.recovered, result.lost) == (1, 10)


def test_a_producer_that_never_spooled_sent_nothing_for_sure() -> None:
    held = account(SCHEDULE, 0, [], BitMap())
    assert (len(held.acked), len(held.unknown), len(held.unsent)) == (0, 4, 96)


@given(st.lists(st.tuples(st.integers(0, 99), st.sampled_from(["acked", "failed", "unsent"])), max_size=50), st.data())
def test_accounts_of_any_spool_are_disjoint_and_whole(told: list[tuple[int, str]], data: st.DataObject) -> None:
    fates = dict(told)
    lines = [SpoolLine(1_000_000 + 100_000 * seq, seq + 1, **{fate: [(seq, seq)]}) for seq, fate in fates.items()]
    found = BitMap(data.draw(st.sets(st.integers(0, 99))))
    held = account(SCHEDULE, 0, lines, found)
    parts = (held.acked, held.failed, held.unsent, held.unknown)
    assert sum(map(len, parts)) == len(held.scheduled) == 100
    assert BitMap.union(*parts) == held.scheduled
