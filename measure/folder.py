"""A run's folder: the one place that knows its files, and the one reader and writer of each.

Every small file is replaced in one step; every log is appended to a whole line at a time, so that a kill leaves at
most one half-written last line, which readers leave out. Nothing here needs a running stack.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import msgspec
import psutil
from pyroaring import BitMap

from measure.birth import birth
from measure.decoding import decode
from measure.errors import InvalidError, UsageError
from measure.figures import RunDocument, Status
from measure.histogram import Histogram
from measure.records import (
    Amendment,
    MarkLine,
    Outcome,
    Plan,
    Process,
    Sample,
    SequenceCounts,
    SliceLine,
    SpoolLine,
)
from measure.sequences import SequenceSets

T = TypeVar("T")

WARMUP_SUFFIX = ".w"
"""What the run id of the warm-up's events ends with."""

Slices = dict[int, dict[str, Histogram]]
"""Due-second → stage → histogram."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of one run. Its name is the run's id."""

    path: Path

    @classmethod
    def create(cls, runs: Path, run: str) -> RunFolder:
        """A new folder below `runs`, mode 0700; UsageError where one of that name is there."""
        folder = cls(runs / run)
        try:
            folder.path.mkdir(mode=0o700, parents=True)
        except FileExistsError as taken:
            raise UsageError(f"a run {run} is in {runs} already. Choose another id, or delete that one.") from taken
        (folder.path / "producers").mkdir(mode=0o700)
        return folder

    @classmethod
    def find(cls, runs: Path, run: str) -> RunFolder:
        """The folder of `run` below `runs`, or the newest one for `last`; UsageError where there is none."""
        if run == "last":
            newest = max(cls.all(runs), key=lambda folder: folder.created_us, default=None)
            if newest is None:
                raise UsageError(f"there is no run in {runs} yet. Make one with `latency run smoke`.")
            return newest
        path = runs / run
        if run != Path(run).name or not (path / "plan.json").is_file():
            raise UsageError(f"there is no run {run!r} in {runs}. `latency runs` lists those that are there.")
        return cls(path)

    @classmethod
    def all(cls, runs: Path) -> list[RunFolder]:
        """The folders of all runs below `runs`, in the order of their names."""
        return [cls(plan.parent) for plan in sorted(runs.glob("*/plan.json"))]

    @property
    def run(self) -> str:
        """The run's id."""
        return self.path.name

    @property
    def warmup_run(self) -> str:
        """The run id that the warm-up's events carry."""
        return self.run + WARMUP_SUFFIX

    @property
    def created_us(self) -> int:
        """When the run was made, µs of the epoch."""
        planned = self.plan().created_us
        return planned if planned is not None else (self.path / "plan.json").stat().st_mtime_ns // 1000

    # --- small files, replaced in one step ---

    def plan(self) -> Plan:
        """What was resolved before the load began."""
        found = self._read("plan.json", Plan)
        if found is None:
            raise InvalidError(f"{self.path} is no run's folder: it has no plan.json.")
        return found

    def write_plan(self, plan: Plan) -> None:
        """Replace `plan.json`."""
        self._write("plan.json", plan)

    def outcome(self) -> Outcome:
        """What the run process made known so far."""
        return self._read("outcome.json", Outcome) or Outcome()

    def write_outcome(self, outcome: Outcome) -> None:
        """Replace `outcome.json`."""
        self._write("outcome.json", outcome)

    def process(self) -> Process | None:
        """The run process, as it noted itself; None before it did."""
        return self._read("process.json", Process)

    def write_process(self, process: Process) -> None:
        """Replace `process.json`."""
        self._write("process.json", process)

    def document(self) -> RunDocument | None:
        """The document as last written; None where there is none yet."""
        return self._read("run.json", RunDocument)

    def write_document(self, document: RunDocument) -> None:
        """Replace `run.json`."""
        self._write("run.json", document)

    def status(self) -> Status:
        """`running` only while the run process lives; one that died without a word left the run `interrupted`."""
        noted = self.outcome().status
        return Status.INTERRUPTED if noted is Status.RUNNING and not self.alive() else noted

    def alive(self) -> bool:
        """Whether the run process is there: that very one, not another that has its pid now."""
        process = self.process()
        if process is None:
            return False
        try:
            return birth(process.pid) == process.birth
        except psutil.NoSuchProcess:
            return False

    @property
    def kept(self) -> bool:
        """Whether the run is exempt from clearing up."""
        return (self.path / "keep").exists()

    def keep(self, kept: bool = True) -> None:
        """Exempt the run from clearing up, or no longer."""
        if kept:
            (self.path / "keep").touch()
        else:
            (self.path / "keep").unlink(missing_ok=True)

    # --- logs ---

    def spool_path(self, producer: int, warmup: bool = False) -> Path:
        """Where `producer` spools the fate of its events."""
        return self.path / "producers" / f"{producer}{'.warmup' if warmup else ''}.spool"

    def spool(self, producer: int, warmup: bool = False) -> list[SpoolLine]:
        """What `producer` spooled; empty where it never did."""
        return list(read_lines(self.spool_path(producer, warmup), SpoolLine))

    def amendments(self) -> list[Amendment]:
        """Changes of the load's schedule under way, in order."""
        return list(read_lines(self.path / "amendments.jsonl", Amendment))

    def marks(self) -> list[MarkLine]:
        """What happened, in order of time."""
        return sorted(read_lines(self.path / "marks.jsonl", MarkLine), key=lambda mark: mark.at_us)

    def samples(self) -> list[Sample]:
        """The samples of the run process, the sinks and Spark's batches, in the order of the file."""
        lines: Iterator[Any] = read_lines(self.path / "samples.jsonl", Sample)
        return list(lines)

    def append(self, line: Amendment | MarkLine | Sample | SliceLine) -> None:
        """Append one line to the log that its kind belongs to."""
        match line:
            case Amendment():
                name = "amendments.jsonl"
            case MarkLine():
                name = "marks.jsonl"
            case SliceLine():
                name = "slices.jsonl"
            case _:
                name = "samples.jsonl"
        with LineWriter(self.path / name) as writer:
            writer.write(line)

    def writer(self, name: str) -> LineWriter:
        """An open appender of one of this folder's logs, for a process that writes many lines."""
        return LineWriter(self.path / name)

    def slices(self, run: str | None = None) -> Slices:
        """Histograms by due-second and stage, of this run's load or of `run` (such as `warmup_run`)."""
        wanted = self.run if run is None else run
        found: Slices = {}
        for line in read_lines(self.path / "slices.jsonl", SliceLine):
            if line.run == wanted:
                found.setdefault(line.second, {}).update(line.histograms())
        return found

    def write_slices(self, slices: dict[str, Slices]) -> None:
        """Replace `slices.jsonl` with all of `slices`, by run id."""
        lines = (
            msgspec.json.encode(SliceLine.of(run, second, held[second])) + b"\n"
            for run, held in slices.items()
            for second in sorted(held)
        )
        replace_file(self.path / "slices.jsonl", b"".join(lines))

    # --- sequence sets ---

    def sequences(self, warmup: bool = False) -> SequenceSets | None:
        """What was found of the run's events; None where it was never read out of the database."""
        place = self._sequences_place(warmup)
        counts = self._read(f"{place}/counts.json", SequenceCounts)
        if counts is None:
            return None
        sets = SequenceSets(
            repeats=counts.repeats, redelivered=counts.redelivered, dead_unexpected=counts.dead_unexpected
        )
        for path in sorted((self.path / place).glob("*.roaring")):
            producer, kind = path.stem.split(".")
            setattr(sets.of(int(producer)), kind, BitMap.deserialize(path.read_bytes()))
        return sets

    def write_sequences(self, sets: SequenceSets, warmup: bool = False) -> None:
        """Replace the sequence sets; the counts come last, since their being there says that all is."""
        place = self._sequences_place(warmup)
        (self.path / place).mkdir(mode=0o700, parents=True, exist_ok=True)
        for producer, held in sets.producers.items():
            for kind, numbers in (("stored", held.stored), ("dead", held.dead), ("late", held.late)):
                replace_file(self.path / place / f"{producer}.{kind}.roaring", numbers.serialize())
        counts = SequenceCounts(sets.repeats, sets.redelivered, sets.dead_unexpected)
        self._write(f"{place}/counts.json", counts)

    @staticmethod
    def _sequences_place(warmup: bool) -> str:
        return "sequences/warmup" if warmup else "sequences"

    def _read(self, name: str, kind: type[T]) -> T | None:
        path = self.path / name
        try:
            return decode(path.read_bytes(), kind)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError as wrong:
            raise InvalidError(f"{path}: {wrong}. The file was changed by hand, or by another version.") from wrong

    def _write(self, name: str, content: msgspec.Struct) -> None:
        replace_file(self.path / name, msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one step: a reader, or a crash, sees the old file or the new one."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def read_lines(path: Path, kind: Any) -> Iterator[Any]:
    """Each line of the log at `path`, decoded as `kind`; nothing where there is no file.

    A last line without its end was being written when its writer was killed, and is left out. InvalidError for a line
    in the middle that cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    for number, line in enumerate(content[: content.rfind(b"\n") + 1].splitlines(), 1):
        try:
            yield decode(line, kind)
        except msgspec.DecodeError as wrong:
            raise InvalidError(
                f"{path}:{number}: {wrong}. The file was changed by hand, or by another version."
            ) from wrong


class LineWriter:
    """Appends JSON lines, each by one write of its own, so that a kill cannot tear two of them.

    The process may be killed at any line; the machine's loss of power is not guarded against. A half-written last
    line that a killed writer left is cut off at opening.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._cut_half_line()

    def write(self, line: object) -> None:
        """Append `line`."""
        self.write_all((line,))

    def write_all(self, lines: Iterable[object]) -> None:
        """Append `lines` by one write."""
        content = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        while content:
            content = content[os.write(self._file, content) :]

    def close(self) -> None:
        """Close the file; the lines are in it already."""
        os.close(self._file)

    def _cut_half_line(self) -> None:
        size = os.fstat(self._file).st_size
        step = 1 << 16
        end = size
        while end:
            start = max(0, end - step)
            at = os.pread(self._file, end - start, start).rfind(b"\n")
            if at >= 0:
                end = start + at + 1
                break
            end = start
        if end < size:
            os.ftruncate(self._file, end)

    def __enter__(self) -> LineWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
