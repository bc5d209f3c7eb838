"""The whole stack in containers: the same main job as in processes, and what only containers have."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from docker import DockerClient

from measure.errors import NotReadyError, UsageError
from scenarios.request import RunRequest
from scenarios.run import execute
from scenarios.schedule import Change
from stack import lifecycle
from stack.access import Access
from stack.credentials import secret_values
from stack.docker import labels
from stack.docker.clearing import containers
from stack.docker.ground import cgroup_parent
from stack.docker.images import CLASS_ARCHIVE
from stack.faults import inject
from stack.observe import status
from stack.settings import MongoSettings, Settings
from stack.supervision import find_supervisor
from tests.dashboard.serving import Visitor, browser, chromium
from tests.stack.waiting import wait_for

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1200)]

SERVICES = {"kafka", "mongod", "spark-master", "spark-worker-1", "spark-worker-2", "spark", "sink", "dashboard"}
TOLD: list[str] = []


@pytest.fixture(scope="module")
def boxed(contained: Settings) -> Iterator[Settings]:
    try:
        lifecycle.up(contained, None, None, TOLD.append)  # a probe event came through, or it raises
        yield contained
    finally:
        lifecycle.down(contained, purge=True, narrate=TOLD.append)


def ids(client: DockerClient, settings: Settings) -> dict[str, str]:
    return {name: str(one.id) for name, one in containers(client, settings.stack).items()}


def ready(settings: Settings) -> bool:
    return status(settings).ready


def test_status_tells_each_container(boxed: Settings, client: DockerClient) -> None:
    state = status(boxed)
    assert {each.name for each in state.services} == SERVICES
    assert state.ready
    assert {each.name: each.container for each in state.services} == ids(client, boxed)
    wait_for(lambda: all(each.memory_bytes for each in status(boxed).services), "memory of every container", 30)
    wait_for(lambda: all(each.rx_bytes_s is not None for each in status(boxed).services), "network of each", 30)


def test_containers_are_shut_in_and_found_by_composes_labels(boxed: Settings, client: DockerClient) -> None:
    secrets = secret_values(boxed.folder)
    for name, container in containers(client, boxed.stack).items():
        config, host = container.attrs["Config"], container.attrs["HostConfig"]
        assert config["Labels"][labels.PROJECT] == "latency-boxed"
        assert config["Labels"][labels.SERVICE] == name
        assert len(config["Labels"][labels.HASH]) == 16
        assert host["CapDrop"] == ["ALL"]
        assert host["SecurityOpt"] == ["no-new-privileges"]
        assert host["Memory"] > 0
        assert host["CpuShares"] == boxed.docker.cpu_shares
        assert (host["CgroupParent"] or None) == cgroup_parent(client.info())
        assert not host["Privileged"]
        bindings = [one for each in (host["PortBindings"] or {}).values() for one in each]
        assert {one["HostIp"] for one in bindings} <= {"127.0.0.1"}
        assert not any("docker.sock" in str(mount) for mount in container.attrs["Mounts"])
        assert not any(secret in json.dumps(container.attrs) for secret in secrets)


def test_each_jvm_of_spark_maps_the_archive_of_its_classes(boxed: Settings, client: DockerClient) -> None:
    jvms = {"spark": 1, "spark-master": 1, "spark-worker-1": 2, "spark-worker-2": 2}  # its own, and an executor
    ask = ["bash", "-c", f"grep -l {CLASS_ARCHIVE} /proc/[0-9]*/maps 2>/dev/null"]
    found = {name: containers(client, boxed.stack)[name].exec_run(ask).output.split() for name in jvms}
    assert {name: len(maps) for name, maps in found.items()} == jvms


def test_up_again_changes_nothing(boxed: Settings, client: DockerClient) -> None:
    before = ids(client, boxed)
    lifecycle.up(boxed, None, None, TOLD.append)
    assert ids(client, boxed) == before


def test_logs_are_there_as_for_processes(boxed: Settings) -> None:
    logs = boxed.folder.logs
    wait_for(lambda: all((logs / f"{name}.log").exists() for name in SERVICES - {"sink", "dashboard"}), "logs", 20)
    assert b"RaftServer" in (logs / "kafka.log").read_bytes()


def test_the_main_job_runs_through_with_every_event_accounted_for(boxed: Settings) -> None:
    document = execute(RunRequest("smoke", Change(duration_us=10_000_000)), boxed, TOLD.append)
    assert document.runtime == "docker"
    assert document.audit.lost == 0
    assert document.audit.stored == document.audit.scheduled == 5000
    assert {"kafka", "mongod", "spark", "sink"} <= set(document.resources)
    assert min(used.samples for used in document.resources.values()) >= 8, "each second is sampled, whoever is slow"


@pytest.mark.skipif(chromium() is None, reason="no Chromium: `apt install chromium`")
def test_the_dashboard_is_seen_in_a_browser(boxed: Settings) -> None:
    with browser() as started:
        visitor = Visitor(started.new_page())
        address = Access.load(boxed.folder.root).endpoints.dashboard
        assert address
        visitor.go(address)
        assert visitor.errors == []


@pytest.mark.parametrize("service", ["sink", "spark-worker-1", "mongod", "kafka"])
def test_a_killed_container_comes_back(boxed: Settings, service: str) -> None:
    fault = inject(boxed, "kill", service, None)
    assert fault.acted
    wait_for(lambda: ready(boxed), f"{service} is back after its kill", 180)


@pytest.mark.parametrize("service", ["sink", "kafka"])
def test_a_paused_container_goes_on(boxed: Settings, service: str) -> None:
    fault = inject(boxed, "pause", service, 3.0)
    assert fault.acted
    assert fault.ended_us
    assert fault.ended_us - fault.began_us >= 3_000_000
    wait_for(lambda: ready(boxed), f"{service} is back after its pause", 120)


def test_a_stopped_container_stays_down_until_it_is_restarted(boxed: Settings, client: DockerClient) -> None:
    before = ids(client, boxed)
    lifecycle.halt(boxed, "dashboard")
    assert {each.name: each.state for each in status(boxed).services}["dashboard"] == "stopped"
    assert containers(client, boxed.stack)["dashboard"].status == "exited"
    lifecycle.restart(boxed, "dashboard", TOLD.append)
    assert ids(client, boxed) == before


def test_a_container_is_made_anew_on_demand(boxed: Settings, client: DockerClient) -> None:
    before = ids(client, boxed)
    lifecycle.restart(boxed, "dashboard", TOLD.append, anew=True)
    after = ids(client, boxed)
    assert {name for name in SERVICES if after[name] != before[name]} == {"dashboard"}


def test_sinks_are_scaled_and_the_others_left_alone(boxed: Settings, client: DockerClient) -> None:
    before = ids(client, boxed)
    lifecycle.up(boxed, None, 2, TOLD.append)
    more = ids(client, boxed)
    assert set(more) - set(before) == {"sink-2"}
    assert {name: more[name] for name in before} == before
    lifecycle.up(boxed, None, 1, TOLD.append)
    wait_for(lambda: "sink-2" not in status_names(boxed), "the second sink is gone", 60)


def status_names(settings: Settings) -> set[str]:
    return {each.name for each in status(settings).services}


def test_what_a_crash_of_the_supervisor_left_is_adopted(boxed: Settings, client: DockerClient) -> None:
    before = ids(client, boxed)
    supervisor = find_supervisor(boxed.folder)
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    wait_for(lambda: find_supervisor(boxed.folder) is None, "the supervisor is gone")
    assert {each.state for each in status(boxed).services} == {"unsupervised"}
    lifecycle.up(boxed, None, None, TOLD.append)
    assert ids(client, boxed) == before


def test_a_changed_setting_recreates_what_it_concerns_and_keeps_its_data(boxed: Settings, client: DockerClient) -> None:
    before = ids(client, boxed)
    changed = boxed.model_copy(update={"mongo": MongoSettings(cache_mb=512)})
    lifecycle.up(changed, None, None, TOLD.append)
    after = ids(client, boxed)
    assert {name for name in SERVICES if after[name] != before[name]} >= {"mongod"}
    assert {name: after[name] for name in ("kafka", "spark-master")} == {
        name: before[name] for name in ("kafka", "spark-master")
    }


def test_a_second_stack_beside_it_is_purged_alone(boxed: Settings, client: DockerClient) -> None:
    settings = boxed.model_copy(update={"stack": "beside", "services": ("kafka", "mongod")})
    before = ids(client, boxed)
    bystander: Any = client.containers.create(boxed.docker.kafka_image, name="latency-test-bystander")
    try:
        lifecycle.up(settings, None, None, TOLD.append)
        assert set(ids(client, settings)) == {"kafka", "mongod"}
        lifecycle.down(settings, purge=True, narrate=TOLD.append)
        assert ids(client, settings) == {}
        assert not client.volumes.list(filters={"label": f"{labels.OURS}=beside"})
        assert not client.networks.list(filters={"label": f"{labels.OURS}=beside"})
        assert ids(client, boxed) == before
        bystander.reload()
    finally:
        bystander.remove(force=True)


def test_no_engine_is_told_in_one_line(contained: Settings) -> None:
    nowhere = contained.docker.model_copy(update={"host": "unix:///nowhere/docker.sock"})
    with pytest.raises(NotReadyError, match="no container engine answers at unix:///nowhere") as refused:
        lifecycle.up(contained.model_copy(update={"stack": "none", "docker": nowhere}), None, None, TOLD.append)
    assert "\n" not in str(refused.value)


def test_a_missing_image_is_named_with_what_to_do(contained: Settings) -> None:
    absent = contained.docker.model_copy(update={"kafka_image": "latency-test/absent:1"})
    with pytest.raises(NotReadyError, match=r"image latency-test/absent:1 is not there and cannot be pulled"):
        lifecycle.up(contained.model_copy(update={"stack": "none", "docker": absent}), None, None, TOLD.append)


def test_a_stack_keeps_its_runtime(boxed: Settings) -> None:
    with pytest.raises(UsageError, match="made with runtime docker"):
        lifecycle.up(Settings.load("boxed", runtime="local"), None, None, TOLD.append)
