"""The stack as a compose.yaml, from the same definitions as its containers.

Beside the text there are files, in the stack's folder: what a container is given before its start (passwords among
it), what the own image is built from, and a `latency.toml` by which the external runtime attaches to it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from measure.errors import UsageError
from stack.access import Access, Role
from stack.blueprint import Blueprint, Plan
from stack.choice import choose_ports
from stack.credentials import ensure_credentials
from stack.docker import box as shape
from stack.docker import images, labels
from stack.docker.box import Box, File
from stack.docker.services import folder_files, own_box
from stack.files import write_whole
from stack.jars import locked_jars, provide_jars, unfit_jars
from stack.java import java_home
from stack.lifecycle import endpoints_of
from stack.places import private_folder
from stack.ports import HOST
from stack.runtimes import with_image
from stack.service import Service
from stack.services import check, services
from stack.settings import DOCKER, Settings

Narrate = Callable[[str], None]
Value = str | int | float | bool | None | Mapping[str, "Value"] | list["Value"]
Definition = dict[str, Value]

FIRST_STEPS = "first-steps"
_WIDTH = 120

_HEAD = """\
# Written by `latency compose`. Start, look, stop, remove with all data:
#   docker compose -p {project} -f compose.yaml up -d
#   docker compose -p {project} -f compose.yaml ps
#   docker compose -p {project} -f compose.yaml stop
#   docker compose -p {project} -f compose.yaml down -v
# No secret is in this text. Each container gets its files, passwords among them, from this folder, which only you
# may enter and which must stay:
#   {folder}
# To measure it: `cd` there and say `latency run peak --stack {attached}`, for its latency.toml tells the way.
"""


@dataclass(frozen=True, slots=True)
class Composed:
    """How the file is used, as comment lines, and what it says."""

    head: str
    document: dict[str, Value]

    @property
    def text(self) -> str:
        """The whole file."""
        return self.head + yaml.safe_dump(self.document, sort_keys=False, allow_unicode=True, width=_WIDTH)


def compose(settings: Settings, narrate: Narrate) -> Composed:
    """The stack's compose.yaml; what it names is written on the way. UsageError, NotReadyError as `up` has them."""
    settings = settings.model_copy(update={"runtime": DOCKER})
    check(settings)
    _check_made(settings)
    if unfit_jars(settings.home.jars, locked_jars()):
        provide_jars(settings.home, java_home(settings.java) / "bin" / "java", narrate)
    blueprint = _blueprint(with_image(settings), narrate)
    place = private_folder(blueprint.folder.root / "compose")
    _write_beside(blueprint, place)
    project = labels.project_name(settings.stack)
    head = _HEAD.format(project=project, folder=place, attached=_attached(settings))
    return Composed(head, _document(blueprint, place))


def _check_made(settings: Settings) -> None:
    """A stack that lives elsewhere has other credentials and data."""
    before = Plan.read(settings.folder)
    if before is not None and before.settings["runtime"] != DOCKER:
        raise UsageError(
            f"stack {settings.stack} was made with runtime {before.settings['runtime']}: name another one for compose, "
            "`latency compose --stack NAME`."
        )


def _blueprint(settings: Settings, narrate: Narrate) -> Blueprint:
    folder = settings.folder
    folder.make()
    before = Plan.read(folder)
    ports = before.ports if before else choose_ports(settings, {}, narrate)
    credentials = ensure_credentials(folder)
    if before is None:
        Plan(settings.model_dump(mode="json"), ports).write(folder)
    return Blueprint(settings.home, folder, settings, ports, Access(endpoints_of(settings, ports), credentials))


def _attached(settings: Settings) -> str:
    return f"{settings.stack[:22]}-attached"


def _write_beside(blueprint: Blueprint, place: Path) -> None:
    shutil.rmtree(place / "image", ignore_errors=True)
    images.write_context(blueprint.home, place / "image")
    password, uri = place / "kafka-password", place / "mongo-uri"
    write_whole(password, blueprint.access.credentials.kafka[Role.HOST].encode())
    write_whole(uri, blueprint.access.mongo_uri(Role.RUN).encode())
    told = {
        "kafka": blueprint.access.endpoints.kafka[Role.HOST],
        "kafka_security": "SASL_PLAINTEXT",
        "kafka_user": Role.HOST.value,
        "kafka_password_file": str(password),
        "mongo_file": str(uri),
        "prefix": "",
        "database": blueprint.access.names.database,
    }
    lines = [
        'runtime = "external"',
        f"profile = {json.dumps(blueprint.settings.profile)}",
        'services = ["kafka", "mongod"]  # job, sink and dashboard are compose\'s',
        f"\n[kafka]\npartitions = {blueprint.settings.kafka.partitions}",
        "\n[external]",
        *(f"{key} = {json.dumps(value)}" for key, value in told.items()),
    ]
    write_whole(place / "latency.toml", "".join(f"{text}\n" for text in lines).encode())


