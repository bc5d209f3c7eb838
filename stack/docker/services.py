"""The definitions of the services as containers. What they are ready by is asked from the host, as for processes."""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from stack.access import Credentials, Endpoints, Role
from stack.blueprint import Blueprint, Plan
from stack.credentials import BROKER, KAFKA_CLIENTS, MONGO_ROOT
from stack.docker.box import Box, File
from stack.docker.database import Provision
from stack.docker.images import CLASS_ARCHIVE
from stack.ports import HOST
from stack.profiles import find_profile
from stack.service import NotYetError, Service
from stack.services.dashboard import UNPROTECTED_VARIABLE
from stack.services.dashboard import dashboard as pages
from stack.services.dashboard import options as page_options
from stack.services.dashboard import probe as probe_pages
from stack.services.kafka import NAME as KAFKA
from stack.services.kafka import cluster_id, jaas, make_topics, server_properties
from stack.services.kafka import probe as probe_kafka
from stack.services.mongod import NAME as MONGOD
from stack.services.mongod import REPLICA_SET
from stack.services.mongod import probe as probe_mongod
from stack.services.sink import sink
from stack.services.spark import JAVA_OPTIONS, MASTER_VARIABLE, ThroughProbe, own_environment

MASTER, WORKER = "spark-master", "spark-worker"
KAFKA_UID, MONGO_UID, SPARK_UID = 1000, 999, 185
_SECRETS = "/etc/kafka/secrets"
_KEYS = "/etc/latency"
_STACK = "/stack"
_INSIDE = {"host": 9092, "producer": 9192, "job": 9193, "sink": 9194, "controller": 9195}
_MONGO, _MASTER, _MASTER_UI, _SPARK_UI, _PAGES = 27017, 7077, 8080, 4040, 8501
_MASTER_URL = f"spark://{MASTER}:{_MASTER}"
_ARCHIVED = f"-XX:SharedArchiveFile={CLASS_ARCHIVE}"
_JVM_OPTIONS = f"{JAVA_OPTIONS} {_ARCHIVED}"
_DAEMON = {
    "SPARK_DAEMON_MEMORY": "256m",
    # Master and workers do little: code that is compiled in a hurry leaves the cores to those that start beside them.
    "SPARK_DAEMON_JAVA_OPTS": f"-XX:TieredStopAtLevel=1 -XX:+UseSerialGC {_ARCHIVED}",
}
_TIMEOUT_S = 3.0
_START_S = 180.0  # several JVMs begin at once, and share what cores there are

_START_KAFKA = """\
#!/usr/bin/env bash
# The image formats without users: so format first, with a SCRAM user for each role, whose keys it would tell.
set -eu
if [[ ! -e /var/lib/kafka/data/meta.properties ]]; then
  configuration=/mnt/shared/config/server.properties
  /opt/kafka/bin/kafka-storage.sh format -t "$CLUSTER_ID" -c "$configuration" @/etc/kafka/secrets/users >/dev/null
fi
exec /etc/kafka/docker/run
"""
_START_MONGOD = """\
#!/usr/bin/env bash
# mongod refuses a key file that others may read, as one from outside may have to be: so it gets a copy.
set -eu
install -m 400 /etc/latency/keyfile /tmp/keyfile
exec docker-entrypoint.sh "$@"
"""


def _answers(port: int) -> str:
    """For the engine's own eyes; whether a service is ready is asked by its protocol, from the host."""
    return f"bash -c '</dev/tcp/127.0.0.1/{port}'"


