"""What the services of the local runtime are made of: found on the machine, or downloaded and verified once."""

from __future__ import annotations

import sys
from collections.abc import Callable

from measure.errors import LatencyError
from stack.jars import locked_jars, provide_jars, unfit_jars
from stack.java import choose_java, java_home
from stack.mongod_binary import check_mongod
from stack.settings import DOCKER, EXTERNAL, Settings

Narrate = Callable[[str], None]

_ON_JAVA = frozenset({"kafka", "spark"})


def provision(settings: Settings, narrate: Narrate) -> None:
    """Make sure that Java, mongod and the jars are there; quick when they are.

    NotReadyError says what is missing and what to do. Nothing is asked for that `settings.services` leaves out.
    """
    if settings.runtime == DOCKER:
        _provision_containers(settings, narrate)
        return
    services = settings.services
    if settings.runtime != EXTERNAL and (services is None or "mongod" in services):
        binary = check_mongod(settings.mongo.binary)
        narrate(str(binary))
    if services is None or _ON_JAVA & set(services):
        java = choose_java(settings.java)
        narrate(str(java))
        provide_jars(settings.home, java_home(settings.java) / "bin" / "java", narrate)


def _provision_containers(settings: Settings, narrate: Narrate) -> None:
    """The images; the own one wants Spark's connector, which a Java downloads."""
    from stack.docker.engine import connect
    from stack.docker.images import provide_images

    client = connect(settings.docker.host)
    narrate(f"engine {client.version()['Version']}")
    if unfit_jars(settings.home.jars, locked_jars()):
        provide_jars(settings.home, java_home(settings.java) / "bin" / "java", narrate)
    provide_images(client, settings, narrate)


def _on_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main() -> int:
    """`python -m stack.provision`: fetch everything ahead of the first `latency up`. The answer is the exit code."""
    try:
        provision(Settings.load(), _on_stderr)
    except LatencyError as error:
        _on_stderr(f"latency: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
