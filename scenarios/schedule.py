"""When the events of a scenario are due, and what bursts, pauses and a stop make of that.

A plan is first made from 0 µs on (`planned`), then shifted to the wall-clock second at which it begins. Spans and the
numbering of events are those of measure/schedule.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec

from measure.schedule import Span, clip
from scenarios.errors import ScenarioError
from scenarios.model import ReplaySource, Scenario

SECOND_US = 1_000_000
LONGEST_OWN_US = 7 * 86_400 * SECOND_US
"""Of a load by its file's own timing: one time that is wrong must not make a plan of a thousand years."""
Spans = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What the command line changes of a scenario's load."""

    duration_us: int | None = None
    rate: float | None = None
    scale: float | None = None


def planned(scenario: Scenario, change: Change, rows: int | None = None) -> Spans:
    """The spans of a scenario of stages, from 0 µs on. `rows`: events that the source has, None for endless.

    ScenarioError where `change` gives a rate to a scenario that alternates between several.
    """
    if change.rate is not None and len(scenario.rates) != 1:
        raise ScenarioError(
            f"--rate: expected a scenario of one rate, {scenario.name} has {len(scenario.rates)}: use --scale"
        )
    pattern = _pattern(scenario, change, rows)
    length_us = pattern[-1].end_us
    wanted_us = length_us if change.duration_us is None else change.duration_us
    times = -(-wanted_us // length_us)
    spans = [span for n in range(times) for span in shifted(pattern, n * length_us)]
    return cut_at_count(clip(spans, wanted_us), rows)


def _pattern(scenario: Scenario, change: Change, rows: int | None) -> list[Span]:
    spans: list[Span] = []
    at_us = 0
    for stage in scenario.stages * scenario.repeat:
        rate = (change.rate or stage.rate) * (change.scale or 1)
        length_us = stage.for_us if stage.for_us is not None else max(1, round((rows or 0) * 1e6 / rate))
        spans.append(Span(at_us, at_us + length_us, rate, "load"))
        at_us += length_us
    return spans


def own_timed(times_us: Iterable[int], source: ReplaySource, change: Change) -> Spans:
    """The spans of a replay by its own timing: for each second one, whose count is exact.

    Inside its second each event keeps the file's own time; the spans say how many there are.
    """
    if change.rate is not None:
        raise ScenarioError('--rate: expected a scenario with a rate, timing = "own" takes the file\'s: use --scale')
    speed = source.speed * (change.scale or 1)
    counts: Counter[int] = Counter()
    for due_us in own_dues_us(times_us, 0, speed):
        if change.duration_us is not None and due_us >= change.duration_us:
            break
        if due_us >= LONGEST_OWN_US:
            raise ScenarioError(
                f"{source.file}: expected events due within {LONGEST_OWN_US // 86_400 // SECOND_US} days at speed "
                f"{speed:g}, found one {due_us / 86_400 / SECOND_US:,.0f} days after the first: mend the row's time, "
                "raise source.speed, or cut with --duration"
            )
        counts[due_us // SECOND_US] += 1
    seconds = range(max(counts, default=-1) + 1)
    return tuple(_own_second(second, counts[second], change.duration_us) for second in seconds)


def _own_second(second: int, count: int, end_us: int | None) -> Span:
    """The span of one second with `count` events, cut at `end_us`: producers send nothing that is due after it."""
    start_us, until_us = second * SECOND_US, (second + 1) * SECOND_US
    if end_us is None or end_us >= until_us:
        return Span(start_us, until_us, float(count), "load")
    return Span(start_us, end_us, count * SECOND_US / (end_us - start_us), "load")


def own_dues_us(times_us: Iterable[int], start_us: int, speed: float) -> Iterable[int]:
    """Due times of events by their own times, `speed` times faster, the first at `start_us`."""
    first: int | None = None
    for at_us in times_us:
        first = at_us if first is None else first
        yield start_us + round((at_us - first) / speed)


def shifted(spans: Iterable[Span], by_us: int) -> Spans:
    """The spans, `by_us` later."""
    return tuple(
        msgspec.structs.replace(span, start_us=span.start_us + by_us, end_us=span.end_us + by_us) for span in spans
    )


def tail(spans: Iterable[Span], at_us: int) -> Spans:
    """What of the spans lies at or after `at_us`; a span that is cut begins anew there."""
    return tuple(
        msgspec.structs.replace(span, start_us=max(span.start_us, at_us)) for span in spans if span.end_us > at_us
    )


def cut_at_count(spans: Sequence[Span], count: int | None) -> Spans:
    """The spans up to their first `count` events, None for all."""
    if count is None:
        return tuple(spans)
    kept: list[Span] = []
    for span in spans:
        n = span.count
        if n >= count:
            # The end is where the next event would be due, so that the last one still lies before it.
            return (*kept, msgspec.structs.replace(span, end_us=span.due_us(count))) if count else tuple(kept)
        kept.append(span)
        count -= n
    return tuple(kept)


def count_of(spans: Iterable[Span]) -> int:
    """How many events are due in the spans."""
    return sum(span.count for span in spans)


@dataclass(frozen=True, slots=True)
class Timeline:
    """The spans in force, and those to which a pause returns. Each change gives a new timeline."""

    in_force: Spans
    base: Spans
    limit: int | None = None
    """Events that the source has, None for endless."""

    @classmethod
    def of(cls, spans: Spans, limit: int | None = None) -> Timeline:
        """The timeline of a plan that nobody has changed yet."""
        return cls(spans, spans, limit)

    @property
    def end_us(self) -> int:
        """Where the load ends."""
        return self.in_force[-1].end_us if self.in_force else 0

    def burst(self, at_us: int, rate: float, for_us: int) -> Timeline:
        """`rate` replaces what was in force from `at_us`, for `for_us`, at most to the end of the load."""
        until_us = min(at_us + for_us, self.end_us)
        return self._changed(at_us, (Span(at_us, until_us, rate, "burst"), *tail(self.in_force, until_us)))

    def pause(self, at_us: int) -> Timeline:
        """No event from `at_us` until it is resumed, or until the end of the load."""
        return self._changed(at_us, (Span(at_us, self.end_us, 0.0, "pause"),))

    def resume(self, at_us: int) -> Timeline:
        """Back to the scenario from `at_us`."""
        return self._changed(at_us, tail(self.base, at_us))

    def stop(self, at_us: int) -> Timeline:
        """The load ends at `at_us`."""
        return self._changed(at_us, ())

    def paused(self, at_us: int) -> bool:
        """Whether a pause is in force at this time."""
        return any(span.phase == "pause" and span.start_us <= at_us < span.end_us for span in self.in_force)

    def rate_at(self, at_us: int) -> float:
        """Events/s that are due at this time."""
        return next((span.rate for span in self.in_force if span.start_us <= at_us < span.end_us), 0.0)

    def following(self, at_us: int) -> Spans:
        """The spans in force from `at_us` on: what an amendment says."""
        return tail(self.in_force, at_us)

    def _changed(self, at_us: int, following: Spans) -> Timeline:
        whole = (*clip(self.in_force, at_us), *(span for span in following if span.end_us > span.start_us))
        return replace(self, in_force=cut_at_count(whole, self.limit))