def kafka(blueprint: Blueprint) -> Service:
    """The broker, by the contract of apache/kafka."""
    settings = blueprint.settings
    properties = _server_properties(blueprint)
    published = {_INSIDE[role]: blueprint.ports[f"kafka.{role}"] for role in ("producer", "host")}
    box = Box(
        image=settings.docker.kafka_image,
        memory_mb=settings.kafka.heap_mb + 512,
        cpus=settings.docker.cpus,
        cpu_shares=settings.docker.cpu_shares,
        volumes={"kafka": "/var/lib/kafka/data"},
        published=published,
        check=_answers(_INSIDE["host"]),
        files=lambda: _kafka_files(blueprint, properties),
    )
    return Service(
        name=KAFKA,
        command=("bash", f"{_SECRETS}/start"),
        environment={
            "CLUSTER_ID": cluster_id(hashlib.md5(settings.stack.encode(), usedforsecurity=False).digest()),
            "KAFKA_HEAP_OPTS": f"-Xms{min(256, settings.kafka.heap_mb)}m -Xmx{settings.kafka.heap_mb}m",
            "KAFKA_OPTS": f"-XX:+ExitOnOutOfMemoryError -Djava.security.auth.login.config={_SECRETS}/jaas.conf",
        },
        ports={role: blueprint.ports[f"kafka.{role}"] for role in ("producer", "host")},
        log=blueprint.folder.log(KAFKA),
        provision=lambda: make_topics(blueprint),
        probe=lambda: probe_kafka(blueprint),
        start_timeout_s=_START_S,
        stop_timeout_s=20,
        settings=properties,
        box=box,
    )


def _server_properties(blueprint: Blueprint) -> dict[str, str]:
    """As for a process, but for addresses: the host's clients come by published ports, the others by the network."""
    ports = blueprint.ports
    listeners = {role.upper(): f"0.0.0.0:{_INSIDE[role]}" for role in (*KAFKA_CLIENTS, "controller")}
    advertised = {
        role.upper(): f"{HOST}:{ports[f'kafka.{role}']}" if role in ("producer", "host") else f"kafka:{_INSIDE[role]}"
        for role in KAFKA_CLIENTS
    }
    return server_properties(blueprint) | {
        "controller.quorum.voters": f"1@kafka:{_INSIDE['controller']}",
        "listeners": ",".join(f"{name}://{address}" for name, address in listeners.items()),
        "advertised.listeners": ",".join(f"{name}://{address}" for name, address in advertised.items()),
        "inter.broker.listener.name": "JOB",
        "log.dirs": "/var/lib/kafka/data",
    }


def _kafka_files(blueprint: Blueprint, properties: Mapping[str, str]) -> list[File]:
    words = blueprint.access.credentials.kafka
    users = "".join(
        f"--add-scram\nSCRAM-SHA-512=[name={user},password={words[user]}]\n" for user in (*KAFKA_CLIENTS, BROKER)
    )
    lines = "".join(f"{key}={value}\n" for key, value in properties.items())
    return [
        File(f"{_SECRETS}/start", _START_KAFKA.encode(), KAFKA_UID, 0o500),
        File(f"{_SECRETS}/users", users.encode(), KAFKA_UID),
        File(f"{_SECRETS}/jaas.conf", jaas(words).encode(), KAFKA_UID),
        File("/mnt/shared/config/server.properties", lines.encode(), KAFKA_UID, 0o600),
    ]


def mongod(blueprint: Blueprint) -> Service:
    """The database, by the contract of mongo: its entry point makes the first user."""
    settings = blueprint.settings
    command: tuple[str, ...] = ("mongod", "--replSet", REPLICA_SET, "--bind_ip_all")
    command += ("--keyFile", "/tmp/keyfile")  # noqa: S108 (in a container of its own)
    command += ("--wiredTigerCacheSizeGB", str(settings.mongo.cache_mb / 1024), "--oplogSize", "990", "--quiet")
    command += ("--setParameter", "diagnosticDataCollectionEnabled=false")
    return Service(
        name=MONGOD,
        command=command,
        environment={
            "MONGO_INITDB_ROOT_USERNAME": MONGO_ROOT,
            "MONGO_INITDB_ROOT_PASSWORD_FILE": f"{_KEYS}/root-password",
        },
        ports={"mongo": blueprint.ports["mongo"]},
        log=blueprint.folder.log(MONGOD),
        provision=Provision(blueprint),
        probe=lambda: probe_mongod(blueprint),
        start_timeout_s=_START_S,
        stop_timeout_s=20,
        box=Box(
            image=settings.docker.mongo_image,
            memory_mb=settings.mongo.cache_mb + 768,
            cpus=settings.docker.cpus,
            cpu_shares=settings.docker.cpu_shares,
            user=f"{MONGO_UID}:{MONGO_UID}",
            entrypoint=("bash", f"{_KEYS}/start"),
            volumes={"mongod": "/data/db"},
            published={_MONGO: blueprint.ports["mongo"]},
            check=_answers(_MONGO),
            files=lambda: _mongo_files(blueprint),
        ),
    )


