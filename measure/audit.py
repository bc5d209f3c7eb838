"""The audit: what became of every event, from sets of sequence numbers.

What the producers say (scheduled, acknowledged, failed, unsent, unknown) comes from the schedule and their spools;
what was found behind Kafka comes from the sink's sets. Every class is a set; the identities between them are checked,
and an audit that breaks one is not closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice

from pyroaring import BitMap

from measure.figures import Audit
from measure.records import SpoolLine
from measure.schedule import Schedule
from measure.sequences import ProducerSequences, SequenceSets, from_ranges

SPOOL_EVERY_US = 200_000
"""How often a producer spools; one that has not for twice as long is dead, or was."""

NAMED = 20
"""So many events of a class are named."""


@dataclass(frozen=True, slots=True)
class Account:
    """What one producer says of its events. The last four are meant to be disjoint, and all of `scheduled`."""

    scheduled: BitMap
    acked: BitMap
    failed: BitMap
    unsent: BitMap
    unknown: BitMap
    """Handed over, or may have been, with neither acknowledgement nor failure."""


def account(schedule: Schedule, producer: int, spool: Sequence[SpoolLine], found: BitMap) -> Account:
    """What `producer` spooled, completed by what its silence means.

    What is in no spool was unsent if it was due after the producer's death, unless it was found all the same; else
    its fate is unknown. A producer dies unseen, so its death is put as late as it can be: twice the spool's interval
    after its last line.
    """
    scheduled = BitMap(range(schedule.count_of(producer)))
    acked = from_ranges(pair for line in spool for pair in line.acked)
    failed = from_ranges(pair for line in spool for pair in line.failed)
    unsent = from_ranges(pair for line in spool for pair in line.unsent)
    silent = scheduled - acked - failed - unsent
    handed_over = BitMap(range(_handed_over_at_most(schedule, producer, spool)))
    unknown = silent & (handed_over | found)
    return Account(scheduled, acked, failed, unsent | (silent - unknown), unknown)


def _handed_over_at_most(schedule: Schedule, producer: int, spool: Sequence[SpoolLine]) -> int:
    start_us = schedule.start_us
    if start_us is None:
        return 0
    last_us = max((line.t_us for line in spool), default=start_us)
    due = schedule.due_before(last_us + 2 * SPOOL_EVERY_US)
    due_of_producer = max(0, (due - producer + schedule.producers - 1) // schedule.producers)
    return max(due_of_producer, *(line.next_seq for line in spool), 0)


def audit(
    accounts: Mapping[int, Account],
    sets: SequenceSets | None,
    unmeasured: int | None = None,
    unattributed: int | None = None,
) -> Audit:
    """The audit of a run's events. Without `sets` (never read out of the database) it stays open."""
    if sets is None:
        return _open_audit(accounts, unattributed)
    found = {producer: sets.of(producer) for producer in sorted({*accounts, *sets.producers})}
    classes = _classes(accounts, found)
    sizes = {name: sum(len(numbers) for numbers in by_producer.values()) for name, by_producer in classes.items()}
    problems = [*_spool_problems(accounts), *_found_problems(accounts, found), *_identity_problems(sizes)]
    return Audit(
        **sizes,
        duplicates=sets.repeats,
        redelivered=sets.redelivered,
        unmeasured=unmeasured,
        dead_unexpected=sets.dead_unexpected,
        unattributed=unattributed,
        closed=not problems,
        problems=problems,
        first=_first(classes, ("lost", "unexpected", "failed", "unknown", "unsent", "recovered")),
    )


def _open_audit(accounts: Mapping[int, Account], unattributed: int | None) -> Audit:
    classes = _sending_classes(accounts)
    sizes = {name: sum(len(numbers) for numbers in by_producer.values()) for name, by_producer in classes.items()}
    missing = (
        "what was stored was never read out of the database: run `latency audit RUN` while the stack of this run is up"
    )
    return Audit(
        **sizes,
        stored=None,
        dead=None,
        late=None,
        lost=None,
        recovered=None,
        unexpected=None,
        duplicates=None,
        redelivered=None,
        unmeasured=None,
        unattributed=unattributed,
        closed=False,
        problems=[missing, *_spool_problems(accounts)],
        first=_first(classes, ("failed", "unknown", "unsent")),
    )


