"""Clusters that already run, looked at before anything is begun: each endpoint, its version, and one's rights there."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs leave some out
    AclOperation,
    AdminClient,
    TopicDescription,
)
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from measure.errors import LatencyError
from stack.access import Access, Role
from stack.external import check_external, external_credentials, external_endpoints
from stack.finding import Finding, Verdict
from stack.services import chosen
from stack.services.foreign import check_set
from stack.settings import Settings

OLDEST_MONGODB = (5, 0)
_TIMEOUT_S = 5.0
_WANTED_ACTIONS = ("find", "insert", "update", "remove", "createIndex", "changeStream")
_SILENT = logging.getLogger("stack.external_doctor.client")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


def examine_external(settings: Settings) -> Iterator[Finding]:
    """A finding for the configuration, and one or more for each of the clusters."""
    try:
        check_external(settings)
    except LatencyError as wrong:
        yield Finding("external", Verdict.LACKS, "not configured", str(wrong))
        return
    endpoints = external_endpoints(settings, {"dashboard": 0, "spark.ui": 0}, chosen(settings))
    access = Access(endpoints, external_credentials(settings.external))
    yield from _kafka(access)
    yield _mongo(access)
    yield _spark(settings.external.spark)


def _kafka(access: Access) -> Iterator[Finding]:
    address = access.endpoints.kafka[Role.HOST]
    try:
        admin = AdminClient(access.kafka(Role.HOST) | {"socket.timeout.ms": int(_TIMEOUT_S * 1000)}, logger=_SILENT)
        there = admin.list_topics(timeout=_TIMEOUT_S)
        ours = [access.names.events, access.names.clean, access.names.dead]
        found = [name for name in ours if name in there.topics]
        yield Finding("kafka", Verdict.OK, f"{address}: {len(there.brokers)} broker(s), {len(found)} of 3 topics there")
        if len(found) < len(ours):
            yield _may_create(admin, [name for name in ours if name not in found])
        if found:
            for name, answer in _described(admin, found).items():
                yield _topic(name, answer.result())
    except KafkaException as refused:
        yield Finding("kafka", Verdict.LACKS, f"{address}: {refused.args[0].str()}", "check [external] kafka…")


def _described(admin: AdminClient, names: list[str]) -> Any:
    return admin.describe_topics(TopicCollection(names), include_authorized_operations=True, request_timeout=_TIMEOUT_S)


def _may_create(admin: AdminClient, names: list[str]) -> Finding:
    asked = admin.describe_cluster(include_authorized_operations=True, request_timeout=_TIMEOUT_S)
    rights = asked.result().authorized_operations
    if rights is None or AclOperation.CREATE in rights or AclOperation.ALL in rights:
        return Finding("kafka topics", Verdict.OK, f"`latency up` makes {', '.join(names)}")
    return Finding(
        "kafka topics",
        Verdict.NOTE,
        f"no right to create topics in the whole cluster; missing: {', '.join(names)}",
        "fine where the user may create topics of this prefix; else make them by hand",
    )


def _topic(name: str, topic: TopicDescription) -> Finding:
    if str(topic.topic_id) in ("None", "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAA=="):  # Kafka's word for none
        return Finding(f"topic {name}", Verdict.LACKS, "has no id", "the brokers are older than Kafka 2.8: update them")
    rights, wanted = topic.authorized_operations, (AclOperation.READ, AclOperation.WRITE)
    if rights and AclOperation.ALL not in rights:
        missing = [right.name.capitalize() for right in wanted if right not in rights]
        if missing:
            lack = f"no right to {', '.join(missing)}"
            return Finding(f"topic {name}", Verdict.LACKS, lack, "give it to the user of [external] kafka_user")
    return Finding(f"topic {name}", Verdict.OK, f"{len(topic.partitions)} partitions, may be read and written")


def _mongo(access: Access) -> Finding:
    address, name = access.endpoints.mongo, access.names.database
    try:
        with MongoClient[dict[str, Any]](access.mongo_uri(Role.RUN), timeoutMS=int(_TIMEOUT_S * 1000)) as client:
            check_set(client.admin.command("hello"))
            version = client.server_info()["version"]
            status = client.admin.command("connectionStatus", showPrivileges=True)["authInfo"]
    except (PyMongoError, ValueError) as broken:
        return Finding("mongodb", Verdict.LACKS, f"{address}: {type(broken).__name__}", "check [external] mongo")
    except LatencyError as wrong:
        return Finding("mongodb", Verdict.LACKS, address, str(wrong))
    if tuple(map(int, version.split(".")[:2])) < OLDEST_MONGODB:
        return Finding("mongodb", Verdict.LACKS, f"{address}: version {version}", "5.0 or later is wanted")
    missing = _missing_actions(status, name)
    if missing:
        lack = f"{address}: no right to {', '.join(missing)} on database {name}"
        return Finding("mongodb", Verdict.LACKS, lack, f"give its user the role readWrite on {name}")
    return Finding("mongodb", Verdict.OK, f"{address}: version {version}, may read and write database {name}")


def _missing_actions(status: dict[str, Any], database: str) -> list[str]:
    """Of what the product does; none where nobody is authenticated, for then there are no rights to lack."""
    if not status["authenticatedUsers"]:
        return []
    held: set[str] = set()
    for privilege in status["authenticatedUserPrivileges"]:
        resource = privilege["resource"]
        whole = resource.get("collection") == "" and resource.get("db") in ("", database)
        if whole or resource.get("anyResource"):
            held |= set(privilege["actions"])
    return [action for action in _WANTED_ACTIONS if action not in held]


def _spark(master: str) -> Finding:
    url = urlsplit(master.removeprefix("k8s://"))
    if master == "local":
        return Finding("spark", Verdict.OK, "in the job's own process")
    if url.hostname is None:
        return Finding("spark", Verdict.NOTE, master, "where it is, HADOOP_CONF_DIR says; it is asked at `latency up`")
    try:
        with socket.create_connection((url.hostname, url.port or 443), _TIMEOUT_S):
            return Finding("spark", Verdict.OK, f"{master} answers")
    except OSError as refused:
        return Finding("spark", Verdict.LACKS, f"{master}: {refused}", "start it, or correct [external] spark")
