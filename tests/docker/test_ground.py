"""What is a stack's own on an engine: what it takes up again, what it leaves alone, and what it removes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from docker import DockerClient

from measure.errors import NotReadyError
from stack import lifecycle
from stack.docker import labels
from stack.docker.clearing import containers, remove_containers, remove_volumes
from stack.docker.ground import Containers
from stack.settings import Settings
from tests.docker import standins
from tests.docker.small import IDLE, STACK, small
from tests.stack.waiting import wait_for

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

VOLUME = f"{labels.project_name(STACK)}_kept"
TOLD: list[str] = []


def test_a_stack_of_the_same_name_in_another_home_is_left_alone(
    poor: Settings, client: DockerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = small(poor, IDLE, volumes={"kept": "/kept"})
    ground = Containers(STACK, poor.docker.host)
    ground.start(service)
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("LATENCY_HOME", str(tmp_path))
        assert ground.find(service) is None
        with pytest.raises(NotReadyError, match=rf"stack {STACK}: .* network latency-{STACK}_default already"):
            ground.start(service)
        ground.discard(service)
        remove_containers(client, STACK)
        assert remove_volumes(client, STACK) == []
    assert containers(client, STACK)["small"].status == "running"
    remove_containers(client, STACK)
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("LATENCY_HOME", str(tmp_path))
        with pytest.raises(NotReadyError, match=rf"volume {VOLUME} already that belongs to another home .* by --stack"):
            ground.start(service)
        remove_containers(client, STACK)
    assert remove_volumes(client, STACK) == [VOLUME]


def test_a_name_that_somebody_else_has_is_told_with_what_to_do(poor: Settings, client: DockerClient) -> None:
    name = f"{labels.project_name(STACK)}-small-1"
    client.api.create_container(standins.KAFKA, name=name)
    try:
        with pytest.raises(NotReadyError, match=rf'"/{name}" is already in use by .* another name by --stack\.$'):
            Containers(STACK, poor.docker.host).start(small(poor, IDLE))
    finally:
        client.containers.get(name).remove(force=True)


def test_what_an_adopted_container_says_is_logged_though_nothing_was_before(poor: Settings, tmp_path: Path) -> None:
    service = small(poor, f"echo said; {IDLE}")
    Containers(STACK, poor.docker.host).start(service)
    after = replace(service, log=tmp_path / "small.log")
    assert Containers(STACK, poor.docker.host).find(after) is not None
    wait_for(lambda: after.log.exists() and after.log.read_bytes() == b"said\n", "its words are there", 20)


def beside(client: DockerClient, name: str, one_off: str) -> None:
    """What `docker compose run` and `--scale` make: another container of the same service."""
    told = labels.of_stack(STACK) | {labels.SERVICE: "small", labels.ONE_OFF: one_off}
    client.containers.run(standins.KAFKA, ["bash", "-c", IDLE], name=name, labels=told, detach=True)


def test_what_compose_made_beside_the_services_is_not_taken_for_them_and_is_removed(
    poor: Settings, client: DockerClient
) -> None:
    service = small(poor, IDLE)
    life = Containers(STACK, poor.docker.host).start(service)
    beside(client, "latency-poor-small-run", "True")
    assert containers(client, STACK)["small"].id == life.container
    beside(client, "latency-poor-small-2", "False")
    remove_containers(client, STACK)
    assert not client.containers.list(all=True, filters=labels.selecting(STACK))


def test_a_volume_that_somebody_else_uses_is_named(poor: Settings, client: DockerClient) -> None:
    Containers(STACK, poor.docker.host).start(small(poor, IDLE, volumes={"kept": "/kept"}))
    remove_containers(client, STACK)
    user = client.containers.create(standins.KAFKA, volumes={VOLUME: {"bind": "/kept", "mode": "ro"}})
    try:
        with pytest.raises(NotReadyError, match=rf"stack {STACK}: remove {VOLUME}: volume is in use .*: remove the"):
            remove_volumes(client, STACK)
    finally:
        user.remove(v=True)
    assert remove_volumes(client, STACK) == [VOLUME]


def test_data_of_other_credentials_are_told_from_a_broken_database(contained: Settings) -> None:
    settings = contained.model_copy(update={"stack": "strange", "services": ("mongod",)})
    try:
        lifecycle.up(settings, None, None, TOLD.append)
        lifecycle.down(settings, purge=False, narrate=TOLD.append)
        settings.folder.credentials.unlink()
        with pytest.raises(NotReadyError, match=r"its volume was made with other credentials .* --purge`"):
            lifecycle.up(settings, None, None, TOLD.append)
    finally:
        lifecycle.down(settings, purge=True, narrate=TOLD.append)
