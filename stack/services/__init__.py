"""The definitions of the services, one module each, and which of them a profile is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from measure.errors import UsageError
from stack.blueprint import Blueprint
from stack.external import check_external
from stack.profiles import OWN, find_profile
from stack.service import Service
from stack.services import foreign
from stack.services.dashboard import dashboard
from stack.services.kafka import kafka
from stack.services.mongod import mongod
from stack.services.own import check_job, own_job, reader
from stack.services.sink import sink, sink_name
from stack.services.spark import spark
from stack.settings import DOCKER, EXTERNAL, Settings

PIPELINE = ("kafka", "mongod", "spark", "sink", "reader")
"""What an event passes on its way to MongoDB and to its figures; a profile has a sink, a reader, or neither."""
KINDS = (*PIPELINE, "dashboard")


def services(blueprint: Blueprint) -> tuple[Service, ...]:
    """All services of a stack, in the order in which they are shown and started."""
    settings = blueprint.settings
    module = find_profile(settings.profile).module
    if settings.runtime == DOCKER:
        return _contained(blueprint)
    ours = settings.runtime != EXTERNAL
    makers: dict[str, Callable[[], Iterable[Service]]] = {
        "kafka": lambda: [kafka(blueprint) if ours else foreign.kafka(blueprint)],
        "mongod": lambda: [mongod(blueprint) if ours else foreign.mongod(blueprint)],
        "spark": lambda: [own_job(blueprint) if settings.profile == OWN else spark(blueprint, module)],
        "sink": lambda: [sink(blueprint, number) for number in range(1, settings.sinks + 1)],
        "reader": lambda: [reader(blueprint)],
        "dashboard": lambda: [dashboard(blueprint)],
    }
    return tuple(service for name in chosen(settings) for service in makers[name]())


def _contained(blueprint: Blueprint) -> tuple[Service, ...]:
    """The same in containers, with Spark's master and workers before the job."""
    from stack.docker import own as boxed_own
    from stack.docker import services as boxed

    job = boxed_own.own_job if blueprint.settings.profile == OWN else boxed.spark
    makers: dict[str, Callable[[], Iterable[Service]]] = {
        "kafka": lambda: [boxed.kafka(blueprint)],
        "mongod": lambda: [boxed.mongod(blueprint)],
        "spark": lambda: [boxed.spark_master(blueprint), *boxed.spark_workers(blueprint), job(blueprint)],
        "sink": lambda: boxed.sinks(blueprint),
        "reader": lambda: [boxed_own.own_reader(blueprint)],
        "dashboard": lambda: [boxed.dashboard(blueprint)],
    }
    return tuple(service for name in chosen(blueprint.settings) for service in makers[name]())


def service_names(settings: Settings) -> tuple[str, ...]:
    """The names of the services that the settings want, in the same order."""
    names: list[str] = []
    for kind in chosen(settings):
        if kind == "spark" and settings.runtime == DOCKER:
            names += ["spark-master", *(f"spark-worker-{number}" for number in range(1, settings.docker.workers + 1))]
        names += [sink_name(number) for number in range(1, settings.sinks + 1)] if kind == "sink" else [kind]
    return tuple(names)


def chosen(settings: Settings) -> tuple[str, ...]:
    """Which kinds of services the settings want, in order; UsageError for one that does not exist."""
    wanted = settings.services if settings.services is not None else KINDS
    unknown = [name for name in wanted if name not in KINDS]
    if unknown:
        raise UsageError(f"services: {unknown[0]!r} does not exist; there are: {', '.join(KINDS)}.")
    return tuple(kind for kind in KINDS if kind in wanted and _belongs(kind, settings.profile))


def check(settings: Settings) -> None:
    """UsageError where the services that the settings want cannot be: before anything is begun."""
    if "spark" in chosen(settings) and settings.profile == OWN:
        check_job(settings.job.path)
    if settings.runtime == EXTERNAL:
        check_external(settings)


def runs_whole(settings: Settings) -> bool:
    """Whether an event can come through to MongoDB, or parts are left to the user."""
    return {kind for kind in PIPELINE if _belongs(kind, settings.profile)} <= set(chosen(settings))


def _belongs(kind: str, profile: str) -> bool:
    return kind not in ("sink", "reader") or find_profile(profile).behind == kind
