"""A run goes to another machine whole, and an archive that is not one leaves nothing behind."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from measure.archive import export, take_in
from measure.birth import birth
from measure.document import build
from measure.errors import NotReadyError, UsageError
from measure.figures import Status
from measure.folder import RunFolder
from measure.report.digest import read_digest
from measure.report.source import document_of, settle
from tests.measure.synthetic import Shape, make_run

QUICK = Shape(rates=((100.0, 3.0),), per_slice=50)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = make_run(tmp_path / "here", "r-1", QUICK)
    settle(made)
    return made


def test_a_run_that_went_elsewhere_gives_the_same_report(folder: RunFolder, tmp_path: Path) -> None:
    archive = export(folder, tmp_path)
    assert archive.name == "r-1.latency.tar.gz"
    there = take_in(archive, tmp_path / "there")
    assert there.run == "r-1"
    assert document_of(there) == document_of(folder)
    assert build(there) == build(folder)
    assert read_digest(there).points == read_digest(folder).points
    assert (there.path / "plan.json").stat().st_mode & 0o077 == 0


def test_what_is_of_this_machine_alone_stays_here(folder: RunFolder, tmp_path: Path) -> None:
    folder.keep()
    (folder.path / "process.json").write_text("{}")
    (folder.path / "credentials.json.bak").write_text("secret")
    with tarfile.open(export(folder, tmp_path)) as archive:
        names = {member.name.removeprefix("r-1/") for member in archive}
        assert {(member.uid, member.uname) for member in archive} == {(0, "")}
    assert not names & {"process.json", "keep", "digest.json", "credentials.json.bak"}
    assert {
        "plan.json",
        "run.json",
        "slices.jsonl",
        "producers/0.warmup.spool",
        "sequences/warmup/counts.json",
    } <= names


def test_a_run_that_is_there_is_not_overwritten(folder: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="latency runs delete r-1"):
        take_in(export(folder, tmp_path), folder.path.parent)


def test_a_running_run_is_not_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    from measure.records import Process

    running = make_run(tmp_path, "r-2", Shape(rates=((100.0, 1.0),), status=Status.RUNNING))
    running.write_process(Process(os.getpid(), "s", birth(os.getpid())))
    with pytest.raises(UsageError, match="r-2 is running"):
        export(running, tmp_path)


def test_a_place_that_cannot_be_written_to_is_said(folder: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match="cannot write"):
        export(folder, tmp_path / "nowhere" / "file.tar.gz")


Add = Callable[[tarfile.TarFile], None]


def file(name: str, content: bytes = b"{}") -> Add:
    def add(archive: tarfile.TarFile) -> None:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))

    return add


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> Add:
    def add(archive: tarfile.TarFile) -> None:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, target
        archive.addfile(member)

    return add


@pytest.mark.parametrize(
    "added",
    [
        [file("r-1/../../escaped.json")],
        [file("/etc/escaped.json")],
        [file("../plan.json")],
        [file("r-1/producers/../../plan.json")],
        [file("r-1/.ssh/authorized_keys")],
        [link("r-1/plan.json", "/etc/passwd")],
        [link("r-1/plan.json", "r-1/run.json", tarfile.LNKTYPE)],
        [link("r-1/producers", "/tmp"), file("r-1/producers/0.spool")],  # noqa: S108
        [link("r-1/samples.jsonl", "", tarfile.FIFOTYPE)],
        [file("r-1/samples.jsonl")],
        [file("r-1/plan.json"), file("r-2/plan.json")],
        [file("r-1/plan.json", b'{"run": "r-9"}')],
        [file("r-1/plan.json", b"not json")],
        [file("r-1/plan.json"), file("r-1/plan.json")],
        [file(".w/plan.json")],
        [],
    ],
)
def test_an_archive_that_is_no_run_is_refused_and_leaves_nothing(tmp_path: Path, added: list[Add]) -> None:
    archive = tmp_path / "bad.tar.gz"
    with tarfile.open(archive, "w:gz") as opened:
        for add in added:
            add(opened)
    runs = tmp_path / "deep" / "runs"
    with pytest.raises(UsageError, match=r"bad\.tar\.gz"):
        take_in(archive, runs)
    assert list(runs.iterdir()) == []
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["bad.tar.gz"]


@pytest.mark.parametrize("keep", [0, 1, 40, 0.5, 0.99])
def test_a_cut_archive_is_refused(folder: RunFolder, tmp_path: Path, keep: float) -> None:
    archive = export(folder, tmp_path)
    content = archive.read_bytes()
    archive.write_bytes(content[: int(keep if keep >= 1 or not keep else keep * len(content))])
    with pytest.raises(UsageError, match="expected"):
        take_in(archive, tmp_path / "there")
    assert list((tmp_path / "there").iterdir()) == []
