"""Downloads jars by their coordinates with the Ivy that pyspark ships. What comes is not yet verified."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from xml.sax.saxutils import quoteattr

from measure.errors import NotReadyError
from stack.authorities import PASSWORD, trusted_certificates, write_truststore

_LANES = 4
_POLL_S = 0.1
_STALLED_S = 120.0

# Without an address the resolver asks the public repository that it knows. The lock's sums replace the repository's.
_SETTINGS = """\
<ivysettings>
  <settings defaultResolver="public"/>
  <timeout-constraints>
    <timeout-constraint name="bounded" connectionTimeout="20000" readTimeout="60000"/>
  </timeout-constraints>
  <resolvers>
    <ibiblio name="public" m2compatible="true" usepoms="false" checksums="" timeoutConstraint="bounded"/>
  </resolvers>
</ivysettings>
"""


@dataclass(frozen=True, slots=True)
class Coordinate:
    """Where a jar is in a Maven repository: `group:artifact:version`."""

    group: str
    artifact: str
    version: str

    @classmethod
    def parse(cls, text: str) -> Coordinate:
        group, artifact, version = text.split(":")
        return cls(group, artifact, version)

    @property
    def file_name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"

    def __str__(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one download brought: file by coordinate, and what Ivy said of the rest ("" if nothing)."""

    files: dict[Coordinate, Path]
    complaint: str


def fetch(
    coordinates: Sequence[Coordinate], java: Path, scratch: Path, on_progress: Callable[[int, int], None]
) -> Fetched:
    """Download into `scratch`, several at once; `on_progress` is told files and bytes so far.

    What could not be had is missing from the answer, and its `complaint` says why. `java` is an executable.
    """
    (scratch / "settings.xml").write_text(_SETTINGS)
    options = [*trust_options(scratch), *_proxies()]
    lanes = [coordinates[lane::_LANES] for lane in range(min(_LANES, len(coordinates)))]
    with contextlib.ExitStack() as running:
        processes = [running.enter_context(_ivy(java, options, scratch, lane, part)) for lane, part in enumerate(lanes)]
        complaint = _watch(processes, scratch, on_progress)
    files = {c: path for c in coordinates for path in scratch.glob(_cached(c))}
    return Fetched(files, complaint or _complaint(scratch))


def _cached(coordinate: Coordinate) -> str:
    """Where Ivy's cache has the jar, below `scratch`."""
    return f"cache-*/{coordinate.group}/{coordinate.artifact}/jars/{coordinate.file_name}"


@contextlib.contextmanager
def _ivy(
    java: Path, options: Sequence[str], scratch: Path, lane: int, part: Sequence[Coordinate]
) -> Iterator[subprocess.Popen[bytes]]:
    """One Ivy process; killed if it still runs at the end."""
    module = scratch / f"lane-{lane}.xml"
    module.write_text(module_file(part, transitive=False))
    command = [str(java), *options, "-jar", str(ivy_jar()), "-settings", str(scratch / "settings.xml")]
    with (scratch / f"lane-{lane}.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 (our own arguments)
            [*command, "-ivy", str(module), "-cache", str(scratch / f"cache-{lane}")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def module_file(coordinates: Sequence[Coordinate], *, transitive: bool) -> str:
    """An Ivy file that depends on `coordinates`."""
    rows = "".join(
        f"<dependency org={quoteattr(c.group)} name={quoteattr(c.artifact)} rev={quoteattr(c.version)} "
        f'transitive="{str(transitive).lower()}"/>'
        for c in coordinates
    )
    info = '<info organisation="latency" module="jars"/>'
    return f'<ivy-module version="2.0">{info}<dependencies>{rows}</dependencies></ivy-module>'


def ivy_jar() -> Path:
    """Ivy, as pyspark ships it. NotReadyError where pyspark has none."""
    found = importlib.util.find_spec("pyspark")
    jars = sorted((Path(found.origin).parent / "jars").glob("ivy-*.jar")) if found and found.origin else []
    if not jars:
        raise NotReadyError("pyspark ships no ivy-*.jar here: install this package anew with its dependencies.")
    return jars[-1]


def _watch(processes: Sequence[subprocess.Popen[bytes]], scratch: Path, on_progress: Callable[[int, int], None]) -> str:
    """Until all have ended; the complaint if nothing came for so long that waiting is no use."""
    before, moved = (-1, -1), time.monotonic()
    while any(process.poll() is None for process in processes):
        files, size = _so_far(scratch)
        if (files, size) != before:
            before, moved = (files, size), time.monotonic()
            on_progress(files, size)
        if time.monotonic() - moved > _STALLED_S:
            return f"nothing came for {_STALLED_S:.0f} s"
        time.sleep(_POLL_S)
    on_progress(*_so_far(scratch))
    return ""


def _so_far(scratch: Path) -> tuple[int, int]:
    """Whole files, and bytes of whole and partial ones."""
    whole = size = 0
    for path in scratch.glob("cache-*/*/*/jars/*"):
        with contextlib.suppress(FileNotFoundError):  # renamed since it was listed
            size += path.stat().st_size
            whole += path.suffix == ".jar"
    return whole, size


def _complaint(scratch: Path) -> str:
    """The first reason that a log gives, without the addresses in it."""
    for log in sorted(scratch.glob("lane-*.log")):
        text = log.read_text(errors="replace")
        for pattern in (
            r"No space left on device",
            r"Server access [Ee]rror.*",
            r"module not found: .*",
            r"Exception.*",
        ):
            found = re.search(pattern, text)
            if found:
                return re.sub(r"\s*(at url )?https?://\S+", "", found[0]).strip()[:300]
    return ""


def trust_options(scratch: Path) -> list[str]:
    """Makes Java trust the authorities that Python trusts here."""
    certificates = trusted_certificates()
    if not certificates:
        return []
    store = scratch / "authorities.jks"
    write_truststore(store, certificates)
    prefix = "-Djavax.net.ssl.trustStore"
    return [f"{prefix}={store}", f"{prefix}Type=JKS", f"{prefix}Password={PASSWORD}"]


def _proxies() -> list[str]:
    """The proxies that the environment names, in Java's words."""
    options = []
    for scheme in ("http", "https"):
        named = os.environ.get(f"{scheme}_proxy") or os.environ.get(f"{scheme.upper()}_PROXY")
        address = urlsplit(named) if named else None
        if address and address.hostname:
            options += [f"-D{scheme}.proxyHost={address.hostname}", f"-D{scheme}.proxyPort={address.port or 80}"]
    return options
