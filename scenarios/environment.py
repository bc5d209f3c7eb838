"""The machine and the versions that a run is measured with."""

from __future__ import annotations

import os
import platform
import re
from importlib import metadata
from pathlib import Path

import psutil
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from measure.figures import Environment
from measure.store import Document
from stack.access import Access, Role
from stack.settings import Settings

_PACKAGES = ("latency-console", "pyspark", "confluent-kafka", "pymongo")
_KAFKA_JAR = re.compile(r"kafka_[\d.]+-(\d[\w.]*)\.jar\Z")
_MODEL = re.compile(r"^model name\s*:\s*(.+)$", re.MULTILINE)


def environment(settings: Settings, access: Access) -> Environment:
    """What is known of where the run is measured. What does not answer is left out."""
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    versions |= _kafka(settings.home.jars / "kafka") | _mongod(access)
    return Environment(
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory=psutil.virtual_memory().total,
        versions=versions,
        cpu=_cpu(),
        os=f"{platform.system()} {platform.release()} {platform.machine()}",
        load_before=round(os.getloadavg()[0], 2),
        details={"partitions": settings.kafka.partitions, "sinks": settings.sinks},
    )


def _kafka(jars: Path) -> dict[str, str]:
    found = [match[1] for jar in sorted(jars.glob("kafka_*.jar")) if (match := _KAFKA_JAR.match(jar.name))]
    return {"kafka": found[-1]} if found else {}


def _mongod(access: Access) -> dict[str, str]:
    try:
        with MongoClient[Document](access.mongo_uri(Role.RUN), timeoutMS=2_000) as client:
            return {"mongod": str(client.server_info()["version"])}
    except PyMongoError:
        return {}


def _cpu() -> str | None:
    try:
        found = _MODEL.search(Path("/proc/cpuinfo").read_text("utf-8"))
    except OSError:
        return platform.processor() or None
    return found[1].strip() if found else platform.processor() or None
