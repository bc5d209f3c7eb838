"""Which ports a stack listens on."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from stack.blueprint import Plan
from stack.claims import choosing, claim, claimed_by_others
from stack.places import StackFolder
from stack.ports import find_free, holder, is_free
from stack.settings import DOCKER, Settings


def preferred_ports(settings: Settings) -> dict[str, int]:
    """Listener → the port that the settings ask for."""
    kafka = settings.kafka
    return {
        "kafka.host": kafka.port,
        "kafka.producer": kafka.producer_port,
        "kafka.job": kafka.job_port,
        "kafka.sink": kafka.sink_port,
        "kafka.controller": kafka.controller_port,
        "mongo": settings.mongo.port,
        "spark.ui": settings.spark.ui_port,
        "dashboard": settings.dashboard.port,
    } | ({"spark.master": settings.docker.master_ui_port} if settings.runtime == DOCKER else {})


def choose_ports(settings: Settings, before: Mapping[str, int], narrate: Callable[[str], None]) -> dict[str, int]:
    """For each listener the preferred port, else the one that it had before, else a free one; says who holds it."""
    with choosing():
        chosen = _choose(settings, before, narrate)
        claim(settings.folder, chosen)
    return chosen


def _choose(settings: Settings, before: Mapping[str, int], narrate: Callable[[str], None]) -> dict[str, int]:
    chance = random.SystemRandom()
    others = claimed_by_others(settings.folder) | _ports_of_other_stacks(settings)
    chosen: dict[str, int] = {}
    for listener, wanted in preferred_ports(settings).items():
        taken = {*others, *chosen.values()}
        candidates = [port for port in (wanted, before.get(listener)) if port and port not in taken and is_free(port)]
        chosen[listener] = candidates[0] if candidates else find_free(taken, chance)
        if chosen[listener] != wanted:
            whose = others.get(wanted) or (str(holder(wanted)) if not is_free(wanted) else "another listener")
            narrate(f"port {wanted} ({listener}) is held by {whose}: taking {chosen[listener]}")
    return chosen


def _ports_of_other_stacks(settings: Settings) -> dict[int, str]:
    """Port → whose it is, for stacks of the same home that are meant to be up."""
    found: dict[int, str] = {}
    for root in settings.home.stacks.glob("*"):
        folder = StackFolder(root)
        plan = Plan.read(folder) if folder.endpoints.exists() and root != settings.folder.root else None
        if plan is not None:
            found.update(dict.fromkeys(plan.ports.values(), f"stack {folder.name}"))
    return found
