"""A run's folder: what a kill leaves of it can be read, and what was changed by hand is not taken for truth."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from measure.birth import birth
from measure.errors import InvalidError, UsageError
from measure.figures import Status
from measure.folder import LineWriter, RunFolder, read_lines
from measure.histogram import Histogram
from measure.records import MarkLine, Outcome, Process, SliceLine
from measure.sequences import SequenceSets
from tests.measure.synthetic import Shape, make_run

QUICK = Shape(rates=((100.0, 2.0),), per_slice=50)


def test_a_run_is_there_once(tmp_path: Path) -> None:
    RunFolder.create(tmp_path, "r-1")
    with pytest.raises(UsageError, match="a run r-1 is in"):
        RunFolder.create(tmp_path, "r-1")


@pytest.mark.parametrize("name", ["r-2", "../r-1", "", ".", "/etc", "r-1/producers"])
def test_a_run_that_is_not_there_is_refused_however_it_is_named(tmp_path: Path, name: str) -> None:
    make_run(tmp_path / "runs", "r-1", QUICK)
    with pytest.raises(UsageError, match=r"there is no run .* `latency runs` lists"):
        RunFolder.find(tmp_path / "runs", name)


def test_last_is_the_newest_by_its_making_not_by_its_name(tmp_path: Path) -> None:
    make_run(tmp_path, "z-old", Shape(rates=((100.0, 1.0),), created_us=1))
    make_run(tmp_path, "a-new", Shape(rates=((100.0, 1.0),), created_us=2))
    assert RunFolder.find(tmp_path, "last").run == "a-new"


def test_last_of_nothing_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="latency run smoke"):
        RunFolder.find(tmp_path, "last")


@given(st.lists(st.text(max_size=20), max_size=6), st.data())
def test_whatever_a_kill_leaves_of_the_last_line_the_lines_before_it_are_read(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("log") / "marks.jsonl"
    lines = [MarkLine(at, "phase", text) for at, text in enumerate(texts)]
    with LineWriter(path) as writer:
        writer.write_all(lines)
    content = path.read_bytes()
    kept = data.draw(st.integers(0, len(content)))
    path.write_bytes(content[:kept])
    whole = content[:kept].count(b"\n")
    assert list(read_lines(path, MarkLine)) == lines[:whole]
    with LineWriter(path) as writer:
        writer.write(MarkLine(99, "phase", "after"))
    assert [mark.at_us for mark in read_lines(path, MarkLine)] == [*range(whole), 99]


def test_a_damaged_line_in_the_middle_is_an_error_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "marks.jsonl"
    path.write_bytes(b'{"at_us":1,"kind":"phase","text":"a"}\n{"at_us":tw\n{"at_us":2,"kind":"phase","text":"b"}\n')
    with pytest.raises(InvalidError, match=r"marks\.jsonl:2: "):
        list(read_lines(path, MarkLine))


def test_a_small_file_changed_by_hand_is_an_error_with_its_place(tmp_path: Path) -> None:
    folder = make_run(tmp_path, "r-1", QUICK)
    (folder.path / "plan.json").write_text('{"run": 7}')
    with pytest.raises(InvalidError, match=r"plan\.json: .*changed by hand"):
        folder.plan()


def test_a_run_is_running_only_while_its_process_lives(tmp_path: Path) -> None:
    folder = make_run(tmp_path, "r-1", QUICK)
    folder.write_outcome(Outcome())
    assert folder.status() is Status.INTERRUPTED
    folder.write_process(Process(os.getpid(), "socket", birth(os.getpid())))
    assert folder.status() is Status.RUNNING
    folder.write_process(Process(os.getpid(), "socket", "another"))
    assert folder.status() is Status.INTERRUPTED


def test_a_killed_process_leaves_an_interrupted_run(tmp_path: Path) -> None:
    folder = make_run(tmp_path, "r-1", QUICK)
    folder.write_outcome(Outcome())
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        folder.write_process(Process(process.pid, "socket", birth(process.pid)))
        assert folder.status() is Status.RUNNING
        process.kill()
    assert folder.status() is Status.INTERRUPTED


def test_a_later_line_replaces_the_stages_of_a_second(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "r-1")
    few, more = Histogram({5: 1}, 0, 5), Histogram({5: 2}, 1, 5)
    for stages in ({"e2e": few, "store": few}, {"e2e": more}):
        folder.append(SliceLine.of("r-1", 7, stages))
    folder.append(SliceLine.of("r-1.w", 7, {"e2e": few}))
    assert folder.slices() == {7: {"e2e": more, "store": few}}
    assert folder.slices("r-1.w") == {7: {"e2e": few}}


def test_sequence_sets_come_back_and_are_not_there_before_they_are_whole(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "r-1")
    assert folder.sequences() is None
    sets = SequenceSets(repeats=1, redelivered=2, dead_unexpected=3)
    sets.of(0).stored = BitMap([1, 2, 70_000])
    sets.of(3).dead = BitMap([9])
    folder.write_sequences(sets)
    assert folder.sequences() == sets
    (folder.path / "sequences" / "counts.json").unlink()
    assert folder.sequences() is None


def test_a_kept_run_stays_marked_so(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "r-1")
    folder.keep()
    folder.keep()
    assert folder.kept
    folder.keep(False)
    assert not folder.kept
