"""A run as one file that another machine can open: a compressed tar of its folder.

What comes in is not trusted: only plain files of known places are taken, never a link, a path that leads out of the
run's folder, or more than a run can be. Nothing is there under the run's name until all of it is.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from measure.errors import InvalidError, NotReadyError, UsageError
from measure.figures import Status
from measure.folder import RunFolder
from measure.stamp import RUN_ID

SUFFIX = ".latency.tar.gz"
LARGEST_BYTES = 4 * 2**30
MOST_FILES = 5_000
_LEFT_OUT = {"process.json", "digest.json", "keep"}
"""What is of this machine alone, or made again from the rest."""
_PLACES = re.compile(
    r"(?:[a-z]+\.jsonl?|producers/\d+(?:\.warmup)?\.spool|sequences/(?:warmup/)?(?:counts\.json|\d+\.\w+\.roaring))\Z"
)
"""The files of a run's folder."""


def export(folder: RunFolder, out: Path) -> Path:
    """Write the run to `out`, or below it if that is a folder; returns where it went.

    UsageError while the run is running; NotReadyError where the file cannot be written.
    """
    if folder.status() is Status.RUNNING:
        raise UsageError(f"{folder.run} is running. Export it when it has ended.")
    target = out / f"{folder.run}{SUFFIX}" if out.is_dir() else out
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with tarfile.open(partial, "w:gz", compresslevel=6) as archive:
            for name in _files(folder):
                archive.add(folder.path / name, f"{folder.run}/{name}", recursive=False, filter=_anonymous)
        partial.replace(target)
    except OSError as refused:
        partial.unlink(missing_ok=True)
        raise NotReadyError(f"cannot write {target}: {refused.strerror}. Name another place with --out.") from refused
    return target


def _files(folder: RunFolder) -> list[str]:
    names = (path.relative_to(folder.path).as_posix() for path in sorted(folder.path.rglob("*")) if path.is_file())
    return [name for name in names if name not in _LEFT_OUT and _PLACES.match(name)]


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Who made the run is nobody's business."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member


def take_in(archive: Path, runs: Path) -> RunFolder:
    """Put the run in `archive` below `runs`. UsageError where it holds anything but one run, or one that is there."""
    runs.mkdir(mode=0o700, parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".import-", dir=runs))
    try:
        run = _unpack(archive, staging)
        target = runs / run
        if target.exists():
            raise UsageError(f"a run {run} is in {runs} already. Delete that one first: `latency runs delete {run}`.")
        _check(staging / run, archive)
        (staging / run).rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return RunFolder(target)


def _unpack(archive: Path, staging: Path) -> str:
    runs: set[str] = set()
    try:
        with tarfile.open(archive, "r:gz") as opened:
            for run, name, member in _members(opened, archive):
                runs.add(run)
                content = opened.extractfile(member)
                target = staging / run / name
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with target.open("xb") as file:
                    shutil.copyfileobj(content or io.BytesIO(), file)
                target.chmod(0o600)
    except (tarfile.TarError, zlib.error, EOFError, OSError) as wrong:
        raise UsageError(f"{archive}: expected a run that `latency runs export` wrote: {wrong}.") from wrong
    if len(runs) != 1:
        raise UsageError(f"{archive}: expected one run, found {len(runs)}.")
    return runs.pop()


def _members(opened: tarfile.TarFile, archive: Path) -> Iterator[tuple[str, str, tarfile.TarInfo]]:
    """(run, place in its folder, member); UsageError at the first one that does not belong into a run's folder."""
    size = 0
    for count, member in enumerate(opened, 1):
        run, _, name = member.name.partition("/")
        size += member.size
        if not member.isreg() or not RUN_ID.match(run.encode()) or not _PLACES.match(name):
            raise UsageError(f"{archive}: {member.name[:200]!r} is no file of a run's folder; nothing was taken.")
        if count > MOST_FILES or size > LARGEST_BYTES:
            raise UsageError(f"{archive}: more than a run can be ({MOST_FILES:,} files, 4 GiB); nothing was taken.")
        yield run, name, member


def _check(folder: Path, archive: Path) -> None:
    """Whether what was unpacked is the run that it says it is."""
    taken = RunFolder(folder)
    try:
        document = taken.document()
        named = {taken.plan().run, document.run if document else taken.run}
    except InvalidError as damaged:
        raise UsageError(f"{archive}: expected a run of this version: {damaged}") from damaged
    if named != {taken.run}:
        raise UsageError(f"{archive}: expected run {taken.run}, found the plan or the document of another.")
