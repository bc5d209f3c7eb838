"""An engine for the tests: one of their own, started by hand, with stand-in images; else the machine's, which pulls."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest
from docker import DockerClient

from measure.errors import LatencyError
from stack.docker import clearing, labels
from stack.docker.engine import connect
from stack.settings import Settings
from tests.docker import standins
from tests.docker.small import STACK
from tests.stack.waiting import wait_for

_WANTED = ("dockerd", "debootstrap")
_BUILD_S = 900


def _missing() -> str | None:
    """Why no engine can be started here."""
    absent = [name for name in _WANTED if shutil.which(name) is None]
    if os.geteuid() != 0:
        return "no Docker engine answers, and only root can start one"
    return f"no Docker engine answers, and {', '.join(absent)} is not installed" if absent else None


@pytest.fixture(scope="session")
def cache() -> Path:
    """Where the engine's data and the Debian base are kept from run to run."""
    folder = Path(platformdirs.user_cache_dir("latency-console-tests"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _answers(address: str) -> bool:
    try:
        connect(address).close()
    except LatencyError:
        return False
    return True


class Daemon:
    """A dockerd of the tests' own."""

    def __init__(self, data: Path, place: Path) -> None:
        self.address = f"unix://{place}/docker.sock"
        self._log = place / "dockerd.log"
        paths = ("--data-root", str(data), "--exec-root", str(place / "exec"), "--pidfile", str(place / "pid"))
        self._command = ("dockerd", *paths, "-H", self.address)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Until it answers; a skip says why it cannot."""
        with self._log.open("ab") as log:
            self._process = process = subprocess.Popen(self._command, stdout=log, stderr=log)
        wait_for(lambda: _answers(self.address) or process.poll() is not None, "dockerd answers", 60)
        if process.poll() is not None:
            pytest.skip(f"dockerd cannot run here: {self._log.read_text().strip().splitlines()[-1][-300:]}")

    def stop(self) -> None:
        """It stops its containers on the way."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(90)


@pytest.fixture(scope="session")
def daemon(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon | None]:
    """None where an engine was given."""
    given = os.environ.get("DOCKER_HOST")
    if given and _answers(given):
        yield None
        return
    if reason := _missing():
        pytest.skip(reason)
    own = Daemon(cache / "engine", tmp_path_factory.mktemp("engine"))
    try:
        own.start()
        yield own
    finally:
        own.stop()


@pytest.fixture(scope="session")
def engine(daemon: Daemon | None) -> str:
    """Address of an engine that answers."""
    return daemon.address if daemon is not None else os.environ["DOCKER_HOST"]


def _sweep(client: DockerClient) -> None:
    """Its data are kept from run to run, so containers of tests that were killed are too, and it starts them again."""
    left: dict[str, str | list[str] | bool] = {"label": labels.OURS}
    for container in client.containers.list(all=True, filters=left):
        container.remove(force=True, v=True)
    for volume in client.volumes.list(filters=left):
        volume.remove(force=True)
    for network in client.networks.list(filters=left):
        network.remove()


@pytest.fixture(scope="session")
def client(engine: str, daemon: Daemon | None, cache: Path) -> Iterator[DockerClient]:
    """A client of it, with the stand-in images there."""
    made = connect(engine, timeout_s=_BUILD_S)
    if daemon is not None:
        _sweep(made)
    if shutil.which("debootstrap") and os.geteuid() == 0:
        standins.provide(made, cache)
    yield made
    made.close()


@pytest.fixture(scope="session")
def contained(own_home: Path, engine: str, client: DockerClient) -> Settings:
    """Settings of a stack in containers, on the stand-ins."""
    settings = Settings.load("boxed", runtime="docker")
    images = {
        "host": engine,
        "kafka_image": standins.KAFKA,
        "mongo_image": standins.MONGO,
        "spark_image": standins.SPARK,
        "build_network": "host",
    }
    return settings.model_copy(update={"docker": settings.docker.model_copy(update=images)})


@pytest.fixture
def poor(contained: Settings, client: DockerClient) -> Iterator[Settings]:
    """A stack of which nothing is left."""
    settings = contained.model_copy(update={"stack": STACK})
    settings.folder.make()
    yield settings
    clearing.remove_containers(client, STACK)
    clearing.remove_volumes(client, STACK)
