"""The digest says what the slices say, and is made anew when they change."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from measure.document import build
from measure.folder import RunFolder
from measure.histogram import Histogram
from measure.percentiles import stage_latency
from measure.records import SliceLine
from measure.report.digest import FILE, MOST_POINTS, read_digest, step_for
from tests.measure.synthetic import Shape, make_run


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path, "r-1", Shape(rates=((100.0, 20.0),), lost=3, per_slice=100))


def test_the_whole_of_it_is_the_documents_figures(folder: RunFolder) -> None:
    digest, document = read_digest(folder), build(folder)
    held = digest.histograms()
    for stage, figures in document.latency_ms.items():
        assert stage_latency(held[stage], digest.infinite if stage in ("e2e", "e2e_sent") else 0) == figures
    assert sum(point.n for point in digest.points) == document.latency_ms["e2e"].n
    assert sum(point.infinite for point in digest.points) == 3


def test_it_is_stored_and_read_back(folder: RunFolder) -> None:
    digest = read_digest(folder)
    assert (folder.path / FILE).is_file()
    assert read_digest(folder) == digest


def test_changed_slices_make_a_new_one(folder: RunFolder) -> None:
    before = read_digest(folder)
    late = Histogram()
    late.record(9_000_000, 100)
    second = min(folder.slices())
    folder.append(SliceLine.of(folder.run, second, {"e2e": late}))
    assert read_digest(folder).points[0].max == 9_000
    assert before.points[0].max != 9_000


def test_a_damaged_one_is_made_anew(folder: RunFolder) -> None:
    digest = read_digest(folder)
    (folder.path / FILE).write_bytes(b"{")
    assert read_digest(folder) == digest


def test_one_that_cannot_be_written_is_made_each_time(folder: RunFolder) -> None:
    (folder.path / FILE).mkdir()
    assert read_digest(folder).points == read_digest(folder).points != []


@given(st.integers(1, 10**6))
def test_no_run_has_more_points_than_can_be_seen(seconds: int) -> None:
    assert -(-seconds // step_for(seconds)) <= MOST_POINTS
