"""A job of the user's own in the driver's container, and the reader that measures it in one beside."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from stack.access import Role
from stack.blueprint import Blueprint
from stack.docker.box import File
from stack.docker.services import SPARK_UID, contained, driver, inner_endpoints
from stack.exports import client_properties, variables
from stack.service import Service
from stack.services.own import CHECKPOINT_VARIABLE, COLLECTION_VARIABLE, check_job, reader

_PLACE = "/stack/job"
_CHECKPOINTS = "/stack/spark/checkpoints"
_START = """\
#!/usr/bin/env bash
# Passwords come from a file: what an engine tells of its containers holds none. As a container's first process the
# program would not hear SIGTERM.
set -eua
source {place}/environment
exec tini -- python {program}
"""


def own_job(blueprint: Blueprint) -> Service:
    """The user's program, told in its environment how to reach the stack from within its network."""
    path = check_job(blueprint.settings.job.path)
    service = driver(blueprint, ("bash", f"{_PLACE}/start"), {}, lambda: _files(blueprint, path))
    job = hashlib.sha256(path.read_bytes()).hexdigest()
    told = {"job": job, "program": path.name, "collection": blueprint.settings.job.collection}
    return replace(service, settings=told)


def own_reader(blueprint: Blueprint) -> Service:
    """Follows the collection that the job writes."""
    return contained(blueprint, reader(blueprint), "jobs.reader")


def _files(blueprint: Blueprint, path: Path) -> list[File]:
    access = msgspec.structs.replace(blueprint.access, endpoints=inner_endpoints(blueprint))
    properties, program = f"{_PLACE}/client.properties", f"{_PLACE}/{path.name}"
    told = variables(access, Role.JOB, properties, access.mongo_uri(Role.JOB)) | {
        COLLECTION_VARIABLE: blueprint.settings.job.collection,
        CHECKPOINT_VARIABLE: f"{_CHECKPOINTS}/own-{path.stem}",
    }
    start = _START.format(place=_PLACE, program=shlex.quote(program))
    return [
        File(f"{_PLACE}/start", start.encode(), SPARK_UID),
        File(f"{_PLACE}/environment", _shell(told).encode(), SPARK_UID),
        File(properties, client_properties(access, Role.JOB).encode(), SPARK_UID),
        File(program, path.read_bytes(), SPARK_UID),
    ]


def _shell(variables: Mapping[str, str]) -> str:
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())
