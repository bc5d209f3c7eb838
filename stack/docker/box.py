"""What a service's container is made of."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from stack.process import SERVICE_VARIABLE
from stack.service import Service

PIDS = 4096
CHECK_S = 10
CHECK_BEGIN_S = 30
CHECK_TIMES = 3
RESTART = "unless-stopped"
NO_NEW_PRIVILEGES = "no-new-privileges"
LOG_DRIVER = "json-file"
LOG_OPTIONS = {"max-size": "32m", "max-file": "2"}


@dataclass(frozen=True, slots=True)
class File:
    """A file that is put into a container before its start."""

    path: str
    content: bytes
    owner: int
    mode: int = 0o400


def _no_files() -> list[File]:
    return []


@dataclass(frozen=True, slots=True)
class Box:
    """One container, beside what its service says."""

    image: str
    memory_mb: int
    cpus: float
    cpu_shares: int
    user: str | None = None
    entrypoint: tuple[str, ...] = ()
    """Instead of the image's own."""
    volumes: Mapping[str, str] = field(default_factory=dict)
    """Name within the stack → path in the container."""
    published: Mapping[int, int] = field(default_factory=dict)
    """Port in the container → port on 127.0.0.1."""
    check: str | None = None
    """A shell command by which the engine sees the container's health."""
    files: Callable[[], Iterable[File]] = field(default=_no_files, repr=False)
    """Made at each creation. Secrets come by these, never by environment or labels."""


def environment(service: Service) -> dict[str, str]:
    """What a container sees: the definition's variables, and whose it is."""
    return {**service.environment, SERVICE_VARIABLE: service.name}


def packed(files: Iterable[File]) -> bytes:
    """The files as a tar archive that is unpacked at the root, with the folders that may be missing."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for folder, owner in sorted({(file.path.rsplit("/", 1)[0], file.owner) for file in files}):
            entry = tarfile.TarInfo(folder.lstrip("/"))
            entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, 0o755, owner, owner
            tar.addfile(entry)
        for file in files:
            entry = tarfile.TarInfo(file.path.lstrip("/"))
            entry.size, entry.mode, entry.uid, entry.gid = len(file.content), file.mode, file.owner, file.owner
            tar.addfile(entry, io.BytesIO(file.content))
    return archive.getvalue()
