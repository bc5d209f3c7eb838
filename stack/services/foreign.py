"""Kafka and MongoDB that are not ours: what the product needs in them is made there, and nothing else is touched."""

from __future__ import annotations

from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import ConfigResource, ResourceType  # type: ignore[attr-defined]  # its stubs leave it out
from pymongo import MongoClient
from pymongo.errors import ConfigurationError, OperationFailure, PyMongoError

from measure.errors import NotReadyError, UsageError
from stack.access import Role
from stack.blueprint import Blueprint
from stack.service import NotYetError, Service
from stack.services.kafka import NAME as KAFKA
from stack.services.kafka import client as client_of
from stack.services.kafka import make_topics as make_own_topics
from stack.services.kafka import probe as probe_kafka

_TIMEOUT_MS = 5000
_START_S = 30.0
_LOGIN_FAILED = (13, 18, 8000)
"""Codes of MongoDB: no right, wrong user or password, and Atlas's word for the latter."""


def kafka(blueprint: Blueprint) -> Service:
    """The brokers that `[external]` names."""
    return Service(
        name=KAFKA,
        command=(),
        environment={},
        ports={},
        log=blueprint.folder.log(KAFKA),
        provision=lambda: make_topics(blueprint),
        probe=lambda: probe_kafka(blueprint),
        start_timeout_s=_START_S,
        foreign=True,
        settings=blueprint.settings.external.model_dump(mode="json"),
    )


def make_topics(blueprint: Blueprint) -> None:
    """Make those topics that are not there. Errors say which right or setting they lack."""
    make_own_topics(blueprint, blueprint.settings.external.replication)
    client, names = client_of(blueprint), blueprint.access.names
    wanted = [ConfigResource(ResourceType.TOPIC, name) for name in (names.events, names.clean, names.dead)]
    for resource, answer in client.describe_configs(wanted, request_timeout=10).items():
        try:
            stamp = answer.result()["message.timestamp.type"].value
        except KafkaException as refused:
            raise NotReadyError(
                f"kafka: the configuration of topic {resource.name} cannot be read: {refused.args[0].str()}. Give the "
                "user of [external] kafka_user the right DescribeConfigs on it."
            ) from None
        if stamp != "LogAppendTime":
            raise UsageError(
                f"topic {resource.name} has message.timestamp.type={stamp}: latencies need LogAppendTime. Set it "
                "there, or choose another [external] prefix."
            )


def mongod(blueprint: Blueprint) -> Service:
    """The database that `[external]` names."""
    return Service(
        name="mongod",
        command=(),
        environment={},
        ports={},
        log=blueprint.folder.log("mongod"),
        provision=lambda: _ensure_indexes(blueprint),
        probe=lambda: _probe(blueprint),
        start_timeout_s=_START_S,
        foreign=True,
        settings=blueprint.settings.external.model_dump(mode="json"),
    )


def _client(blueprint: Blueprint) -> MongoClient[dict[str, Any]]:
    try:
        return MongoClient(blueprint.access.mongo_uri(Role.RUN), timeoutMS=_TIMEOUT_MS)
    except (ConfigurationError, ValueError) as wrong:
        raise UsageError(f"[external] mongo: the URI cannot be used: {wrong}") from None


def _ensure_indexes(blueprint: Blueprint) -> None:
    from measure.store import ensure_indexes

    name = blueprint.access.names.database
    try:
        with _client(blueprint) as client:
            check_set(client.admin.command("hello"))
            ensure_indexes(client[name])
    except OperationFailure as refused:
        if refused.code in _LOGIN_FAILED:
            raise NotReadyError(
                f"mongod: {(refused.details and refused.details.get('errmsg')) or refused}: give the user of "
                f"[external] mongo the role readWrite on database {name}."
            ) from None
        raise NotYetError(f"mongod: indexes cannot be made: {refused}") from None
    except PyMongoError as broken:
        raise NotYetError(f"no answer from {blueprint.access.endpoints.mongo}: {type(broken).__name__}") from None


def check_set(hello: dict[str, Any]) -> None:
    """NotReadyError where it is neither a replica set nor a sharded cluster, or cannot be written to."""
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise NotReadyError(
            "mongod: this is a standalone server: transactions and change streams need a replica set (one member is "
            "enough: start it with --replSet and call rs.initiate())."
        )


def _probe(blueprint: Blueprint) -> None:
    try:
        with _client(blueprint) as client:
            if not client.admin.command("hello").get("isWritablePrimary"):
                raise NotYetError("mongod answers but is not primary")
    except PyMongoError as broken:
        raise NotYetError(f"no login at {blueprint.access.endpoints.mongo}: {type(broken).__name__}") from None
