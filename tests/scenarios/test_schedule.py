"""The schedule that producers follow, and that the audit counts by: they must be the same one, whatever is amended."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from measure.schedule import Schedule, Span, amended
from scenarios import catalog
from scenarios.agenda import RateAgenda
from scenarios.draft import Draft
from scenarios.errors import ScenarioError
from scenarios.schedule import SECOND_US, Change, Timeline, count_of, planned, shifted

T0_US = 1_700_000_000 * SECOND_US
HEARD_BEFORE_US = 500_000
rates = st.floats(0.5, 900, allow_nan=False)
stages = st.lists(st.tuples(rates, st.integers(1, 6)), min_size=1, max_size=4)


def spans_of(stages: list[tuple[float, int]], start_us: int = T0_US) -> tuple[Span, ...]:
    spans, at_us = [], start_us
    for rate, seconds in stages:
        spans.append(Span(at_us, at_us + seconds * SECOND_US, rate, "load"))
        at_us += seconds * SECOND_US
    return tuple(spans)


def endless() -> Iterator[Draft]:
    while True:
        yield Draft(b"k", b"")


def sent_by(agenda: RateAgenda, changes: list[tuple[int, tuple[Span, ...]]]) -> list[tuple[int, int]]:
    """(seq, due) of everything that the agenda gives, told each change shortly before it is in force."""
    sent = []
    waiting = list(changes)
    while True:
        while waiting and (agenda.next_us is None or agenda.next_us >= waiting[0][0] - HEARD_BEFORE_US):
            agenda.amend(*waiting.pop(0))
        if agenda.next_us is None:
            return sent
        sent.append((agenda.next_seq, agenda.next_us))
        agenda.take()


commands = st.lists(
    st.tuples(
        st.sampled_from(["burst", "pause", "resume", "stop"]), st.integers(100_000, 4_000_000), rates, st.integers(1, 5)
    ),
    max_size=5,
)


def amend(timeline: Timeline, command: tuple[str, int, float, int], at_us: int) -> Timeline:
    kind, _, rate, seconds = command
    match kind:
        case "burst":
            return timeline.burst(at_us, rate, seconds * SECOND_US)
        case "pause":
            return timeline.pause(at_us)
        case "resume":
            return timeline.resume(at_us)
        case _:
            return timeline.stop(at_us)


@settings(deadline=None)  # thousands of events each, on a machine that may be busy
@given(stages=stages, commands=commands, producers=st.integers(1, 4))
def test_producers_send_what_the_audit_expects_whatever_is_amended(
    stages: list[tuple[float, int]], commands: list[tuple[str, int, float, int]], producers: int
) -> None:
    timeline = Timeline.of(spans_of(stages))
    first, changes, at_us = timeline.in_force, [], T0_US
    for command in commands:
        at_us += command[1]
        if at_us >= timeline.end_us:
            break
        timeline = amend(timeline, command, at_us)
        changes.append((at_us, timeline.following(at_us)))
    schedule = Schedule(tuple(amended(first, changes)), producers)
    assert schedule.spans == timeline.in_force
    for producer in range(producers):
        sent = sent_by(RateAgenda(first, producer, producers, endless()), changes)
        assert [seq for seq, _ in sent] == list(range(schedule.count_of(producer)))
        dues = [due for _, due in sent]
        assert dues == sorted(dues)
        assert dues == schedule.due_us_of(producer, np.arange(len(sent))).tolist()


@settings(deadline=None)
@given(stages=stages, limit=st.integers(0, 3_000), for_s=st.integers(1, 4), rate=rates)
def test_a_burst_in_a_replay_never_wants_more_events_than_the_file_has(
    stages: list[tuple[float, int]], limit: int, for_s: int, rate: float
) -> None:
    timeline = Timeline.of(spans_of(stages), limit)
    at_us = T0_US + SECOND_US // 2
    changed = timeline.burst(at_us, rate, for_s * SECOND_US)
    assert count_of(changed.in_force) <= limit
    before = Schedule(timeline.in_force).due_before(at_us)
    assert Schedule(changed.in_force).due_before(at_us) == min(before, limit)


@settings(deadline=None)
@given(stages=stages)
def test_a_pause_that_is_resumed_at_once_takes_nothing_away_but_the_rest_of_a_step(
    stages: list[tuple[float, int]],
) -> None:
    timeline = Timeline.of(spans_of(stages))
    at_us = T0_US + SECOND_US // 3
    again = timeline.pause(at_us).resume(at_us + 1)
    assert again.end_us == timeline.end_us
    assert abs(count_of(again.in_force) - count_of(timeline.in_force)) <= 1


@pytest.mark.parametrize(
    ("name", "change", "events", "seconds"),
    [
        ("steady", Change(), 900_000, 1_800),
        ("peak", Change(), 1_800_000, 900),
        ("burst", Change(), 3_060_000, 1_200),
        ("smoke", Change(), 10_000, 20),
        ("peak", Change(duration_us=60 * SECOND_US), 120_000, 60),
        ("burst", Change(duration_us=120 * SECOND_US), 306_000, 120),
        ("burst", Change(duration_us=45 * SECOND_US), 151_500, 45),
        ("smoke", Change(duration_us=50 * SECOND_US), 25_000, 50),
        ("burst", Change(scale=0.1), 306_000, 1_200),
        ("peak", Change(rate=50, duration_us=SECOND_US), 50, 1),
    ],
)
def test_the_reports_scenarios_hold_what_the_report_says(name: str, change: Change, events: int, seconds: int) -> None:
    spans = planned(catalog.load(name), change)
    assert count_of(spans) == events
    assert spans[-1].end_us == seconds * SECOND_US


def test_a_rate_for_a_scenario_of_several_is_refused() -> None:
    with pytest.raises(ScenarioError, match=r"--rate.*burst has 2: use --scale"):
        planned(catalog.load("burst"), Change(rate=100))


def test_shifting_moves_every_due_time_alike() -> None:
    spans = planned(catalog.load("burst"), Change())
    moved = shifted(spans, T0_US)
    assert [span.due_us(7) - T0_US for span in moved] == [span.due_us(7) for span in spans]
