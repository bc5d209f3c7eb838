"""Replay: the rows of a CSV, JSONL or Parquet file (gzip understood), read as a stream, mapped to events."""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from scenarios.draft import Draft
from scenarios.errors import SourceError
from scenarios.model import ReplaySource

_BATCH_ROWS = 512
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_KINDS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}

Row = dict[str, Any]


def input_path(file: str, beside: Path | None) -> Path:
    """The file that a scenario names: `${VARIABLES}` filled in, a relative path taken from the scenario's folder."""

    def filled(match: re.Match[str]) -> str:
        value = os.environ.get(match[1])
        if not value:
            raise SourceError(f"source.file {file!r}: expected the environment variable {match[1]}, it is not set")
        return value

    path = Path(_VARIABLE.sub(filled, file)).expanduser()
    path = path if path.is_absolute() or beside is None else beside / path
    if not path.is_file():
        raise SourceError(f"source.file: expected a file to replay, there is none at {path}")
    return path


@dataclass(frozen=True, slots=True)
class Replay:
    """The rows of one file as events; `producer` of `producers` takes each n-th row."""

    path: Path
    source: ReplaySource
    producer: int = 0
    producers: int = 1

    @property
    def format(self) -> str:
        """`csv`, `jsonl` or `parquet`: as the scenario says, else by the file's name."""
        if self.source.format:
            return self.source.format
        suffixes = [suffix for suffix in self.path.suffixes if suffix != ".gz"]
        kind = _KINDS.get(suffixes[-1].lower() if suffixes else "")
        if kind is None:
            raise SourceError(
                f"source.format: expected csv, jsonl or parquet, {self.path.name} does not tell which; name one"
            )
        return kind

    def __iter__(self) -> Iterator[Draft]:
        draft, own = self.source.columns.drafter(), self.source.timing == "own"
        while True:
            number = -1
            for number, (at_us, row) in enumerate(self._timed() if own else ((None, row) for row in self.rows())):
                if number % self.producers == self.producer:
                    yield draft(row)._replace(at_us=at_us) if own else draft(row)
            if not self.source.loop or number < self.producer:
                return

    def rows(self) -> Iterator[Row]:
        """The file's rows, once; SourceError where it lacks a column of the map or cannot be read."""
        rows = {"csv": self._csv, "jsonl": self._jsonl, "parquet": self._parquet}[self.format]()
        try:
            yield from rows
        except (OSError, EOFError, zlib.error, csv.Error, ValueError) as broken:
            raise SourceError(f"{self.path}: expected {self.format}, found: {broken}") from broken

    def own_times_us(self) -> Iterator[int]:
        """Own time of each row in µs of the epoch, never before the row above it."""
        return (at_us for at_us, _ in self._timed())

    def _timed(self) -> Iterator[tuple[int, Row]]:
        field = self.source.columns.event_time
        read, latest = field.reader(), None
        for row in self.rows():
            at_us = field.time_us(read(row))
            if latest is None and at_us is None:
                raise SourceError(f"{self.path}: expected a time in the first row, to replay it by its own timing")
            latest = max(x for x in (latest, at_us) if x is not None)
            yield latest, row

    def count(self) -> int:
        """How many rows the file has."""
        if self.format == "parquet":
            from pyarrow import parquet

            return int(parquet.read_metadata(self.path).num_rows)
        return sum(1 for _ in self.rows())

    def _open(self) -> BinaryIO:
        with self.path.open("rb") as head:
            zipped = head.read(2) == b"\x1f\x8b"
        return gzip.open(self.path, "rb") if zipped else self.path.open("rb")  # type: ignore[return-value]

    def _require(self, found: set[str]) -> None:
        if missing := self.source.columns.columns() - found:
            raise SourceError(
                f"source.columns: expected column {sorted(missing)[0]!r} in {self.path}, "
                f"found {', '.join(sorted(found))}"
            )

    def _csv(self) -> Iterator[Row]:
        with io.TextIOWrapper(self._open(), "utf-8-sig", errors="replace", newline="") as text:
            reader = csv.DictReader(text)
            self._require(set(reader.fieldnames or ()))
            yield from reader

    def _jsonl(self) -> Iterator[Row]:
        columns, seen = self.source.columns.columns(), set[str]()
        with self._open() as lines:
            for line in lines:
                if line.strip():
                    row = orjson.loads(line)
                    if not isinstance(row, dict):
                        raise ValueError("a line that is not a JSON object")
                    seen.update(row)
                    yield {name: row.get(name) for name in columns}
        self._require(seen)  # at the end only: a line may leave out what it does not have

    def _parquet(self) -> Iterator[Row]:
        from pyarrow import parquet

        with parquet.ParquetFile(self.path) as file:
            self._require(set(file.schema_arrow.names))
            for batch in file.iter_batches(_BATCH_ROWS, columns=sorted(self.source.columns.columns())):
                yield from batch.to_pylist()
