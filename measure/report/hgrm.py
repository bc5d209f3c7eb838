"""Percentile distributions as HdrHistogram's own tools print and plot them (`.hgrm`), one block for each stage.

A block is what `HistogramLogProcessor` writes, in ms. Events that never arrived have no value, so the lines of such a
stage end below 1 and a comment says how many there were.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from measure.document import in_order
from measure.histogram import Histogram, bucket_middle_us
from measure.load import FROM_DUE
from measure.report.source import Source
from measure.report.stages import way

TICKS_PER_HALF = 5
"""As many lines for each halving of the distance to 100 %, as HdrHistogram writes by default."""


def render(source: Source) -> str:
    """All stages, in the order of an event's way."""
    held = source.digest.histograms()
    blocks = [block(stage, held[stage], source.digest.infinite if stage in FROM_DUE else 0) for stage in in_order(held)]
    return "\n".join(blocks) if blocks else "#[No latency was measured]\n"


def block(stage: str, histogram: Histogram, infinite: int = 0) -> str:
    """One stage's distribution."""
    lines = [
        f"#[Stage {stage}: {way(stage)}]",
        f"{'Value':>12} {'Percentile':>14} {'TotalCount':>10} 1/(1-Percentile)",
        "",
    ]
    lines += [
        f"{value_ms:12.3f} {share:14.12f} {below:10d}" + (f" {1 / (1 - share):14.2f}" if share < 1 else "")
        for value_ms, share, below in steps(histogram, infinite)
    ]
    mean_us = histogram.mean_us()
    lines += [
        f"#[Mean    = {(mean_us or 0) / 1000:12.3f}, StdDeviation   = {_deviation_us(histogram) / 1000:12.3f}]",
        f"#[Max     = {histogram.max_us / 1000:12.3f}, Total count    = {histogram.n:12d}]",
        "#[Buckets = 0, SubBuckets     = 2048]",
    ]
    if infinite:
        lines.append(f"#[Never arrived, ranked last = {infinite}]")
    return "\n".join(lines) + "\n"


def steps(histogram: Histogram, infinite: int = 0) -> Iterator[tuple[float, float, int]]:
    """(value in ms, share of the events at or below it, their number), denser towards the end."""
    total = histogram.n + infinite
    below, wanted = 0, 0.0
    last = max(histogram.counts, default=None)
    for index in sorted(histogram.counts):
        below += histogram.counts[index]
        share = below / total
        if share < wanted and index != last:
            continue
        value_us = min(bucket_middle_us(index), histogram.max_us)
        yield value_us / 1000, share, below
        while wanted <= share < 1:
            wanted += (1 - wanted) / (2 * TICKS_PER_HALF) if wanted else 1 / (2 * TICKS_PER_HALF)


def _deviation_us(histogram: Histogram) -> float:
    mean_us = histogram.mean_us()
    if mean_us is None:
        return 0.0
    squares = sum(n * (bucket_middle_us(index) - mean_us) ** 2 for index, n in histogram.counts.items())
    return math.sqrt(squares / histogram.n)