Class = dict[int, BitMap]
"""Producer → its numbers of one class."""


def _sending_classes(accounts: Mapping[int, Account]) -> dict[str, Class]:
    return {
        "scheduled": {producer: held.scheduled for producer, held in accounts.items()},
        "sent": {producer: held.acked | held.failed | held.unknown for producer, held in accounts.items()},
        "unsent": {producer: held.unsent for producer, held in accounts.items()},
        "acked": {producer: held.acked for producer, held in accounts.items()},
        "failed": {producer: held.failed for producer, held in accounts.items()},
        "unknown": {producer: held.unknown for producer, held in accounts.items()},
    }


def _classes(accounts: Mapping[int, Account], found: Mapping[int, ProducerSequences]) -> dict[str, Class]:
    nothing = ProducerSequences()
    classes = _sending_classes(accounts)
    classes |= {name: {} for name in ("stored", "dead", "late", "lost", "recovered", "unexpected")}
    for producer, held in accounts.items():
        seen = found.get(producer, nothing)
        classes["stored"][producer] = held.acked & seen.stored
        classes["dead"][producer] = held.acked & seen.dead
        classes["late"][producer] = held.acked & seen.late
        classes["lost"][producer] = held.acked - seen.found
        classes["recovered"][producer] = (held.unknown | held.failed) & seen.found
    for producer, seen in found.items():
        scheduled = accounts[producer].scheduled if producer in accounts else BitMap()
        classes["unexpected"][producer] = seen.found - scheduled
    return classes


def _spool_problems(accounts: Mapping[int, Account]) -> Iterator[str]:
    for producer, held in accounts.items():
        fates = {"acknowledged": held.acked, "failed": held.failed, "unsent": held.unsent, "unknown": held.unknown}
        for (one, numbers), (other, others) in combinations(fates.items(), 2):
            if both := numbers & others:
                yield f"producer {producer}: {in_words(both)} both {one} and {other}"
        for fate, numbers in fates.items():
            if beyond := numbers - held.scheduled:
                yield f"producer {producer}: {in_words(beyond)} {fate}, though never scheduled"


def _found_problems(accounts: Mapping[int, Account], found: Mapping[int, ProducerSequences]) -> Iterator[str]:
    for producer, held in accounts.items():
        seen = found[producer]
        fates = {"stored": seen.stored, "dead": seen.dead, "late": seen.late}
        for (one, numbers), (other, others) in combinations(fates.items(), 2):
            if both := numbers & others & held.acked:
                yield f"producer {producer}: {in_words(both)} both {one} and {other}"
        if both := held.unsent & seen.found:
            yield f"producer {producer}: {in_words(both)} noted as unsent, yet found"


def _identity_problems(sizes: Mapping[str, int]) -> Iterator[str]:
    for whole, parts in (
        ("scheduled", ("sent", "unsent")),
        ("sent", ("acked", "failed", "unknown")),
        ("acked", ("stored", "dead", "late", "lost")),
    ):
        if sizes[whole] != sum(sizes[part] for part in parts):
            terms = " + ".join(f"{part} {sizes[part]:,}" for part in parts)
            yield f"{whole} {sizes[whole]:,} is not {terms}"


def _first(classes: Mapping[str, Class], names: Iterable[str]) -> dict[str, list[str]]:
    listed = {name: list(islice(_labels(classes[name]), NAMED)) for name in names}
    return {name: labels for name, labels in listed.items() if labels}


def _labels(by_producer: Class) -> Iterator[str]:
    for producer, numbers in sorted(by_producer.items()):
        for seq in numbers:
            yield f"{producer}:{seq}"


def in_words(numbers: BitMap) -> str:
    """In words: how many events, and the first of them."""
    return f"{len(numbers):,} event{'s' if len(numbers) != 1 else ''} (first {numbers.min()})"