def _document(blueprint: Blueprint, place: Path) -> dict[str, Value]:
    stack = blueprint.settings.stack
    defined = list(services(blueprint))
    if {"kafka", "mongod"} <= {service.name for service in defined}:
        defined.append(_first_steps(blueprint))
    there = {service.name for service in defined}
    checked = {service.name for service in defined if isinstance(service.box, Box) and service.box.check}
    definitions: dict[str, Value] = {}
    volumes: dict[str, Value] = {}
    for service in defined:
        assert isinstance(service.box, Box)  # noqa: S101 (runtime docker defines nothing else)
        definition = _definition(blueprint, service, service.box, place)
        needs = (*service.needs, FIRST_STEPS) if _wants_first_steps(service) else service.needs
        waits = {name: {"condition": _condition(name, checked)} for name in needs if name in there}
        if waits:
            definition["depends_on"] = waits
        volumes |= {name: {"labels": labels.own(stack)} for name in service.box.volumes}
        definitions[service.name] = definition
    network: dict[str, Value] = {"default": {"labels": labels.own(stack)}}
    return {"services": definitions, "networks": network, "volumes": volumes}


def _given(service: str, files: Iterable[File], place: Path) -> Iterator[str]:
    """The files as read-only mounts. Their folder is closed to others; the files themselves are not, since the
    container's user is another one. `z`: SELinux lets containers read what is so labelled. (As compose's secrets they
    could not be; the long form knows no `selinux` before compose 2.)"""
    folder = private_folder(private_folder(place / "files") / service)
    for file in files:
        name = Path(file.path).name
        write_whole(folder / name, file.content)
        (folder / name).chmod(file.mode | 0o444)
        yield f"{_escaped(str(folder / name))}:{file.path}:ro,z"


def _definition(blueprint: Blueprint, service: Service, box: Box, place: Path) -> Definition:
    definition: Definition = {"image": box.image}
    if box.image.startswith(f"{images.REPOSITORY}:"):
        definition["build"] = _build(blueprint)
    definition |= {
        "hostname": service.name,
        "command": [_escaped(word) for word in service.command],
        "environment": {key: _escaped(value) for key, value in shape.environment(service).items()},
        "ports": [f"{HOST}:{outside}:{inside}" for inside, outside in box.published.items()],
        "volumes": [
            *(f"{name}:{path}" for name, path in box.volumes.items()),
            *_given(service.name, box.files(), place),
        ],
        "labels": labels.own(blueprint.settings.stack),
        "mem_limit": f"{box.memory_mb}m",
        "cpus": box.cpus,
        "cpu_shares": box.cpu_shares,
        "pids_limit": shape.PIDS,
        "cap_drop": ["ALL"],
        "security_opt": [shape.NO_NEW_PRIVILEGES],
        "restart": "no" if service.name == FIRST_STEPS else shape.RESTART,
        "stop_signal": service.stop_signal.name,
        "stop_grace_period": f"{service.stop_timeout_s:.0f}s",
        "logging": {"driver": shape.LOG_DRIVER, "options": dict(shape.LOG_OPTIONS)},
    }
    if box.entrypoint:
        definition["entrypoint"] = list(box.entrypoint)
    if box.user:
        definition["user"] = box.user
    if box.check:
        definition["healthcheck"] = _healthcheck(box.check)
    return {key: value for key, value in definition.items() if value not in ([], {})}


def _wants_first_steps(service: Service) -> bool:
    return service.name != FIRST_STEPS and bool(set(service.needs) & {"kafka", "mongod"})


def _condition(name: str, checked: set[str]) -> str:
    if name == FIRST_STEPS:
        return "service_completed_successfully"
    return "service_healthy" if name in checked else "service_started"


def _build(blueprint: Blueprint) -> Definition:
    docker = blueprint.settings.docker
    context: Definition = {
        "context": str(blueprint.folder.root / "compose" / "image"),
        "args": {"BASE": docker.spark_image},
    }
    return context | ({"network": docker.build_network} if docker.build_network else {})


def _healthcheck(command: str) -> Definition:
    return {
        "test": ["CMD-SHELL", _escaped(command)],
        "interval": f"{shape.CHECK_S}s",
        "timeout": f"{shape.CHECK_S // 2}s",
        "start_period": f"{shape.CHECK_BEGIN_S}s",
        "retries": shape.CHECK_TIMES,
    }


def _escaped(text: str) -> str:
    """Compose would put variables in."""
    return text.replace("$", "$$")


def _first_steps(blueprint: Blueprint) -> Service:
    """What the supervisor would do: replica set, users, topics; once, then it ends."""
    return Service(
        name=FIRST_STEPS,
        command=("python", "-m", "stack.docker.first_steps"),
        environment={},
        ports={},
        log=blueprint.folder.log(FIRST_STEPS),
        probe=lambda: None,
        needs=("kafka", "mongod"),
        box=replace(own_box(blueprint, 256), files=lambda: folder_files(blueprint, blueprint.access.credentials)),
    )
