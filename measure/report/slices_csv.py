"""The slices as CSV: one line for each due-second and stage."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from measure.document import in_order
from measure.histogram import Histogram
from measure.load import FROM_DUE, Load
from measure.percentiles import PERCENTS, milliseconds, read_percentiles
from measure.report.source import Source

COLUMNS = ("run", "second", "at_s", "stage", "n", "infinite", "negatives", *PERCENTS, "max", "mean")
"""Times in ms but `second` (of the epoch) and `at_s` (from the start of the load). An empty cell is no value."""


def render(source: Source) -> str:
    """All slices of the load. They are read anew: the digest has merged them already."""
    load = Load.read(source.folder)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_rows(source.document.run, load))
    return out.getvalue()


def _rows(run: str, load: Load) -> Iterator[list[object]]:
    origin_us = load.schedule.start_us or 0
    for second in sorted({*load.slices, *load.missing}):
        at_s = round(second - origin_us / 1e6, 3)
        missing = load.missing[second]
        stages = ({"e2e": Histogram()} if missing else {}) | load.slices.get(second, {})
        for stage in in_order(stages):
            yield [run, second, at_s, stage, *_figures(stages[stage], missing if stage in FROM_DUE else 0)]


def _figures(held: Histogram, infinite: int) -> list[object]:
    mean_us = None if infinite else held.mean_us()
    read = read_percentiles(held, tuple(PERCENTS.values()), infinite)
    shown = ["" if each.ms is None else each.ms for each in read]
    max_ms = milliseconds(held.max_us) if held.n else ""
    return [
        held.n + infinite,
        infinite,
        held.negatives,
        *shown,
        max_ms,
        "" if mean_us is None else milliseconds(mean_us),
    ]
