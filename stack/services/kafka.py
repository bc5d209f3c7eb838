"""Kafka: one KRaft process that is broker and controller, a listener for each role, SCRAM on all of them."""

from __future__ import annotations

import base64
import json
import logging
import shutil
import subprocess
import uuid
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from measure.errors import NotReadyError, UsageError
from stack.access import Role
from stack.blueprint import Blueprint
from stack.credentials import BROKER, CONTROLLER, KAFKA_CLIENTS
from stack.files import write_whole
from stack.jars import kafka_jars
from stack.java import find_java
from stack.ports import HOST
from stack.service import NotYetError, Service

NAME = "kafka"
EVENT_BYTES = 1024 * 1024
"""The largest event. What the job makes of it may be twice as large."""
_BATCH_OVERHEAD_BYTES = 16 * 1024  # key, headers and framing of a record of the largest size
_TIMEOUT_S = 2.0
_NO_RIGHT = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED)

_SILENT = logging.getLogger("stack.kafka.client")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


def kafka(blueprint: Blueprint) -> Service:
    """The broker's definition."""
    folder, settings = blueprint.folder.data(NAME), blueprint.settings.kafka
    ports = {role: blueprint.ports[f"kafka.{role}"] for role in (*KAFKA_CLIENTS, "controller")}
    heap = f"-Xmx{settings.heap_mb}m"
    command = (
        str(find_java(blueprint.settings.java)),
        f"-Xms{min(256, settings.heap_mb)}m",
        heap,
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        f"-Djava.security.auth.login.config={folder / 'jaas.conf'}",
        f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}",
        "-cp",
        classpath(kafka_jars(blueprint.home)),
        "kafka.Kafka",
        str(folder / "server.properties"),
    )
    return Service(
        name=NAME,
        command=command,
        environment={},
        ports=ports,
        log=blueprint.folder.log(NAME),
        prepare=lambda: prepare(blueprint),
        provision=lambda: make_topics(blueprint),
        probe=lambda: probe(blueprint),
        start_timeout_s=60,
        stop_timeout_s=20,
        settings=server_properties(blueprint),
    )


def classpath(jars: Path) -> str:
    """All jars of the broker. Its own lack a logging backend, so pyspark's come before them."""
    import pyspark

    shipped = Path(pyspark.__file__).parent / "jars"
    backend = [
        str(jar)
        for pattern in ("slf4j-api-*.jar", "log4j-slf4j2-impl-*.jar", "log4j-core-*.jar", "log4j-api-*.jar")
        for jar in sorted(shipped.glob(pattern))
    ]
    return ":".join([*backend, f"{jars}/*"])


def server_properties(blueprint: Blueprint) -> dict[str, str]:
    """The broker's configuration. No secret is in it."""
    settings, ports = blueprint.settings.kafka, blueprint.ports
    clients = {role.upper(): ports[f"kafka.{role}"] for role in KAFKA_CLIENTS}
    client_listeners = ",".join(f"{name}://{HOST}:{port}" for name, port in clients.items())
    controller = f"{HOST}:{ports['kafka.controller']}"
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"{client_listeners},CONTROLLER://{controller}",
        "advertised.listeners": client_listeners,
        "listener.security.protocol.map": ",".join(f"{name}:SASL_PLAINTEXT" for name in (*clients, "CONTROLLER")),
        "inter.broker.listener.name": "HOST",
        "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "log.dirs": str(blueprint.folder.data(NAME) / "data"),
        "auto.create.topics.enable": "false",
        "num.partitions": str(settings.partitions),
        "num.network.threads": "2",  # for each of the five listeners
        "num.io.threads": "4",
        "offsets.topic.num.partitions": "4",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        "message.max.bytes": str(2 * EVENT_BYTES + _BATCH_OVERHEAD_BYTES),
        "log.segment.bytes": str(64 * 1024 * 1024),
        "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
    }


def prepare(blueprint: Blueprint) -> None:
    """Write the configuration and format the data folder at the first start."""
    folder = blueprint.folder.data(NAME)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = "".join(f"{key}={value}\n" for key, value in server_properties(blueprint).items())
    write_whole(folder / "server.properties", lines.encode())
    write_whole(folder / "jaas.conf", jaas(blueprint.access.credentials.kafka).encode())
    write_whole(folder / "log4j2.properties", _LOGGING.encode())
    if not (folder / "data" / "meta.properties").exists():
        shutil.rmtree(folder / "data", ignore_errors=True)  # a format that was interrupted
        _format(blueprint, folder)


def cluster_id(sixteen: bytes) -> str:
    """16 bytes as Kafka writes a UUID: base64 for URLs, unpadded. Its tool takes none that begins with a dash."""
    text = base64.urlsafe_b64encode(sixteen).decode().rstrip("=")
    return "A" + text[1:] if text.startswith("-") else text


