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
from stack.docker.engine import connect
from stack.settings import Settings
from tests.docker import standins
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


@pytest.fixture(scope="session")
def engine(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an engine that answers."""
    given = os.environ.get("DOCKER_HOST")
    if given and _answers(given):
        yield given
        return
    if reason := _missing():
        pytest.skip(reason)
    place = tmp_path_factory.mktemp("engine")
    address = f"unix://{place}/docker.sock"
    command = ["dockerd", "--data-root", str(cache / "engine"), "--exec-root", str(place / "exec"), "-H", address]
    with (place / "dockerd.log").open("wb") as log:
        daemon = subprocess.Popen([*command, "--pidfile", str(place / "pid")], stdout=log, stderr=log)
    try:
        wait_for(lambda: _answers(address) or daemon.poll() is not None, "dockerd answers", 60)
        if daemon.poll() is not None:
            pytest.skip(
                f"dockerd cannot run here: {(place / 'dockerd.log').read_text().strip().splitlines()[-1][-300:]}"
            )
        yield address
    finally:
        daemon.terminate()
        daemon.wait(60)


@pytest.fixture(scope="session")
def client(engine: str, cache: Path) -> Iterator[DockerClient]:
    """A client of it, with the stand-in images there."""
    made = connect(engine, timeout_s=_BUILD_S)
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
