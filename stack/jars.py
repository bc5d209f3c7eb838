"""The jars of the broker and of Spark's connector: which they are, and that they are what the lock says."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import importlib.resources
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from measure.errors import NotReadyError
from stack.ivy import Coordinate, Fetched, fetch
from stack.places import JARS_VARIABLE, Home, private_folder

LOCK = "jars.lock"
KAFKA, SPARK = "kafka", "spark"

Narrate = Callable[[str], None]

_SCRATCH = ".incoming-"
_TELL_EACH_S = 2.0


@dataclass(frozen=True, slots=True)
class LockedJar:
    """A jar as the lock has it; `part` is the folder it belongs to."""

    part: str
    coordinate: Coordinate
    sha256: str

    @property
    def name(self) -> str:
        return f"{self.part}/{self.coordinate.file_name}"


@functools.cache
def locked_jars() -> tuple[LockedJar, ...]:
    """All jars of the lock that is in the package."""
    return parse_lock(importlib.resources.files("stack").joinpath(LOCK).read_text())


def parse_lock(text: str) -> tuple[LockedJar, ...]:
    """`[part]` lines, then `coordinate sha256` lines. ValueError names the line that is neither."""
    jars, part = [], ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#") or not line.strip():
            continue
        if heading := re.fullmatch(r"\[(\w+)\]", line):
            part = heading[1]
        elif part and (row := re.fullmatch(r"([\w.-]+:[\w.-]+:[\w.-]+) ([0-9a-f]{64})", line)):
            jars.append(LockedJar(part, Coordinate.parse(row[1]), row[2]))
        else:
            raise ValueError(f"{LOCK}, line {number}: expected `group:artifact:version sha256`, found {line!r}")
    return tuple(jars)


def kafka_jars(home: Home) -> Path:
    """Folder of the broker's jars, and of nothing else."""
    return home.jars / KAFKA


def spark_jars(home: Home) -> list[Path]:
    """The connector's jars."""
    return [home.jars / jar.name for jar in locked_jars() if jar.part == SPARK]


def unfit_jars(folder: Path, jars: Iterable[LockedJar]) -> list[LockedJar]:
    """Those that are not in `folder`, or are not what the lock says."""
    return [jar for jar in jars if _sha256(folder / jar.name) != jar.sha256]


def provide_jars(home: Home, java: Path, narrate: Narrate) -> None:
    """Verify the jars that are there and download the others; two calls at once do it once.

    NotReadyError: no network, no space, or a jar that is not what the lock says. Whole jars that came are kept.
    """
    folder = home.jars
    if not unfit_jars(folder, locked_jars()) and not _strangers(folder):
        return
    with _one_at_a_time(folder, narrate):
        for stranger in _strangers(folder):
            _remove_stranger(stranger, folder == home.root / "jars")
        wanted = unfit_jars(folder, locked_jars())
        if wanted:
            narrate(f"jars: {len(wanted)} of {len(locked_jars())} to download")
            _download(folder, wanted, java, narrate)


def _download(folder: Path, wanted: list[LockedJar], java: Path, narrate: Narrate) -> None:
    for part in (KAFKA, SPARK):
        private_folder(folder / part)
    for abandoned in folder.glob(f"{_SCRATCH}*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    try:
        with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=folder) as scratch:
            progress = _Progress(len(wanted), narrate)
            fetched = fetch([jar.coordinate for jar in wanted], java, Path(scratch), progress)
            install(folder, wanted, fetched)
    except OSError as refused:
        raise NotReadyError(
            f"cannot keep the jars in {folder}: {refused.strerror}. Free some space (100 MB are enough), or name "
            f"another place in {JARS_VARIABLE}."
        ) from refused
    narrate(f"jars: {len(locked_jars())} verified in {folder}")


def install(folder: Path, wanted: list[LockedJar], fetched: Fetched) -> None:
    """Move what is right to its place; NotReadyError for the first that is not, after the others are kept."""
    wrong, absent = [], []
    for jar in wanted:
        source = fetched.files.get(jar.coordinate)
        found = _sha256(source) if source else None
        if source is None:
            absent.append(jar)
        elif found != jar.sha256:
            wrong.append(f"{jar.coordinate}: expected SHA-256 {jar.sha256}, downloaded {found}")
        else:
            source.replace(folder / jar.name)
    if wrong:
        raise NotReadyError(
            f"{wrong[0]}. It was thrown away: something changed it on the way. Ask who runs the proxy or the "
            "repository, then try again."
        )
    if absent:
        raise NotReadyError(
            f"{len(absent)} of {len(wanted)} jars could not be downloaded ({absent[0].coordinate} first): "
            f"{fetched.complaint or 'no reason given'}. Check the network and the space in {folder}, and try again "
            f"(what came is kept), or name a folder that has them in {JARS_VARIABLE}."
        )


class _Progress:
    """Tells at most every two seconds how far the download is."""

    def __init__(self, total: int, narrate: Narrate) -> None:
        self._total = total
        self._narrate = narrate
        self._told_at = time.monotonic()

    def __call__(self, files: int, size: int) -> None:
        if time.monotonic() - self._told_at >= _TELL_EACH_S or files == self._total:
            self._told_at = time.monotonic()
            self._narrate(f"jars: {files} of {self._total}, {size / 1e6:.0f} MB")


def _strangers(folder: Path) -> list[Path]:
    """Jars that would be on the broker's class path without being in the lock (an older version's, say)."""
    known = {jar.name for jar in locked_jars()}
    return [path for path in (folder / KAFKA).glob("*.jar") if f"{KAFKA}/{path.name}" not in known]


def _remove_stranger(stranger: Path, ours: bool) -> None:
    """Only from the folder that is this program's own."""
    if not ours:
        raise NotReadyError(f"{stranger} is not in the lock of the broker's jars: move it out of the folder.")
    stranger.unlink(missing_ok=True)


def _sha256(file: Path) -> str | None:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return None


@contextlib.contextmanager
def _one_at_a_time(folder: Path, narrate: Narrate) -> Iterator[None]:
    """Waits for another process that is downloading into the same folder."""
    private_folder(folder)
    try:
        lock = (folder / ".lock").open("w")
    except OSError as refused:
        raise NotReadyError(
            f"cannot write to {folder}: {refused.strerror}. Name another place in {JARS_VARIABLE}."
        ) from refused
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            narrate("jars: another process is downloading them; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
