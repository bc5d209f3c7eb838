"""The digest of a run's slices: small enough that a report of a long run opens at once.

A half-hour run has a hundred megabytes of slices. What a report shows of them (whole-run histograms, and percentiles
over time at no more than 600 points) is put in `digest.json` beside them, once; it is made again when the slices have
changed since. Percentiles of a point are those of its merged slices, with the events that never arrived ranked last.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from measure.decoding import decode
from measure.figures import Status
from measure.folder import RunFolder, replace_file
from measure.histogram import Histogram
from measure.load import Load
from measure.percentiles import milliseconds, read_percentiles

MOST_POINTS = 600
STEPS_S = (1, 2, 3, 5, 10, 15, 20, 30, 60, 120, 180, 300, 600)
FILE = "digest.json"
VERSION = 1


class Point(msgspec.Struct, frozen=True):
    """The events due in one step of the time line; e2e in ms."""

    at_s: float
    n: int
    """Events due that had to be stored, those that never arrived among them."""
    infinite: int
    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None
    means: dict[str, float] = {}
    """Stage → mean in ms of the events that passed it."""


class Counts(msgspec.Struct, frozen=True):
    """A histogram as it is stored."""

    counts: dict[int, int]
    negatives: int
    max_us: int

    @classmethod
    def of(cls, histogram: Histogram) -> Counts:
        """The stored form of `histogram`."""
        return cls(dict(sorted(histogram.counts.items())), histogram.negatives, histogram.max_us)

    def histogram(self) -> Histogram:
        """The histogram that was stored."""
        return Histogram(dict(self.counts), self.negatives, self.max_us)


class Digest(msgspec.Struct, frozen=True):
    """What a report shows of a run's slices."""

    version: int
    source: tuple[int, int]
    """Size and time of change (ms) of the slices that it was made of."""
    step_s: int
    points: list[Point]
    stages: dict[str, Counts]
    infinite: int
    """Events due that never arrived or were not measured; they rank last in e2e."""

    @classmethod
    def of(cls, load: Load, source: tuple[int, int]) -> Digest:
        """The digest of a load that was read whole."""
        seconds = sorted({*load.due, *load.slices})
        origin_us = load.schedule.start_us or 0
        step_s = step_for(seconds[-1] - seconds[0] + 1) if seconds else 1
        points = [
            _point(start - origin_us / 1e6, load.histograms(part), sum(load.missing[second] for second in part))
            for start, part in _steps(seconds, step_s)
        ]
        return cls(
            version=VERSION,
            source=source,
            step_s=step_s,
            points=points,
            stages={stage: Counts.of(histogram) for stage, histogram in sorted(load.whole.items())},
            infinite=load.infinite(),
        )

    def histograms(self) -> Mapping[str, Histogram]:
        """Stage → histogram of the whole load."""
        return {stage: counts.histogram() for stage, counts in self.stages.items()}


def read_digest(folder: RunFolder) -> Digest:
    """The digest of `folder`: the stored one if it is of these slices, else a new one, stored for the next time."""
    source = _source(folder)
    stored = _stored(folder)
    if stored is not None and stored.source == source and stored.version == VERSION:
        return stored
    return write_digest(folder, Load.read(folder), source)


def write_digest(folder: RunFolder, load: Load, source: tuple[int, int] | None = None) -> Digest:
    """Make and store the digest of `load`, which was read from `folder`. A run that still goes on has none stored."""
    digest = Digest.of(load, source or _source(folder))
    if folder.status() is not Status.RUNNING:
        with contextlib.suppress(OSError):  # a folder that cannot be written to is read all the same, only slower
            replace_file(folder.path / FILE, msgspec.json.encode(digest))
    return digest


def step_for(seconds: int) -> int:
    """Length in s of a point, so that `seconds` make no more than 600."""
    fitting = (step for step in STEPS_S if seconds <= step * MOST_POINTS)
    return next(fitting, -(-seconds // MOST_POINTS))


def _steps(seconds: Sequence[int], step_s: int) -> Iterator[tuple[int, list[int]]]:
    """(first second, the seconds in it that have events) of each step that has any."""
    steps: dict[int, list[int]] = {}
    for second in seconds:
        steps.setdefault((second - seconds[0]) // step_s, []).append(second)
    for step, part in steps.items():
        yield seconds[0] + step * step_s, part


def _point(at_s: float, stages: Mapping[str, Histogram], missing: int) -> Point:
    e2e = stages.get("e2e", Histogram())
    p50, p95, p99 = (each.ms for each in read_percentiles(e2e, (50, 95, 99), missing))
    means = {stage: held.mean_us() for stage, held in stages.items()}
    return Point(
        at_s=round(at_s, 3),
        n=e2e.n + missing,
        infinite=missing,
        p50=p50,
        p95=p95,
        p99=p99,
        max=milliseconds(e2e.max_us) if e2e.n else None,
        means={stage: milliseconds(mean) for stage, mean in means.items() if mean is not None},
    )


def _source(folder: RunFolder) -> tuple[int, int]:
    try:
        found = (folder.path / "slices.jsonl").stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_size, found.st_mtime_ns // 1_000_000


def _stored(folder: RunFolder) -> Digest | None:
    try:
        return decode((folder.path / FILE).read_bytes(), Digest)
    except (OSError, msgspec.DecodeError):
        return None
