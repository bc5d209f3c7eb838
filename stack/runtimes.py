"""Which runtime a stack has, and what that one brings for the parts that all runtimes share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from measure.errors import NotReadyError
from stack.blueprint import Plan
from stack.ground import Foreign, Ground, Processes
from stack.places import StackFolder
from stack.service import Service
from stack.settings import DOCKER, Settings

if TYPE_CHECKING:
    from stack.docker.stats import ContainerSampler


_ANSWER_S = 10


def engine_of(folder: StackFolder) -> tuple[bool, str | None]:
    """Whether the stack lives in containers, and the engine that was configured for it."""
    plan = Plan.read(folder)
    if plan is None or plan.settings.get("runtime") != DOCKER:
        return False, None
    return True, plan.settings.get("docker", {}).get("host")


def missing_engine(host: str | None) -> str | None:
    """Why the engine cannot be reached; None where it can."""
    from stack.docker.engine import connect

    try:
        connect(host, timeout_s=_ANSWER_S)
    except NotReadyError as gone:
        return f"the container engine went away: {gone}"
    return None


def container_sampler(folder: StackFolder) -> ContainerSampler | None:
    """For a stack in containers; the engine's package is not loaded for others."""
    contained, host = engine_of(folder)
    if not contained:
        return None
    from stack.docker.stats import ContainerSampler

    return ContainerSampler(folder.name, host)


def with_engine(settings: Settings) -> Settings:
    """The settings with the engine's address: where nothing is configured, a stack stays with the engine that it was
    made in, whatever DOCKER_HOST or the context name by then."""
    if settings.runtime != DOCKER:
        return settings
    from stack.docker.engine import address

    host = address(settings.docker.host or engine_of(settings.folder)[1])
    return settings.model_copy(update={"docker": settings.docker.model_copy(update={"host": host})})


def with_image(settings: Settings) -> Settings:
    """The settings with the name of the product's own image, which follows from its content, once for this `up`."""
    if settings.runtime != DOCKER or settings.docker.image is not None:
        return settings
    from stack.docker.images import project_image

    named = settings.docker.model_copy(update={"image": project_image(settings)})
    return settings.model_copy(update={"docker": named})


def running_containers(folder: StackFolder) -> list[str]:
    """Services of a stack in containers that run now."""
    from stack.docker.clearing import containers
    from stack.docker.engine import connect, told

    with told(f"stack {folder.name}"):
        there = containers(connect(engine_of(folder)[1]), folder.name)
        return [name for name, container in there.items() if container.status in ("running", "paused", "restarting")]


def remove_containers(folder: StackFolder) -> None:
    """Stop and remove what containers the stack has, consumers before what they consume. Volumes stay."""
    contained, host = engine_of(folder)
    if contained:
        from stack.docker import clearing
        from stack.docker.engine import connect

        clearing.remove_containers(connect(host), folder.name)


def remove_volumes(folder: StackFolder) -> list[str]:
    """Remove what volumes the stack has; their names."""
    contained, host = engine_of(folder)
    if not contained:
        return []
    from stack.docker import clearing
    from stack.docker.engine import connect

    return clearing.remove_volumes(connect(host), folder.name)


class Grounds:
    """Where the services of one stack live. One for a supervisor: the containers share one watch."""

    def __init__(self, folder: StackFolder) -> None:
        self._folder = folder
        self._containers: Ground | None = None

    def of(self, service: Service) -> Ground:
        """Where this one lives."""
        if service.foreign:
            return Foreign()
        if service.box is None:
            return Processes(self._folder)
        if self._containers is None:
            from stack.docker.ground import Containers

            self._containers = Containers(self._folder.name, engine_of(self._folder)[1])
        return self._containers
