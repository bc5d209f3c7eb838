"""The Spark job: a Python process and the JVM that it starts."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Mapping

from pymongo.errors import PyMongoError

from stack.access import Access
from stack.blueprint import Blueprint
from stack.jars import spark_jars
from stack.java import java_home
from stack.places import private_folder
from stack.probe import ProbeTimeoutError, has_arrived, send_probe
from stack.service import NotYetError, Service

NAME = "spark"
CHECKPOINT_VARIABLE = "LATENCY_CHECKPOINT_INTERVAL"
"""Tells the job its checkpoint interval, in Spark's wording."""
STATEFUL_VARIABLE = "LATENCY_STATEFUL"
MASTER_VARIABLE = "LATENCY_SPARK_MASTER"
"""Tells the job its master; unset: it runs in its own process."""
CONF_VARIABLE = "LATENCY_SPARK_CONF"
"""Tells the job the user's settings of Spark, as a JSON object."""
JAVA_OPTIONS = "-XX:+UseParallelGC -XX:-DontCompileHugeMethods"
"""Of driver and executors. Spark writes a method for a whole plan, and one above 8,000 bytes stays interpreted."""
_SEND_S = 3.0
_AGAIN_S = 10.0


class ThroughProbe:
    """Sends an event at each start of the job, and another from time to time, for a job may begin with the newest;
    the job is ready when one of them is in MongoDB."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._runs: list[str] = []
        self._sent_at = 0.0
        self._arrived = False

    def send(self) -> None:
        """The step after each start."""
        self._arrived = False
        self._runs = []
        self._send()

    def check(self) -> None:
        """Whether one of this start's events came through."""
        if self._arrived:
            return
        try:
            self._arrived = any(has_arrived(self._access, run) for run in self._runs)
        except PyMongoError as broken:
            raise NotYetError(f"MongoDB cannot be asked for the probe event: {type(broken).__name__}") from None
        if not self._arrived:
            if time.monotonic() - self._sent_at > _AGAIN_S:
                self._send()
            raise NotYetError("the probe event is not in MongoDB yet")

    def _send(self) -> None:
        try:
            self._runs.append(send_probe(self._access, _SEND_S))
        except ProbeTimeoutError as refused:
            raise NotYetError(str(refused)) from None
        self._sent_at = time.monotonic()


def spark(blueprint: Blueprint, module: str) -> Service:
    """The job's definition; `module` is the profile's, run by name (`jobs` is above this folder)."""
    return job_service(blueprint, (sys.executable, "-m", module), own_environment(blueprint))


def own_environment(blueprint: Blueprint) -> dict[str, str]:
    """What the product's own jobs are told."""
    job = blueprint.settings.job
    return {
        CHECKPOINT_VARIABLE: f"{job.checkpoint_interval_s} seconds",
        STATEFUL_VARIABLE: str(int(job.stateful)),
        CONF_VARIABLE: json.dumps(blueprint.settings.spark.conf),
    }


def job_service(blueprint: Blueprint, command: tuple[str, ...], environment: Mapping[str, str]) -> Service:
    """A Python program that runs Spark, ready when a probe event came through it."""
    folder, settings = blueprint.folder.data(NAME), blueprint.settings.spark
    master = {} if blueprint.master is None else {MASTER_VARIABLE: blueprint.master}
    through = ThroughProbe(blueprint.access)
    return Service(
        name=NAME,
        command=command,
        environment={
            "JAVA_HOME": str(java_home(blueprint.settings.java)),
            "SPARK_LOCAL_IP": blueprint.driver_host,
            "SPARK_LOCAL_HOSTNAME": blueprint.driver_host,
            **master,
            "SPARK_LOCAL_DIRS": str(folder / "local"),
            "PYSPARK_SUBMIT_ARGS": _submit_arguments(blueprint),
            **environment,
        },
        ports={"ui": blueprint.ports["spark.ui"]},
        log=blueprint.folder.log(NAME),
        prepare=lambda: private_folder(folder / "local"),
        provision=through.send,
        probe=through.check,
        needs=("kafka", "mongod"),
        start_timeout_s=120 if blueprint.master is None else 240,  # executors begin as JVMs of their own
        stop_timeout_s=20,
        settings=settings.model_dump(),
    )


def _submit_arguments(blueprint: Blueprint) -> str:
    """What must be known before the JVM starts. The job may add to it, and no secret is in it."""
    settings = blueprint.settings.spark
    configuration = {
        "spark.master": blueprint.master or f"local[{blueprint.settings.kafka.partitions + 1}]",
        "spark.driver.bindAddress": blueprint.driver_host,
        "spark.driver.host": blueprint.driver_host,
        "spark.ui.port": blueprint.ports["spark.ui"],
        "spark.ui.showConsoleProgress": "false",
        "spark.executor.extraJavaOptions": JAVA_OPTIONS,
    }
    arguments = ["--driver-memory", f"{settings.memory_mb}m", "--driver-java-options", JAVA_OPTIONS]
    arguments += ["--jars", ",".join(map(str, spark_jars(blueprint.home)))]
    for key, value in configuration.items():
        arguments += ["--conf", f"{key}={value}"]
    return shlex.join([*arguments, "pyspark-shell"])
