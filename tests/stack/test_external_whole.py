"""The external runtime on real clusters: another stack's Kafka and MongoDB, and a Spark master with two workers."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyspark
import pytest
from confluent_kafka.admin import AdminClient
from pydantic import SecretStr
from pymongo import MongoClient

from measure.errors import NotReadyError, UsageError
from stack import lifecycle
from stack.access import Access, Role
from stack.external_doctor import examine_external
from stack.faults import inject
from stack.finding import Verdict
from stack.java import find_java
from stack.ports import HOST, find_free
from stack.settings import ExternalSettings, Settings
from tests.stack.waiting import wait_for

pytestmark = pytest.mark.stack

NARRATED: list[str] = []
DATABASE = "elsewhere"


@pytest.fixture(scope="module")
def clusters(own_home: Path) -> Iterator[Access]:
    """Kafka and MongoDB of a stack of another name: to the external runtime, clusters that already run."""
    settings = Settings.load("clusters").model_copy(update={"services": ("kafka", "mongod")})
    try:
        lifecycle.up(settings, None, None, NARRATED.append)
        yield Access.load(settings.folder.root)
    finally:
        lifecycle.down(settings, purge=True, narrate=NARRATED.append)


class SparkCluster:
    """A standalone master and two workers, from pyspark's own jars."""

    def __init__(self, place: Path) -> None:
        from random import SystemRandom

        chance = SystemRandom()
        home = Path(pyspark.__file__).parent
        self._java = str(find_java(None)), "-Xmx256m", "-cp", f"{home}/jars/*"
        named = {"SPARK_HOME": str(home), "SPARK_SCALA_VERSION": "2.13", "SPARK_LOCAL_IP": HOST}
        self._environment = os.environ | named
        self._place = place
        self._processes: list[subprocess.Popen[bytes]] = []
        port, self._ui = find_free((), chance), find_free((), chance)
        self.master = f"spark://{HOST}:{port}"
        self._start("master.Master", "--host", HOST, "--port", str(port), "--webui-port", str(self._ui))
        for number in ("1", "2"):
            folder = str(place / number)
            self._start(
                "worker.Worker", "-h", HOST, "-c", "2", "-m", "1g", "-d", folder, "--webui-port", "0", self.master
            )

    def _start(self, name: str, *arguments: str) -> None:
        with (self._place / f"{name}.log").open("ab") as log:
            command = (*self._java, f"org.apache.spark.deploy.{name}", *arguments)
            child = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log, cwd=self._place)
        self._processes.append(child)

    def state(self) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{self._ui}/json/", timeout=5) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except (OSError, ValueError):  # at first it answers every path with its page
            return {}

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            process.wait(20)


@pytest.fixture(scope="module")
def spark_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkCluster]:
    cluster = SparkCluster(tmp_path_factory.mktemp("spark"))
    try:
        wait_for(lambda: cluster.state().get("aliveworkers") == 2, "two workers", 60)
        yield cluster
    finally:
        cluster.stop()


def external(clusters: Access, **more: Any) -> Settings:
    root = clusters.credentials.mongo["root"]
    uri = f"mongodb://root:{root}@{clusters.endpoints.mongo}/?authSource=admin&directConnection=true"
    fields: dict[str, Any] = {
        "kafka": clusters.endpoints.kafka[Role.HOST],
        "kafka_security": "SASL_PLAINTEXT",
        "kafka_user": "host",
        "kafka_password": SecretStr(clusters.credentials.kafka["host"]),
        "mongo": SecretStr(uri),
        "prefix": "shop.",
        "database": DATABASE,
    }
    settings = Settings.load("attached", runtime="external")
    services = ("kafka", "mongod", "spark", "sink")
    return settings.model_copy(update={"external": ExternalSettings(**(fields | more)), "services": services})


def test_a_job_at_a_master_with_two_workers_reads_and_stores_beside_what_is_not_ours(
    clusters: Access, spark_cluster: SparkCluster
) -> None:
    settings = external(clusters, spark=spark_cluster.master)
    admin = AdminClient(clusters.kafka(Role.HOST))
    before = set(admin.list_topics(timeout=10).topics)
    told: list[str] = []
    try:
        state = lifecycle.up(settings, None, None, told.append)  # a probe event came through, or it raises
        services = {each.name: each for each in state.services}
        assert {name for name, each in services.items() if each.foreign} == {"kafka", "mongod"}
        assert {each.state for each in state.services} == {"ready"}
        assert services["kafka"].pid is None
        (application,) = spark_cluster.state()["activeapps"]
        assert application["cores"] == 4
        with pytest.raises(UsageError, match="not this stack's own"):
            lifecycle.restart(settings, "kafka", told.append)
        with pytest.raises(UsageError, match="not this stack's own"):
            inject(settings, "kill", "mongod", None)
        with pytest.raises(UsageError, match="made with runtime external"):
            lifecycle.up(Settings.load("attached", runtime="local"), None, None, told.append)
    finally:
        lifecycle.down(settings, purge=True, narrate=told.append)
    made = {"shop.events", "shop.events.clean", "shop.events.dead"}
    now = set(admin.list_topics(timeout=10).topics)
    assert now - before - {"__consumer_offsets"} == made
    assert any("left as they are: topics shop.events" in line for line in told)
    with MongoClient[dict[str, Any]](clusters.mongo_uri(Role.RUN)) as client:
        assert client[clusters.names.database]["positions"].count_documents({}) == 0
    wait_for(lambda: not spark_cluster.state().get("activeapps"), "the application has ended at the master", 30)


def test_the_doctor_tells_what_an_endpoint_lacks(clusters: Access) -> None:
    def verdicts(**more: Any) -> dict[str, Any]:
        return {each.name: each for each in examine_external(external(clusters, **more))}

    fine = verdicts()
    assert {each.verdict for each in fine.values()} == {Verdict.OK}
    assert fine["mongodb"].found.endswith(f"may read and write database {DATABASE}")
    nobody = verdicts(kafka_password=SecretStr("wrong"), spark=f"spark://{HOST}:1")
    assert nobody["kafka"].verdict is Verdict.LACKS
    assert nobody["spark"].verdict is Verdict.LACKS
    reader = clusters.mongo_uri(Role.DASHBOARD)
    poor = verdicts(mongo=SecretStr(reader), database=clusters.names.database)["mongodb"]
    assert poor.verdict is Verdict.LACKS
    assert "no right to insert, update, remove, createIndex" in poor.found


def test_a_wrong_password_is_told_and_nothing_is_left(clusters: Access) -> None:
    settings = external(clusters, kafka_password=SecretStr("wrong"))
    with pytest.raises(NotReadyError, match="kafka"):
        lifecycle.up(settings, None, None, lambda _: None)
    assert not lifecycle.status(settings).up
    lifecycle.down(settings, purge=True, narrate=lambda _: None)


def test_topics_with_the_clients_clock_are_refused(clusters: Access) -> None:
    from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

    admin = AdminClient(clusters.kafka(Role.HOST))
    stamped = NewTopic("old.events", 3, 1, config={"message.timestamp.type": "CreateTime"})
    admin.create_topics([stamped])["old.events"].result()
    settings = external(clusters, prefix="old.")
    with pytest.raises(NotReadyError, match="LogAppendTime"):
        lifecycle.up(settings, None, None, lambda _: None)
    lifecycle.down(settings, purge=True, narrate=lambda _: None)
