"""Which address of this machine Spark's executors can reach the driver at."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from stack.ports import HOST


def driver_host(master: str, named: str | None) -> str:
    """The configured one; else the address from which this machine would speak to the master, else loopback."""
    if named:
        return named
    host = urlsplit(master.removeprefix("k8s://")).hostname
    if host is None:
        return HOST
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:  # connecting a datagram socket sends nothing
            way.connect((host, 9))
            return str(way.getsockname()[0])
    except OSError:
        return HOST
