"""A container's output, written to the service's log as it comes."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import requests
from docker.errors import DockerException

from measure.errors import LatencyError
from stack.docker.engine import connect
from stack.process import append, open_log


def follow_into(container: str, log: Path, host: str | None, since_s: float) -> threading.Thread:
    """In the thread that is given back, until the container ends. `since_s`: seconds of the epoch; what is older is
    there already; 0: nothing is."""
    arguments = (container, log, host, since_s)
    thread = threading.Thread(target=_pump, args=arguments, name=f"log of {container[:12]}", daemon=True)
    thread.start()
    return thread


def _pump(container: str, log: Path, host: str | None, since_s: float) -> None:
    with contextlib.suppress(LatencyError, requests.RequestException, DockerException, OSError):
        client = connect(host, timeout_s=None)
        stream = client.api.logs(container, stream=True, follow=True, since=since_s or None)
        for chunk in stream:
            with open_log(log) as handle:
                append(handle, chunk)
