"""The compose file: Debian's own compose starts a stack from it, and sees the one that this program started."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import DockerClient

from scenarios.request import RunRequest
from scenarios.run import execute
from scenarios.schedule import Change
from stack import lifecycle
from stack.access import Access
from stack.credentials import secret_values
from stack.docker.clearing import containers
from stack.docker.compose import FIRST_STEPS, compose
from stack.probe import wait_for_probe
from stack.settings import Settings
from tests.stack.waiting import wait_for

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

PROJECT = "latency-composed"
TOLD: list[str] = []


class Compose:
    """The `docker-compose` command on one file and engine."""

    def __init__(self, file: Path, engine: str, project: str) -> None:
        self._base = ("docker-compose", "-p", project, "-f", str(file))
        self._environment = os.environ | {"DOCKER_HOST": engine}

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self._base, *arguments], env=self._environment, capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def composed(contained: Settings, engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    """A stack that compose has started."""
    if shutil.which("docker-compose") is None:
        pytest.skip("docker-compose is not installed")
    settings = contained.model_copy(update={"stack": "composed"})
    file = tmp_path_factory.mktemp("composed") / "compose.yaml"
    file.write_text(compose(settings, TOLD.append).text)
    command = Compose(file, engine, PROJECT)
    try:
        command("up", "-d")
        yield command
    finally:
        command("down", "-v")
        lifecycle.down(settings, purge=True, narrate=TOLD.append)


def test_the_text_holds_no_secret_and_shuts_each_container_in(composed: Compose, contained: Settings) -> None:
    settings = contained.model_copy(update={"stack": "composed"})
    again = compose(settings, TOLD.append)
    assert not any(secret in again.text for secret in secret_values(settings.folder))
    services = again.document["services"]
    assert isinstance(services, dict)
    for definition in services.values():
        assert isinstance(definition, dict)
        assert definition["cap_drop"] == ["ALL"]
        assert definition["security_opt"] == ["no-new-privileges"]
        assert all(str(port).startswith("127.0.0.1:") for port in definition.get("ports", ()))


def test_a_run_attaches_to_what_compose_started(
    composed: Compose, contained: Settings, client: DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = containers(client, "composed")
    assert FIRST_STEPS in there
    wait_for(lambda: client.containers.get(there[FIRST_STEPS].id).status == "exited", "the first steps are done", 240)
    monkeypatch.chdir(contained.home.stack("composed") / "compose")  # the latency.toml there tells the way
    settings = Settings.load("composed-attached")
    assert settings.runtime == "external"
    try:
        state = lifecycle.up(settings, None, None, TOLD.append)
        assert {each.name: each.foreign for each in state.services} == {"kafka": True, "mongod": True}
        wait_for_probe(Access.load(settings.folder.root), 240)
        document = execute(RunRequest("smoke", Change(duration_us=10_000_000)), settings, TOLD.append)
        assert document.runtime == "external"
        assert document.audit.lost == 0
        assert document.audit.stored == document.audit.scheduled == 5000
    finally:
        lifecycle.down(settings, purge=True, narrate=TOLD.append)


def test_compose_sees_a_stack_that_it_did_not_start(contained: Settings, engine: str, tmp_path: Path) -> None:
    settings = contained.model_copy(update={"stack": "seen", "services": ("kafka", "mongod")})
    try:
        lifecycle.up(settings, None, None, TOLD.append)
        (tmp_path / "compose.yaml").write_text(compose(settings, TOLD.append).text)
        command = Compose(tmp_path / "compose.yaml", engine, "latency-seen")
        running = [line for line in command("ps").splitlines() if "Up" in line]
        assert [line.split()[0] for line in running] == ["latency-seen-kafka-1", "latency-seen-mongod-1"]
        assert "RaftServer" in command("logs", "kafka")
    finally:
        lifecycle.down(settings, purge=True, narrate=TOLD.append)
