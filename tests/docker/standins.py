"""Images that stand in for the official ones where none can be pulled: Debian by debootstrap, and on it the same Kafka
jars, mongod and Spark that the local runtime uses, behind the official images' contracts."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from pathlib import Path

import py4j
import pyspark
from docker import DockerClient
from docker.errors import ImageNotFound

from stack.jars import kafka_jars
from stack.mongod_binary import find_mongod
from stack.places import Home

DEBIAN = "latency-test/debian:bookworm"
IMAGES = Path(__file__).parent / "images"
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
KAFKA, MONGO, SPARK = "latency-test/kafka:4.3.1", "latency-test/mongo:8", "latency-test/spark:4.2.0"
Files = dict[str, Path | bytes]
"""Path in the build's context → what is there."""


def provide(client: DockerClient, root: Path) -> None:
    """Build what the engine does not have; `root` is where the Debian base is kept between runs."""
    if not _has(client, DEBIAN):
        client.api.import_image_from_file(str(_debian(root)), *DEBIAN.split(":"))
    _build(client, "base", "latency-test/base:latest", {"ca-certificates.crt": AUTHORITIES})
    _build(client, "kafka", KAFKA, _kafka())
    _build(client, "mongo", MONGO, {"mongod": find_mongod(None)})
    _build(client, "spark", SPARK, _spark())


def _has(client: DockerClient, name: str) -> bool:
    try:
        client.images.get(name)
    except ImageNotFound:
        return False
    return True


def _debian(root: Path) -> Path:
    """The base as a tar file, made once."""
    archive = root / "bookworm.tar"
    if not archive.exists():
        tree = root / "bookworm"
        shutil.rmtree(tree, ignore_errors=True)
        command = ["debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", str(tree)]
        subprocess.run(command, check=True, capture_output=True, timeout=600)
        draft = archive.with_suffix(".part")
        subprocess.run(["tar", "-C", str(tree), "-cf", str(draft), "."], check=True, timeout=120)
        draft.rename(archive)
        shutil.rmtree(tree)
    return archive


def _kafka() -> Files:
    shipped = Path(pyspark.__file__).parent / "jars"
    patterns = ("log4j-slf4j2-impl-*.jar", "log4j-core-*.jar", "log4j-api-*.jar", "slf4j-api-2*.jar")
    backend = [jar for pattern in patterns for jar in shipped.glob(pattern)]
    own = [jar for jar in kafka_jars(Home.find()).glob("*.jar") if not jar.name.startswith(("log4j-", "slf4j-"))]
    return {f"libs/{jar.name}": jar for jar in [*own, *backend]}


def _spark() -> Files:
    package, bridge = Path(pyspark.__file__).parent, Path(py4j.__file__).parent
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file in bridge.rglob("*.py"):
            archive.write(file, f"py4j/{file.relative_to(bridge)}")
    files: Files = {"spark/python/lib/py4j-0-src.zip": packed.getvalue()}
    for part in ("jars", "bin", "sbin"):
        files |= {f"spark/{part}/{file.relative_to(package / part)}": file for file in _all(package / part)}
    apart = {"jars", "bin", "sbin", "tests", "examples", "data"}
    sources = [
        file for file in _all(package) if file.relative_to(package).parts[0] not in apart and file.suffix != ".pyc"
    ]
    return files | {f"spark/python/pyspark/{file.relative_to(package)}": file for file in sources}


def _all(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.rglob("*")) if file.is_file()]


def _build(client: DockerClient, folder: str, name: str, more: Files) -> None:
    """Unless the image is there and was built from just these files."""
    files: Files = {str(file.relative_to(IMAGES / folder)): file for file in _all(IMAGES / folder)} | more
    digest = _digest(files)
    if _has(client, name) and client.images.get(name).labels.get("latency-test.digest") == digest:
        return
    with _context(files) as packed:
        client.images.build(
            fileobj=packed,
            custom_context=True,
            tag=name,
            network_mode="host",
            rm=True,
            labels={"latency-test.digest": digest},
            timeout=900,
        )


def _digest(files: Files) -> str:
    told = hashlib.sha256()
    for name, source in sorted(files.items()):
        small = source if isinstance(source, bytes) else None
        if isinstance(source, Path):
            small = source.read_bytes() if source.stat().st_size < 100_000 else str(source.stat().st_size).encode()
        told.update(f"{name}:".encode() + (small or b""))
    return told.hexdigest()


def _context(files: Files) -> io.BufferedIOBase:
    packed = tempfile.TemporaryFile()  # noqa: SIM115 (closed with its last reader)
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, source in sorted(files.items()):
            if isinstance(source, bytes):
                entry = tarfile.TarInfo(name)
                entry.size = len(source)
                archive.addfile(entry, io.BytesIO(source))
            else:
                archive.add(source, name)
    packed.seek(0)
    return packed  # type: ignore[return-value]