def _mongo_files(blueprint: Blueprint) -> list[File]:
    root = blueprint.access.credentials.mongo[MONGO_ROOT]
    key = base64.b64encode(hashlib.sha512(b"replica set key of " + root.encode()).digest())
    return [
        File(f"{_KEYS}/start", _START_MONGOD.encode(), MONGO_UID, 0o500),
        File(f"{_KEYS}/keyfile", key, MONGO_UID),
        File(f"{_KEYS}/root-password", root.encode(), MONGO_UID),
    ]


def own_box(blueprint: Blueprint, memory_mb: int, role: Role | None = None, **more: Any) -> Box:
    """A container of the project's image; with a role, it is told how that one reaches Kafka and MongoDB."""
    if role is not None:
        more["files"] = lambda: _access_files(blueprint, role)
    docker = blueprint.settings.docker
    return Box(docker.image or "", memory_mb, docker.cpus, docker.cpu_shares, **more)


def _access_files(blueprint: Blueprint, role: Role) -> list[File]:
    """The stack's folder as a container sees it: addresses within the network, and its own role's passwords only."""
    words = blueprint.access.credentials
    own = Credentials(kafka={role: words.kafka[role]} if role in words.kafka else {}, mongo={role: words.mongo[role]})
    return folder_files(blueprint, own)


def inner_endpoints(blueprint: Blueprint) -> Endpoints:
    """The addresses within the stack's own network."""
    inner = {role: role if role in ("job", "sink") else "job" for role in KAFKA_CLIENTS}  # the others are for the host
    return Endpoints(
        kafka={role: f"kafka:{_INSIDE[listener]}" for role, listener in inner.items()},
        mongo=f"mongod:{_MONGO}",
        names=blueprint.access.names,
    )


def folder_files(blueprint: Blueprint, known: Credentials) -> list[File]:
    """The same with the passwords that are `known`."""
    plan = Plan(blueprint.settings.model_dump(mode="json"), {})
    return [
        File(f"{_STACK}/endpoints.json", msgspec.json.encode(inner_endpoints(blueprint)), SPARK_UID),
        File(f"{_STACK}/credentials.json", msgspec.json.encode(known), SPARK_UID),
        File(f"{_STACK}/plan.json", msgspec.json.encode(plan), SPARK_UID),
    ]


def spark_master(blueprint: Blueprint) -> Service:
    """Spark's standalone master."""
    port = blueprint.ports["spark.master"]
    command = ("/opt/spark/bin/spark-class", "org.apache.spark.deploy.master.Master", "--host", MASTER)
    return Service(
        name=MASTER,
        command=(*command, "--port", str(_MASTER), "--webui-port", str(_MASTER_UI)),
        environment=_DAEMON,
        ports={"ui": port},
        log=blueprint.folder.log(MASTER),
        probe=lambda: _require_workers(port, 0),
        start_timeout_s=_START_S,
        stop_timeout_s=10,
        box=own_box(blueprint, 640, published={_MASTER_UI: port}, check=_answers(_MASTER_UI)),
    )