def _format(blueprint: Blueprint, folder: Path) -> None:
    """Format with a SCRAM user for each role; they go in by an argument file, so no secret stands in argv."""
    users = {**{role: blueprint.access.credentials.kafka[role] for role in (*KAFKA_CLIENTS, BROKER)}}
    arguments = folder / "scram.arguments"
    lines = "".join(f"--add-scram\nSCRAM-SHA-512=[name={user},password={word}]\n" for user, word in users.items())
    write_whole(arguments, lines.encode())
    cluster = cluster_id(uuid.uuid4().bytes)
    tool = (
        str(find_java(blueprint.settings.java)),
        "-Xmx128m",
        "-cp",
        classpath(kafka_jars(blueprint.home)),
        "kafka.tools.StorageTool",
    )
    try:
        done = subprocess.run(  # noqa: S603 (the command is ours)
            [*tool, "format", "-t", cluster, "-c", str(folder / "server.properties"), f"@{arguments}"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        arguments.unlink(missing_ok=True)
    if done.returncode != 0:
        raise NotReadyError(
            f"kafka: formatting {folder / 'data'} failed: {(done.stderr or done.stdout).strip()[-400:]}"
        )


def jaas(passwords: dict[str, str]) -> str:
    """Who the broker is to itself, and who may speak to the controller."""
    broker, controller = passwords[BROKER], passwords[CONTROLLER]
    return (
        "KafkaServer {\n"
        "  org.apache.kafka.common.security.scram.ScramLoginModule required\n"
        f'  username="{BROKER}" password="{broker}";\n'
        "};\n"
        "controller.KafkaServer {\n"
        "  org.apache.kafka.common.security.plain.PlainLoginModule required\n"
        f'  username="{CONTROLLER}" password="{controller}" user_{CONTROLLER}="{controller}";\n'
        "};\n"
    )


_LOGGING = """\
rootLogger.level = WARN
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %-5p %c{1}: %m%n
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = INFO
logger.broker.name = kafka.server.BrokerServer
logger.broker.level = INFO
"""


def client(blueprint: Blueprint) -> AdminClient:
    """UsageError where it cannot be made: of a certificate that is none, for one."""
    try:
        return AdminClient(blueprint.access.kafka(Role.HOST) | {"socket.timeout.ms": 2000}, logger=_SILENT)
    except KafkaException as refused:
        raise UsageError(f"kafka: no client can be made as configured: {_text(refused)}") from None


def probe(blueprint: Blueprint) -> None:
    """Ask for metadata as an ordinary client of the HOST listener does: tests the advertised address and SCRAM too."""
    try:
        client(blueprint).list_topics(timeout=_TIMEOUT_S)
    except KafkaException as refused:
        raise NotYetError(f"no metadata from {blueprint.access.endpoints.kafka[Role.HOST]}: {_text(refused)}") from None


def make_topics(blueprint: Blueprint, replication: int = 1) -> None:
    """Make the topics that are not there. UsageError where one has other partitions than the settings say."""
    admin, names = client(blueprint), blueprint.access.names
    try:
        there = admin.list_topics(timeout=_TIMEOUT_S).topics
        wanted = _topics(blueprint, replication)
        for name in set(there) & set(wanted):
            _check_partitions(name, len(there[name].partitions), blueprint.settings.kafka.partitions)
        missing = [wanted[name] for name in (names.events, names.clean, names.dead) if name not in there]
        for made in admin.create_topics(missing, request_timeout=10).values() if missing else ():
            made.result()
    except KafkaException as refused:
        if refused.args[0].code() in _NO_RIGHT:
            raise NotReadyError(
                f"kafka: topics {', '.join(_topics(blueprint, replication))} cannot be made: {_text(refused)} Give the "
                "user the rights Create and Describe on them, or make them by hand with message.timestamp.type="
                "LogAppendTime."
            ) from None
        if refused.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise NotYetError(f"topics cannot be made yet: {_text(refused)}") from None


def _check_partitions(topic: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise UsageError(
            f"topic {topic} has {found} partitions, the setting kafka.partitions says {wanted}: set it to {found}, or "
            "make a new stack with `latency down --purge` and `latency up`."
        )


def _topics(blueprint: Blueprint, replication: int) -> dict[str, NewTopic]:
    settings, names = blueprint.settings.kafka, blueprint.access.names
    common: dict[str, Any] = {
        "message.timestamp.type": "LogAppendTime",
        "retention.ms": settings.retention_hours * 3_600_000,
        "retention.bytes": settings.retention_mb * 1024 * 1024,
    }
    sizes = {names.events: EVENT_BYTES, names.clean: 2 * EVENT_BYTES, names.dead: 2 * EVENT_BYTES}
    return {
        name: NewTopic(
            name,
            settings.partitions,
            replication,
            config={key: str(value) for key, value in common.items()}
            | {"max.message.bytes": str(size + _BATCH_OVERHEAD_BYTES)},
        )
        for name, size in sizes.items()
    }


def _text(refused: KafkaException) -> str:
    error = refused.args[0]
    return error.str() if isinstance(error, KafkaError) else json.dumps(str(error))
