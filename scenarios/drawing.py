"""A schedule as a drawing in text: rate over time, and how many events that is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import ceil

from measure.schedule import Span
from scenarios.duration import duration_text
from scenarios.schedule import SECOND_US, count_of

_BLOCKS = " ▁▂▃▄▅▆▇█"
_HEIGHT = 8


def draw(spans: Sequence[Span], width: int) -> list[str]:
    """Lines of at most `width` columns: the events due in each step of time, the axis, the sum."""
    end_us = spans[-1].end_us
    highest = max(span.rate for span in spans)
    labels = [f"{highest:,.6g} /s", *[""] * (_HEIGHT - 2), f"{highest / _HEIGHT:,.4g} /s"]
    margin = max(map(len, labels))
    columns = max(10, width - margin - 3)
    rates = _rates(spans, end_us, columns)
    lines = []
    for row, label in enumerate(labels):
        above = _HEIGHT - 1 - row
        filled = (_block(rate / highest * _HEIGHT - above) for rate in rates)
        lines.append(f"{label:>{margin}} ┤{''.join(filled).rstrip()}")
    lines.append(" " * margin + " └" + "─" * columns)
    lines.append(" " * (margin + 2) + "0s" + f"{_time(end_us):>{columns - 2}}")
    return lines


def _rates(spans: Sequence[Span], end_us: int, columns: int) -> list[float]:
    """The rate in each column: that of its middle, or the mean where spans are narrower than columns."""
    edges = [round(end_us * at / columns) for at in range(columns + 1)]
    if columns >= 2 * len(spans):
        middles = [(start + end) // 2 for start, end in pairwise(edges)]
        return [next((s.rate for s in spans if s.start_us <= at < s.end_us), 0.0) for at in middles]
    due = [sum(span.due_before(edge) for span in spans) for edge in edges]
    steps = zip(pairwise(due), pairwise(edges), strict=True)
    return [(upto - before) / ((end - start) / 1e6) if end > start else 0.0 for (before, upto), (start, end) in steps]


def _block(height: float) -> str:
    """How much of a row a column of this height (in rows above its foot) fills."""
    return _BLOCKS[max(0, min(8, ceil(height * 8 - 0.5)))]


def _time(us: int) -> str:
    return duration_text(us if us < SECOND_US else round(us / SECOND_US) * SECOND_US)


def in_words(spans: Sequence[Span]) -> str:
    """`1,800,000 events in 15m`."""
    return f"{count_of(spans):,} events in {_time(spans[-1].end_us)}"
