"""The definitions of the services, one module each, and which of them a profile is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from measure.errors import UsageError
from stack.blueprint import Blueprint
from stack.service import Service
from stack.services.kafka import kafka
from stack.services.mongod import mongod
from stack.services.sink import sink
from stack.services.spark import spark
from stack.settings import Settings

PROFILES = {"realtime": "jobs.realtime"}
"""Profile → module of its Spark job."""


KINDS = ("kafka", "mongod", "spark", "sink")


def services(blueprint: Blueprint) -> tuple[Service, ...]:
    """All services of a stack, in the order in which they are shown and started."""
    settings = blueprint.settings
    module = job_module(settings.profile)
    makers: dict[str, Callable[[], Iterable[Service]]] = {
        "kafka": lambda: [kafka(blueprint)],
        "mongod": lambda: [mongod(blueprint)],
        "spark": lambda: [spark(blueprint, module)],
        "sink": lambda: [sink(blueprint, number) for number in range(1, settings.sinks + 1)],
    }
    return tuple(service for name in chosen(settings) for service in makers[name]())


def chosen(settings: Settings) -> tuple[str, ...]:
    """Which kinds of services the settings want, in order; UsageError for one that does not exist."""
    wanted = settings.services if settings.services is not None else KINDS
    unknown = [name for name in wanted if name not in KINDS]
    if unknown:
        raise UsageError(f"services: {unknown[0]!r} does not exist; there are: {', '.join(KINDS)}.")
    return tuple(kind for kind in KINDS if kind in wanted)


def runs_whole(settings: Settings) -> bool:
    """Whether an event can come through to MongoDB, or parts are left to the user."""
    return chosen(settings) == KINDS


def job_module(profile: str) -> str:
    """The module of a profile's job; UsageError for a profile that does not exist."""
    if profile not in PROFILES:
        raise UsageError(f"profile {profile!r} does not exist; there are: {', '.join(PROFILES)}.")
    return PROFILES[profile]
