"""What can be wrong with an engine and its containers: each told in one line, with what to do."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import socket
import subprocess
import sys
import tarfile

import pytest
from confluent_kafka import Producer
from docker import DockerClient

from measure.errors import NotReadyError
from stack import lifecycle
from stack.access import Access, Role
from stack.docker import labels
from stack.docker.box import File, packed
from stack.docker.ground import Containers
from stack.keeper import Keeper, State
from stack.ports import HOST
from stack.service import Service
from stack.settings import Settings
from tests.docker import standins
from tests.docker.small import STACK, small
from tests.stack.waiting import wait_for

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

TOLD: list[str] = []


def reason(settings: Settings, service: Service) -> str:
    """What its keeper says when it has given it up: the first line."""
    keeper = Keeper(service, settings.folder, TOLD.append, Containers(STACK, settings.docker.host))
    asyncio.run(asyncio.wait_for(keeper.run({}), 60))
    assert keeper.standing.state is State.FAILED
    return keeper.standing.reason.splitlines()[0]


def test_no_right_to_the_socket(contained: Settings) -> None:
    asked = (
        "import os, sys; from stack.docker.engine import connect; "
        "os.setgroups([]); os.setgid(65534); os.setuid(65534); connect(sys.argv[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked, str(contained.docker.host)], capture_output=True, text=True, check=False
    )
    assert "no right to speak to the container engine" in done.stderr
    assert "added to the group that owns the socket" in done.stderr


def test_a_container_that_ends_at_once_is_named_with_its_last_line(poor: Settings) -> None:
    told = reason(poor, small(poor, "echo 'ERROR no such thing' >&2; exit 3"))
    assert told == "small ended with code 3: ERROR no such thing"


def test_one_without_enough_memory(poor: Settings) -> None:
    told = reason(poor, small(poor, "a=0123456789; while true; do a=$a$a; done", memory_mb=32))
    assert told.startswith("small was killed for lack of memory (137): give it more")


def test_one_on_a_processor_that_lacks_an_instruction(poor: Settings) -> None:
    told = reason(poor, small(poor, "bash -c 'kill -ILL $$'; exit $?"))
    assert told.startswith("small was ended by an illegal instruction (this processor may lack AVX")


def test_one_that_ends_again_and_again_is_told_with_its_restarts(poor: Settings) -> None:
    service = small(poor, "sleep 0.5; exit 3", probe=lambda: None)
    keeper = Keeper(service, poor.folder, TOLD.append, Containers(STACK, poor.docker.host))

    def told_so() -> str | None:
        standing = keeper.standing
        return standing.health if standing.restarts >= 2 and standing.state is State.RESTARTING else None

    async def watch() -> str:
        kept = asyncio.create_task(keeper.run({}))
        told = str(await asyncio.to_thread(wait_for, told_so, "two restarts", 50))
        kept.cancel()
        await asyncio.gather(kept, return_exceptions=True)
        await keeper.end()
        return told

    assert asyncio.run(asyncio.wait_for(watch(), 60)).startswith("ended with code 3, again in ")


def test_a_port_that_is_taken_is_named_with_who_has_it(poor: Settings) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        service = small(poor, "sleep 60", ports={"http": port}, published={80: port})
        told = reason(poor, service)
    assert told.startswith(f"small: its port {port} (http) is held by python")
    assert "stop that, or take another port" in told


def image_for(architecture: str) -> bytes:
    """An image archive with one empty layer."""
    layer = io.BytesIO()
    tarfile.open(fileobj=layer, mode="w").close()
    digest = hashlib.sha256(layer.getvalue()).hexdigest()
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{digest}"]}
    config = json.dumps({"architecture": architecture, "os": "linux", "config": {}, "rootfs": rootfs})
    manifest = [{"Config": "config.json", "RepoTags": ["latency-test/elsewhere:1"], "Layers": ["layer.tar"]}]
    files = {"config.json": config.encode(), "manifest.json": json.dumps(manifest).encode()}
    return packed([File(f"/{name}", told, 0) for name, told in (files | {"layer.tar": layer.getvalue()}).items()])


def test_an_image_for_another_processor(contained: Settings, client: DockerClient) -> None:
    client.images.load(image_for("s390x"))
    try:
        docker = contained.docker.model_copy(update={"kafka_image": "latency-test/elsewhere:1"})
        settings = contained.model_copy(update={"stack": STACK, "docker": docker})
        with pytest.raises(NotReadyError, match=r"latency-test/elsewhere:1 is for s390x, the engine runs .*\[docker\]"):
            lifecycle.up(settings, None, None, TOLD.append)
    finally:
        client.images.remove("latency-test/elsewhere:1")


def with_volume(client: DockerClient, stack: str, name: str, **options: str) -> str:
    """A volume that the stack will find."""
    full = f"{labels.project_name(stack)}_{name}"
    client.volumes.create(full, driver_opts=options, labels=labels.of_volume(stack, name))
    return full


def test_a_volume_of_another_version(contained: Settings, client: DockerClient) -> None:
    settings = contained.model_copy(update={"stack": "aged", "services": ("kafka",)})
    volume = with_volume(client, "aged", "kafka")
    mount = {volume: {"bind": "/var/lib/kafka/data", "mode": "rw"}}
    writer = client.containers.create(standins.KAFKA, volumes=mount)
    meta = b"version=9\ncluster.id=elsewhere\nnode.id=1\n"
    writer.put_archive("/", packed([File("/var/lib/kafka/data/meta.properties", meta, 1000)]))
    writer.remove()
    try:
        with pytest.raises(NotReadyError, match=r"kafka ended with code \d+: its data are not of this version: "):
            lifecycle.up(settings, None, None, TOLD.append)
    finally:
        lifecycle.down(settings, purge=True, narrate=TOLD.append)


def test_a_disk_that_is_full(contained: Settings, client: DockerClient) -> None:
    settings = contained.model_copy(update={"stack": "narrow", "services": ("kafka",)})
    with_volume(client, "narrow", "kafka", type="tmpfs", device="tmpfs", o="size=24m,uid=1000,gid=1000")
    try:
        lifecycle.up(settings, None, None, TOLD.append)
        access = Access.load(settings.folder.root)
        log = settings.folder.log("supervisor")
        producer = Producer(access.kafka(Role.PRODUCER) | {"message.timeout.ms": 5000}, logger=None)
        for _ in range(60):
            producer.produce(access.names.events, bytes(900_000), on_delivery=lambda *_: None)
            producer.poll(0.05)
        wait_for(lambda: "its disk is full: free some space" in log.read_text(), "the reason is told", 60)
    finally:
        lifecycle.down(settings, purge=True, narrate=TOLD.append)
