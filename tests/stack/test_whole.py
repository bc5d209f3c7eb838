"""The whole real stack: Kafka, mongod, the Spark job, the sink and what else `up` starts."""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import os
import shlex
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from pymongo import MongoClient

from stack import lifecycle, process
from stack.access import Access
from stack.credentials import secret_values
from stack.faults import history
from stack.observe import status
from stack.probe import wait_for_probe
from stack.settings import Settings
from stack.state import ServiceState
from stack.supervision import find_supervisor
from tests.stack.waiting import wait_for

pytestmark = pytest.mark.stack

LATENCY = Path(sys.executable).with_name("latency")
PIPELINE = ("kafka", "mongod", "spark", "sink")
SILENT = logging.getLogger("tests.stack.silent")
SILENT.addHandler(logging.NullHandler())
SILENT.propagate = False


def latency(*arguments: str) -> str:
    done = subprocess.run([LATENCY, *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def service(settings: Settings, name: str) -> ServiceState:
    return next(each for each in status(settings).services if each.name == name)


def members(settings: Settings) -> list[psutil.Process]:
    return [one for each in status(settings).services for one in process.members(settings.folder, each.name)]


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """The command, killed at the end if it still runs."""
    with subprocess.Popen([LATENCY, *arguments], stdout=subprocess.PIPE) as command:
        try:
            yield command
        finally:
            command.kill()


@pytest.fixture(autouse=True)
def left_ready(stack_settings: Settings) -> Iterator[None]:
    yield
    wait_for(lambda: status(stack_settings).ready, "every service is ready again", 120)


def test_status_tells_all_and_no_secret(stack_settings: Settings) -> None:
    wait_for(lambda: all(each.memory_bytes for each in status(stack_settings).services), "the first samples")
    text = latency("status", "--json")
    told = json.loads(text)
    assert {each["name"] for each in told["services"]} >= set(PIPELINE)
    assert {each["state"] for each in told["services"]} == {"ready"}
    assert all(each["pid"] and each["since"] and each["memory"] for each in told["services"])
    assert set(told["endpoints"]) == {"kafka", "mongo", "dashboard", "spark_ui"}
    assert not any(secret in text for secret in secret_values(stack_settings.folder))
    table = latency("status")
    assert all(any(line.split()[:2] == [name, "ready"] for line in table.splitlines()) for name in PIPELINE)


def test_up_again_changes_nothing(stack_settings: Settings) -> None:
    before = {each.name: each.pid for each in status(stack_settings).services}
    after = lifecycle.up(stack_settings, None, None, lambda _: None)
    assert {each.name: each.pid for each in after.services} == before


@pytest.mark.parametrize("name", ["sink", "mongod", "kafka", "spark"])
def test_a_killed_service_comes_back_and_events_come_through(
    stack_settings: Settings, stack_access: Access, name: str
) -> None:
    before = service(stack_settings, name)
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)
    wait_for(lambda: service(stack_settings, name).pid not in (None, before.pid), "a new process", 60)
    wait_for(lambda: status(stack_settings).ready, "all are ready", 120)
    assert service(stack_settings, name).restarts > before.restarts
    assert wait_for_probe(stack_access, 60) < 60


def test_the_whole_stack_is_adopted_after_its_supervisor_was_killed(
    stack_settings: Settings, stack_access: Access
) -> None:
    before = {each.name: each.pid for each in status(stack_settings).services}
    supervisor = find_supervisor(stack_settings.folder)
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    wait_for(lambda: find_supervisor(stack_settings.folder) is None, "its end")
    assert {each.state for each in status(stack_settings).services} == {"unsupervised"}
    after = lifecycle.up(stack_settings, None, None, lambda _: None)
    assert {each.name: each.pid for each in after.services} == before


def test_kafka_refuses_who_has_no_password(stack_access: Access) -> None:
    for address in stack_access.endpoints.kafka.values():
        for login in (
            {},
            {
                "security.protocol": "SASL_PLAINTEXT",
                "sasl.mechanism": "SCRAM-SHA-512",
                "sasl.username": "host",
                "sasl.password": "guess",
            },
        ):
            stranger = AdminClient({"bootstrap.servers": address, **login}, logger=SILENT)
            with pytest.raises(KafkaException):
                stranger.list_topics(timeout=1)


def test_no_secret_stands_in_an_argument_a_variable_or_a_log(stack_settings: Settings) -> None:
    secrets = secret_values(stack_settings.folder)
    assert len(secrets) > 8
    supervisor = find_supervisor(stack_settings.folder)
    assert supervisor is not None
    for one in [*members(stack_settings), psutil.Process(supervisor.pid)]:
        said = "\0".join([*one.cmdline(), *one.environ().values()])
        assert not any(secret in said for secret in secrets), one.name()
    open_files = [stack_settings.folder.plan, stack_settings.folder.endpoints, *stack_settings.folder.logs.iterdir()]
    for file in open_files:
        content = file.read_text(errors="replace")
        assert not any(secret in content for secret in secrets), file


def test_what_holds_a_secret_is_the_owners_alone(stack_settings: Settings) -> None:
    root, secrets = stack_settings.folder.root, secret_values(stack_settings.folder)
    for place in (stack_settings.home.root, root, *(path for path in root.iterdir() if path.is_dir())):
        assert stat.S_IMODE(place.stat().st_mode) == 0o700, place
    small = [path for path in root.rglob("*") if path.is_file() and path.stat().st_size < 100_000]
    holding = [path for path in small if any(secret.encode() in path.read_bytes() for secret in secrets)]
    assert {path.name for path in holding} >= {"credentials.json", "jaas.conf"}
    for path in [*holding, root / "mongod" / "keyfile", *stack_settings.folder.logs.iterdir()]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_everything_listens_on_the_loopback_address_only(stack_settings: Settings) -> None:
    listening = [
        connection.laddr
        for one in members(stack_settings)
        for connection in one.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    ports = {port for each in status(stack_settings).services for port in each.ports.values()}
    assert ports <= {address.port for address in listening}
    assert {address.ip for address in listening} <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


def test_sparks_own_pages_are_where_status_says(stack_settings: Settings) -> None:
    endpoints = status(stack_settings).endpoints
    assert endpoints is not None
    assert endpoints.spark_ui is not None
    asked = http.client.HTTPConnection(urlsplit(endpoints.spark_ui).netloc, timeout=10)
    try:
        asked.request("GET", "/api/v1/applications")
        (application,) = json.loads(asked.getresponse().read())
    finally:
        asked.close()
    assert application["name"].startswith("latency ")


def test_logs_are_followed(stack_settings: Settings) -> None:
    with running("logs", "sink", "-f", "-n", "1") as reader:
        assert reader.stdout is not None
        os.set_blocking(reader.stdout.fileno(), False)
        seen = bytearray()

        def read() -> bytearray:
            seen.extend(reader.stdout.read() or b"")  # type: ignore[union-attr]
            return seen

        wait_for(read, "the last line so far")
        victim = service(stack_settings, "sink").pid
        assert victim is not None
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: read().count(b"\n") > 1, "what its successor logs", 60)
        reader.send_signal(signal.SIGINT)
        assert reader.wait(10) == 130


def test_logs_end_well_when_their_reader_leaves(stack_settings: Settings) -> None:
    command = f"{shlex.quote(str(LATENCY))} logs kafka -n 1000 | head -1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=True)
    assert done.stderr == b""
    assert done.stdout.count(b"\n") == 1


def test_a_pause_is_seen_undone_and_on_record(stack_settings: Settings) -> None:
    since_us = time.time_ns() // 1000
    with running("fault", "pause", "sink", "--for", "3s", "--json") as fault:
        wait_for(lambda: service(stack_settings, "sink").state == "paused", "the pause")
        assert fault.wait(30) == 0
        assert fault.stdout is not None
        told = json.loads(fault.stdout.read())
    assert service(stack_settings, "sink").state == "ready"
    (recorded,) = history(stack_settings.folder, since_us)
    assert recorded.ended_us is not None
    assert (told["id"], told["acted"], told["began_us"]) == (recorded.id, True, recorded.began_us)
    assert 3_000_000 <= recorded.ended_us - recorded.began_us < 6_000_000


def test_a_pause_ends_with_the_command_that_asked_for_it(stack_settings: Settings) -> None:
    with running("fault", "pause", "sink", "--for", "10m") as fault:
        wait_for(lambda: service(stack_settings, "sink").state == "paused", "the pause")
        fault.send_signal(signal.SIGINT)
        assert fault.wait(30) == 130
    assert service(stack_settings, "sink").state != "paused"


def test_a_killed_service_is_kept_down_as_long_as_was_asked(stack_settings: Settings) -> None:
    with running("fault", "kill", "sink", "--for", "4s") as fault:
        wait_for(lambda: service(stack_settings, "sink").health == "kept down by a fault", "it is held")
        assert not process.members(stack_settings.folder, "sink")
        assert fault.wait(30) == 0
    wait_for(lambda: service(stack_settings, "sink").state == "ready", "it is back", 60)


def test_one_fault_at_a_time(stack_settings: Settings) -> None:
    with running("fault", "pause", "sink", "--for", "3s") as first:
        wait_for(lambda: service(stack_settings, "sink").state == "paused", "the pause")
        second = subprocess.run([LATENCY, "fault", "pause", "mongod"], capture_output=True, text=True, check=False)
        assert second.returncode == 2
        assert "a pause of sink is in force" in second.stderr
        assert first.wait(30) == 0


def test_env_is_all_that_a_program_needs(stack_settings: Settings, stack_access: Access) -> None:
    exported = subprocess.run(
        ["sh", "-c", f'eval "$({shlex.quote(str(LATENCY))} env)" && env'], capture_output=True, text=True, check=True
    )
    found = dict(line.split("=", 1) for line in exported.stdout.splitlines() if "=" in line)
    with MongoClient[dict[str, object]](found["LATENCY_MONGO_URI"]) as client:
        assert "windows" in client[found["LATENCY_MONGO_DB"]].list_collection_names()
    assert found["LATENCY_KAFKA_BOOTSTRAP"] == stack_access.endpoints.kafka["host"]
    properties = Path(found["LATENCY_KAFKA_CONFIG"])
    assert stat.S_IMODE(properties.stat().st_mode) == 0o600
    assert "org.apache.kafka.common.security.scram.ScramLoginModule" in properties.read_text()
    bare = latency("env", "--no-secrets")
    assert not any(secret in bare for secret in secret_values(stack_settings.folder))


def test_sinks_are_added_and_taken_away(stack_settings: Settings, stack_access: Access) -> None:
    before = {each.name: each.pid for each in status(stack_settings).services}
    more = lifecycle.up(stack_settings, None, 2, lambda _: None)
    assert [each.name for each in more.services if each.name.startswith("sink")] == ["sink", "sink-2"]
    assert wait_for_probe(stack_access, 60) < 60
    fewer = lifecycle.up(stack_settings, None, 1, lambda _: None)
    assert {each.name: each.pid for each in fewer.services} == before