def spark_workers(blueprint: Blueprint) -> Iterator[Service]:
    """Spark's workers, `spark-worker-1` and on."""
    docker = blueprint.settings.docker
    cores = -(-(blueprint.settings.kafka.partitions + 1) // docker.workers)
    command = ("/opt/spark/bin/spark-class", "org.apache.spark.deploy.worker.Worker", _MASTER_URL)
    for number in range(1, docker.workers + 1):
        yield Service(
            name=f"{WORKER}-{number}",
            command=(*command, "--cores", str(cores), "--memory", f"{docker.worker_memory_mb - 512}m"),
            environment=_DAEMON,
            ports={},
            log=blueprint.folder.log(f"{WORKER}-{number}"),
            probe=lambda number=number: _require_workers(blueprint.ports["spark.master"], number),  # type: ignore[misc]
            needs=(MASTER,),
            start_timeout_s=_START_S,
            stop_timeout_s=10,
            box=own_box(blueprint, docker.worker_memory_mb, volumes={"spark": f"{_STACK}/spark"}),
        )


def _require_workers(port: int, wanted: int) -> None:
    """Ask the master itself how many workers it has."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/json/", timeout=_TIMEOUT_S) as answer:
            told = json.load(answer)
    except (OSError, ValueError) as absent:
        raise NotYetError(f"Spark's master does not answer at {HOST}:{port}: {type(absent).__name__}") from None
    if told.get("status") != "ALIVE" or told.get("aliveworkers", 0) < wanted:
        raise NotYetError(f"Spark's master is {told.get('status')} with {told.get('aliveworkers')} workers")


def spark(blueprint: Blueprint) -> Service:
    """The job of the profile."""
    module = find_profile(blueprint.settings.profile).module
    return driver(
        blueprint, ("python", "-m", module), own_environment(blueprint), lambda: _access_files(blueprint, Role.JOB)
    )


def driver(
    blueprint: Blueprint, command: tuple[str, ...], environment: Mapping[str, str], files: Callable[[], list[File]]
) -> Service:
    """A job: the driver, in client mode, in a container of its own."""
    settings = blueprint.settings
    through = ThroughProbe(blueprint.access)
    return Service(
        name="spark",
        command=command,
        environment={
            MASTER_VARIABLE: _MASTER_URL,
            "PYSPARK_SUBMIT_ARGS": _submit_arguments(blueprint),
            **environment,
        },
        ports={"ui": blueprint.ports["spark.ui"]},
        log=blueprint.folder.log("spark"),
        provision=through.send,
        probe=through.check,
        needs=("kafka", "mongod", MASTER),  # its own start takes as long as that of the workers, whom it waits for
        start_timeout_s=_START_S,
        stop_timeout_s=20,
        box=own_box(
            blueprint,
            settings.spark.memory_mb + 768,
            files=files,
            volumes={"spark": f"{_STACK}/spark"},
            published={_SPARK_UI: blueprint.ports["spark.ui"]},
            check=_answers(_SPARK_UI),
        ),
    )


def _submit_arguments(blueprint: Blueprint) -> str:
    configuration = {
        "spark.master": _MASTER_URL,
        "spark.driver.bindAddress": "0.0.0.0",  # noqa: S104 (within the stack's own network)
        "spark.driver.host": "spark",
        "spark.ui.port": _SPARK_UI,
        "spark.ui.showConsoleProgress": "false",
        "spark.executor.extraJavaOptions": _JVM_OPTIONS,
        "spark.executor.memory": f"{max(512, blueprint.settings.docker.worker_memory_mb - 1024)}m",
    }
    arguments = ["--driver-memory", f"{blueprint.settings.spark.memory_mb}m"]
    arguments += ["--driver-java-options", _JVM_OPTIONS]
    for key, value in configuration.items():
        arguments += ["--conf", f"{key}={value}"]
    return shlex.join([*arguments, "pyspark-shell"])


def sinks(blueprint: Blueprint) -> Iterator[Service]:
    """As the processes are, but for where they run."""
    for number in range(1, blueprint.settings.sinks + 1):
        yield contained(blueprint, sink(blueprint, number), "jobs.sink")


def contained(blueprint: Blueprint, local: Service, module: str) -> Service:
    """What follows the job's output, with the rights of a sink."""
    return replace(
        local,
        command=("python", "-m", module),
        box=own_box(blueprint, 512, Role.SINK),
    )


def dashboard(blueprint: Blueprint) -> Service:
    """As the process is, but that it listens to the whole network of the stack. What guards it is that its port is
    published on loopback only."""
    local = pages(blueprint)
    inside = {"server.address": "0.0.0.0", "server.port": str(_PAGES)}  # noqa: S104 (published on loopback only)
    options = [(key, inside.get(key, value)) for key, value in page_options(blueprint) if key != "secrets.files"]
    port = blueprint.ports["dashboard"]
    return replace(
        local,
        command=("python", "-m", "dashboard", *(f"--{key}={value}" for key, value in options)),
        environment={**local.environment, UNPROTECTED_VARIABLE: "1"},
        probe=lambda: probe_pages(HOST, port),
        box=own_box(blueprint, 768, Role.DASHBOARD, published={_PAGES: port}, check=_answers(_PAGES)),
    )
