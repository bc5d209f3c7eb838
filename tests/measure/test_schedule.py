"""When events are due: the arithmetic against counting by hand, in Python and in numpy."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from measure.schedule import Schedule, Span, amended, burst_spans, clip

START_US = 1_795_514_400_000_000


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    spans, at = [], START_US + draw(st.integers(0, 999_999))
    for _ in range(draw(st.integers(1, 4))):
        end = at + draw(st.integers(0, 3_000_000))
        spans.append(Span(at, end, draw(st.sampled_from([0.0, 0.3, 1.0, 7.0, 100.0, 333.3]))))
        at = end
    return Schedule(tuple(spans), draw(st.integers(1, 3)))


def by_hand(schedule: Schedule) -> list[int]:
    """Due times of all events, span by span."""
    dues = []
    for span in schedule.spans:
        k = 0
        while span.rate > 0 and (due := span.start_us + round(k * 1e6 / span.rate)) < span.end_us:
            dues.append(due)
            k += 1
    return dues


@given(schedules())
def test_due_times_are_those_counted_by_hand(schedule: Schedule) -> None:
    dues = by_hand(schedule)
    assert schedule.count == len(dues)
    assert schedule.due_us(np.arange(len(dues))).tolist() == dues if dues else True


@given(schedules())
def test_each_event_belongs_to_one_producer(schedule: Schedule) -> None:
    counts = [schedule.count_of(producer) for producer in range(schedule.producers)]
    assert sum(counts) == schedule.count
    dues = [schedule.due_us_of(p, np.arange(n)).tolist() for p, n in enumerate(counts) if n]
    assert sorted(due for part in dues for due in part) == sorted(by_hand(schedule))


@given(schedules(), st.integers(0, 13_000_000))
def test_what_is_due_before_a_moment_and_in_each_second_adds_up(schedule: Schedule, after_us: int) -> None:
    dues = by_hand(schedule)
    assert schedule.due_before(START_US + after_us) == sum(due < START_US + after_us for due in dues)
    in_seconds = schedule.due_in_second()
    assert in_seconds == {s: sum(due // 1_000_000 == s for due in dues) for s in {due // 1_000_000 for due in dues}}


@given(schedules(), st.integers(0, 12_000_000))
def test_clipping_keeps_the_due_times_of_what_is_left(schedule: Schedule, after_us: int) -> None:
    end_us = START_US + after_us
    assert by_hand(Schedule(tuple(clip(schedule.spans, end_us)))) == [due for due in by_hand(schedule) if due < end_us]


def test_a_change_replaces_the_spans_from_its_moment_on() -> None:
    planned = [Span(0, 10_000_000, 100.0, "load")]
    burst = [Span(4_000_000, 6_000_000, 5000.0, "burst"), Span(6_000_000, 10_000_000, 100.0, "load")]
    assert amended(planned, [(4_000_000, burst)]) == [Span(0, 4_000_000, 100.0, "load"), *burst]


def test_a_change_may_give_the_whole_list_again() -> None:
    whole = [Span(0, 4_000_000, 100.0, "load"), Span(4_000_000, 5_000_000, 0.0, "pause")]
    assert amended([Span(0, 10_000_000, 100.0, "load")], [(4_000_000, whole)]) == whole


def test_bursts_are_the_spans_at_the_higher_rates() -> None:
    high, low = Span(0, 30, 5000.0), Span(30, 60, 100.0)
    assert burst_spans([high, low]) == [high]
    assert burst_spans([low, Span(60, 90, 100.0)]) == []
