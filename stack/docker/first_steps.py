"""What the supervisor does to a new stack, done by a container where compose has started it: `python -m …`.

Replica set, users, indexes and topics, whatever of them is not there. Ends when all of it is.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from measure.errors import LatencyError, NotReadyError
from stack.access import STACK_DIR_VARIABLE
from stack.blueprint import Blueprint
from stack.docker.database import Provision
from stack.places import StackFolder
from stack.service import NotYetError, Step
from stack.services.kafka import make_topics

_WITHIN_S = 180.0
_AGAIN_S = 0.5


def take(blueprint: Blueprint) -> None:
    """All steps. NotReadyError says which one has not succeeded in time."""
    _until(Provision(blueprint))
    _until(lambda: make_topics(blueprint))


def _until(step: Step) -> None:
    deadline = time.monotonic() + _WITHIN_S
    while True:
        try:
            step()
            return
        except NotYetError as not_yet:
            if time.monotonic() > deadline:
                raise NotReadyError(f"after {_WITHIN_S:.0f} s: {not_yet}") from None
        time.sleep(_AGAIN_S)


def main() -> int:
    """For the stack whose folder `LATENCY_STACK_DIR` names. The answer is the exit code."""
    try:
        take(Blueprint.read(StackFolder(Path(os.environ[STACK_DIR_VARIABLE]))))
    except LatencyError as wrong:
        sys.stderr.write(f"first steps: {wrong}\n")
        return wrong.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
